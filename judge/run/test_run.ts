/** One test of one submission: run it, look at what became of it and at its output. */

import type { Box, Outcome, RunOptions, Sandbox } from "../../mod.ts";
import { Capture } from "../../mod.ts";
import { O } from "../../ffi/abi.ts";
import { ERRNO } from "../../ffi/errno.ts";
import { Plan } from "../../ffi/plan.ts";
import { AT_FDCWD } from "../../ffi/system.ts";
import { checkOutput } from "../checker/checker.ts";
import type { Program } from "../compile/compile.ts";
import type { PlannedTest } from "../grading/grading.ts";
import type { HostFiles } from "../../host/files.ts";
import { converse } from "./interactive.ts";
import { idleTimeMs, IdleWatchdog, spareTimeMs, wallTimeMs } from "./idle_watchdog.ts";
import type { Worker } from "./workers.ts";
import type { Difference, Problem, TestResult, TranscriptLine } from "../types.ts";
import { type Feedback, validateOutput, type Validator, type ValidatorRun } from "./validator.ts";
import { judgeOutcome, memoryOf } from "../grading/verdict.ts";

const O_TMPFILE = 0o20000000 | O.O_DIRECTORY;
const MFD_CLOEXEC = 1;
const STDERR_BYTES = 8192;
/** What an accepted test has written on standard error is of little interest. */
const STDERR_ACCEPTED_LENGTH = 500;

/** What all tests of a submission have in common. */
export interface TestContext {
  /** The sandbox. */
  readonly sandbox: Sandbox;
  /** Files of the host. */
  readonly host: HostFiles;
  /** The problem. */
  readonly problem: Problem;
  /** The compiled submission. */
  readonly program: Program;
  /** The problem's own validator; undefined: outputs are compared with the answers. */
  readonly validator: Validator | undefined;
  /** CPU time in milliseconds. */
  readonly timeLimitMs: number;
  /** A program that is too slow is killed only then, so that its time is known; in milliseconds. */
  readonly killTimeMs: number;
  /** How much of a conversation is kept, in bytes. */
  readonly transcriptBytes: number;
}

/** What is known of a test besides what became of the program. */
interface Judged extends Feedback {
  readonly difference?: Difference | undefined;
  readonly transcript?: readonly TranscriptLine[] | undefined;
}

/**
 * Runs one test. Whatever goes wrong on our side makes it a judge error with the reason; nothing is
 * thrown.
 */
export async function runTest(context: TestContext, options: {
  planned: PlannedTest;
  worker: Worker;
  signal: AbortSignal;
}): Promise<TestResult> {
  const stderr = new Capture({ limitBytes: STDERR_BYTES, overflow: "discard" });
  const run: TestRun = { ...options, stderr, outcome: undefined };
  let judged: Judged;
  try {
    judged = await (isInteractive(context) ? talk(context, run) : runAndJudge(context, run));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    judged = { verdict: "JE", message: `The judge has failed: ${reason}` };
  }
  return resultOf(run, judged);
}

/** A test on its way. */
interface TestRun {
  readonly planned: PlannedTest;
  readonly worker: Worker;
  readonly signal: AbortSignal;
  readonly stderr: Capture;
  outcome: Outcome | undefined;
}

function isInteractive({ problem }: TestContext): boolean {
  return problem.validation.kind === "custom" && problem.validation.interactive;
}

function resultOf({ planned, outcome, stderr }: TestRun, judged: Judged): TestResult {
  const { verdict, message, score, difference, judgeMessage, teamMessage, transcript } = judged;
  const written = stderr.text();
  const shown = verdict === "AC" ? written.slice(0, STDERR_ACCEPTED_LENGTH) : written;
  return {
    test: planned.test.name,
    verdict,
    message,
    cpuTimeMs: outcome?.usage.cpuTimeMs ?? 0,
    wallTimeMs: outcome?.usage.wallTimeMs ?? 0,
    memoryKib: outcome ? memoryOf(outcome.usage) : 0,
    outcome,
    ...score !== undefined && { score },
    ...difference && { difference },
    ...shown !== "" && { stderr: shown },
    ...judgeMessage !== undefined && { judgeMessage },
    ...teamMessage !== undefined && { teamMessage },
    ...transcript && { transcript },
  };
}

/** How the submission is run, without its standard input and output, and what is said of it then. */
function invoke(context: TestContext, { worker, stderr }: TestRun, cpuTimeMs: number) {
  const { problem, program, timeLimitMs, killTimeMs } = context;
  const { memoryKib, outputKib } = problem.limits;
  const controlGroup = worker.box.hasControlGroup;
  const { command, ...own } = program.invocation({
    timeLimitMs,
    memoryKib,
    controlGroup,
    leavesNothing: true,
  });
  const limitMs = wallTimeMs(cpuTimeMs);
  const { system } = context.sandbox;
  const watchdog = new IdleWatchdog(
    idleTimeMs(cpuTimeMs),
    () => spareTimeMs(system, worker.cpus),
  );
  const options: RunOptions = {
    ...own,
    limits: { ...own.limits, wallTimeMs: limitMs, extraTimeMs: killTimeMs },
    stderr,
    ...worker.cpus && { cpus: worker.cpus },
  };
  const judge = (outcome: Outcome) => {
    const text = stderr.text();
    const isHeapFull = program.ranOutOfMemory(outcome, text);
    const wallTimeMs = watchdog.isOver ? watchdog.idleTimeMs : limitMs;
    const allowed = { timeLimitMs, wallTimeMs, memoryKib, outputKib };
    return judgeOutcome(outcome, { allowed, stderr: text, isHeapFull });
  };
  return { command, options, outputBytes: outputKib * 1024, judge, watchdog, wallTimeMs: limitMs };
}

