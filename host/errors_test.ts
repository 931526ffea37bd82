import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { ShimError } from "../ffi/library.ts";
import { Plan } from "../ffi/plan.ts";
import { SystemError } from "../ffi/system.ts";
import { SandboxError, toSandboxError } from "./errors.ts";

Deno.test("toSandboxError() keeps the call, its errno and the reason of a failed step", () => {
  const plan = new Plan();
  plan.because("option --what", () => {
    plan.step("openat", [-100, plan.string("/nowhere"), 0, 0], { what: "open it" });
  });
  const cause = new SystemError(plan.steps[0], 2);
  const error = toSandboxError(cause);
  assertInstanceOf(error, SandboxError);
  assertEquals(error.kind, "system");
  assertEquals(error.step, "openat");
  assertEquals(error.errno, 2);
  assertEquals(
    error.message,
    "option --what: cannot open it: No such file or directory (openat: ENOENT)",
  );
  assertStrictEquals(error.cause, cause);
});

Deno.test("toSandboxError() takes a refused plan for a bug, and a missing shim for what it is", () => {
  const refused = toSandboxError(new SystemError(undefined, 22));
  assertInstanceOf(refused, SandboxError);
  assertEquals([refused.kind, refused.step], ["internal", undefined]);
  const missing = toSandboxError(new ShimError("no shim"));
  assertInstanceOf(missing, SandboxError);
  assertEquals([missing.kind, missing.message], ["missing-shim", "no shim"]);
});

Deno.test("toSandboxError() lets everything else through", () => {
  for (const other of [new TypeError("a bug"), new SandboxError("no-box", "none"), "text", null]) {
    assertStrictEquals(toSandboxError(other), other);
  }
});
