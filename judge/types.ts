/** The data of judging: problems, tests, submissions and their results. All of it can be written as JSON. */

import type { Outcome } from "../mod.ts";
import type { Verdict } from "./verdicts.ts";

export type { Verdict };

/** A file of a program. */
export interface SourceFile {
  /** Its path in the program's folder; never leads out of it. */
  readonly name: string;
  /** The absolute path on the host, without symbolic links: none is followed. */
  readonly hostFile: string;
  /** The size in bytes. */
  readonly sizeBytes: number;
  /** What stands for each `{{name}}` in it; undefined: nothing is replaced. */
  readonly constants?: Readonly<Record<string, string>> | undefined;
}

/** The source of a program: a submission or a validator. */
export interface ProgramSource {
  /** The name of the file or folder. */
  readonly name: string;
  /** The files, sorted by name; at least one. */
  readonly files: readonly SourceFile[];
}

/** A submission. */
export interface Submission {
  /** The path below `submissions/`, or as given on the command line. */
  readonly name: string;
  /** The source. */
  readonly source: ProgramSource;
  /** The language by id or name; undefined: recognised by the files. */
  readonly language?: string | undefined;
  /** The main file or class; undefined: found by names. */
  readonly entrypoint?: string | undefined;
  /** The verdicts of which it must get one; undefined: any. */
  readonly expected: readonly Verdict[] | undefined;
  /** The lowest and highest score that it must get in a scoring problem; undefined: any. */
  readonly expectedScore?: readonly [number, number] | undefined;
  /** What its single tests must show; checked where a package is verified. */
  readonly expectations?: readonly TestExpectation[] | undefined;
  /**
   * Whether the time limit must leave room for it (`lower`), or it must be too slow (`upper`), or
   * neither (false); undefined: as its expected verdicts say.
   */
  readonly forTimeLimit?: boolean | "lower" | "upper" | undefined;
}

/** What single tests of a submission must show. */
export interface TestExpectation {
  /** A pattern of tests or groups, such as `secret/group1`; undefined: all. */
  readonly tests: string | undefined;
  /** The verdicts that each of them may have; undefined: any. */
  readonly permitted?: readonly Verdict[] | undefined;
  /** The verdicts of which at least one of them must have one; undefined: any. */
  readonly required?: readonly Verdict[] | undefined;
  /** What the validator must say to the judge on at least one of them. */
  readonly message?: string | undefined;
  /** The lowest and highest score of the group. */
  readonly score?: readonly [number, number] | undefined;
  /** Whether a package that breaks it is right all the same: other judges do not check it. */
  readonly onlyNoted?: boolean | undefined;
}

/** The limits of a problem. */
export interface ProblemLimits {
  /** CPU time of each test in milliseconds; undefined: found by the accepted submissions. */
  readonly timeLimitMs: number | undefined;
  /** Where the time limit is written, such as `problem.yaml: limits.time_limit`. */
  readonly timeLimitSource: string | undefined;
  /** The time limit must be at least the time of the slowest accepted submission times this. */
  readonly acceptedToLimit: number;
  /** A submission that must be too slow has to take at least the time limit times this. */
  readonly limitToRejected: number;
  /** Whether nobody asked for these two factors: a limit that is written breaks no promise then. */
  readonly factorsAreDefault?: boolean | undefined;
  /** A time limit found by submissions is rounded up to a multiple of this, in milliseconds. */
  readonly timeResolutionMs: number;
  /** Memory of each test in KiB. */
  readonly memoryKib: number;
  /** Output of each test in KiB. */
  readonly outputKib: number;
  /** Size of all sources of a submission in KiB. */
  readonly codeKib: number;
  /** CPU time of the compiler in milliseconds. */
  readonly compileTimeMs: number;
  /** Memory of the compiler in KiB. */
  readonly compileMemoryKib: number;
  /** CPU time of the validator in milliseconds. */
  readonly validationTimeMs: number;
  /** Memory of the validator in KiB. */
  readonly validationMemoryKib: number;
  /** Output and messages of the validator in KiB. */
  readonly validationOutputKib: number;
}

/** How outputs are judged. */
export type Validation =
  /** The output is compared with the answer. */
  | { readonly kind: "default" }
  /** A program of the package decides by its exit status: 42 (accepted) or 43 (wrong answer). */
  | {
    readonly kind: "custom";
    /** Whether it talks to the submission. */
    readonly interactive: boolean;
    /** Whether it gives scores in `score.txt`. */
    readonly score: boolean;
    /** The source. */
    readonly program: ProgramSource;
    /** Further programs, which all must accept, too. */
    readonly more?: readonly ProgramSource[] | undefined;
    /**
     * How often a submission runs on a test at most: the program gives the next input in
     * `nextpass.in`. Undefined: once.
     */
    readonly passes?: number | undefined;
  };

