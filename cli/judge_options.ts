/** The arguments of `isolate judge`. */

import { parseArgs } from "@std/cli";
import { parseSeconds, parseUnsigned } from "./numbers.ts";
import { nearest } from "../text/suggest.ts";
import { UsageError } from "./complain.ts";

/** Compiled programs are kept here unless `--cache` or `--no-cache` says otherwise. */
export const CACHE_DIRECTORY = "/var/cache/isolate/judge";

/** What is asked for. */
export interface JudgeRequest {
  /** The package's folder. */
  readonly package: string;
  /** Submissions to judge; none: verify the package with its own. */
  readonly submissions: readonly string[];
  /** How many tests run at once; undefined: one for each CPU. */
  readonly jobs: number | undefined;
  /** CPU time of each test in milliseconds, instead of that of the package. */
  readonly timeLimitMs: number | undefined;
  /** The language of the given submissions; undefined: as their names tell. */
  readonly language: string | undefined;
  /** A table that extends and overrides that of languages. */
  readonly languagesFile: string | undefined;
  /** The boxes to use; undefined: the last of those that there are. */
  readonly boxIds: { readonly first: number; readonly count: number } | undefined;
  /** Where compiled programs are kept; undefined: nowhere. */
  readonly cacheDirectory: string | undefined;
  /** Leave the boxes as they are after the last test. */
  readonly keep: boolean;
  /** Keep what the programs of interactive problems say to each other, for the report. */
  readonly transcript: boolean;
  /** Print the report as JSON, for programs. */
  readonly json: boolean;
  /** Write a report in the XML format of JUnit to this file. */
  readonly junit: string | undefined;
  /** Write a report as one page for browsers to this file. */
  readonly html: string | undefined;
  /** How much is said: -1 nothing but what is wrong, 0 a line a submission, 1 a line a test. */
  readonly verbosity: -1 | 0 | 1;
  /** The configuration; default: that of the machine. */
  readonly config: string | undefined;
}

const FLAGS = ["help", "json", "keep", "no-cache", "quiet", "transcript", "verbose"] as const;
const VALUES = [
  "box-ids",
  "cache",
  "config",
  "html",
  "jobs",
  "junit",
  "language",
  "languages",
  "time-limit",
] as const;

/** An option of `isolate judge`, for help and completions. */
export interface JudgeOption {
  /** Its name behind two dashes. */
  readonly long: string;
  /** Its letter behind one dash. */
  readonly short?: string;
  /** What stands for its value. */
  readonly valueName?: string;
  /** What it does, in one line without a final period. */
  readonly summary: string;
}

/** All options of `isolate judge`, in the order of the help text. */
export const JUDGE_OPTIONS: readonly JudgeOption[] = [
  {
    long: "jobs",
    short: "j",
    valueName: "N",
    summary: "run N tests at once, each in a box on a CPU of its own (default: one for each CPU)",
  },
  {
    long: "time-limit",
    short: "t",
    valueName: "SECONDS",
    summary: "CPU time of each test, instead of the package's",
  },
  {
    long: "language",
    short: "l",
    valueName: "NAME",
    summary: "the language of the submissions given, instead of what their names tell",
  },
  {
    long: "languages",
    valueName: "FILE",
    summary: "a YAML table that extends and overrides the languages known",
  },
  {
    long: "box-ids",
    valueName: "FIRST-LAST",
    summary: "the boxes to use (default: the last 100); those that others use are left alone",
  },
  {
    long: "cache",
    valueName: "DIR",
    summary: `keep compiled programs in DIR (default: ${CACHE_DIRECTORY})`,
  },
  { long: "no-cache", summary: "compile everything anew and keep nothing" },
  { long: "transcript", summary: "keep what is said in interactive problems, for the report" },
  { long: "keep", summary: "leave the boxes as they are in the end, for a look into them" },
  { long: "json", summary: "print the report as JSON; all else goes to standard error" },
  { long: "junit", valueName: "FILE", summary: "write the report as JUnit XML" },
  {
    long: "html",
    valueName: "FILE",
    summary: "write the report as one page for browsers, with plots and differences",
  },
  { long: "quiet", short: "q", summary: "say only what is wrong" },
  { long: "verbose", short: "v", summary: "say a line for each test, too" },
  {
    long: "config",
    valueName: "FILE",
    summary: "read this configuration of boxes instead of the machine's",
  },
  { long: "help", short: "h", summary: "print this text" },
];

