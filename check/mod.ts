/** Checks whether limits hold on a machine, and whether a program gets the same result tomorrow. */

import { controlGroups } from "../box/control_groups.ts";
import { callerEnvironment, surroundingsOf } from "../box/sandbox.ts";
import { loadConfig } from "../config/load.ts";
import { System } from "../ffi/system.ts";
import { standingOf } from "../host/identity.ts";
import { examineLeftovers, examineMounts, examineQuota } from "./boxes.ts";
import { runCommand } from "./command.ts";
import { examineControlGroups, examineSwap } from "./groups.ts";
import {
  examineAddresses,
  examineCorePattern,
  examineHardLinks,
  examineHugePages,
  examineKernel,
  examineUserNamespace,
} from "./kernel.ts";
import { Machine } from "./machine.ts";
import { examineBridge, examineRootInside } from "./network.ts";
import { examineCores, examineGovernor, examineThreads, examineTurbo } from "./processor.ts";
import type { Check } from "./types.ts";

export { TRIALS, tryBox } from "./trial.ts";
export { type ControlGroupPlace, Machine, type MachineOptions } from "./machine.ts";
export { type Check, type Finding, type Repair, shellLine } from "./types.ts";

/** All checks: first whether boxes work, then whether they always work the same way. */
export const CHECKS: readonly Check[] = [
  { name: "kernel", examine: examineKernel },
  { name: "user-namespace", examine: examineUserNamespace },
  { name: "root-inside", examine: examineRootInside },
  { name: "bridge", examine: examineBridge },
  { name: "control-groups", examine: examineControlGroups },
  { name: "swap", examine: examineSwap },
  { name: "box-mount", examine: examineMounts },
  { name: "quota", examine: examineQuota },
  { name: "leftovers", examine: examineLeftovers },
  { name: "hard-links", examine: examineHardLinks },
  { name: "core-pattern", examine: examineCorePattern },
  { name: "threads", examine: examineThreads },
  { name: "governor", examine: examineGovernor },
  { name: "turbo", examine: examineTurbo },
  { name: "cores", examine: examineCores },
  { name: "addresses", examine: examineAddresses },
  { name: "huge-pages", examine: examineHugePages },
];

/** Makes the machine to be checked; that takes no rights, but what is found then may be less. */
export async function machineOf(
  { configFile }: { configFile: string | undefined },
): Promise<Machine> {
  const system = await System.load();
  const { isRootless, contained, files, defaults } = await surroundingsOf(
    system,
    standingOf(system),
  );
  const { settings } = await loadConfig(system, { file: configFile, files, defaults });
  const environment = await callerEnvironment();
  return new Machine({
    system,
    settings,
    isRootless,
    seesProc: contained?.canMountProc ?? true,
    environment,
    controlGroups: () =>
      controlGroups({ system, settings, log: () => {}, isRootless }, { create: false }),
    run: (command) => runCommand(system, command, environment),
  });
}