/** A test. */
export interface TestCase {
  /** The path below `data/` without the ending, such as `secret/01-small`. */
  readonly name: string;
  /** The absolute path of the input on the host, without symbolic links: none is followed. */
  readonly inputFile: string;
  /** The absolute path of the answer on the host, without symbolic links: none is followed. */
  readonly answerFile: string;
  /** Whether contestants see it. */
  readonly isSample: boolean;
  /** Arguments of the submission; undefined: those of its group. */
  readonly args?: readonly string[] | undefined;
  /** Arguments of the validator; undefined: those of its group. */
  readonly validatorFlags?: readonly string[] | undefined;
  /** Arguments of the input validators; undefined: those of its group. */
  readonly inputFlags?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Files that the submission finds in its working directory. */
  readonly files?: readonly SourceFile[] | undefined;
  /**
   * Arguments of the static validator, which looks at the submission's files; nothing is run, and
   * there is neither input nor answer. Undefined: an ordinary test.
   */
  readonly staticFlags?: readonly string[] | undefined;
  /** The highest score; undefined: that of the tests of its group. */
  readonly scoreMax?: number | undefined;
}

/** How the verdict and score of a group follow from those of its members. */
export interface GroupGrading {
  /** The verdict of the first member that is not accepted, the worst one, or always accepted. */
  readonly verdictMode: "first_error" | "worst_error" | "always_accept";
  /** How the scores of the members are combined; `pass-fail`: the highest if all are accepted, or 0. */
  readonly scoreMode: "sum" | "avg" | "min" | "max" | "pass-fail";
  /** Whether the first member (the samples) does not count; only in the topmost group. */
  readonly ignoreSample: boolean;
  /** Whether the group is accepted if any member is. */
  readonly acceptIfAnyAccepted: boolean;
  /** The score of an accepted test, unless the validator gives one. */
  readonly acceptScore: number;
  /** The score of any other test, unless the validator gives one. */
  readonly rejectScore: number;
  /** The lowest and highest score that the group can have. */
  readonly range: readonly [number, number];
  /**
   * What validators may say of the scores of its tests: `ignored`, `none` (an error), or the highest
   * score of each; without bound, each accepted test needs one. Undefined: as in legacy packages.
   */
  readonly testScores?: "ignored" | "none" | number | undefined;
  /** Arguments of the package's grader, which gives the verdict and the score; undefined: no program. */
  readonly graderFlags?: readonly string[] | undefined;
  /** Whether a submission that is not accepted has a score, too; only in the topmost group. */
  readonly scoresRejected?: boolean | undefined;
}

/** An output that the output validator must accept or refuse. */
export interface OutputCheck {
  /** The input and the answer. */
  readonly test: TestCase;
  /** The absolute path of the output on the host. */
  readonly outputFile: string;
  /** Whether it must be accepted. */
  readonly isValid: boolean;
}

/** A test that `generators/generators.yaml` lists. */
export interface GeneratedTest {
  /** Its path below `data/` without the ending. */
  readonly name: string;
  /** Where its input comes from: a text, another file, a program that writes it, or only from here. */
  readonly from:
    | { readonly kind: "given" }
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "file"; readonly path: string; readonly hostFile: string }
    | {
      readonly kind: "command";
      readonly command: string;
      readonly program: ProgramSource;
      readonly args: readonly string[];
    };
}

/** What checks the tests of a package. */
export interface DataChecks {
  /** Programs that must accept each input. */
  readonly inputValidators: readonly ProgramSource[];
  /** Inputs of which each must be refused by one of them; they have no answers. */
  readonly invalidInputs: readonly TestCase[];
  /** Outputs for the output validator. */
  readonly outputs: readonly OutputCheck[];
  /** What the tests are made of, as far as the package says it; undefined: it does not. */
  readonly generated?: readonly GeneratedTest[] | undefined;
}

/** A group of tests. The topmost group is `data/` itself, named `""`. */
export interface TestGroup {
  /** The path below `data/`, such as `secret/group1`. */
  readonly name: string;
  /** Whether to skip the rest of the group after a member that is not accepted. */
  readonly onReject: "break" | "continue";
  /** How the verdict and score are found. */
  readonly grading: GroupGrading;
  /** Arguments for the validator, default (such as `case_sensitive`) or custom. */
  readonly validatorFlags: readonly string[];
  /** Arguments for the input validators, by their names; those of `*` are for all others. */
  readonly inputFlags?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Arguments of the submission. Default: none. */
  readonly args?: readonly string[] | undefined;
  /** The groups that must be accepted for this one to be judged at all; they come before it. */
  readonly requires?: readonly string[] | undefined;
  /** The tests and groups, sorted by name. */
  readonly members: readonly GroupMember[];
}

