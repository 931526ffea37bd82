/** The lock file of the bridge on which boxes with addresses are: `LOCK_ROOT/bridge`. */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { Sandbox } from "../sandbox.ts";

/** Where it is. */
export function bridgeLockPath({ settings }: Sandbox): string {
  return `${settings.lockRoot}/bridge`;
}

/** Opens it; undefined: it is not there and was not to be made. */
export function openBridgeLock(
  sandbox: Sandbox,
  { create }: { create: boolean },
): number | undefined {
  const { system } = sandbox;
  const plan = new Plan();
  const [fd, path] = [plan.slot("lock"), bridgeLockPath(sandbox)];
  const flags = linux.O_RDWR | linux.O_CLOEXEC | linux.O_NOFOLLOW | (create ? linux.O_CREAT : 0);
  plan.step("openat", [linux.AT_FDCWD, plan.string(path), flags, 0o600], {
    into: fd,
    what: `open the lock file ${path}`,
  });
  const failure = system.attempt(plan, "open the lock of the bridge");
  if (failure?.errno === ERRNO.ENOENT && !create) return undefined;
  if (failure) throw failure;
  return plan.result(fd);
}

/** Removes the bridge if nobody uses it. Only where boxes with addresses were ever used there is something to do. */
export async function leaveBridge(sandbox: Sandbox): Promise<void> {
  const lock = openBridgeLock(sandbox, { create: false });
  if (lock === undefined) return;
  try {
    const { tidyBridge } = await import("../network/bridge.ts");
    await tidyBridge(sandbox, lock);
  } finally {
    sandbox.system.close(lock);
  }
}
