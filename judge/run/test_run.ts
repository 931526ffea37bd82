/** Runs one test of a submission, and judges how the program ended and what it wrote. */

import type { HostFile, HostFiles, Outcome, RunOptions, Sandbox } from "../../mod.ts";
import type { JudgeBox } from "../boxes.ts";
import { Capture, openOutputFile } from "../../mod.ts";
import { checkOutput } from "../checker/checker.ts";
import type { Program } from "../compile/program.ts";
import { PROGRAM_BYTES_MAX, TreeWatch } from "../compile/box_tree.ts";
import { type Judgement, judgeOutcome } from "../grading/outcome_verdict.ts";
import { sizeText } from "../../text/quantities.ts";
import type { Problem, TestCase, TestResult } from "../types.ts";
import { reasonOf } from "./compile_program.ts";
import { idleTimeMs, IdleWatchdog, spareTimeMs, wallTimeMs } from "./idle_watchdog.ts";
import { type ContestantSide, converse } from "./interactive.ts";
import type { NextPass } from "./feedback.ts";
import { inputOf, mostOf, type Pass, type PassUsage, runPasses } from "./passes.ts";
import { validateStatically } from "./static_validation.ts";
import type { SubmittedOutputs } from "./submitted_outputs.ts";
import { type Feedback, validateOutput, type Validator } from "./validator.ts";
import type { Assignment } from "./workers.ts";

const STDERR_BYTES = 8192;
/** The standard error of an accepted test is of little interest. */
const STDERR_ACCEPTED_LENGTH = 500;

/** What all tests of a submission have in common. */
export interface TestContext {
  readonly sandbox: Sandbox;
  readonly host: HostFiles;
  readonly problem: Problem;
  /** The compiled submission; undefined: it is outputs. */
  readonly program: Program | undefined;
  /** The outputs of a submission that is no program. */
  readonly outputs?: SubmittedOutputs | undefined;
  /** Undefined: outputs are compared with the answers. */
  readonly validator: Validator | undefined;
  /** Undefined: there are no static tests. */
  readonly staticValidator?: Validator | undefined;
  /** Undefined: no group wants a program to grade it. */
  readonly grader?: Program | undefined;
  /** CPU time. */
  readonly timeLimitMs: number;
  /** The CPU time at which a slow program is killed: later, so that its time is known. */
  readonly killTimeMs: number;
  /** How much of a conversation is recorded. */
  readonly transcriptBytes: number;
}

/** A test on its way. */
interface RunningTest extends Assignment {
  /** Of the last pass. */
  stderr: Capture;
  /** Known as soon as the program has ended, even if the judge fails then; that of the last pass. */
  outcome: Outcome | undefined;
  /** Of all passes. */
  usage: PassUsage | undefined;
}

/** Runs one test. Whatever goes wrong on our side makes it a judge error; nothing is thrown. */
export async function runTest(
  context: TestContext,
  assignment: Assignment,
): Promise<TestResult> {
  const run: RunningTest = {
    ...assignment,
    stderr: newStderr(),
    outcome: undefined,
    usage: undefined,
  };
  let judgement: Judgement;
  try {
    judgement = await judgeTest(context, run);
  } catch (error) {
    judgement = { verdict: "JE", message: `The judge failed: ${reasonOf(error)}` };
  }
  const { outcome, usage, stderr } = run;
  const { verdict, message, ...more } = judgement;
  const written = stderr.text().slice(0, verdict === "AC" ? STDERR_ACCEPTED_LENGTH : Infinity);
  return {
    test: run.planned.test.name,
    verdict,
    message,
    ...usage ?? { cpuTimeMs: 0, wallTimeMs: 0, memoryKib: 0 },
    outcome,
    ...more,
    ...written !== "" && { stderr: written },
  };
}

function newStderr(): Capture {
  return new Capture({ limitBytes: STDERR_BYTES, overflow: "discard" });
}

