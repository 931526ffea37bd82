/** Judges submissions one after the other, and collects what is known so far. */

import { timeText } from "../../text/quantities.ts";
import type { Compiler } from "../compile/compile.ts";
import type { Compiled } from "../compile/compile_options.ts";
import type { Program } from "../compile/program.ts";
import { testNames } from "../grading/grading.ts";
import { submissionResult } from "../grading/submission_result.ts";
import {
  findTimeLimit,
  isReferenceSolution,
  slowestTest,
  type TimeLimit,
  UNKNOWN_LIMIT_MS,
} from "../grading/time_limit.ts";
import { unmetExpectations } from "../grading/expectations.ts";
import type { JudgeEvent, JudgeReport, Submission } from "../types.ts";
import { type CompileContext, compileProgram } from "./compile_program.ts";
import {
  compileGrader,
  compileStaticValidator,
  compileValidator,
  type UsableValidator,
} from "./compile_validator.ts";
import { copyTree } from "./copy_tree.ts";
import { checkData } from "./data_check.ts";
import type { DataFindings } from "./data_check_work.ts";
import { searchOf, withExtra } from "./extra_tests.ts";
import type { JudgeOptions } from "./judge_options.ts";
import { givesTime, type JudgedSubmission, reportOf } from "./judging_report.ts";
import { runTests } from "./submission_run.ts";
import { type Submitted, submittedOutputs } from "./submitted_outputs.ts";
import type { TestContext } from "./test_run.ts";
import { recallTimeLimit, rememberTimeLimit, timeLimitKey } from "./time_limit_memory.ts";
import type { Workers } from "./workers.ts";

/** The compiled validators of a problem. */
interface ProblemValidators {
  readonly output: UsableValidator;
  readonly static: UsableValidator;
  readonly grader: Program | string | undefined;
}

/** One call of `judge()`. */
export class Judging {
  readonly #options: JudgeOptions;
  readonly #signal: AbortSignal;
  readonly #tests: readonly string[];
  readonly #judged: JudgedSubmission[] = [];
  readonly #warnings: string[];
  readonly #startedAt = new Date();
  readonly #startMs = performance.now();
  #timeLimit: TimeLimit | undefined;
  #data: DataFindings | undefined;
  #validators: Promise<ProblemValidators> | undefined;
  #lastProgram: Program | undefined;
  /** Whether nothing was broken off. */
  #isOver = false;

  constructor(options: JudgeOptions) {
    const { problem, timeLimitMs = problem.limits.timeLimitMs } = options;
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
    this.#tests = testNames(problem.data);
    this.#warnings = [...problem.warnings];
    if (timeLimitMs === undefined) return;
    const source = problem.limits.timeLimitSource ?? `the ${problem.format} package`;
    const isGiven = options.timeLimitMs !== undefined;
    this.#timeLimit = { timeLimitMs, source: isGiven ? "as requested" : source };
  }

