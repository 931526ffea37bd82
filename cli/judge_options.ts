/** The table of `isolate judge`. */

import { UsageError } from "./complain.ts";
import { checkNoStress, checkTogether } from "./judge_together.ts";
import { flag, option, type OptionTable, type Read } from "./option.ts";
import type { Subcommand } from "./subcommand.ts";
import { duration, nonEmpty, takes, whole } from "./values.ts";

/** Compiled programs are kept here unless `--cache` or `--no-cache` says otherwise. */
export const CACHE_DIRECTORY = "/var/cache/isolate/judge";

/** What `isolate judge` is asked for; at first, what an empty command line asks for. */
export class JudgeRequest {
  /** How many tests run at once; undefined: one for each CPU. */
  jobs: number | undefined;
  fileMib: number | undefined;
  /** A folder above the package to which its links may lead. */
  root: string | undefined;
  /** CPU time of each test, instead of that of the package. */
  timeLimitMs: number | undefined;
  /** The language of the given submissions; undefined: as their names tell. */
  language: string | undefined;
  pypy = false;
  /** Patterns of the submissions of the package to judge; empty: all. */
  readonly submissions: string[] = [];
  /** Patterns of the tests to judge by; empty: all. */
  readonly tests: string[] = [];
  /** All tests are run, also after one that was not accepted. */
  allTests = false;
  /** A commit of git: packages in which nothing has changed since are not judged. */
  changedSince: string | undefined;
  /** Judging goes on whenever something has changed. */
  watch = false;
  /** Only the validators of the package are run, on its tests. */
  check = false;
  /** A table that extends and overrides the built-in one. */
  languagesFile: string | undefined;
  /** The boxes to use; undefined: the last ones. */
  boxIds: { readonly first: number; readonly count: number } | undefined;
  /** Where `--cache` keeps compiled programs. */
  cache: string | undefined;
  noCache = false;
  keep = false;
  transcript = false;
  json = false;
  junit: string | undefined;
  html: string | undefined;
  /** Where the events of the CLICS Contest API are written. */
  clics: string | undefined;
  quiet = false;
  verbose = false;
  configFile: string | undefined;
  /** The command of a generator. */
  generator: string | undefined;
  /** The submission whose outputs are right; undefined: the first accepted one. */
  against: string | undefined;
  /** How many inputs are tried. */
  tries: number | undefined;
  firstSeed: number | undefined;
  /** The folder for the test that was found. */
  into: string | undefined;
  /** The kind of the new package. */
  kind: string | undefined;

  /** Where compiled programs are kept; undefined: nowhere. */
  get cacheDirectory(): string | undefined {
    return this.noCache ? undefined : this.cache ?? CACHE_DIRECTORY;
  }
}

const positiveSeconds: Read<number> = (text, option) => {
  const ms = duration(text, option);
  if (ms !== undefined) return ms;
  throw new UsageError(`Option --${option.long} must be more than 0 seconds`);
};

/** Reads the first and the last of some boxes. */
export const boxRange: Read<JudgeRequest["boxIds"]> = (text, option) => {
  const match = /^(\d{1,9})-(\d{1,9})$/.exec(text);
  const [first, last] = match ? [Number(match[1]), Number(match[2])] : [1, 0];
  if (first <= last) return { first, count: last - first + 1 };
  const hint = takes("the first and the last box", option);
  throw new UsageError(`Invalid range of boxes: ${text} (${hint})`);
};