async function judgeTest(context: TestContext, run: RunningTest): Promise<Judgement> {
  const { problem: { validation }, program, staticValidator, outputs } = context;
  if (outputs) return await judgeSubmitted(context, { run, outputs });
  if (run.planned.test.staticFlags) {
    if (!staticValidator || !program) {
      throw new TypeError("Cannot judge files without a static validator");
    }
    return await validateStatically(staticValidator, { run, program });
  }
  const isCustom = validation.kind === "custom";
  const judgePass = isCustom && validation.interactive ? judgeConversation : judgeRun;
  return await runPasses(isCustom ? validation.passes : undefined, async (pass) => {
    run.stderr = newStderr();
    return await judgePass(context, run, pass);
  });
}

/** Judges an output that was submitted. */
async function judgeSubmitted(
  context: TestContext,
  { run, outputs }: { run: RunningTest; outputs: SubmittedOutputs },
): Promise<Judgement> {
  const { host, problem: { limits: { outputKib } } } = context;
  const { test } = run.planned;
  if (test.staticFlags) return { verdict: "AC", message: "Outputs have no source to look at" };
  const file = outputs.get(test.name);
  if (!file) return { verdict: "WA", message: "There is no output for this test" };
  if (file.sizeBytes > outputKib * 1024) {
    return { verdict: "OLE", message: `The output has more than ${sizeText(outputKib)}` };
  }
  using output = host.open(file.hostFile, { followLinks: false });
  return (await judgeOutput(context, { run, output, pass: undefined })).judgement;
}

function ended(run: RunningTest, outcome: Outcome): Outcome {
  run.outcome = outcome;
  run.usage = mostOf(run.usage, outcome);
  return outcome;
}

/** Prepares the contestant's side of a test; its wall time follows from `cpuTimeMs`. */
function contestantSide(
  { problem, program, timeLimitMs, killTimeMs, host }: TestContext,
  { run: { planned: { test, group }, worker, stderr }, cpuTimeMs }: {
    run: RunningTest;
    cpuTimeMs: number;
  },
): ContestantSide {
  if (!program) throw new TypeError("Cannot run a submission without a program");
  const { memoryKib, outputKib } = problem.limits;
  const { box, cpus } = worker;
  const { command, ...own } = program.invocation({
    timeLimitMs,
    memoryKib,
    controlGroup: box.hasControlGroup,
    // Files can be put into the box's own directory only.
    leavesNothing: !test.files,
    readOnly: problem.forbidsWriting ?? false,
  });
  const wallLimitMs = wallTimeMs(cpuTimeMs);
  const watchdog = new IdleWatchdog(idleTimeMs(timeLimitMs), () => spareTimeMs(host, cpus));
  const options: RunOptions = {
    ...own,
    limits: { ...own.limits, wallTimeMs: wallLimitMs, extraTimeMs: killTimeMs },
    stderr,
    ...cpus && { cpus },
  };
  const judge = (outcome: Outcome) => {
    const text = stderr.text();
    return judgeOutcome(outcome, {
      limits: {
        timeLimitMs,
        wallTimeMs: watchdog.isOver ? watchdog.idleTimeMs : wallLimitMs,
        memoryKib,
        outputKib,
      },
      stderr: text,
      isHeapFull: program.ranOutOfMemory(outcome, text),
    });
  };
  const args = test.args ?? group.args ?? [];
  return {
    box,
    command: [...command, ...args],
    options,
    wallTimeMs: wallLimitMs,
    watchdog,
    judge,
  };
}

