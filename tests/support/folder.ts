/** Folders of tests. */

import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY } from "isolate/ffi/linux.ts";
import { Plan } from "isolate/ffi/plan.ts";
import type { System } from "isolate/ffi/system.ts";

/** Gives `test` a new folder, which only root can enter, and removes it afterwards. */
export async function withFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "isolate-test-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Opens a directory; close it with `system.close()`. */
export function openFolder(system: System, path: string): number {
  const plan = new Plan();
  const fd = plan.slot("folder");
  const flags = O_DIRECTORY | O_CLOEXEC;
  plan.step("openat", [AT_FDCWD, plan.string(path), flags, 0], { into: fd });
  system.run(plan, "open a folder");
  return plan.result(fd);
}
