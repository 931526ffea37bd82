/**
 * Runs the output validators of packages: programs that end with status 42 (accepted) or 43 (wrong
 * answer), and may leave messages and a score in the feedback directory. They run in a box like
 * submissions: whatever they do is an error of the judge at worst.
 */

import type { BindRule, HostFile, HostFiles, Outcome, RunOptions } from "../../mod.ts";
import type { JudgeBox } from "../boxes.ts";
import { Capture } from "../../mod.ts";
import { PROGRAM_BYTES_MAX, TreeWatch } from "../compile/box_tree.ts";
import type { Program } from "../compile/program.ts";
import { idleTimeMs, IdleWatchdog, spareTimeMs, wallTimeMs } from "./idle_watchdog.ts";
import type { ProblemLimits } from "../types.ts";
import { cut, sizeText, timeText } from "../../text/quantities.ts";
import { describeEnding, type Judgement } from "../grading/outcome_verdict.ts";
import { visibleText } from "../../text/visible.ts";
import type { Assignment } from "./workers.ts";

/** The exit status of a validator that accepts. */
export const VALIDATOR_ACCEPTED = 42;
const VALIDATOR_REJECTED = 43;
const FEEDBACK = "feedback";
/** Mount points in the validator's box. */
const INPUT = "judge/input";
const ANSWER = "judge/answer";
const READABLE_BY_OTHERS = 0o004;
const MESSAGE_BYTES = 8192;
const FEEDBACK_FILES_MAX = 1000;
const STDERR_BYTES = 8192;
const SENTENCE_LENGTH = 200;
/** As in packages. */
const SCORE_MAX = 1e12;
const SCORE_LENGTH_MAX = 100;

/** A compiled validator. */
export interface Validator {
  readonly program: Program;
  readonly limits: ProblemLimits;
  readonly givesScores: boolean;
  readonly host: HostFiles;
  /** Called when it gives a score that nobody asked for. */
  readonly onIgnoredScore?: (() => void) | undefined;
}

/** A validator in its box, ready to run. */
export interface PreparedValidator {
  readonly box: JudgeBox;
  readonly command: readonly string[];
  /** All options but the streams that lead to the submission. */
  readonly options: RunOptions;
  /** Watches what it writes to files. */
  readonly tree: TreeWatch;
  /** The beginning of its standard error. */
  readonly stderr: Capture;
}

/** Prepares the worker's second box for a validator. */
export async function prepareValidator(
  { program, limits, host }: Validator,
  { planned: { test, group }, worker: { validatorBox: box, cpus } }: Assignment,
): Promise<PreparedValidator> {
  if (!box) throw new TypeError("Cannot run a validator without a box of its own");
  await box.clear();
  await box.files.makeDirectory(FEEDBACK);
  const input = await place(host, { box, file: test.inputFile, inside: INPUT });
  const answer = await place(host, { box, file: test.answerFile, inside: ANSWER });
  const stderr = new Capture({ limitBytes: STDERR_BYTES, overflow: "discard" });
  const timeLimitMs = limits.validationTimeMs;
  const { command, ...own } = program.invocation({
    timeLimitMs,
    memoryKib: limits.validationMemoryKib,
    controlGroup: box.hasControlGroup,
  });
  return {
    box,
    command: [...command, input.path, answer.path, `/box/${FEEDBACK}/`, ...group.validatorFlags],
    stderr,
    tree: new TreeWatch(box.files),
    options: {
      ...own,
      limits: {
        ...own.limits,
        wallTimeMs: wallTimeMs(timeLimitMs),
        fileSizeKib: limits.validationOutputKib,
      },
      directoryRules: [...own.directoryRules, ...input.rules, ...answer.rules],
      stderr,
      ...cpus && { cpus },
    },
  };
}

/** Shows a file to the validator. It runs as another user, and gets a copy of what that may not read. */
async function place(host: HostFiles, { box, file, inside }: {
  box: JudgeBox;
  file: string;
  inside: string;
}): Promise<{ path: string; rules: BindRule[] }> {
  using opened = host.open(file, { followLinks: false });
  if ((opened.mode & READABLE_BY_OTHERS) === 0) {
    const name = inside.replace("judge/", "judge-");
    await box.files.write(name, { hostFile: file, followLinks: false }, { mode: 0o644 });
    return { path: `/box/${name}`, rules: [] };
  }
  const rule: BindRule = {
    kind: "bind",
    inside,
    outside: file,
    readWrite: false,
    noExec: true,
    devices: false,
    optional: false,
    recursive: false,
    followLinks: false,
  };
  return { path: `/${inside}`, rules: [rule] };
}

