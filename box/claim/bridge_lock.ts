/** The lock file of the bridge on which boxes with addresses are: `LOCK_ROOT/bridge`. */

import type { Sandbox } from "../sandbox.ts";
import { openLockFile } from "./lock.ts";

/** Where it is. */
export function bridgeLockPath({ settings }: Sandbox): string {
  return `${settings.lockRoot}/bridge`;
}

/** Opens it; undefined: it is not there and was not to be made. */
export function openBridgeLock(
  sandbox: Sandbox,
  { create }: { create: boolean },
): number | undefined {
  return openLockFile(sandbox.system, bridgeLockPath(sandbox), { create });
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
