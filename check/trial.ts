/** Makes a box and runs a program in it: what no file of the kernel tells is found out so. */

import { Box } from "../box/box.ts";
import { outcomeMessage } from "../box/outcome/outcome.ts";
import { Sandbox } from "../box/sandbox.ts";
import { ControlGroupError } from "../cgroup/types.ts";
import type { Settings } from "../config/settings.ts";
import { SandboxError } from "../host/errors.ts";
import { fail, type Finding, pass, skip } from "./types.ts";

/** The last boxes: the classic command's clients count from the first. */
const BOXES_TRIED = 50;
const RUNS = 5;
const PROGRAM = ["/bin/true"];

/** A trial of a box. */
export interface Trial {
  /** A stable word for it. */
  readonly name: string;
  readonly controlGroup: boolean;
}

/** All trials. */
export const TRIALS: readonly Trial[] = [
  { name: "box", controlGroup: false },
  { name: "box-with-control-group", controlGroup: true },
];

/** Makes a box, runs a program in it, measures how long that takes, and removes the box. */
export async function tryBox(settings: Settings, { controlGroup }: Trial): Promise<Finding> {
  try {
    const sandbox = await Sandbox.open({ settings, userNamespace: true });
    const box = await freeBox(sandbox, controlGroup);
    if (!box) return skip(`the last ${BOXES_TRIED} boxes are in use: none is left to try`);
    try {
      return await runIn(box);
    } finally {
      await box.cleanup();
    }
  } catch (error) {
    if (error instanceof ControlGroupError) return fail(error.message);
    if (error instanceof SandboxError) return fail(`no box can be used: ${error.message}`);
    throw error;
  }
}

async function freeBox(sandbox: Sandbox, controlGroup: boolean): Promise<Box | undefined> {
  const { numBoxes } = sandbox.settings;
  for (let boxId = numBoxes - 1; boxId >= Math.max(0, numBoxes - BOXES_TRIED); boxId--) {
    const box = await Box.initIfFree({ sandbox, boxId, controlGroup });
    if (typeof box !== "string") return box;
  }
  return undefined;
}

async function runIn(box: Box): Promise<Finding> {
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const startMs = performance.now();
    const outcome = await box.run(PROGRAM, {
      limits: { wallTimeMs: 10_000 },
      stdin: "none",
      stdout: "none",
      stderr: "none",
    });
    times.push(performance.now() - startMs);
    if (outcome.kind !== "exit" || outcome.exitCode !== 0) {
      return fail(`${PROGRAM[0]} failed in box ${box.boxId}: ${outcomeMessage(outcome)}`);
    }
  }
  const medianMs = times.sort((a, b) => a - b)[RUNS >> 1]!;
  return pass(`${PROGRAM[0]} ran in box ${box.boxId}, in ${medianMs.toFixed(1)} ms`);
}
