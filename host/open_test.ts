import { assertEquals } from "@std/assert";
import { ERRNO } from "../ffi/errno.ts";
import { AT_FDCWD, O_CLOEXEC, O_PATH } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import { System } from "../ffi/system.ts";
import { BENEATH, planOpen, STRICT } from "./open.ts";

/** Opens one path below a directory; gives the errno, 0 if it could be opened. */
async function openBelow(directory: string, path: string, resolve: number): Promise<number> {
  const system = await System.load();
  const plan = new Plan();
  const [above, below] = [plan.slot("above"), plan.slot("below")];
  const flags = O_PATH | O_CLOEXEC;
  plan.step("openat", [AT_FDCWD, plan.string(directory), flags, 0], { into: above });
  planOpen(plan, above, path, { flags: O_PATH, resolve, into: below, ignore: "all" });
  system.run(plan, "open below");
  system.close(plan.result(above), plan.result(below));
  return -Math.min(0, plan.result(below));
}

Deno.test("STRICT and BENEATH lead to what is below, and nowhere else", async () => {
  const directory = await Deno.makeTempDir({ prefix: "isolate-resolve-" });
  try {
    await Deno.mkdir(`${directory}/folder`);
    await Deno.writeTextFile(`${directory}/folder/file`, "");
    await Deno.symlink("folder", `${directory}/inner`);
    await Deno.symlink("/etc", `${directory}/outer`);
    const { ELOOP, EXDEV } = ERRNO;
    const ways: Record<string, [strict: number, beneath: number]> = {
      "folder": [0, 0],
      "folder/file": [0, 0],
      "inner": [ELOOP, 0],
      "inner/file": [ELOOP, 0],
      "outer/passwd": [ELOOP, EXDEV],
      "..": [EXDEV, EXDEV],
      "folder/../..": [EXDEV, EXDEV],
      "/etc": [EXDEV, EXDEV],
    };
    for (const [path, [strict, beneath]] of Object.entries(ways)) {
      assertEquals(await openBelow(directory, path, STRICT), strict, path);
      assertEquals(await openBelow(directory, path, BENEATH), beneath, path);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("STRICT does not enter a mount", async () => {
  assertEquals(await openBelow("/", "proc", STRICT), ERRNO.EXDEV);
});