  /** Judges all submissions; first the reference solutions, if the time limit comes from them. */
  async run({ workers, compiler }: { workers: Workers; compiler: Compiler }): Promise<void> {
    const { problem, submissions, verify, languages, pypy, onlyTests, onEvent } = this.#options;
    const { limits } = problem;
    this.#warnings.push(...workers.warnings);
    if (submissions.length === 0 && !onlyTests) {
      this.#warnings.push("There are no submissions: nothing was judged");
    }
    const { included, languages: allowed } = problem;
    const signal = this.#signal;
    const context = { workers, compiler, languages, limits, included, allowed, signal, pypy };
    for (const code of Object.keys(included ?? {})) {
      if (code === "default" || languages.findByCode(code)) continue;
      this.#warnings.push(`include/${code}: ignored; no language is called ${code}`);
    }
    const tests = this.#tests.length;
    onEvent?.({ kind: "start", problem, submissions: submissions.length, tests });
    if (verify || onlyTests) await this.#checkData(context);
    if (this.#signal.aborted) return;
    if (!onlyTests) await this.#judgeSubmissions(context);
    this.#isOver = true;
  }

  /** Judges the submissions, first those that show the time limit. */
  async #judgeSubmissions(context: CompileContext): Promise<void> {
    const { problem, submissions, verify } = this.#options;
    if (this.#timeLimit) return await this.#judgeAll(submissions, context);
    await this.#findTimeLimit(context);
    if (this.#signal.aborted) return;
    const others = submissions.filter((one) =>
      !verify || problem.whole || !isReferenceSolution(one)
    );
    await this.#judgeAll(others, context);
  }

  /** Checks the tests with the package's own validators. */
  async #checkData(compile: CompileContext): Promise<void> {
    const { problem, host, onlyTests } = this.#options;
    if (!problem.checks) {
      if (onlyTests) this.#warnings.push("A package with a task.yaml has no validators of tests");
      return;
    }
    const { output: validator } = await this.#compileValidators(compile);
    if (this.#signal.aborted) return;
    // That it cannot be used is said of each submission.
    if (typeof validator === "string") {
      if (onlyTests) this.#data = { complaints: [validator], warnings: [] };
      return;
    }
    const data = await checkData({ problem, host, compile, validator });
    // What was broken off says nothing.
    if (this.#signal.aborted) return;
    this.#data = data;
    this.#warnings.push(...this.#data.warnings);
  }

  /** Finds the time limit: where it is only needed, as it was found before if nothing has changed. */
  async #findTimeLimit(context: CompileContext): Promise<void> {
    const { problem, host, submissions, verify, cacheDirectory } = this.#options;
    const keeps = cacheDirectory !== undefined;
    const isOwn = verify && !problem.whole;
    const whole = problem.whole ?? problem;
    const references = (isOwn ? submissions : whole.submissions).filter(isReferenceSolution);
    const keyOf = () => timeLimitKey({ problem: whole, host, context, references });
    const known = isOwn || !keeps ? undefined : await recallTimeLimit(context, await keyOf());
    if (this.#signal.aborted) return;
    if (known) return this.#setTimeLimit(known);
    const judged = isOwn ? this.#judged : [];
    await this.#judgeAll(references, context, judged);
    if (this.#signal.aborted) return;
    const accepted = judged.filter(givesTime).map(({ result }) => result);
    const found = findTimeLimit(slowestTest(accepted), problem.limits);
    if (accepted.length === 0) {
      this.#warnings.push(
        "The package has no time limit, and no accepted submission to find one by: it is set to " +
          timeText(found.timeLimitMs),
      );
    } else if (keeps) {
      rememberTimeLimit(context, await keyOf(), found);
    }
    this.#setTimeLimit(found);
  }

  #setTimeLimit(found: TimeLimit): void {
    this.#timeLimit = found;
    this.#options.onEvent?.({ kind: "time-limit", ...found });
  }

  /**
   * Judges submissions one after the other; while the last tests of one run, the next is compiled. Only
   * results that are reported are announced.
   */
  async #judgeAll(
    submissions: readonly Submission[],
    context: CompileContext,
    judged: JudgedSubmission[] = this.#judged,
  ): Promise<void> {
    const isReported = judged === this.#judged;
    const emit = (event: JudgeEvent) => {
      if (isReported) this.#options.onEvent?.(event);
    };
    const compile = (submission: Submission | undefined) =>
      submission && (this.#submitted(submission)?.compiled ??
        compileProgram(submission.source, context, {
          kind: "submission",
          language: submission.language,
          entrypoint: submission.entrypoint,
        }));
    let ahead = compile(submissions[0]);
    for (const [i, submission] of submissions.entries()) {
      if (this.#signal.aborted) break;
      const { name } = submission;
      const startMs = performance.now() - this.#startMs;
      emit({ kind: "compile", submission: name });
      const compiled = await ahead!;
      if (this.#signal.aborted) break;
      emit({ kind: "compiled", submission: name, compile: compiled.result });
      const validators = await this.#compileValidators(context);
      if (this.#signal.aborted) break;
      const { workers } = context;
      const work = this.#judgeOne(submission, {
        compiled,
        validators,
        workers,
        emit,
        isReported,
      });
      ahead = compile(submissions[i + 1]);
      const untimed = await work;
      const endMs = performance.now() - this.#startMs;
      const one = { ...untimed, result: { ...untimed.result, startMs, endMs } };
      judged.push(one);
      emit({ kind: "judged", result: one.result });
    }
    // Nothing may go on when this returns.
    await ahead;
  }

  /** Finds the outputs that a submission consists of; undefined: it is a program. */
  #submitted({ source, language }: Submission): Submitted | undefined {
    const { problem } = this.#options;
    if (!problem.acceptsOutputs || language !== undefined) return undefined;
    return submittedOutputs(source, testNames((problem.whole ?? problem).data));
  }

  /** Compiles the validators of the problem once. */
  #compileValidators(context: CompileContext): Promise<ProblemValidators> {
    const { problem, host } = this.#options;
    const warn = (sentence: string) => void this.#warnings.push(sentence);
    const compile = async () => ({
      output: await compileValidator({ problem, host, context, warn }),
      static: await compileStaticValidator({ problem, host, context, warn }),
      grader: await compileGrader({ problem, context }),
    });
    return this.#validators ??= compile();
  }

