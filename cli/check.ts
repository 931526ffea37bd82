/**
 * `isolate check`: whether this machine is a good place for boxes.
 *
 * Findings go to standard error, one line each; the commands that would fix them go to standard output,
 * as a shell script. With `--json` all of it goes there.
 */

import {
  type Check,
  CHECKS,
  type Finding,
  type Machine,
  machineOf,
  type Repair,
  shellLine,
  TRIALS,
  tryBox,
} from "../check/mod.ts";
import { defaultSettings, Sandbox } from "../core.ts";
import { ExpectedError } from "../text/errors.ts";
import type { CheckRequest } from "./commands.ts";
import { describeError, tell, write } from "./complain.ts";

/** A check with what it found in the end. */
interface Result {
  check: Pick<Check, "name">;
  finding: Finding;
  /** The commands that were run. */
  executed: string[];
}

/** `isolate check`. */
export async function checkMachine(request: CheckRequest): Promise<number> {
  // Without a user namespace the trials say why there is none.
  await Sandbox.open({ settings: defaultSettings(), userNamespace: true }).catch(() => {});
  const machine = await machineOf(request);
  const results = examineAll(machine, request);
  for (const trial of TRIALS) {
    const finding = await tryBox(machine.settings, trial);
    const result = { check: trial, finding, executed: [] };
    report(result, request);
    results.push(result);
  }
  return conclude(results, request);
}

/** Looks at the machine, and if asked to, fixes what is found. */
export function examineAll(machine: Machine, request: CheckRequest): Result[] {
  return CHECKS.map((check) => examine(machine, check, request));
}

/** Prints the results for programs, and tells the exit status. */
export function conclude(results: readonly Result[], request: CheckRequest): number {
  if (request.json) {
    const list = results.map(({ check, finding, executed }) => ({
      check: check.name,
      verdict: finding.verdict,
      text: finding.text,
      commands: (finding.repairs ?? []).map(shellLine),
      executed,
    }));
    write(Deno.stdout, `${JSON.stringify(list, undefined, 2)}\n`);
  }
  return results.some(({ finding }) => finding.verdict === "fail") ? 1 : 0;
}

function report({ check, finding }: Result, request: CheckRequest): void {
  if (!request.quiet && !request.json) tell(line(check, finding));
}

function examine(
  machine: Machine,
  check: Check,
  request: CheckRequest,
): Result {
  const result: Result = { check, finding: check.examine(machine), executed: [] };
  const say = (text: string) => {
    if (!request.quiet && !request.json) tell(text);
  };
  report(result, request);
  for (const repair of result.finding.repairs ?? []) {
    const command = shellLine(repair);
    if (request.execute && !command.startsWith("#")) {
      say(`        ${command}`);
      try {
        execute(machine, repair);
        result.executed.push(command);
      } catch (error) {
        tell(describeError(error));
      }
    } else if (!request.json) {
      write(Deno.stdout, `${command}\n`);
    }
  }
  if (result.executed.length > 0) {
    result.finding = check.examine(machine);
    report(result, request);
  }
  return result;
}

function execute(machine: Machine, repair: Repair): void {
  if (repair.kind === "write") return machine.write(repair.path, repair.value);
  const status = machine.run(repair.command);
  if (status !== 0) throw new ExpectedError(`${repair.command}: failed with exit status ${status}`);
}

function line({ name }: Pick<Check, "name">, { verdict, text }: Finding): string {
  return `${verdict.toUpperCase().padEnd(8)}${name}: ${text}`;
}
