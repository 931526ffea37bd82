/**
 * Runs the output validators of packages: programs that end with status 42 (accepted) or 43 (wrong
 * answer), and may leave messages and a score in the feedback directory. They run in a box like
 * submissions: whatever they do is an error of the judge at worst.
 */

import type { BindRule, HostFile, HostFiles, Input, Outcome, RunOptions } from "../../mod.ts";
import type { JudgeBox } from "../boxes.ts";
import { Capture } from "../../mod.ts";
import { PROGRAM_BYTES_MAX, TreeWatch } from "../compile/box_tree.ts";
import type { Program } from "../compile/program.ts";
import { idleTimeMs, IdleWatchdog, spareTimeMs, wallTimeMs } from "./idle_watchdog.ts";
import type { ProblemLimits } from "../types.ts";
import { cut, sizeText, timeText } from "../../text/quantities.ts";
import { describeEnding, type Judgement } from "../grading/outcome_verdict.ts";
import { visibleText } from "../../text/visible.ts";
import { FEEDBACK, feedbackFiles, type NextPass, nextPass } from "./feedback.ts";
import { readScore } from "./validator_score.ts";
import type { Assignment, Worker } from "./workers.ts";

/** The exit status of a validator that accepts. */
export const VALIDATOR_ACCEPTED = 42;
const VALIDATOR_REJECTED = 43;
/** Mount points in the validator's box. */
const INPUT = "judge/input";
const ANSWER = "judge/answer";
const READABLE_BY_OTHERS = 0o004;
/** Where a copy of the input lies that the validator may not read, or that is another one. */
const INPUT_COPY = "judge-input";
const STDERR_BYTES = 8192;
const SENTENCE_LENGTH = 200;

