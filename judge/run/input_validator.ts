/** Runs input validators: programs that end with status 42 where an input is right. */

import { Capture, type HostFiles, type Outcome } from "../../mod.ts";
import { cut } from "../../text/quantities.ts";
import { visibleText } from "../../text/visible.ts";
import type { Program } from "../compile/program.ts";
import { describeEnding } from "../grading/outcome_verdict.ts";
import type { ProblemLimits, ProgramSource, TestCase, TestGroup } from "../types.ts";
import { wallTimeMs } from "./idle_watchdog.ts";
import { VALIDATOR_ACCEPTED } from "./validator.ts";
import type { Worker } from "./workers.ts";

const MESSAGE_BYTES = 8192;
const SENTENCE_LENGTH = 200;
const LINE_LENGTH = 60;
/** Lines of larger inputs are only counted by the validator. */
const INPUT_BYTES = 4 << 20;

/** A compiled input validator. */
export interface InputValidator {
  readonly source: ProgramSource;
  readonly program: Program;
}

/** What an input validator says of an input. */
export interface InputVerdict {
  readonly isAccepted: boolean;
  /** How it ended, and what it said. */
  readonly reason: string;
}

/** Runs an input validator on the input of a test. */
export async function validateInput(
  { source, program }: InputValidator,
  { worker, test, group, limits, host, signal }: {
    worker: Worker;
    test: TestCase;
    group: TestGroup;
    limits: ProblemLimits;
    host: HostFiles;
    signal: AbortSignal;
  },
): Promise<InputVerdict> {
  const { box, cpus } = worker;
  await box.clear();
  for (const { name, hostFile } of test.files ?? []) {
    await box.files.write(name, { hostFile, followLinks: false }, { mode: 0o644 });
  }
  const { command, ...own } = program.invocation({
    timeLimitMs: limits.validationTimeMs,
    memoryKib: limits.validationMemoryKib,
    controlGroup: box.hasControlGroup,
    leavesNothing: !test.files,
    readOnly: test.files !== undefined,
  });
  const args = [...flagsOf(test.inputFlags ?? group.inputFlags ?? {}, source.name)];
  args.push(...test.args ?? group.args ?? []);
  const said = new Capture({ limitBytes: MESSAGE_BYTES, overflow: "discard" });
  const outcome = await box.run([...command, ...args], {
    ...own,
    limits: { ...own.limits, wallTimeMs: wallTimeMs(limits.validationTimeMs) },
    stdin: { file: test.inputFile, followLinks: false },
    stdout: said,
    stderr: "stdout",
    signal,
    ...cpus && { cpus },
  });
  const isAccepted = outcome.kind === "exit" && outcome.exitCode === VALIDATOR_ACCEPTED;
  if (isAccepted) return { isAccepted, reason: "" };
  const reason = reasonFor(outcome, said.text());
  return { isAccepted, reason: `${reason}${shownLine(host, test, said.text())}` };
}

/** Finds the arguments of a validator, which is named with or without its ending. */
function flagsOf(
  inputFlags: NonNullable<TestGroup["inputFlags"]>,
  name: string,
): readonly string[] {
  const names = [name, name.replace(/\.[^.]+$/, ""), "*"];
  const found = names.find((name) => Object.hasOwn(inputFlags, name));
  return found === undefined ? [] : inputFlags[found]!;
}

function reasonFor(outcome: Outcome, said: string): string {
  const lines = said.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const last = lines.at(-1);
  const ending = describeEnding(outcome);
  return last === undefined ? ending : `${ending}: ${cut(visibleText(last), SENTENCE_LENGTH)}`;
}

/** Shows the line of the input that a validator names, such as `line 3`. */
function shownLine(host: HostFiles, { inputFile }: TestCase, said: string): string {
  const [, digits] = /\bline(?: number)?[ :#=]*(\d{1,9})\b/i.exec(said) ?? [];
  if (digits === undefined) return "";
  if ((host.status(inputFile)?.sizeBytes ?? Infinity) > INPUT_BYTES) return "";
  const text = host.readText(inputFile, { limitBytes: INPUT_BYTES, followLinks: false });
  const lines = text.split("\n");
  const line = lines[Number(digits) - 1];
  if (line === undefined || line === "" && Number(digits) === lines.length) {
    return ` (there is no line ${digits})`;
  }
  return ` (line ${digits} is ${JSON.stringify(cut(visibleText(line), LINE_LENGTH))})`;
}