  async #judgeOne(submission: Submission, { compiled, validators, workers, emit, isReported }: {
    compiled: Compiled;
    validators: ProblemValidators;
    workers: Workers;
    emit: (event: JudgeEvent) => void;
    /** Whether it is in the report; otherwise only its time is wanted. */
    isReported: boolean;
  }): Promise<JudgedSubmission> {
    const { name } = submission;
    const { program, judgeError, result: compile } = compiled;
    const failed = (verdict: "CE" | "JE", message: string): JudgedSubmission => ({
      submission,
      result: submissionResult(submission, { verdict, message, compile }),
      slowest: undefined,
      isInterrupted: false,
    });
    const outputs = this.#submitted(submission)?.outputs;
    if (!program && !outputs) return failed(judgeError ? "JE" : "CE", compile.message);
    const { output: validator, static: staticValidator, grader } = validators;
    if (typeof validator === "string") return failed("JE", validator);
    if (typeof staticValidator === "string") return failed("JE", staticValidator);
    if (typeof grader === "string") return failed("JE", grader);
    this.#lastProgram = program;
    if (compile.note !== undefined) this.#warnings.push(`${name}: ${compile.note}`);
    const context = {
      ...this.#testContext(program, isReported),
      outputs,
      validator,
      staticValidator,
      grader,
    };
    const allTests = isReported && this.#options.allTests === true;
    const { grades, slowest, tests, isBrokenOff } = await runTests(context, {
      workers,
      signal: this.#signal,
      memory: this.#options.memory,
      allTests,
      searchUntil: this.#options.verify ? searchOf(submission, context.killTimeMs) : undefined,
      onResult: (result, done) =>
        emit({ kind: "test", submission: name, result, done, total: this.#tests.length }),
    });
    for (const warning of grades.warnings) this.#warnings.push(`${name}: ${warning}`);
    const unmet = unmetExpectations(submission, { tests, groups: grades.groups });
    return {
      submission,
      result: submissionResult(submission, {
        ...grades,
        compile,
        tests: allTests ? withExtra(grades.tests, tests) : grades.tests,
      }),
      slowest: slowest && { ...slowest, submission: name },
      isInterrupted: isBrokenOff,
      unmet,
    };
  }

  #testContext(
    program: Program | undefined,
    isReported: boolean,
  ): Omit<TestContext, "validator" | "staticValidator" | "grader"> {
    const { sandbox, host, verify, transcriptBytes = 0 } = this.#options;
    const { whole, ...part } = this.#options.problem;
    const problem = isReported ? part : whole ?? part;
    const timeLimitMs = this.#timeLimit?.timeLimitMs ?? UNKNOWN_LIMIT_MS;
    // By how much a submission is too slow matters only where the limit itself is checked.
    const factor = verify && this.#timeLimit ? Math.max(1, problem.limits.limitToRejected) : 1;
    const killTimeMs = Math.ceil(timeLimitMs * factor);
    return { sandbox, host, problem, program, timeLimitMs, killTimeMs, transcriptBytes };
  }

  /** Keeps the boxes for people to look into, with the last program in `box/program/`. */
  async keepBoxes(workers: Workers): Promise<void> {
    const { host } = this.#options;
    const program = this.#lastProgram;
    const directories = await workers.keep(async (box) => {
      if (program) await copyTree(host, { from: program.directory, box, to: "program" });
    });
    for (const directory of directories) {
      this.#warnings.push(
        `The box ${directory} is kept for inspection: clean it up when you are done`,
      );
    }
  }

  /** Reports what is known. */
  report(): JudgeReport {
    return reportOf({
      options: this.#options,
      tests: this.#tests,
      judged: this.#judged,
      warnings: this.#warnings,
      dataComplaints: this.#data?.complaints ?? [],
      timeLimit: this.#timeLimit,
      isOver: this.#isOver,
      startedAt: this.#startedAt,
      durationMs: performance.now() - this.#startMs,
    });
  }
}
