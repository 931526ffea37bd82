import { assertEquals } from "@std/assert";
import { ERRNO } from "../ffi/errno.ts";
import { AT_FDCWD, O_CLOEXEC, O_PATH } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import { System } from "../ffi/system.ts";
import { openHowStrict } from "./resolve.ts";

/** Opens one path below a directory; gives the errno, 0 if it could be opened. */
async function openBelow(directory: string, path: string): Promise<number> {
  const system = await System.load();
  const plan = new Plan();
  const [above, below] = [plan.slot("above"), plan.slot("below")];
  const flags = O_PATH | O_CLOEXEC;
  plan.step("openat", [AT_FDCWD, plan.string(directory), flags, 0], { into: above });
  const how = openHowStrict(plan, O_PATH);
  plan.step("openat2", [above, plan.string(path), how, 24], { into: below, ignore: "all" });
  system.run(plan, "open below");
  system.close(plan.result(above), plan.result(below));
  return -Math.min(0, plan.result(below));
}

Deno.test("openHowStrict() leads to what is below, and nowhere else", async () => {
  const directory = await Deno.makeTempDir({ prefix: "isolate-resolve-" });
  try {
    await Deno.mkdir(`${directory}/folder`);
    await Deno.writeTextFile(`${directory}/folder/file`, "");
    await Deno.symlink("folder", `${directory}/inner`);
    await Deno.symlink("/etc", `${directory}/outer`);
    const ways: Record<string, number> = {
      "folder": 0,
      "folder/file": 0,
      "inner": ERRNO.ELOOP,
      "inner/file": ERRNO.ELOOP,
      "outer/passwd": ERRNO.ELOOP,
      "..": ERRNO.EXDEV,
      "folder/../..": ERRNO.EXDEV,
      "/etc": ERRNO.EXDEV,
    };
    for (const [path, errno] of Object.entries(ways)) {
      assertEquals(await openBelow(directory, path), errno, path);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("openHowStrict() does not enter a mount", async () => {
  assertEquals(await openBelow("/", "proc"), ERRNO.EXDEV);
});
