/** Carries out one job in one box. */

import { type Box, type Input, type RunOptions, SIGNALS } from "../../mod.ts";
import { PROGRAM_BYTES_MAX, TreeWatch } from "../../judge/compile/box_tree.ts";
import { type Compiler, whyNot } from "../../judge/compile/compile.ts";
import type { Compiled } from "../../judge/compile/compile_options.ts";
import { type LoadedFile, prepareSource } from "../../judge/compile/compile_source.ts";
import { Program } from "../../judge/compile/program.ts";
import { LanguageError } from "../../judge/languages/language_definition.ts";
import type { Language } from "../../judge/languages/language_table.ts";
import { CheckerProgram, type ReadyChecker } from "./checker_program.ts";
import { compareOutput } from "./compare_output.ts";
import { StageOutput } from "./stage_output.ts";
import { stageResult, unfinished, writtenTo } from "./stage_result.ts";
import type {
  Job,
  JobEvent,
  JobFile,
  JobResult,
  JobRun,
  StageLimits,
  StagePlace,
  StageResult,
} from "./types.ts";

/** What a job needs besides itself. */
export interface JobContext {
  readonly job: Job;
  /** The files of the job, the main one with an ending of the language. */
  readonly files: readonly JobFile[];
  readonly language: Language;
  /** What judges outputs; undefined: they are compared. */
  readonly checker?: ReadyChecker | undefined;
  readonly box: Box;
  readonly compiler: Compiler;
  /** What a compiler may use unless the job says so. */
  readonly compileLimits: StageLimits;
  /** The memory of a stage whose limits name none, in KiB. */
  readonly memoryKib: number;
  /** Cancels the job. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: JobEvent) => void;
  /** Told of failures that no client is to blame for. */
  readonly complain: (message: string) => void;
  /** What follows on standard input of the only run; undefined: nothing. */
  readonly moreStdin?: ReadableStream<Uint8Array> | undefined;
}

/** A program that can be run, and where its files are. */
interface Runnable {
  readonly program: Program;
  /** What lies in its working directory. */
  readonly files: readonly LoadedFile[];
}

/** What clients are told of failures in the sandbox, whose messages name files of the host. */
export const SERVER_FAILED = "The server failed";
/** The limits of requests are stricter. */
const CODE_KIB_MAX = 1 << 20;
/** The folder of a program that is not compiled: its working directory, which it cannot change there. */
const ITS_OWN_FOLDER = "./box";

/** A job whose checker, if it has one, can be run. */
interface CheckedContext extends JobContext {
  readonly checkerProgram: CheckerProgram | undefined;
}

/** Compiles and runs a program. */
export async function executeJob(context: JobContext): Promise<JobResult> {
  const { language: { definition: { compile } }, checker } = context;
  const isCompiled = compile !== undefined && !compile.onlyChecks;
  const execute = isCompiled ? compileAndRun : runDirectly;
  if (!checker) return await execute({ ...context, checkerProgram: undefined });
  const made = await CheckerProgram.compile(checker, context);
  if (typeof made === "string") return failed(context, made);
  using checkerProgram = made;
  await context.box.clear({ controlGroup: true });
  return await execute({ ...context, checkerProgram });
}

/** Runs a program of an interpreted language from its working directory, without keeping it. */
async function runDirectly(context: CheckedContext): Promise<JobResult> {
  const { language, box, compiler, signal, files, job } = context;
  const reason = whyNot(language, box);
  if (reason !== undefined) return failed(context, reason);
  const version = await compiler.version({ language, box, signal });
  let runnable: Runnable;
  try {
    const prepared = prepareSource(language, loaded(files), { entrypoint: entrypoint(context) });
    const program = new Program(language, ITS_OWN_FOLDER, prepared.words);
    runnable = { program, files: prepared.files };
  } catch (error) {
    if (!(error instanceof LanguageError)) throw error;
    return failed(context, error.message, version);
  }
  await box.clear();
  return { version, isCached: false, runs: await runAll(context, { runnable, runs: job.runs }) };
}

