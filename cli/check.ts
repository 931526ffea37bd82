/**
 * `isolate check`: whether this machine is a good place for boxes.
 *
 * What was found goes to standard error, one line each; the commands that would put it right go to
 * standard output, as a script for the shell. With `--json` all of it goes there.
 */

import { parseArgs } from "@std/cli";
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
import { tell, UsageError, write } from "./complain.ts";

/** What is asked for. */
export interface CheckRequest {
  /** Do not say what was found. */
  readonly quiet: boolean;
  /** Put right what can be put right without people. */
  readonly execute: boolean;
  /** Print what was found as JSON, for programs. */
  readonly json: boolean;
  /** The configuration; default: that of the machine. */
  readonly config: string | undefined;
}

/** A check with what it found in the end. */
interface Result {
  check: Check;
  finding: Finding;
  /** What was done to put it right. */
  executed: string[];
}

/** `isolate check [-q] [-e] [--json] [--config=FILE]`. */
export async function checkMachine(args: readonly string[]): Promise<number> {
  const request = parse(args);
  const machine = await machineOf(await Sandbox.open({ configFile: request.config }));
  return runChecks(machine, request);
}

/** Runs all checks, and puts right what can be put right if that is asked for. */
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

function parse(args: readonly string[]): CheckRequest {
  const { quiet, execute, json, config, _: [extra] } = parseArgs(args, {
    boolean: ["quiet", "execute", "json"],
    string: ["config"],
    alias: { quiet: "q", execute: "e" },
    unknown: (arg, key) => {
      if (key !== undefined) throw new UsageError(`check does not know the option ${arg}`);
    },
  });
  if (extra !== undefined) throw new UsageError(`check takes no parameters, but got: ${extra}`);
  if (config === "") throw new UsageError("Option --config needs a value: --config=FILE");
  return { quiet, execute, json, config };
}

function examine(machine: Machine, check: Check, request: CheckRequest): Result {
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
        tell(error instanceof Error ? error.message : String(error));
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
  if (status !== 0) throw new Error(`${repair.command}: failed with exit status ${status}`);
}

function line({ name }: Check, { verdict, text }: Finding): string {
  return `${verdict.toUpperCase().padEnd(8)}${name}: ${text}`;
}
