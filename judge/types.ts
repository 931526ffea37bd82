/**
 * What judging is about: problems, tests, submissions, verdicts, and what is known when it is over.
 * Everything here is plain data and can be written as JSON.
 */

import type { Outcome } from "../mod.ts";
import type { Verdict } from "./verdicts.ts";

export type { Verdict };

/** A file of a program. */
export interface SourceFile {
  /** Its name in the program's folder, with `/` between levels; never leads out of it. */
  readonly name: string;
  /** The file on the host, absolute. */
  readonly hostFile: string;
  /** Its size in bytes. */
  readonly sizeBytes: number;
}

/** The source of a program: a submission or a validator. */
export interface ProgramSource {
  /** What it is called: the file's or folder's name. */
  readonly name: string;
  /** Its files, sorted by name; at least one. */
  readonly files: readonly SourceFile[];
}

/** A submission. */
export interface Submission {
  /** Its path below `submissions/`, or as it was given on the command line. */
  readonly name: string;
  /** Its source. */
  readonly source: ProgramSource;
  /** Its language by id or name; undefined: as its files tell. */
  readonly language?: string | undefined;
  /** The verdicts of which it must get one; undefined where nothing is promised. */
  readonly expected: readonly Verdict[] | undefined;
  /** For a scoring problem: the score that it must get, lowest and highest; undefined: any. */
  readonly expectedScore?: readonly [number, number] | undefined;
}

/** What a problem allows. */
export interface ProblemLimits {
  /** CPU time of each test in milliseconds; undefined: to be found from accepted submissions. */
  readonly timeLimitMs: number | undefined;
  /** Where the time limit was written, for people, e.g. `problem.yaml: limits.time_limit`. */
  readonly timeLimitSource: string | undefined;
  /** The time limit must be so many times that of the slowest accepted submission. */
  readonly acceptedToLimit: number;
  /** A submission that must be too slow has to take so many times the limit. */
  readonly limitToRejected: number;
  /** A time limit that is found from submissions is rounded up to a multiple of this. */
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
  /** Output of the validator, messages for the judge, in KiB. */
  readonly validationOutputKib: number;
}

/** How outputs are judged. */
export type Validation =
  /** By comparing with the answer; flags such as `case_sensitive`. */
  | { readonly kind: "default" }
  /** By a program of the package, which ends with status 42 (accepted) or 43 (wrong answer). */
  | {
    readonly kind: "custom";
    /** It talks with the submission. */
    readonly interactive: boolean;
    /** It gives scores in `score.txt`. */
    readonly score: boolean;
    /** Its source. */
    readonly program: ProgramSource;
  };

/** A test. */
export interface TestCase {
  /** Its path below `data/` without the ending, e.g. `secret/01-small`. */
  readonly name: string;
  /** The input on the host, absolute. */
  readonly inputFile: string;
  /** The answer on the host, absolute. */
  readonly answerFile: string;
  /** Whether it is one of those that contestants see. */
  readonly isSample: boolean;
}

/** How a group's verdict and score come from those of its members. */
export interface GroupGrading {
  /** The verdict: of the first member that is not accepted, of the worst, or always accepted. */
  readonly verdictMode: "first_error" | "worst_error" | "always_accept";
  /** The score from those of the members. */
  readonly scoreMode: "sum" | "avg" | "min" | "max";
  /** Leave the first member (the samples) out; only in the topmost group. */
  readonly ignoreSample: boolean;
  /** Accepted if any member is. */
  readonly acceptIfAnyAccepted: boolean;
  /** The score of an accepted test in this group, unless a validator gives one. */
  readonly acceptScore: number;
  /** The score of any other test in this group. */
  readonly rejectScore: number;
  /** The lowest and highest score that this group can have. */
  readonly range: readonly [number, number];
}

/** Tests that are judged together. The topmost group is `data/` itself, named `""`. */
export interface TestGroup {
  /** Its path below `data/`, e.g. `secret/group1`. */
  readonly name: string;
  /** Whether the rest of the group is left out after a test that is not accepted. */
  readonly onReject: "break" | "continue";
  /** How its verdict and score are found. */
  readonly grading: GroupGrading;
  /** Flags for the output validator, default or custom. */
  readonly validatorFlags: readonly string[];
  /** Tests and groups, sorted by name. */
  readonly members: readonly GroupMember[];
}

/** What a group consists of. */
export type GroupMember =
  | { readonly kind: "test"; readonly test: TestCase }
  | { readonly kind: "group"; readonly group: TestGroup };

/** A problem package that was read and understood. */
export interface Problem {
  /** The package on the host, absolute. */
  readonly directory: string;
  /** The format that it came in. */
  readonly format: "kattis" | "task";
  /** The folder's name. */
  readonly shortName: string;
  /** The title for people. */
  readonly title: string;
  /** Whether it has scores. */
  readonly kind: "pass-fail" | "scoring";
  /** For scoring problems: whether more is better. */
  readonly objective: "max" | "min";
  /** What it allows. */
  readonly limits: ProblemLimits;
  /** How outputs are judged. */
  readonly validation: Validation;
  /** All tests. */
  readonly data: TestGroup;
  /** The submissions in the package, sorted by name. */
  readonly submissions: readonly Submission[];
  /** What is odd but no error, a sentence each: files that nobody uses, keys of other versions. */
  readonly warnings: readonly string[];
}

