/** Brings boxes in order that a killed process has left. */

import { Plan } from "../../ffi/plan.ts";
import { SandboxError, translated } from "../../host/errors.ts";
import { planStatus, readStatus } from "../../host/status.ts";
import { giveTreeSteps } from "../../host/give_tree.ts";
import { inSlices } from "../../text/slices.ts";
import type { Sandbox } from "../sandbox.ts";
import { listNumbers } from "../survey/processes.ts";
import { groupOf, takeLock, unmakeBox } from "./box_claim.ts";
import { leaveBridge } from "./bridge_lock.ts";
import { BoxDirectory } from "./box_directory.ts";
import type { BoxRecord } from "./lock.ts";
import { boxPlaces } from "./paths.ts";

/** Who may enter `box/` after a killed run: the program could have opened it to everybody. */
const RECOVERED_MODE = 0o700;

/** What {@linkcode recoverBox} did. */
type Recovery = "nothing" | "removed" | "given back";

/**
 * Brings all boxes in order that a killed process has left; `complain` gets why one could not be. Those
 * that are in use are left alone.
 */
export async function recoverBoxes(
  sandbox: Sandbox,
  complain: (message: string) => void,
): Promise<void> {
  const { system, settings: { lockRoot, numBoxes } } = sandbox;
  for (const boxId of listNumbers(system, lockRoot)) {
    if (boxId >= numBoxes) continue;
    try {
      const recovery = await recoverBox(sandbox, boxId);
      if (recovery === "nothing") continue;
      sandbox.log(1, () => `Box ${boxId} was left by a process that was killed: ${recovery}`);
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      complain(`Box ${boxId} was left by a process that was killed: ${error.message}`);
    }
  }
  await translated(() => leaveBridge(sandbox)).catch((error) => {
    if (!(error instanceof SandboxError)) throw error;
    complain(`A bridge may be left by a process that was killed: ${error.message}`);
  });
}

/**
 * Removes a box that was being made or removed, or was leased; gives the files of one in which a program
 * ran back to the owner of the box.
 */
function recoverBox(sandbox: Sandbox, boxId: number): Promise<Recovery> {
  return translated(async () => {
    const places = boxPlaces(sandbox.settings, boxId);
    const lock = await takeLock(sandbox, { places, options: {}, create: false }).catch(ifInUse);
    if (!lock) return "nothing";
    try {
      const record = lock.read();
      if (!record) return "nothing";
      const directory = new BoxDirectory(sandbox, places);
      const groups = async () =>
        record.controlGroup ? await groupOf(sandbox, places, false) : undefined;
      if (record.initialised && !record.pooled) {
        const { ownFileSystem } = record;
        const from = [record.ownerUid, places.boxUser.uid];
        const files = directory.open({ ownFileSystem });
        try {
          if (!belongsTo(sandbox, files, places.boxUser.uid)) return "nothing";
          (await groups())?.create();
          await giveBack(sandbox, files, { record, from });
          return "given back";
        } finally {
          directory.endRun(files);
        }
      }
      await unmakeBox({ sandbox, places, lock, controlGroup: await groups(), directory });
      return "removed";
    } finally {
      lock.release();
    }
  });
}

function belongsTo({ system }: Sandbox, files: number, uid: number): boolean {
  const plan = new Plan();
  const status = planStatus(plan, files);
  system.run(plan, "look at box/");
  return readStatus(plan.view(status)).uid === uid;
}

async function giveBack(
  { system }: Sandbox,
  files: number,
  { record: { ownerUid, ownerGid }, from }: { record: BoxRecord; from: readonly number[] },
): Promise<void> {
  await inSlices(giveTreeSteps(system, files, {
    to: { uid: ownerUid, gid: ownerGid, groups: [] },
    from,
    keepSpecialFiles: false,
    mode: RECOVERED_MODE,
    // What there was before is not known.
    accessListsBefore: { onItself: false, below: new Set() },
    itselfLast: true,
  }));
}

function ifInUse(error: unknown): undefined {
  if (!(error instanceof SandboxError && error.kind === "box-in-use")) throw error;
}
