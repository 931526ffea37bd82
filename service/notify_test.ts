import { assertEquals, assertThrows } from "@std/assert";
import { System } from "../ffi/system.ts";
import { ExpectedError } from "../text/errors.ts";
import { notify, socketAddress } from "./notify.ts";

Deno.test("socketAddress() ends a path with a zero, and begins an abstract name with one", () => {
  assertEquals([...socketAddress("/ab")], [1, 0, 47, 97, 98, 0]);
  assertEquals([...socketAddress("@/ab")], [1, 0, 0, 47, 97, 98]);
});

Deno.test("socketAddress() refuses what the kernel could not accept", () => {
  assertEquals(socketAddress(`/${"x".repeat(106)}`).length, 110);
  for (
    const name of ["", "relative", "vsock:2:1234", `/${"x".repeat(107)}`, `@${"x".repeat(107)}`]
  ) {
    assertThrows(() => socketAddress(name), ExpectedError, name);
  }
});

Deno.test("notify() does nothing where there is no service manager", async () => {
  const system = await System.load();
  for (const socket of [undefined, ""]) notify(system, { socket, lines: ["READY=1"] });
});