const OPTIONS: OptionTable<JudgeRequest> = {
  "Judging": [
    option("-j, --jobs=N", "Run N tests at once, each in a box on a CPU of its own", {
      default: "one for each CPU",
      example: "4",
      range: [1, 1000],
      read: whole,
      set: (request, jobs) => request.jobs = jobs,
    }),
    option("-t, --time-limit=S", "CPU time of each test, instead of the package's limit", {
      example: "1.5",
      read: positiveSeconds,
      set: (request, ms) => request.timeLimitMs = ms,
    }),
    option("-l, --language=NAME", "Language of the submissions given", {
      default: "as their names tell",
      read: nonEmpty,
      set: (request, language) => request.language = language,
    }),
    option(
      "--languages=FILE",
      "A YAML table that adds to the built-in languages or overrides them",
      {
        read: nonEmpty,
        set: (request, file) => request.languagesFile = file,
      },
    ),
    option("--submissions=GLOB", "Judge only these submissions of the package, e.g. wrong_answer", {
      default: "all",
      example: "'*.py'",
      read: nonEmpty,
      set: (request, pattern) => request.submissions.push(pattern),
    }),
    option("--tests=GLOB", "Judge only by these tests, e.g. secret/group1; may be given again", {
      default: "all",
      example: "'03*'",
      read: nonEmpty,
      set: (request, pattern) => request.tests.push(pattern),
    }),
    flag("--all-tests", "Run all tests, also after one that is not accepted", (request) => {
      request.allTests = true;
    }),
    option("--changed-since=GIT-REF", "Judge only packages that differ from this commit", {
      example: "main",
      read: nonEmpty,
      set: (request, ref) => request.changedSince = ref,
    }),
    flag("--watch", "Judge again what changes, until Ctrl-C", (request) => {
      request.watch = true;
    }),
    flag("--check", "Check only the tests, by the package's validators", (request) => {
      request.check = true;
    }),
    flag("--pypy", "Run submissions in Python 3 by PyPy", (request) => {
      request.pypy = true;
    }),
    option("--file-size=MIB", "Refuse packages with tests or sources larger than this", {
      default: "1024",
      range: [1, 1 << 20],
      read: whole,
      set: (request, fileMib) => request.fileMib = fileMib,
    }),
    option("--root=FOLDER", "Follow links of the package that stay in FOLDER, which has it", {
      default: "the package itself",
      read: nonEmpty,
      set: (request, folder) => request.root = folder,
    }),
    flag(
      "--transcript",
      "Record the dialogue of interactive problems for the report",
      (request) => {
        request.transcript = true;
      },
    ),
  ],

  "Boxes and cache": [
    option("--box-ids=FIRST-LAST", "The boxes to use; boxes that others use are left alone", {
      default: "the last 100; not root: your first range",
      example: "900-999",
      read: boxRange,
      set: (request, boxIds) => request.boxIds = boxIds,
    }),
    option("--cache=DIR", "Keep compiled programs in DIR", {
      default: `${CACHE_DIRECTORY}; not root: ~/.cache/isolate/judge`,
      read: nonEmpty,
      set: (request, directory) => request.cache = directory,
    }),
    flag("--no-cache", "Compile everything again and keep nothing", (request) => {
      request.noCache = true;
    }),
    flag("--keep", "Leave the boxes as they are after the last test", (request) => {
      request.keep = true;
    }),
    option("--config=FILE", "Read this configuration instead of the system's", {
      read: nonEmpty,
      set: (request, file) => request.configFile = file,
    }),
  ],

  "A test on which submissions differ": [
    option("--generator=COMMAND", "What judge stress has inputs written by; {seed} is a number", {
      example: "'gen.py 10 {seed}'",
      read: nonEmpty,
      set: (request, command) => request.generator = command,
    }),
    option("--against=SUBMISSION", "The submission that is right", {
      default: "the first accepted one of the package",
      read: nonEmpty,
      set: (request, submission) => request.against = submission,
    }),
    option("--tries=N", "Try N inputs", {
      default: "1000",
      example: "100",
      range: [1, 1e9],
      read: whole,
      set: (request, tries) => request.tries = tries,
    }),
    option("--first-seed=N", "The seed of the first input; the next one has N + 1", {
      default: "1",
      example: "42",
      range: [0, 1e9],
      read: whole,
      set: (request, seed) => request.firstSeed = seed,
    }),
    option("--into=FOLDER", "Keep the test that is found in FOLDER", {
      default: "the current one",
      read: nonEmpty,
      set: (request, folder) => request.into = folder,
    }),
  ],

  "A new package": [
    option("--kind=KIND", "What judge new makes: pass-fail, checker, interactive or scored", {
      default: "pass-fail",
      read: nonEmpty,
      set: (request, kind) => request.kind = kind,
    }),
  ],

  "Reports": [
    flag("--json", "Print the report as JSON; all else goes to standard error", (request) => {
      request.json = true;
    }),
    option("--junit=FILE", "Write the report as JUnit XML", {
      read: nonEmpty,
      set: (request, file) => request.junit = file,
    }),
    option("--html=FILE", "Write the report as one web page, with plots and differences", {
      read: nonEmpty,
      set: (request, file) => request.html = file,
    }),
    option("--clics=FILE", "Write the verdicts as CLICS judgements, a JSON object in each line", {
      read: nonEmpty,
      set: (request, file) => request.clics = file,
    }),
    flag("-q, --quiet", "Print only what is wrong", (request) => request.quiet = true),
    flag("-v, --verbose", "Also print a line per test", (request) => request.verbose = true),
  ],
};

/** `isolate judge [OPTION...] PACKAGE [SUBMISSION...]`. */
export const JUDGE: Subcommand<JudgeRequest> = {
  name: "judge",
  parameters: "PACKAGE [SUBMISSION...]",
  summary: "Judge submissions with a problem package, or verify packages",
  about:
    "Judge submissions with the tests of a problem package: a folder in the ICPC/Kattis format " +
    "(problem.yaml) or an archive of it (.zip, .kpp), or a folder of tests with a task.yaml. Each test runs in a box. Without a " +
    "SUBMISSION the package itself is verified: each of its submissions must get what the name " +
    "of its folder promises, and the time limit must leave room on both sides. A folder of several " +
    "packages, a contest, is verified as a whole. 'isolate judge " +
    "new FOLDER' makes a package to start from.",
  notes: `\
Verdicts: AC accepted, WA wrong answer, TLE, MLE, OLE time, memory, output limit
exceeded, RTE run-time error, CE compile error, JE judge error (never the
contestant's fault).

Exit status: 0 if all is as expected (given submissions: accepted), 1 if not,
2 if the judge failed or was interrupted.

Example:
  isolate judge examples/pairs --html=report.html
  isolate judge examples/pairs mine.py && echo accepted
  isolate judge stress pairs --generator=gen.py --against=slow.py fast.cpp
  isolate judge new sums --kind=interactive && isolate judge sums
`,
  options: OPTIONS,
  request: () => new JudgeRequest(),
  run: async (request, { parameters: [directory, ...submissions] }) => {
    if (directory === undefined) {
      throw new UsageError(
        "judge needs the folder of a problem package: isolate judge PACKAGE [SUBMISSION...]",
      );
    }
    checkTogether(request, directory === "stress" ? submissions.slice(1) : submissions);
    if (directory === "new") {
      const { makePackage } = await import("./judge_new.ts");
      return await makePackage(request, submissions);
    }
    if (directory === "stress") {
      const { stressPackage } = await import("./judge_stress.ts");
      return await stressPackage(request, submissions);
    }
    checkNoStress(request);
    if (request.kind !== undefined) {
      throw new UsageError("Option --kind is for a new package: isolate judge new FOLDER");
    }
    const { judgePackage } = await import("./judge.ts");
    return await judgePackage({ request, directory, submissions });
  },
};