/** A member of a group. */
export type GroupMember =
  | { readonly kind: "test"; readonly test: TestCase }
  | { readonly kind: "group"; readonly group: TestGroup };

/** A problem, as read from its package. */
export interface Problem {
  /** The absolute path of the package on the host. */
  readonly directory: string;
  /** The format of the package. */
  readonly format: "kattis" | "task";
  /** The name of the package's folder. */
  readonly shortName: string;
  /** The title for people. */
  readonly title: string;
  /** Whether it has scores. */
  readonly kind: "pass-fail" | "scoring";
  /** Whether more or less is better in a scoring problem. */
  readonly objective: "max" | "min";
  /** The limits. */
  readonly limits: ProblemLimits;
  /** How outputs are judged. */
  readonly validation: Validation;
  /** The program that judges the files of a submission. */
  readonly staticValidator?: ProgramSource | undefined;
  /** The program that makes verdicts and scores of groups with `graderFlags`. */
  readonly grader?: ProgramSource | undefined;
  /** Whether a submission may be outputs instead of a program. */
  readonly acceptsOutputs?: boolean | undefined;
  /** Whether submissions cannot write into their working directory. */
  readonly forbidsWriting?: boolean | undefined;
  /**
   * Files that every submission is compiled with, by the id of its language; those of `default` are for
   * all languages, and give way to those of the language.
   */
  readonly included?: Readonly<Record<string, readonly SourceFile[]>> | undefined;
  /** All tests. */
  readonly data: TestGroup;
  /** The languages that submissions may have, by code; undefined: all. */
  readonly languages?: readonly string[] | undefined;
  /** What checks the tests where a package is verified. */
  readonly checks?: DataChecks | undefined;
  /** The submissions of the package, sorted by name. */
  readonly submissions: readonly Submission[];
  /** The problem that this is only a part of; undefined: it is whole. */
  readonly whole?: Problem | undefined;
  /** What is odd but no error, a sentence each: unused files, keys of other versions. */
  readonly warnings: readonly string[];
  /** What is wrong with the package and does not keep anybody from judging, a sentence each. */
  readonly complaints?: readonly string[] | undefined;
}

/** The first difference between an output and the answer. */
export interface Difference {
  /** One sentence, such as `Line 3, word 2: expected "42", got "43"`. */
  readonly reason: string;
  /** The number of the first line of `expected`, from 1. */
  readonly expectedFrom: number;
  /** Some lines of the answer around the difference; long ones are cut. */
  readonly expected: readonly string[];
  /** The number of the first line of `actual`, from 1. */
  readonly actualFrom: number;
  /** Some lines of the output around the difference; long ones are cut. */
  readonly actual: readonly string[];
}

/** The result of one submission on one test. */
export interface TestResult {
  /** The name of the test. */
  readonly test: string;
  /** The verdict. */
  readonly verdict: Verdict;
  /** One sentence for people. */
  readonly message: string;
  /** CPU time in milliseconds. */
  readonly cpuTimeMs: number;
  /** Wall time in milliseconds. */
  readonly wallTimeMs: number;
  /**
   * Peak memory in KiB. With control groups it is that of the group of this test alone, from its beginning:
   * the memory of all processes, files in `/tmp`, and pages of files that nobody had read before; without
   * them, the largest resident set of a process.
   */
  readonly memoryKib: number;
  /** Whether it does not count: it was run only because all tests were asked for. */
  readonly isExtra?: boolean | undefined;
  /** The score; only in a scoring problem. */
  readonly score?: number | undefined;
  /** How the program ended; undefined if it was never started. */
  readonly outcome?: Outcome | undefined;
  /** The first difference to the answer, if the default validator found one. */
  readonly difference?: Difference | undefined;
  /** The beginning of the program's standard error. */
  readonly stderr?: string | undefined;
  /** The beginning of the validator's message to the judge. */
  readonly judgeMessage?: string | undefined;
  /** The beginning of the validator's message to the team. */
  readonly teamMessage?: string | undefined;
  /** The beginning of the conversation, if it was recorded; only in an interactive problem. */
  readonly transcript?: readonly TranscriptLine[] | undefined;
}

/** A piece of a conversation. */
export interface TranscriptLine {
  /** The side that wrote it. */
  readonly from: "submission" | "interactor";
  /** The text. */
  readonly text: string;
}

