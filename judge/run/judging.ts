/** The course of judging: which submission comes when, and what is known so far. */

import type { Compiler, Program } from "../compile/compile.ts";
import { planTests } from "../grading/grading.ts";
import type { JudgeOptions } from "../judge_options.ts";
import { leaveProgram } from "./leave_program.ts";
import { type Prepared, prepareProgram, type Workshop } from "./preparation.ts";
import type { TestContext } from "./test_run.ts";
import type { Workers } from "./workers.ts";
import { runTests, type SlowTest, type TestsResult } from "./submission.ts";
import { submissionResult, summary } from "../grading/submission_result.ts";
import {
  findTimeLimit,
  mustBeFastEnough,
  mustBeTooSlow,
  type Slowest,
  slowestOf,
  timeLimitComplaints,
  UNKNOWN_LIMIT_MS,
} from "../grading/time_limit.ts";
import type { JudgeReport, Submission, SubmissionResult } from "../types.ts";
import type { Validator } from "./validator.ts";
import { submissionComplaint } from "../grading/verify.ts";
import { visibleText } from "../../text/visible.ts";

/** What a submission got, and how slow it is. */
interface Judged {
  readonly submission: Submission;
  readonly result: SubmissionResult;
  /** The slowest test, also of those that do not count. */
  readonly slowest: SlowTest | undefined;
  readonly interrupted: boolean;
}

/** One call of `judge()`. */
export class Judging {
  readonly #options: JudgeOptions;
  readonly #signal: AbortSignal;
  readonly #judged: Judged[] = [];
  readonly #warnings: string[];
  readonly #startedAt = new Date();
  readonly #startMs = performance.now();
  #timeLimit: { ms: number; source: string; isFound: boolean } | undefined;
  #lastProgram: Program | undefined;
  #validator: Promise<Validator | string | undefined> | undefined;
  #interrupted = false;

