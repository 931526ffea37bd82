/**
 * Output validators of packages: programs that end with status 42 (accepted) or 43 (wrong answer), and
 * may leave messages and a score in the feedback directory. They run in a box like submissions:
 * whatever they do, it is the judge's error and never harms anybody.
 */

import type { BindRule, Box, Outcome, RunOptions } from "../../mod.ts";
import { Capture } from "../../mod.ts";
import type { Program } from "../compile/compile.ts";
import type { HostFiles } from "../../host/files.ts";
import { idleTimeMs, IdleWatchdog, spareTimeMs, wallTimeMs } from "./idle_watchdog.ts";
import type { ProblemLimits, TestCase, Verdict } from "../types.ts";
import { cut, sizeText, timeText } from "../../text/quantities.ts";
import { describeEnding, type Judgement } from "../grading/verdict.ts";
import { visibleText } from "../../text/visible.ts";

const ACCEPTED = 42;
const WRONG_ANSWER = 43;
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

/** A validator that is ready to be run. */
export interface Validator {
  /** The program. */
  readonly program: Program;
  /** What it may use. */
  readonly limits: ProblemLimits;
  /** Whether it gives scores. */
  readonly givesScores: boolean;
  /** Files of the host. */
  readonly host: HostFiles;
}

/** For which test it is run, and where. */
export interface ValidatorRun {
  /** Its box. */
  readonly box: Box;
  /** The CPUs that it is pinned to. */
  readonly cpus: readonly number[] | undefined;
  /** The test. */
  readonly test: TestCase;
  /** Its arguments after the feedback directory. */
  readonly flags: readonly string[];
}

/** What a validator said. */
export interface Feedback extends Judgement {
  /** The score that it gave. */
  readonly score?: number | undefined;
  /** The beginning of what it said to the judge. */
  readonly judgeMessage?: string | undefined;
  /** The beginning of what it said to the team. */
  readonly teamMessage?: string | undefined;
}

/** How a validator is started. */
export interface ValidatorCommand {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** All options but the streams that lead to the submission. */
  readonly options: RunOptions;
  /** The beginning of its standard error. */
  readonly stderr: Capture;
}

/** Prepares a box for a validator. */
export async function prepareValidator(
  { program, limits, host }: Validator,
  { box, cpus, test, flags }: ValidatorRun,
): Promise<ValidatorCommand> {
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
    command: [...command, input.path, answer.path, `/box/${FEEDBACK}/`, ...flags],
    stderr,
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

/** Shows a file to the validator, which runs as another user: what that one may not read is copied. */
async function place(host: HostFiles, { box, file, inside }: {
  box: Box;
  file: string;
  inside: string;
}): Promise<{ path: string; rules: BindRule[] }> {
  const status = host.status(file);
  if (status && (status.mode & READABLE_BY_OTHERS) === 0) {
    const name = inside.replace("judge/", "judge-");
    await box.files.write(name, { hostFile: host.realPath(file) }, { mode: 0o644 });
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
  };
  return { path: `/${inside}`, rules: [rule] };
}

/** Runs a validator on the output of a submission. */
export async function validateOutput(
  validator: Validator,
  run: ValidatorRun,
  options: { output: () => NonNullable<RunOptions["stdin"]>; signal: AbortSignal },
): Promise<Feedback> {
  const prepared = await prepareValidator(validator, run);
  const { host, limits } = validator;
  const spareMs = () => spareTimeMs(host.sandbox.system, run.cpus);
  const watchdog = new IdleWatchdog(idleTimeMs(limits.validationTimeMs), spareMs);
  const outcome = await run.box.run(prepared.command, {
    ...prepared.options,
    ...watchdog.options(options.signal),
    stdin: options.output(),
    stdout: { file: "/dev/null", limitBytes: limits.validationOutputKib * 1024 },
  });
  return await readFeedback(validator, {
    box: run.box,
    outcome: watchdog.outcome(outcome),
    stderr: prepared.stderr,
  });
}

/** Reads what a validator has left when it ended. */
export async function readFeedback(
  { givesScores, limits }: Validator,
  { box, outcome, stderr }: { box: Box; outcome: Outcome; stderr: Capture },
): Promise<Feedback> {
  const read = await feedbackFiles(box, limits);
  const messages = {
    judgeMessage: await read("judgemessage.txt"),
    teamMessage: await read("teammessage.txt"),
  };
  const verdict = verdictOf(outcome);
  if (verdict === "JE") {
    const judgeMessage = messages.judgeMessage ?? (stderr.text() || undefined);
    const why = whyNoVerdict(outcome, limits);
    const lastWords = outcome.kind === "interrupted" ? undefined : lastLine(stderr.text());
    const message = lastWords === undefined ? why : `${why}; its last words: ${lastWords}`;
    return { verdict, message, ...messages, judgeMessage };
  }
  const said = firstLine(messages.judgeMessage ?? messages.teamMessage);
  const message = verdict === "AC"
    ? "Accepted"
    : said === undefined
    ? "Wrong answer, says the output validator"
    : `Wrong answer: ${said}`;
  if (!givesScores) return { verdict, message, ...messages };
  const text = await read("score.txt");
  if (text === undefined) return { verdict, message, ...messages };
  const score = parseScore(text);
  if (score !== undefined) return { verdict, message, ...messages, score };
  return {
    verdict: "JE",
    message: `The output validator wrote no number to score.txt: "${firstLine(text) ?? ""}"`,
    ...messages,
  };
}

function verdictOf(outcome: Outcome): Verdict {
  if (outcome.kind !== "exit") return "JE";
  if (outcome.exitCode === ACCEPTED) return "AC";
  return outcome.exitCode === WRONG_ANSWER ? "WA" : "JE";
}

function whyNoVerdict(outcome: Outcome, limits: ProblemLimits): string {
  const validator = "The output validator";
  switch (outcome.kind) {
    case "exit":
      return `${validator} ended with exit status ${outcome.exitCode}, which must be 42 or 43`;
    case "time-limit":
      if (outcome.limit === "cpu") {
        return `${validator} took more than ${timeText(limits.validationTimeMs)} of CPU time`;
      }
      return `${validator} did not end: after ${timeText(outcome.usage.wallTimeMs)} it had ` +
        `used ${timeText(outcome.usage.cpuTimeMs)} of CPU time`;
    case "output-limit":
      return `${validator} wrote more than ${sizeText(limits.validationOutputKib)} ` +
        "on standard output";
    case "interrupted":
      return "Judging was broken off";
    default:
      return `${validator} has failed: ${describeEnding(outcome)}`;
  }
}

/** What is in the feedback directory, which is the validator's own: there may be anything. */
async function feedbackFiles(
  box: Box,
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

/** A number as people and programs write it; no hexadecimal, nothing of which a sum is infinite. */
function parseScore(text: string): number | undefined {
  const word = text.trim();
  if (word.length > SCORE_LENGTH_MAX || !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(word)) {
    return undefined;
  }
  const score = Number(word);
  return Math.abs(score) <= SCORE_MAX ? score : undefined;
}

function firstLine(text: string | undefined): string | undefined {
  return shownLine(linesOf(text).at(0));
}

/** That of a traceback tells most. */
function lastLine(text: string | undefined): string | undefined {
  return shownLine(linesOf(text).at(-1));
}

function linesOf(text: string | undefined): string[] {
  return (text ?? "").split("\n").map((part) => part.trim()).filter((part) => part !== "");
}

function shownLine(line: string | undefined): string | undefined {
  return line === undefined ? undefined : cut(visibleText(line), SENTENCE_LENGTH);
}
