/** Runs one test of a submission, and judges how the program ended and what it wrote. */

import type { HostFile, HostFiles, Outcome, RunOptions, Sandbox } from "../../mod.ts";
import type { JudgeBox } from "../boxes.ts";
import { Capture, openOutputFile } from "../../mod.ts";
import { checkOutput } from "../checker/checker.ts";
import type { Program } from "../compile/program.ts";
import { type Judgement, judgeOutcome, memoryOf } from "../grading/outcome_verdict.ts";
import type { Problem, TestResult } from "../types.ts";
import { reasonOf } from "./compile_program.ts";
import { idleTimeMs, IdleWatchdog, spareTimeMs, wallTimeMs } from "./idle_watchdog.ts";
import { type ContestantSide, converse } from "./interactive.ts";
import { validateOutput, type Validator } from "./validator.ts";
import type { Assignment } from "./workers.ts";

const STDERR_BYTES = 8192;
/** The standard error of an accepted test is of little interest. */
const STDERR_ACCEPTED_LENGTH = 500;

/** What all tests of a submission have in common. */
export interface TestContext {
  readonly sandbox: Sandbox;
  readonly host: HostFiles;
  readonly problem: Problem;
  /** The compiled submission. */
  readonly program: Program;
  /** Undefined: outputs are compared with the answers. */
  readonly validator: Validator | undefined;
  /** CPU time. */
  readonly timeLimitMs: number;
  /** The CPU time at which a slow program is killed: later, so that its time is known. */
  readonly killTimeMs: number;
  /** How much of a conversation is recorded. */
  readonly transcriptBytes: number;
}

/** A test on its way. */
interface RunningTest extends Assignment {
  readonly stderr: Capture;
  /** Known as soon as the program has ended, even if the judge fails then. */
  outcome: Outcome | undefined;
}

/** Runs one test. Whatever goes wrong on our side makes it a judge error; nothing is thrown. */
export async function runTest(
  context: TestContext,
  assignment: Assignment,
): Promise<TestResult> {
  const stderr = new Capture({ limitBytes: STDERR_BYTES, overflow: "discard" });
  const run: RunningTest = { ...assignment, stderr, outcome: undefined };
  const { validation } = context.problem;
  const isInteractive = validation.kind === "custom" && validation.interactive;
  let judgement: Judgement;
  try {
    judgement = await (isInteractive ? judgeConversation : judgeRun)(context, run);
  } catch (error) {
    judgement = { verdict: "JE", message: `The judge failed: ${reasonOf(error)}` };
  }
  const { outcome } = run;
  const { verdict, message, ...more } = judgement;
  const written = stderr.text().slice(0, verdict === "AC" ? STDERR_ACCEPTED_LENGTH : Infinity);
  return {
    test: run.planned.test.name,
    verdict,
    message,
    cpuTimeMs: outcome?.usage.cpuTimeMs ?? 0,
    wallTimeMs: outcome?.usage.wallTimeMs ?? 0,
    memoryKib: outcome ? memoryOf(outcome.usage) : 0,
    outcome,
    ...more,
    ...written !== "" && { stderr: written },
  };
}

/** Prepares the contestant's side of a test; its wall time follows from `cpuTimeMs`. */
function contestantSide(
  { problem, program, timeLimitMs, killTimeMs, host }: TestContext,
  { run: { worker, stderr }, cpuTimeMs }: { run: RunningTest; cpuTimeMs: number },
): ContestantSide {
  const { memoryKib, outputKib } = problem.limits;
  const { box, cpus } = worker;
  const { command, ...own } = program.invocation({
    timeLimitMs,
    memoryKib,
    controlGroup: box.hasControlGroup,
    leavesNothing: true,
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
  return { box, command, options, wallTimeMs: wallLimitMs, watchdog, judge };
}

async function judgeRun(context: TestContext, run: RunningTest): Promise<Judgement> {
  const { sandbox, problem, killTimeMs } = context;
  const { box, command, options, judge, watchdog } = contestantSide(context, {
    run,
    cpuTimeMs: killTimeMs,
  });
  using output = openOutputFile(sandbox);
  await clearForTest(box);
  const outcome = await box.run(command, {
    ...options,
    ...watchdog.options(run.signal),
    stdin: { file: run.planned.test.inputFile, followLinks: false },
    stdout: { fd: output.fd, limitBytes: problem.limits.outputKib * 1024 },
  });
  run.outcome = watchdog.outcome(outcome);
  return judge(run.outcome) ?? await judgeOutput(context, { run, output });
}

async function judgeOutput(
  { host, validator }: TestContext,
  { run, output }: { run: RunningTest; output: HostFile },
): Promise<Judgement> {
  const { test, group } = run.planned;
  if (validator) return await validateOutput(validator, { run, output });
  using answer = host.open(test.answerFile, { followLinks: false });
  const result = await checkOutput({ output, answer, flags: group.validatorFlags });
  if (result.accepted) return { verdict: "AC", message: "Accepted" };
  const { difference } = result;
  return { verdict: "WA", message: difference.reason, difference };
}

async function judgeConversation(context: TestContext, run: RunningTest): Promise<Judgement> {
  const { validator, transcriptBytes, killTimeMs } = context;
  if (!validator) throw new TypeError("Cannot judge an interactive problem without a validator");
  // Some of the wall time is the validator's.
  const contestant = contestantSide(context, { run, cpuTimeMs: 2 * killTimeMs });
  await clearForTest(contestant.box);
  const { outcome, judgement } = await converse(contestant, validator, { run, transcriptBytes });
  run.outcome = outcome;
  return judgement;
}

/**
 * Clears a box. Each test has its own peak of memory, even where the kernel tells only the group's, and
 * without the files of the runs before it that the kernel keeps in memory.
 */
async function clearForTest(box: JudgeBox): Promise<void> {
  await box.clear({ controlGroup: box.peakMemoryIsOfBox || "if-used" });
}