  /** Begins. */
  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
    const { limits, warnings, format } = options.problem;
    this.#warnings = [...warnings];
    if (options.timeLimitMs !== undefined) {
      this.#timeLimit = { ms: options.timeLimitMs, source: "as asked for", isFound: false };
    } else if (limits.timeLimitMs !== undefined) {
      const source = limits.timeLimitSource ?? `the ${format} package`;
      this.#timeLimit = { ms: limits.timeLimitMs, source, isFound: false };
    }
  }

  /** Adds to what is odd. */
  warn(...warnings: string[]): void {
    this.#warnings.push(...warnings);
  }

  /** Judges all submissions. */
  async run({ workers, compiler }: { workers: Workers; compiler: Compiler }): Promise<void> {
    const { problem, submissions, verify, languages, onEvent } = this.#options;
    this.warn(...workers.warnings);
    if (submissions.length === 0) this.warn("There are no submissions: nothing was judged");
    const { limits } = problem;
    const workshop = { workers, compiler, languages, limits, signal: this.#signal };
    const tests = planTests(problem.data).length;
    onEvent?.({ kind: "start", problem, submissions: submissions.length, tests });
    if (this.#timeLimit) return await this.#judgeAll(submissions, workshop);
    const own = verify ? submissions : problem.submissions;
    const yardsticks = await this.#measure(own.filter(mustBeFastEnough), workshop);
    if (this.#signal.aborted) return;
    this.#findTimeLimit(yardsticks);
    await this.#judgeAll(
      verify ? submissions.filter((submission) => !mustBeFastEnough(submission)) : submissions,
      workshop,
    );
  }

  /** Judges the submissions from which the time limit is found. */
  async #measure(yardsticks: readonly Submission[], workshop: Workshop): Promise<Judged[]> {
    await this.#judgeAll(yardsticks, workshop, { isQuiet: !this.#options.verify });
    return this.#options.verify ? this.#judged : this.#judged.splice(0);
  }

  #findTimeLimit(yardsticks: readonly Judged[]): void {
    const accepted = yardsticks.map(({ result }) => result).filter(({ verdict }) =>
      verdict === "AC"
    );
    const { limits } = this.#options.problem;
    const { timeLimitMs, source } = findTimeLimit(slowestOf(accepted), limits);
    this.#timeLimit = { ms: timeLimitMs, source, isFound: accepted.length > 0 };
    if (accepted.length === 0) {
      this.warn(
        "The package has no time limit, and no accepted submission to find one from: " +
          `${timeLimitMs / 1000} s are taken`,
      );
    }
    this.#options.onEvent?.({ kind: "time-limit", timeLimitMs, source });
  }

  /** Judges one after the other; while the last tests of one run the next is compiled. */
  async #judgeAll(
    submissions: readonly Submission[],
    workshop: Workshop,
    { isQuiet = false }: { isQuiet?: boolean } = {},
  ): Promise<void> {
    const prepare = (submission: Submission | undefined) =>
      submission && prepareProgram(submission.source, workshop, {
        kind: "submission",
        language: submission.language,
      });
    let ahead = prepare(submissions[0]);
    for (const [i, submission] of submissions.entries()) {
      if (this.#signal.aborted) this.#interrupted = true;
      if (this.#signal.aborted) break;
      const emit = isQuiet ? undefined : this.#options.onEvent;
      emit?.({ kind: "compile", submission: submission.name });
      const prepared = await ahead!;
      if (this.#signal.aborted) continue;
      emit?.({ kind: "compiled", submission: submission.name, compile: prepared.compile });
      const validator = await this.#prepareValidator(workshop);
      const work = this.#judgeOne(submission, { prepared, validator, workshop, isQuiet });
      ahead = prepare(submissions[i + 1]);
      const judged = await work;
      this.#judged.push(judged);
      emit?.({ kind: "judged", result: judged.result });
    }
    // Nothing may go on when this returns.
    await ahead;
  }

  /** Compiles the validator, once; gives why that cannot be done. */
  #prepareValidator(workshop: Workshop): Promise<Validator | string | undefined> {
    return this.#validator ??= (async () => {
      const { validation, limits } = this.#options.problem;
      if (validation.kind === "default") return undefined;
      const { program, compile } = await prepareProgram(validation.program, workshop, {
        kind: "validator",
      });
      if (!program) {
        const name = visibleText(validation.program.name);
        return `The output validator ${name} cannot be used: ${compile.message}`;
      }
      return { program, limits, givesScores: validation.score, host: this.#options.host };
    })();
  }

  async #judgeOne(submission: Submission, { prepared, validator, workshop, isQuiet }: {
    prepared: Prepared;
    validator: Validator | string | undefined;
    workshop: Workshop;
    isQuiet: boolean;
  }): Promise<Judged> {
    const { compile, program } = prepared;
    const failed = (verdict: "CE" | "JE" | SubmissionResult["verdict"], message: string) => ({
      submission,
      result: submissionResult(submission, { verdict, message, compile }),
      slowest: undefined,
      interrupted: false,
    });
    if (!program) return failed(prepared.verdict, compile.message);
    if (typeof validator === "string") return failed("JE", validator);
    this.#lastProgram = program;
    const { onEvent, problem, verify } = this.#options;
    const total = planTests(problem.data).length;
    const context = this.#context({ program, validator });
    const tests = await runTests(context, {
      workers: workshop.workers,
      signal: this.#signal,
      ...verify && mustBeTooSlow(submission) && { wantedTimeMs: context.killTimeMs },
      onResult: (result, done) => {
        if (isQuiet) return;
        onEvent?.({ kind: "test", submission: submission.name, result, done, total });
      },
    });
    this.#warnAbout(submission, tests);
    const result = submissionResult(submission, { ...summary(tests, total), compile, tests });
    return { submission, result, slowest: tests.slowest, interrupted: tests.interrupted };
  }

  #context({ program, validator }: {
    program: Program;
    validator: Validator | undefined;
  }): TestContext {
    const { sandbox, host, problem, verify, transcriptBytes = 0 } = this.#options;
    const timeLimitMs = this.#timeLimit?.ms ?? UNKNOWN_LIMIT_MS;
    // By how much a submission is too slow matters only where the limit itself is checked.
    const factor = verify && this.#timeLimit ? Math.max(1, problem.limits.limitToRejected) : 1;
    return {
      sandbox,
      host,
      problem,
      program,
      validator,
      timeLimitMs,
      killTimeMs: Math.ceil(timeLimitMs * factor),
      transcriptBytes,
    };
  }

  #warnAbout({ name }: Submission, { grades }: TestsResult): void {
    for (const warning of grades.warnings) this.warn(`${name}: ${warning}`);
  }

  /** Puts the last program into all boxes, for people who look into them. */
  async leaveProgram(workers: Workers): Promise<void> {
    const program = this.#lastProgram;
    if (program) await workers.each(({ box }) => leaveProgram(this.#options.host, program, box));
  }

  /** What is known. */
  report(): JudgeReport {
    const { problem, submissions } = this.#options;
    const order = new Map(submissions.map(({ name }, i) => [name, i]));
    const place = ({ submission }: Judged) => order.get(submission.name) ?? 0;
    const judged = this.#judged.toSorted((a, b) => place(a) - place(b));
    return {
      problem: problem.shortName,
      title: problem.title,
      kind: problem.kind,
      timeLimitMs: this.#timeLimit?.ms ?? UNKNOWN_LIMIT_MS,
      timeLimitSource: this.#timeLimit?.source ?? "not found yet",
      memoryKib: problem.limits.memoryKib,
      outputKib: problem.limits.outputKib,
      tests: planTests(problem.data).map(({ test }) => test.name),
      submissions: judged.map(({ result }) => result),
      complaints: this.#complaints(judged),
      warnings: [...new Set(this.#warnings)],
      interrupted: this.#interrupted ||
        this.#signal.aborted && judged.length < submissions.length ||
        judged.some(({ interrupted }) => interrupted),
      startedAt: this.#startedAt.toISOString(),
      durationMs: performance.now() - this.#startMs,
    };
  }

  #complaints(judged: readonly Judged[]): string[] {
    const complaints = judged.flatMap(({ submission, result, interrupted }) =>
      interrupted ? [] : submissionComplaint(submission, result) ?? []
    );
    return this.#options.verify ? [...complaints, ...this.#packageComplaints(judged)] : complaints;
  }

  /** What is wrong with the package itself. */
  #packageComplaints(judged: readonly Judged[]): string[] {
    const { problem, submissions } = this.#options;
    const complaints: string[] = [];
    if (problem.format === "kattis" && !submissions.some(mustBeFastEnough)) {
      complaints.push("The package has no accepted submission (in submissions/accepted)");
    }
    if (!this.#timeLimit) return complaints;
    const slowestTest = ({ submission: { name }, slowest }: Judged): Slowest[] =>
      slowest ? [{ submission: name, ...slowest }] : [];
    const accepted = judged.filter(({ submission, result }) =>
      mustBeFastEnough(submission) && result.verdict === "AC"
    );
    const tooSlow = judged.filter(({ submission, result, interrupted }) =>
      mustBeTooSlow(submission) && result.verdict === "TLE" && !interrupted
    );
    const margins = timeLimitComplaints(this.#timeLimit.ms, {
      limits: problem.limits,
      slowestAccepted: slowestOf(accepted.map(({ result }) => result)),
      tooSlow: tooSlow.flatMap(slowestTest),
    });
    return [...complaints, ...margins];
  }
}