async function compileAndRun(context: CheckedContext): Promise<JobResult> {
  const { language, box, compiler, signal, files, job, onEvent } = context;
  const limits = job.compile?.limits ?? context.compileLimits;
  const place: StagePlace = { stage: "compile" };
  const output = new StageOutput({
    limitBytes: limits.outputBytes,
    // A compiler that warns of much has not failed.
    overflow: "discard",
    onPiece: (stream, bytes) => onEvent({ ...place, kind: "output", stream, bytes }),
  });
  onEvent({ ...place, kind: "begin" });
  const sinceMs = performance.now();
  let compiled: Compiled;
  try {
    compiled = await compiler.compile({ loaded: loaded(files) }, {
      language,
      entrypoint: entrypoint(context),
      args: job.compile?.args,
      box,
      limits: {
        timeMs: limits.cpuTimeMs,
        wallTimeMs: limits.wallTimeMs,
        memoryKib: limits.memoryKib ?? context.memoryKib,
        codeKib: CODE_KIB_MAX,
        processes: limits.processes,
        openFiles: limits.openFiles,
        fileSizeKib: limits.fileSizeKib,
      },
      streams: output,
      signal,
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    const wallTimeMs = performance.now() - sinceMs;
    const result = { ...unfinished({ kind: "cancelled" }, output), wallTimeMs };
    onEvent({ ...place, kind: "end", result });
    return { version: "", compile: result, isCached: false, runs: [] };
  }
  try {
    const { result: { cached, version = "" }, program, fault } = compiled;
    if (fault) context.complain(`A compiler could not be run: ${fault.message}`);
    const compile = compileResult(compiled, output);
    onEvent({ ...place, kind: "end", result: compile });
    const all = { version, compile, isCached: cached };
    if (!program) return { ...all, runs: [] };
    // What a compiler has read counts as memory of the group for as long as the kernel keeps it.
    if (!cached) await box.clear({ controlGroup: true });
    // A lone source is of no use in the working directory.
    const beside = files.length > 1 ? loaded(files) : [];
    const runnable = { program, files: beside };
    return { ...all, runs: await runAll(context, { runnable, runs: job.runs }) };
  } finally {
    compiled.release?.();
  }
}

function compileResult(compiled: Compiled, output: StageOutput): StageResult {
  const { result, outcome, judgeError, fault, program } = compiled;
  if (judgeError) {
    const reason = fault ? SERVER_FAILED : result.message;
    return unfinished({ kind: "failed", reason }, output);
  }
  if (outcome) {
    const ended = stageResult(outcome, { output });
    const isFine = ended.ending.kind === "exited" && ended.ending.exitCode === 0;
    // Its exit status says that all went well, but there is nothing to run.
    return program || !isFine ? ended : { ...ended, ...complaint(result.message, output) };
  }
  const times = { cpuTimeMs: result.cpuTimeMs, wallTimeMs: 0, memoryKib: 0 };
  if (!program) return { ...times, ...complaint(result.message, output) };
  const said = new TextEncoder().encode(result.output);
  return {
    ending: { kind: "exited", exitCode: 0 },
    message: "",
    exitCode: 0,
    ...writtenTo(output),
    stderr: said,
    output: said,
    ...times,
  };
}

/** What the compiler does not say itself, it says on its standard error here. */
function complaint(message: string, output: StageOutput) {
  output.stderr.add(new TextEncoder().encode(`${message}\n`));
  return {
    ending: { kind: "exited", exitCode: 1 } as const,
    message,
    exitCode: 1,
    ...writtenTo(output),
  };
}

async function runAll(
  context: CheckedContext,
  { runnable, runs }: { runnable: Runnable; runs: readonly JobRun[] },
): Promise<StageResult[]> {
  const { box, job, signal, onEvent } = context;
  const results: StageResult[] = [];
  for (const [index, run] of runs.entries()) {
    const place: StagePlace = { stage: "run", run: index };
    onEvent({ ...place, kind: "begin" });
    // Each run has its own peak of memory, even where the kernel tells only that of the group.
    if (index > 0) await box.clear({ controlGroup: box.peakMemoryIsOfBox || "if-used" });
    const result = signal.aborted
      ? unfinished({ kind: "cancelled" })
      : await runOnce(context, { runnable, run, place });
    onEvent({ ...place, kind: "end", result });
    results.push(result);
    const isFine = result.exitCode === 0 && result.ending.kind === "exited" &&
      result.isAccepted !== false;
    if (signal.aborted || job.stopAtFirstFailure && !isFine) break;
  }
  return results;
}

async function runOnce(
  context: CheckedContext,
  { runnable: { program, files }, run, place }: {
    runnable: Runnable;
    run: JobRun;
    place: StagePlace;
  },
): Promise<StageResult> {
  const { box, signal, onEvent } = context;
  const lying = [...files, ...loaded(run.files ?? [])];
  for (const { name, bytes } of lying) await box.files.write(name, bytes, { mode: 0o644 });
  const output = new StageOutput({
    limitBytes: run.limits.outputBytes,
    onPiece: (stream, bytes) => onEvent({ ...place, kind: "output", stream, bytes }),
  });
  const isFolderKept = lying.length > 0;
  const { command, ...options } = invocation(context, { program, run, isFolderKept });
  // What it can write to the disk is watched; everything else is in memory.
  await using tree = isFolderKept ? new TreeWatch(box.files) : undefined;
  const outcome = await box.run([...command, ...run.args], {
    ...options,
    stdin: stdinOf(run, context),
    stdout: output.stdout,
    stderr: run.mergeErrors ? "stdout" : output.stderr,
    signal: tree ? AbortSignal.any([signal, tree.signal]) : signal,
  });
  const text = output.stderr.text();
  const result = stageResult(outcome, {
    output,
    isHeapFull: outcome.kind !== "memory-limit" && program.ranOutOfMemory(outcome, text),
  });
  if (tree?.isTooLarge && result.ending.kind === "cancelled" && !signal.aborted) {
    const signal = SIGNALS.SIGXFSZ;
    const message = `It wrote more than ${PROGRAM_BYTES_MAX >> 20} MiB to files`;
    return { ...result, ending: { kind: "signal", signal }, signal, message };
  }
  return await judged(context, { run, result });
}

/** Judges a run that ended by itself, if anybody wants to know. */
async function judged(
  { box, signal, checkerProgram }: CheckedContext,
  { run: { stdin, expectedOutput, comparison = "words" }, result }: {
    run: JobRun;
    result: StageResult;
  },
): Promise<StageResult> {
  if (result.ending.kind !== "exited") return result;
  if (checkerProgram) {
    if (result.exitCode !== 0) return result;
    const verdict = await checkerProgram.check({
      ...{ box, signal, input: stdin, output: result.stdout, answer: expectedOutput },
    });
    if ("isAccepted" in verdict) return { ...result, ...verdict };
    const { ending } = verdict;
    return { ...result, ending, message: ending.kind === "failed" ? ending.reason : "Cancelled" };
  }
  if (expectedOutput === undefined) return result;
  return {
    ...result,
    ...await compareOutput(result.stdout, { expected: expectedOutput, comparison }),
  };
}

/** Makes the command, and the options but for the streams. */
function invocation(
  { box, memoryKib }: JobContext,
  { program, run, isFolderKept }: { program: Program; run: JobRun; isFolderKept: boolean },
): RunOptions & { command: readonly string[] } {
  const { limits, environment = [], network = false } = run;
  const { cpuTimeMs, extraCpuTimeMs = 0, wallTimeMs } = limits;
  const { stackKib, openFiles, fileSizeKib, processes } = limits;
  const controlGroup = box.hasControlGroup;
  const { limits: own, environment: ownEnvironment, ...others } = program.invocation({
    timeLimitMs: cpuTimeMs,
    memoryKib: limits.memoryKib ?? memoryKib,
    controlGroup,
    leavesNothing: !isFolderKept,
  });
  const most = own.processes;
  return {
    ...others,
    limits: {
      ...own,
      wallTimeMs,
      ...extraCpuTimeMs > 0 && { extraTimeMs: cpuTimeMs + extraCpuTimeMs },
      ...stackKib !== undefined && { stackKib },
      openFiles,
      fileSizeKib,
      // Without a control group each process may use as much memory as all together should.
      processes: controlGroup || typeof most !== "number" ? processes : Math.min(processes, most),
    },
    environment: new Map([...ownEnvironment, ...environment]),
    shareNetwork: network,
  };
}

function stdinOf({ stdin }: JobRun, { moreStdin }: JobContext): Input {
  if (moreStdin) return { stream: moreStdin };
  return stdin.length === 0 ? "none" : { bytes: stdin };
}

/** The main file is the first one where the language names a file, and is found otherwise. */
function entrypoint({ language, files }: JobContext): string | undefined {
  return typeof language.definition.main === "object" ? files[0]!.name : undefined;
}

function loaded(files: readonly JobFile[]): LoadedFile[] {
  return files.map(({ name, content }) => ({ name, bytes: content }));
}

/** The program was not run, for a reason that is not in it. */
function failed({ onEvent }: JobContext, reason: string, version = ""): JobResult {
  const result = unfinished({ kind: "failed", reason });
  onEvent({ stage: "run", run: 0, kind: "begin" });
  onEvent({ stage: "run", run: 0, kind: "end", result });
  return { version, isCached: false, runs: [result] };
}