/** Each test has its own peak of memory, also where the kernel tells only that of the group. */
async function clearForTest(box: Box): Promise<void> {
  await box.clear({ controlGroup: box.peakMemoryIsOfBox });
}

async function runAndJudge(context: TestContext, run: TestRun): Promise<Judged> {
  const { system } = context.sandbox;
  const { planned, worker, signal } = run;
  const { command, options, ...more } = invoke(context, run, context.killTimeMs);
  const { outputBytes, judge, watchdog } = more;
  const outputFd = openOutput(context.sandbox);
  try {
    await clearForTest(worker.box);
    run.outcome = watchdog.outcome(
      await worker.box.run(command, {
        ...options,
        ...watchdog.options(signal),
        stdin: { file: planned.test.inputFile },
        stdout: { fd: outputFd, limitBytes: outputBytes },
      }),
    );
    return judge(run.outcome) ?? await judgeOutput(context, { run, outputFd });
  } finally {
    system.close(outputFd);
  }
}

async function judgeOutput(
  { sandbox, host, validator }: TestContext,
  { run, outputFd }: { run: TestRun; outputFd: number },
): Promise<Judged> {
  const { test, group } = run.planned;
  if (validator) {
    const output = () => ({ fd: reopen(sandbox, outputFd), transfer: true });
    return await validateOutput(validator, validatorRun(run), { output, signal: run.signal });
  }
  const answerFd = host.open(test.answerFile);
  try {
    const result = await checkOutput(sandbox.system, {
      outputFd,
      answerFd,
      flags: group.validatorFlags,
    });
    if (result.accepted) return { verdict: "AC", message: "Accepted" };
    const { difference } = result;
    return { verdict: "WA", message: difference.reason, difference };
  } finally {
    host.close(answerFd);
  }
}

async function talk(context: TestContext, run: TestRun): Promise<Judged> {
  const { validator, transcriptBytes } = context;
  if (!validator) throw new TypeError("Cannot judge an interactive problem without a validator");
  const { worker, signal } = run;
  // Some of the time is the validator's.
  const { command, options, judge, ...times } = invoke(context, run, 2 * context.killTimeMs);
  const { watchdog, wallTimeMs } = times;
  await clearForTest(worker.box);
  const { outcome, feedback, transcript } = await converse(
    { box: worker.box, command, options, judge, watchdog, wallTimeMs },
    validator,
    { run: validatorRun(run), transcriptBytes, signal },
  );
  run.outcome = outcome;
  return { ...feedback, transcript };
}

function validatorRun({ planned, worker }: TestRun): ValidatorRun {
  const { second, cpus } = worker;
  if (!second) throw new TypeError("Cannot run a validator without a box of its own");
  return { box: second, cpus, test: planned.test, flags: planned.group.validatorFlags };
}

/** A file without a name, where the boxes are, so that their disk counts and nothing is left. */
function openOutput({ system, settings }: Sandbox): number {
  const plan = new Plan();
  const fd = plan.slot("output");
  const flags = O_TMPFILE | O.O_RDWR | O.O_CLOEXEC;
  plan.step("openat", [AT_FDCWD, plan.string(settings.boxRoot), flags, 0o600], {
    into: fd,
    what: `make a file for the output in ${settings.boxRoot}`,
  });
  // A validator, which is another user, may open it again by /dev/stdin.
  plan.step("fchmod", [fd, 0o444]);
  const failure = system.attempt(plan, "make a file for the output");
  if (!failure) return plan.result(fd);
  // Some file systems have no such files.
  if (failure.errno !== ERRNO.EOPNOTSUPP && failure.errno !== ERRNO.EISDIR) throw failure;
  const memory = new Plan();
  const memoryFd = memory.slot("output");
  memory.step("memfd_create", [memory.string("output"), MFD_CLOEXEC], { into: memoryFd });
  memory.step("fchmod", [memoryFd, 0o444]);
  system.run(memory, "make a file for the output in memory");
  return memory.result(memoryFd);
}

/** The same file at its beginning, for reading only. */
function reopen({ system }: Sandbox, fd: number): number {
  const plan = new Plan();
  const copy = plan.slot("output");
  plan.step("openat", [AT_FDCWD, plan.string(`/proc/self/fd/${fd}`), O.O_CLOEXEC, 0], {
    into: copy,
    what: "read the output",
  });
  system.run(plan, "read the output");
  return plan.result(copy);
}