/** Runs a validator on the output of a submission. */
export async function validateOutput(
  validator: Validator,
  { run, output }: { run: Assignment; output: HostFile },
): Promise<Judgement> {
  const prepared = await prepareValidator(validator, run);
  await using tree = prepared.tree;
  const { host, limits } = validator;
  const spareMs = () => spareTimeMs(host, run.worker.cpus);
  const watchdog = new IdleWatchdog(idleTimeMs(limits.validationTimeMs), spareMs);
  const outcome = await prepared.box.run(prepared.command, {
    ...prepared.options,
    ...watchdog.options(AbortSignal.any([run.signal, tree.signal])),
    stdin: { fd: output.reopen(), transfer: true },
    stdout: { file: "/dev/null", limitBytes: limits.validationOutputKib * 1024 },
  });
  return await readVerdict(validator, { ...prepared, outcome: watchdog.outcome(outcome) });
}

/** Reads the verdict and the messages of a validator that has ended. */
export async function readVerdict(
  { givesScores, limits, onIgnoredScore }: Validator,
  { box, stderr, tree, outcome }: PreparedValidator & { outcome: Outcome },
): Promise<Judgement> {
  if (tree.isTooLarge) {
    const message = `The output validator wrote more than ${PROGRAM_BYTES_MAX >> 20} MiB to files`;
    return { verdict: "JE", message };
  }
  const read = await feedbackFiles(box, limits);
  const judgeMessage = await read("judgemessage.txt");
  const messages = { judgeMessage, teamMessage: await read("teammessage.txt") };
  const failure = failureOf(outcome, limits);
  if (failure !== undefined) {
    const last = outcome.kind === "interrupted" ? undefined : lastLine(stderr.text());
    return {
      ...messages,
      judgeMessage: judgeMessage ?? (stderr.text() || undefined),
      verdict: "JE",
      message: last === undefined ? failure : `${failure}; its standard error ends with: ${last}`,
    };
  }
  const isAccepted = outcome.kind === "exit" && outcome.exitCode === VALIDATOR_ACCEPTED;
  const reason = firstLine(judgeMessage ?? messages.teamMessage);
  const judgement: Judgement = isAccepted
    ? { ...messages, verdict: "AC", message: "Accepted" }
    : { ...messages, verdict: "WA", message: `Wrong answer: ${reason ?? "no message"}` };
  const text = await read("score.txt");
  if (text !== undefined && !givesScores) onIgnoredScore?.();
  if (text === undefined || !givesScores) return judgement;
  const score = parseScore(text);
  if (score !== undefined) return { ...judgement, score };
  const message = `The output validator wrote no number to score.txt: "${firstLine(text) ?? ""}"`;
  return { ...messages, verdict: "JE", message };
}

/** Says why a validator has given no verdict; undefined if it has. */
function failureOf(outcome: Outcome, limits: ProblemLimits): string | undefined {
  const validator = "The output validator";
  const { cpuTimeMs, wallTimeMs } = outcome.usage;
  switch (outcome.kind) {
    case "exit": {
      const { exitCode } = outcome;
      if (exitCode === VALIDATOR_ACCEPTED || exitCode === VALIDATOR_REJECTED) return undefined;
      return `${validator} exited with status ${exitCode} instead of 42 or 43`;
    }
    case "time-limit":
      return outcome.limit === "cpu"
        ? `${validator} took more than ${timeText(limits.validationTimeMs)} of CPU time`
        : `${validator} was still running after ${timeText(wallTimeMs)}, with ` +
          `${timeText(cpuTimeMs)} of CPU time`;
    case "output-limit":
      return `${validator} wrote more than ${sizeText(limits.validationOutputKib)} ` +
        "on standard output";
    case "interrupted":
      return "Judging was interrupted";
    default:
      return `${validator} failed: ${describeEnding(outcome)}`;
  }
}

/** Reads the feedback directory. It belongs to the validator: there may be anything in it. */
async function feedbackFiles(
  box: JudgeBox,
  limits: ProblemLimits,
): Promise<(name: string) => Promise<string | undefined>> {
  const entries = await box.files.list(FEEDBACK, { limitEntries: FEEDBACK_FILES_MAX });
  return async (name) => {
    const entry = entries.find((entry) => entry.name === name);
    if (entry?.kind !== "file" || entry.sizeBytes === 0) return undefined;
    const limitBytes = limits.validationOutputKib * 1024;
    const bytes = await box.files.read(`${FEEDBACK}/${name}`, { limitBytes });
    return new TextDecoder().decode(bytes.subarray(0, MESSAGE_BYTES));
  };
}

/** Reads a number as people and programs write it: no hexadecimal, none whose sums are infinite. */
function parseScore(text: string): number | undefined {
  const word = text.trim();
  if (word.length > SCORE_LENGTH_MAX || !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(word)) {
    return undefined;
  }
  const score = Number(word);
  return Math.abs(score) <= SCORE_MAX ? score : undefined;
}

function firstLine(text: string | undefined): string | undefined {
  return linesOf(text).at(0);
}

/** Finds the last line: of a traceback it tells most. */
function lastLine(text: string | undefined): string | undefined {
  return linesOf(text).at(-1);
}

function linesOf(text = ""): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "")
    .map((line) => cut(visibleText(line), SENTENCE_LENGTH));
}