/** Reads the arguments of `isolate judge`. */
export function parseJudgeOptions(args: readonly string[]): JudgeRequest | undefined {
  const given = parseArgs(args, {
    boolean: FLAGS,
    string: [...VALUES, "_"],
    alias: Object.fromEntries(
      JUDGE_OPTIONS.flatMap(({ long, short }) => short === undefined ? [] : [[long, short]]),
    ),
    unknown: (arg, key) => {
      if (key !== undefined) throw new UsageError(unknownOption(arg));
    },
  });
  if (given.help) return undefined;
  for (const name of VALUES) {
    if (given[name] === "") {
      throw new UsageError(`Option --${name} needs a value: --${name}=${valueName(name)}`);
    }
  }
  const [directory, ...submissions] = given._.map(String);
  if (directory === undefined) {
    throw new UsageError(
      "judge needs the folder of a problem package: isolate judge PACKAGE [SUBMISSION...]",
    );
  }
  if (given.quiet && given.verbose) {
    throw new UsageError("Only one of --quiet and --verbose can be given");
  }
  if (given["no-cache"] && given.cache !== undefined) {
    throw new UsageError("Only one of --cache and --no-cache can be given");
  }
  if (given.language !== undefined && submissions.length === 0) {
    throw new UsageError("Option --language is for submissions: name one after the package");
  }
  return {
    package: directory,
    submissions,
    jobs: given.jobs === undefined ? undefined : parseJobs(given.jobs),
    timeLimitMs: given["time-limit"] === undefined
      ? undefined
      : parseTimeLimitMs(given["time-limit"]),
    language: given.language,
    languagesFile: given.languages,
    boxIds: given["box-ids"] === undefined ? undefined : parseBoxIds(given["box-ids"]),
    cacheDirectory: given["no-cache"] ? undefined : given.cache ?? CACHE_DIRECTORY,
    keep: given.keep,
    transcript: given.transcript,
    json: given.json,
    junit: given.junit,
    html: given.html,
    verbosity: given.quiet ? -1 : given.verbose ? 1 : 0,
    config: given.config,
  };
}

function unknownOption(arg: string): string {
  const typed = arg.replace(/^--?/, "").replace(/=.*$/s, "");
  const closest = nearest(typed, [...FLAGS, ...VALUES]);
  const hint = closest === undefined ? "" : ` (did you mean --${closest}?)`;
  return `judge does not know the option ${arg}${hint}`;
}

function valueName(name: typeof VALUES[number]): string {
  return JUDGE_OPTIONS.find(({ long }) => long === name)?.valueName ?? "VALUE";
}

function parseJobs(text: string): number {
  const jobs = parseUnsigned(text);
  if (jobs >= 1 && jobs <= 1000) return jobs;
  throw new UsageError(`Option --jobs must be from 1 to 1000: current value is ${text}`);
}

function parseTimeLimitMs(text: string): number {
  const ms = parseSeconds(text);
  if (ms > 0) return ms;
  throw new UsageError(`Option --time-limit must be more than 0 seconds: current value is ${text}`);
}

function parseBoxIds(text: string): { first: number; count: number } {
  const match = /^(\d{1,9})-(\d{1,9})$/.exec(text);
  const [first, last] = match ? [Number(match[1]), Number(match[2])] : [1, 0];
  if (first <= last) return { first, count: last - first + 1 };
  throw new UsageError(
    `Option --box-ids must be two numbers, the first and the last box, such as 900-999: current ` +
      `value is ${text}`,
  );
}