/** A compiled validator. */
export interface Validator {
  /** What people call it, as the subject of a sentence. */
  readonly title: string;
  readonly program: Program;
  /** Others, which must all accept, too. */
  readonly more?: readonly Validator[] | undefined;
  /** How often a submission runs on a test at most; undefined: once. */
  readonly passes?: number | undefined;
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

/** What a validator makes of a test. */
export interface Feedback {
  readonly judgement: Judgement;
  /** What the submission must do next; undefined: nothing. */
  readonly next: NextPass | undefined;
}

/** Prepares the worker's second box for a validator; `pass`: what the pass before has left. */
export async function prepareValidator(
  validator: Validator,
  { planned: { test, group }, worker }: Assignment,
  pass?: NextPass,
): Promise<PreparedValidator> {
  const { host } = validator;
  const box = await emptyBox(worker);
  for (const [path, bytes] of pass?.kept ?? []) await box.files.write(path, bytes);
  if (pass) await box.files.write(INPUT_COPY, pass.input, { mode: 0o644 });
  const input = pass
    ? { path: `/box/${INPUT_COPY}`, rules: [] }
    : await place(host, { box, file: test.inputFile, inside: INPUT });
  const answer = await place(host, { box, file: test.answerFile, inside: ANSWER });
  const flags = test.validatorFlags ?? group.validatorFlags;
  return validatorRun(validator, {
    box,
    cpus: worker.cpus,
    words: [input.path, answer.path, `/box/${FEEDBACK}/`, ...flags],
    rules: [...input.rules, ...answer.rules],
  });
}

/** Empties the worker's second box, and makes the feedback directory in it. */
export async function emptyBox({ validatorBox: box }: Worker): Promise<JudgeBox> {
  if (!box) throw new TypeError("Cannot run a validator without a box of its own");
  await box.clear();
  await box.files.makeDirectory(FEEDBACK);
  return box;
}

/** Describes the run of a validator. */
export function validatorRun(
  { program, limits }: Validator,
  { box, cpus, words, rules = [] }: {
    box: JudgeBox;
    cpus: readonly number[] | undefined;
    words: readonly string[];
    rules?: readonly BindRule[];
  },
): PreparedValidator {
  const stderr = new Capture({ limitBytes: STDERR_BYTES, overflow: "discard" });
  const timeLimitMs = limits.validationTimeMs;
  const { command, ...own } = program.invocation({
    timeLimitMs,
    memoryKib: limits.validationMemoryKib,
    controlGroup: box.hasControlGroup,
  });
  return {
    box,
    command: [...command, ...words],
    stderr,
    tree: new TreeWatch(box.files),
    options: {
      ...own,
      limits: {
        ...own.limits,
        wallTimeMs: wallTimeMs(timeLimitMs),
        fileSizeKib: limits.validationOutputKib,
      },
      directoryRules: [...own.directoryRules, ...rules],
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

/** Runs the validators on the output of a submission; the first that does not accept decides. */
export async function validateOutput(
  validator: Validator,
  { run, output, pass }: { run: Assignment; output: HostFile; pass?: NextPass | undefined },
): Promise<Feedback> {
  const prepared = await prepareValidator(validator, run, pass);
  const feedback = await runValidator(validator, prepared, {
    run,
    stdin: { fd: output.reopen(), transfer: true },
  });
  if (feedback.judgement.verdict !== "AC") return feedback;
  const { score } = feedback.judgement;
  for (const other of validator.more ?? []) {
    const { judgement } = await validateOutput(other, { run, output });
    if (judgement.verdict !== "AC") return { judgement, next: undefined };
    if (score !== undefined || judgement.score === undefined) continue;
    return { judgement, next: undefined };
  }
  return feedback;
}

/** Runs a validator that talks to nobody. */
export async function runValidator(
  validator: Validator,
  prepared: PreparedValidator,
  { run, stdin }: { run: Assignment; stdin: Input },
): Promise<Feedback> {
  await using tree = prepared.tree;
  const { host, limits } = validator;
  const spareMs = () => spareTimeMs(host, run.worker.cpus);
  const watchdog = new IdleWatchdog(idleTimeMs(limits.validationTimeMs), spareMs);
  const outcome = await prepared.box.run(prepared.command, {
    ...prepared.options,
    ...watchdog.options(AbortSignal.any([run.signal, tree.signal])),
    stdin,
    stdout: { file: "/dev/null", limitBytes: limits.validationOutputKib * 1024 },
  });
  return await readVerdict(validator, { ...prepared, outcome: watchdog.outcome(outcome), run });
}

/** Reads the verdict and the messages of a validator that has ended. */
export async function readVerdict(
  { title, givesScores, limits, passes, onIgnoredScore }: Validator,
  { box, stderr, tree, outcome, run: { planned: { group, test } } }: PreparedValidator & {
    outcome: Outcome;
    run: Assignment;
  },
): Promise<Feedback> {
  if (tree.isTooLarge) {
    const message = `${title} wrote more than ${PROGRAM_BYTES_MAX >> 20} MiB to files`;
    return { judgement: { verdict: "JE", message }, next: undefined };
  }
  const read = await feedbackFiles(box, limits);
  const judgeMessage = await read("judgemessage.txt");
  const messages = { judgeMessage, teamMessage: await read("teammessage.txt") };
  const ended = (judgement: Pick<Judgement, "verdict" | "message" | "score">): Feedback => ({
    judgement: { ...messages, ...judgement },
    next: undefined,
  });
  const failure = failureOf(outcome, { title, limits });
  if (failure !== undefined) {
    const last = outcome.kind === "interrupted" ? undefined : lastLine(stderr.text());
    const judgement: Judgement = {
      ...messages,
      judgeMessage: judgeMessage ?? (stderr.text() || undefined),
      verdict: "JE",
      message: last === undefined ? failure : `${failure}; its standard error ends with: ${last}`,
    };
    return { judgement, next: undefined };
  }
  const isAccepted = outcome.kind === "exit" && outcome.exitCode === VALIDATOR_ACCEPTED;
  const next = passes === undefined ? undefined : await nextPass(box);
  if (next && !isAccepted) {
    return ended({ verdict: "JE", message: `${title} wrote nextpass.in, but rejects the output` });
  }
  // A score counts when all is done.
  if (next) return { ...ended({ verdict: "AC", message: "Accepted" }), next };
  const reason = firstLine(judgeMessage ?? messages.teamMessage);
  const judgement = isAccepted
    ? { verdict: "AC", message: "Accepted" } as const
    : { verdict: "WA", message: `Wrong answer: ${reason ?? "no message"}` } as const;
  const score = await read("score.txt");
  if (!givesScores) {
    if (score !== undefined) onIgnoredScore?.();
    return ended(judgement);
  }
  const { testScores } = group.grading;
  const files = { score, multiplier: await read("score_multiplier.txt") };
  const given = readScore(files, { testScores: test.scoreMax ?? testScores, isAccepted });
  if ("error" in given) return ended({ verdict: "JE", message: `${title} ${given.error}` });
  return ended({ ...judgement, ...given });
}

/** Says why a validator has given no verdict; undefined if it has. */
function failureOf(
  outcome: Outcome,
  { title: validator, limits }: Pick<Validator, "title" | "limits">,
): string | undefined {
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