/** Where an output differs from the answer for the first time. */
export interface Difference {
  /** One sentence, e.g. `Line 3, word 2: expected "42", got "43"`. */
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

/** One test of one submission. */
export interface TestResult {
  /** The test's name. */
  readonly test: string;
  /** What is said of it. */
  readonly verdict: Verdict;
  /** One sentence for people. */
  readonly message: string;
  /** CPU time in milliseconds. */
  readonly cpuTimeMs: number;
  /** Wall time in milliseconds. */
  readonly wallTimeMs: number;
  /** Peak memory in KiB: of the control group where there is one. */
  readonly memoryKib: number;
  /** For scoring problems: its score. */
  readonly score?: number | undefined;
  /** What became of the program; undefined if it was never started. */
  readonly outcome?: Outcome | undefined;
  /** The first difference to the answer, of a wrong answer by the default validator. */
  readonly difference?: Difference | undefined;
  /** The beginning of what the program wrote on standard error. */
  readonly stderr?: string | undefined;
  /** The beginning of what the validator said to the judge. */
  readonly judgeMessage?: string | undefined;
  /** The beginning of what the validator said to the team. */
  readonly teamMessage?: string | undefined;
  /** The beginning of the conversation, of an interactive problem. */
  readonly transcript?: readonly TranscriptLine[] | undefined;
}

/** A piece of a conversation. */
export interface TranscriptLine {
  /** Who said it. */
  readonly from: "submission" | "interactor";
  /** What, as text. */
  readonly text: string;
}

/** One group of one submission. */
export interface GroupResult {
  /** The group's name. */
  readonly group: string;
  /** What is said of it. */
  readonly verdict: Verdict;
  /** For scoring problems: its score. */
  readonly score?: number | undefined;
  /** Tests of it that were run. */
  readonly testsRun: number;
  /** Tests of it that were left out after one that was not accepted. */
  readonly testsSkipped: number;
}

/** What the compiler did. */
export interface CompileResult {
  /** Whether there is a program now. */
  readonly ok: boolean;
  /** Whether it came from the cache. */
  readonly cached: boolean;
  /** The language's name, e.g. `C++`; undefined if it was not recognised. */
  readonly language: string | undefined;
  /** The first line with which the compiler or interpreter names its version. */
  readonly version?: string | undefined;
  /** One sentence for people. */
  readonly message: string;
  /** The beginning of what the compiler wrote. */
  readonly output: string;
  /** CPU time of the compiler in milliseconds. */
  readonly cpuTimeMs: number;
}

/** What is known of one submission. */
export interface SubmissionResult {
  /** The submission's name. */
  readonly submission: string;
  /** What is said of it. */
  readonly verdict: Verdict;
  /** One sentence for people. */
  readonly message: string;
  /** The verdicts that were promised; undefined: none. */
  readonly expected: readonly Verdict[] | undefined;
  /** Whether it got what was promised; true where nothing was, unless it is a judge error. */
  readonly asExpected: boolean;
  /** The test that decided the verdict; undefined if all were accepted, or none was run. */
  readonly decidedBy: string | undefined;
  /** For scoring problems: its score. */
  readonly score?: number | undefined;
  /** What the compiler did. */
  readonly compile: CompileResult;
  /** All tests that were run, in the order of the package. */
  readonly tests: readonly TestResult[];
  /** The groups that were judged, the topmost first. */
  readonly groups: readonly GroupResult[];
  /** The longest CPU time of a test in milliseconds. */
  readonly maxCpuTimeMs: number;
  /** The highest peak memory of a test in KiB. */
  readonly maxMemoryKib: number;
}

/** Everything that is known when judging is over, or was broken off. */
export interface JudgeReport {
  /** The problem's short name. */
  readonly problem: string;
  /** The problem's title. */
  readonly title: string;
  /** Pass-fail or scoring. */
  readonly kind: Problem["kind"];
  /** The time limit in milliseconds, that of the package or the one that was found. */
  readonly timeLimitMs: number;
  /** Where the time limit comes from, for people. */
  readonly timeLimitSource: string;
  /** The memory limit in KiB. */
  readonly memoryKib: number;
  /** The output limit in KiB. */
  readonly outputKib: number;
  /** The names of all tests in order. */
  readonly tests: readonly string[];
  /** All submissions that were judged. */
  readonly submissions: readonly SubmissionResult[];
  /** What is not as expected, a sentence each: verdicts, time limit too tight, judge errors. */
  readonly complaints: readonly string[];
  /** What is odd but no error, a sentence each. */
  readonly warnings: readonly string[];
  /** Whether it was broken off. */
  readonly interrupted: boolean;
  /** When it began, ISO 8601. */
  readonly startedAt: string;
  /** How long it took in milliseconds. */
  readonly durationMs: number;
}

/** What happens while judging, in this order for each submission. */
export type JudgeEvent =
  | {
    readonly kind: "start";
    readonly problem: Problem;
    /** How many submissions are judged. */
    readonly submissions: number;
    /** How many tests each has at most. */
    readonly tests: number;
  }
  | { readonly kind: "compile"; readonly submission: string }
  | {
    readonly kind: "compiled";
    readonly submission: string;
    readonly compile: CompileResult;
  }
  | {
    readonly kind: "test";
    readonly submission: string;
    readonly result: TestResult;
    /** Tests of this submission that are done. */
    readonly done: number;
    /** Tests of this submission that there are. */
    readonly total: number;
  }
  | { readonly kind: "judged"; readonly result: SubmissionResult }
  | {
    readonly kind: "time-limit";
    /** The time limit that was found from accepted submissions, in milliseconds. */
    readonly timeLimitMs: number;
    /** How, for people. */
    readonly source: string;
  };