async function judgeRun(
  context: TestContext,
  run: RunningTest,
  pass: NextPass | undefined,
): Promise<Pass> {
  const { sandbox, problem, killTimeMs } = context;
  const { test } = run.planned;
  const { box, command, options, judge, watchdog } = contestantSide(context, {
    run,
    cpuTimeMs: killTimeMs,
  });
  using output = openOutputFile(sandbox);
  await prepareForTest(box, test);
  // What it can write to the disk is watched; everything else is in memory.
  const isWatched = test.files !== undefined && !problem.forbidsWriting;
  await using tree = isWatched ? new TreeWatch(box.files) : undefined;
  const outcome = await box.run(command, {
    ...options,
    ...watchdog.options(tree ? AbortSignal.any([run.signal, tree.signal]) : run.signal),
    stdin: inputOf(test, pass),
    stdout: { fd: output.fd, limitBytes: problem.limits.outputKib * 1024 },
  });
  if (tree?.isTooLarge && !run.signal.aborted) {
    const message = `It wrote more than ${PROGRAM_BYTES_MAX >> 20} MiB to files`;
    return {
      outcome: ended(run, outcome),
      judgement: { verdict: "RTE", message },
      next: undefined,
    };
  }
  const judgement = judge(ended(run, watchdog.outcome(outcome)));
  const feedback = judgement
    ? { judgement, next: undefined }
    : await judgeOutput(context, { run, output, pass });
  return { outcome, ...feedback };
}

/**
 * Runs a program on a test for its output alone, of which it gives the file; or why it did not end as it
 * should.
 */
export async function runForOutput(
  context: TestContext,
  assignment: Assignment,
): Promise<{ output: HostFile } | { failure: Judgement }> {
  const run = { ...assignment, stderr: newStderr(), outcome: undefined, usage: undefined };
  const { sandbox, problem, killTimeMs } = context;
  const side = contestantSide(context, { run, cpuTimeMs: killTimeMs });
  using resources = new DisposableStack();
  const output = resources.use(openOutputFile(sandbox));
  await prepareForTest(side.box, run.planned.test);
  const outcome = await side.box.run(side.command, {
    ...side.options,
    ...side.watchdog.options(run.signal),
    stdin: inputOf(run.planned.test, undefined),
    stdout: { fd: output.fd, limitBytes: problem.limits.outputKib * 1024 },
  });
  const failure = side.judge(side.watchdog.outcome(outcome));
  if (failure) return { failure };
  resources.move();
  return { output };
}

async function judgeOutput(
  { host, validator }: TestContext,
  { run, output, pass }: { run: RunningTest; output: HostFile; pass: NextPass | undefined },
): Promise<Feedback> {
  const { test, group } = run.planned;
  if (validator) return await validateOutput(validator, { run, output, pass });
  using answer = host.open(test.answerFile, { followLinks: false });
  const flags = test.validatorFlags ?? group.validatorFlags;
  const result = await checkOutput({ output, answer, flags });
  const judgement: Judgement = result.accepted
    ? { verdict: "AC", message: "Accepted" }
    : { verdict: "WA", message: result.difference.reason, difference: result.difference };
  return { judgement, next: undefined };
}

async function judgeConversation(
  context: TestContext,
  run: RunningTest,
  pass: NextPass | undefined,
): Promise<Pass> {
  const { validator, transcriptBytes, killTimeMs } = context;
  if (!validator) throw new TypeError("Cannot judge an interactive problem without a validator");
  // Some of the wall time is the validator's.
  const contestant = contestantSide(context, { run, cpuTimeMs: 2 * killTimeMs });
  await prepareForTest(contestant.box, run.planned.test);
  const result = await converse(contestant, validator, { run, transcriptBytes, pass });
  ended(run, result.outcome);
  return result;
}

/** Clears a box, and puts the files of a test into it. */
async function prepareForTest(box: JudgeBox, { files = [] }: TestCase): Promise<void> {
  await clearForTest(box);
  for (const { name, hostFile } of files) {
    await box.files.write(name, { hostFile, followLinks: false }, { mode: 0o644 });
  }
}

/**
 * Clears a box. Each test has its own peak of memory, even where the kernel tells only the group's, and
 * without the files of the runs before it that the kernel keeps in memory.
 */
async function clearForTest(box: JudgeBox): Promise<void> {
  await box.clear({ controlGroup: box.peakMemoryIsOfBox || "if-used" });
}
