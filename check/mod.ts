/** Checks whether limits hold on a machine, and whether a program gets the same result tomorrow. */

import { controlGroups } from "../box/control_groups.ts";
import { callerEnvironment, type Sandbox } from "../box/sandbox.ts";
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
import { examineCores, examineGovernor, examineThreads, examineTurbo } from "./processor.ts";
import type { Check } from "./types.ts";

export { type ControlGroupPlace, Machine, type MachineOptions } from "./machine.ts";
export { type Check, type Finding, type Repair, shellLine } from "./types.ts";

/** All checks: first whether boxes work, then whether they always work the same way. */
export const CHECKS: readonly Check[] = [
  { name: "kernel", examine: examineKernel },
  { name: "user-namespace", examine: examineUserNamespace },
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

/** Makes the machine of a sandbox, to be checked. */
export async function machineOf(sandbox: Sandbox): Promise<Machine> {
  const { system, settings } = sandbox;
  const environment = await callerEnvironment();
  return new Machine({
    system,
    settings,
    environment,
    controlGroups: () => controlGroups(sandbox, { create: false }),
    run: (command) => runCommand(system, command, environment),
  });
}