/** The result of one submission on one group of tests. */
export interface GroupResult {
  /** The name of the group. */
  readonly group: string;
  /** The verdict. */
  readonly verdict: Verdict;
  /** The score; only in a scoring problem. */
  readonly score?: number | undefined;
  /** How many of its tests were run. */
  readonly testsRun: number;
  /** How many of its tests were skipped after one that was not accepted. */
  readonly testsSkipped: number;
}

/** The result of compiling a program. */
export interface CompileResult {
  /** Whether it compiled. */
  readonly ok: boolean;
  /** Whether the program came from the cache. */
  readonly cached: boolean;
  /** The name of the language, such as `C++`; undefined if it was not recognised. */
  readonly language: string | undefined;
  /** The version of the compiler or interpreter: the first line that it prints about it. */
  readonly version?: string | undefined;
  /** One sentence for people. */
  readonly message: string;
  /** What is odd about it, one sentence. */
  readonly note?: string | undefined;
  /** The beginning of the compiler's output. */
  readonly output: string;
  /** CPU time of the compiler in milliseconds. */
  readonly cpuTimeMs: number;
}

/** The result of one submission. */
export interface SubmissionResult {
  /** The name of the submission. */
  readonly submission: string;
  /** The verdict. */
  readonly verdict: Verdict;
  /** One sentence for people. */
  readonly message: string;
  /** The verdicts of which it must get one; undefined: any. */
  readonly expected: readonly Verdict[] | undefined;
  /** Whether it got an expected verdict and score. A judge error is as expected only if it is listed. */
  readonly asExpected: boolean;
  /** The test that decided the verdict; undefined if it is accepted, or no test was run. */
  readonly decidedBy: string | undefined;
  /** The score of an accepted submission; only in a scoring problem. */
  readonly score?: number | undefined;
  /** The result of compiling it. */
  readonly compile: CompileResult;
  /** The tests that count, and on request all others, in the order of the package. */
  readonly tests: readonly TestResult[];
  /** The groups that were judged, the topmost first. */
  readonly groups: readonly GroupResult[];
  /** The longest CPU time of a test in milliseconds. */
  readonly maxCpuTimeMs: number;
  /** The highest peak memory of a test in KiB. */
  readonly maxMemoryKib: number;
  /** When judging it began, in milliseconds after the start of all. */
  readonly startMs?: number | undefined;
  /** When it was judged, in milliseconds after the start of all. */
  readonly endMs?: number | undefined;
}

/** The report of judging. */
export interface JudgeReport {
  /** The short name of the problem. */
  readonly problem: string;
  /** The title of the problem. */
  readonly title: string;
  /** Whether the problem has scores. */
  readonly kind: Problem["kind"];
  /** The time limit in milliseconds: that of the package, or the one that was found. */
  readonly timeLimitMs: number;
  /** Where the time limit comes from. */
  readonly timeLimitSource: string;
  /** The memory limit in KiB. */
  readonly memoryKib: number;
  /** The output limit in KiB. */
  readonly outputKib: number;
  /** The names of all tests in order. */
  readonly tests: readonly string[];
  /** The results of all submissions that were judged. */
  readonly submissions: readonly SubmissionResult[];
  /** What is not as expected, a sentence each: verdicts, time limit too tight, judge errors. */
  readonly complaints: readonly string[];
  /** What is odd but no error, a sentence each. */
  readonly warnings: readonly string[];
  /** Whether judging was interrupted: results are partial. */
  readonly interrupted: boolean;
  /** The time of the start, ISO 8601. */
  readonly startedAt: string;
  /** The duration in milliseconds. */
  readonly durationMs: number;
}

/** An event while judging. */
export type JudgeEvent =
  /** Judging begins. */
  | {
    readonly kind: "start";
    readonly problem: Problem;
    /** How many submissions there are. */
    readonly submissions: number;
    /** How many tests each has at most. */
    readonly tests: number;
  }
  /** A submission is about to be compiled. */
  | { readonly kind: "compile"; readonly submission: string }
  /** A submission was compiled. */
  | {
    readonly kind: "compiled";
    readonly submission: string;
    readonly compile: CompileResult;
  }
  /** A test was run. */
  | {
    readonly kind: "test";
    readonly submission: string;
    readonly result: TestResult;
    /** How many tests of this submission are done. */
    readonly done: number;
    /** How many tests there are. */
    readonly total: number;
  }
  /** A submission was judged. */
  | { readonly kind: "judged"; readonly result: SubmissionResult }
  /** The time limit was found by accepted submissions. */
  | {
    readonly kind: "time-limit";
    /** The time limit in milliseconds. */
    readonly timeLimitMs: number;
    /** How it was found. */
    readonly source: string;
  };
