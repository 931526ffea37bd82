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
} from "../check/mod.ts";
import { Sandbox } from "../mod.ts";
import { ExpectedError } from "../text/errors.ts";
import type { CheckRequest } from "./commands.ts";
import { describeError, tell, write } from "./complain.ts";

/** A check with what it found in the end. */
interface Result {
  check: Check;
  finding: Finding;
  /** The commands that were run. */
  executed: string[];
}

/** `isolate check`. */
export async function checkMachine(request: CheckRequest): Promise<number> {
  const machine = await machineOf(await Sandbox.open({ configFile: request.configFile }));
  return runChecks(machine, request);
}

/** Runs all checks, and if asked to, fixes what they find. */
export function runChecks(machine: Machine, request: CheckRequest): number {
  const results = CHECKS.map((check) => examine(machine, check, request));
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

function examine(
  machine: Machine,
  check: Check,
  request: CheckRequest,
): Result {
  const result: Result = { check, finding: check.examine(machine), executed: [] };
  const say = (text: string) => {
    if (!request.quiet && !request.json) tell(text);
  };
  say(line(check, result.finding));
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
    say(line(check, result.finding));
  }
  return result;
}

function execute(machine: Machine, repair: Repair): void {
  if (repair.kind === "write") return machine.write(repair.path, repair.value);
  const status = machine.run(repair.command);
  if (status !== 0) throw new ExpectedError(`${repair.command}: failed with exit status ${status}`);
}

function line({ name }: Check, { verdict, text }: Finding): string {
  return `${verdict.toUpperCase().padEnd(8)}${name}: ${text}`;
}
