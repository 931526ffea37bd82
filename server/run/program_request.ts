/** Reads what a client of `POST /run` wants. */

import { HttpError } from "../http/failure.ts";
import type { Comparison, Job, JobChecker, JobFile, JobRun, StageLimits } from "../engine/types.ts";
import type { ServerSettings } from "../settings.ts";
import { JsonReader } from "./json_reader.ts";

/** A request, as far as it is right. */
export interface ProgramRequest {
  readonly job: Omit<Job, "id">;
  /** Names of the tests, for the client; undefined: it has given none. */
  readonly names: readonly (string | undefined)[];
  /** Whether bytes are answered in base64, not as texts. */
  readonly isBase64: boolean;
  /** Whether output is told as it comes, if events are. */
  readonly tellsOutput: boolean;
}

const TESTS_MAX = 1000;
const WORDS_MAX = 1024;
const VARIABLES_MAX = 256;
const NAME_LENGTH_MAX = 200;
/** More than Piston's clients are used to. */
const OUTPUT_BYTES = 64 << 10;
/** The output of all tests, which is kept until they are answered. */
const ALL_OUTPUT_BYTES_MAX = 64 << 20;
const PRIORITY = { min: -100, max: 100 };

const KEYS = [
  ...["language", "source", "files", "compile", "limits", "tests", "comparison", "checker"],
  ...["stopAtFirstFailure", "encoding", "output", "priority"],
] as const;
const TEST_KEYS = [
  ...["name", "stdin", "args", "environment", "files", "expected", "comparison", "limits"],
  ...["mergeErrors", "network"],
] as const;
const LIMIT_KEYS = [
  ...["cpuTimeMs", "extraCpuTimeMs", "wallTimeMs", "memoryKib", "stackKib", "processes"],
  ...["openFiles", "fileSizeKib", "outputBytes"],
] as const;
const COMPARISONS = ["words", "lines", "exact"] as const;
const CHECKER_KINDS = ["validator", "testlib"] as const;

type LimitKey = typeof LIMIT_KEYS[number];

/** Reads a request, or throws what is wrong with it. */
export function readProgramRequest(value: unknown, settings: ServerSettings): ProgramRequest {
  const body = new JsonReader(value).object(KEYS);
  const runLimits = { ...settings.runLimits, outputBytes: OUTPUT_BYTES };
  const limits = readLimits(body.limits, {
    byDefault: runLimits,
    most: mostOf(settings.runLimits),
  });
  const comparison = body.comparison.optional((value) => value.oneOf(COMPARISONS));
  const context = { limits, comparison, settings };
  const tests = body.tests.isMissing
    ? [new JsonReader({}, "tests[0]")]
    : body.tests.list({ max: TESTS_MAX });
  if (tests.length === 0) throw body.tests.error("must have at least one test");
  const read = tests.map((test) => readTest(test, context));
  const outputBytes = read.reduce((sum, { run }) => sum + run.limits.outputBytes, 0);
  if (outputBytes > ALL_OUTPUT_BYTES_MAX) {
    const mib = ALL_OUTPUT_BYTES_MAX >> 20;
    throw new HttpError(400, `limits.outputBytes of all tests must be at most ${mib} MiB together`);
  }
  const { args, limits: compileLimits } = body.compile.optional(
    (compile) => compile.object(["args", "limits"]),
  ) ?? {};
  return {
    job: {
      language: body.language.text(),
      files: readProgram(body, settings),
      compile: {
        args: args?.optional((words) => words.words({ max: WORDS_MAX })) ?? [],
        limits: readLimits(compileLimits ?? new JsonReader(undefined), {
          byDefault: settings.compileLimits,
          most: settings.compileLimits,
        }),
      },
      checker: body.checker.optional((checker) => readChecker(checker, settings)),
      runs: read.map(({ run }) => run),
      stopAtFirstFailure: body.stopAtFirstFailure.optional((value) => value.truth()) ?? false,
      priority: body.priority.optional((value) => value.whole(PRIORITY)) ?? 0,
    },
    names: read.map(({ name }) => name),
    isBase64: body.encoding.optional((value) => value.oneOf(["utf8", "base64"])) === "base64",
    tellsOutput: body.output.optional((value) => value.oneOf(["whole", "pieces"])) === "pieces",
  };
}

/** Output is bounded by that of all tests, not by what Piston's clients get. */
function mostOf(limits: StageLimits): StageLimits {
  return { ...limits, outputBytes: ALL_OUTPUT_BYTES_MAX };
}

function readTest(test: JsonReader, { limits, comparison, settings }: {
  limits: StageLimits;
  comparison: Comparison | undefined;
  settings: ServerSettings;
}): { run: JobRun; name: string | undefined } {
  const parts = test.object(TEST_KEYS);
  const own = parts.comparison.optional((value) => value.oneOf(COMPARISONS)) ?? comparison;
  const network = parts.network.optional((value) => value.truth()) ?? false;
  if (network && !settings.allowNetwork) {
    throw parts.network.error("cannot be true: programs have no network on this server");
  }
  const name = parts.name.optional((value) => value.text());
  if (name !== undefined && name.length > NAME_LENGTH_MAX) {
    throw parts.name.error(`must have at most ${NAME_LENGTH_MAX} characters`);
  }
  return {
    name,
    run: {
      args: parts.args.optional((value) => value.words({ max: WORDS_MAX })) ?? [],
      stdin: parts.stdin.optional((value) => value.bytes()) ?? new Uint8Array(),
      limits: readLimits(parts.limits, { byDefault: limits, most: mostOf(settings.runLimits) }),
      environment: parts.environment.optional(readEnvironment),
      files: parts.files.optional((files) => readFiles(files, settings)),
      mergeErrors: parts.mergeErrors.optional((value) => value.truth()),
      network,
      expectedOutput: parts.expected.optional((value) => value.bytes()),
      comparison: own,
    },
  };
}

/** Reads variables; as a list of pairs, nothing in them has a meaning to JavaScript. */
function readEnvironment(environment: JsonReader): [string, string][] {
  const { value } = environment;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw environment.error("must be an object of names and values");
  }
  const entries = Object.entries(value);
  if (entries.length > VARIABLES_MAX) {
    throw environment.error(`must have at most ${VARIABLES_MAX} variables`);
  }
  return entries.map(([name, text]) => {
    if (typeof text === "string") return [name, text];
    throw environment.error("must have only texts as values");
  });
}

function readChecker(checker: JsonReader, settings: ServerSettings): JobChecker {
  const parts = checker.object(["language", "source", "files", "kind", "limits"]);
  return {
    language: parts.language.text(),
    files: readProgram(parts, settings),
    kind: parts.kind.optional((value) => value.oneOf(CHECKER_KINDS)) ?? "validator",
    limits: readLimits(parts.limits, {
      byDefault: settings.runLimits,
      most: mostOf(settings.runLimits),
    }),
  };
}

/** Reads a program: one source, or files of which the first is the main one. */
function readProgram(
  { source, files }: Readonly<Record<"source" | "files", JsonReader>>,
  settings: ServerSettings,
): JobFile[] {
  if (source.isMissing === files.isMissing) {
    throw new HttpError(400, `either ${source.place} or ${files.place} is needed`);
  }
  if (!source.isMissing) return [{ name: "main", content: source.bytes() }];
  const read = readFiles(files, settings);
  if (read.length === 0) throw files.error("must have at least one file");
  return read;
}

function readFiles(files: JsonReader, { filesMax }: ServerSettings): JobFile[] {
  return files.list({ max: filesMax }).map((file) => {
    const { name, content } = file.object(["name", "content"]);
    return { name: name.text(), content: content.bytes() };
  });
}

function readLimits(
  limits: JsonReader,
  { byDefault, most }: { byDefault: StageLimits; most: StageLimits },
): StageLimits {
  if (limits.isMissing) return byDefault;
  const parts = limits.object(LIMIT_KEYS);
  const given = LIMIT_KEYS.flatMap((key) => {
    const value = parts[key].optional((value) => value.whole(boundsOf(key, most)));
    return value === undefined ? [] : [[key, value]];
  });
  return { ...byDefault, ...Object.fromEntries(given) };
}

/** The smallest sizes in which a process can be at all. */
const LEAST: Partial<Record<LimitKey, number>> = {
  extraCpuTimeMs: 0,
  memoryKib: 1024,
  stackKib: 64,
  openFiles: 8,
  fileSizeKib: 0,
  outputBytes: 0,
};

/** What is not limited for all is bounded by what a number can mean. */
function boundsOf(key: LimitKey, most: StageLimits): { min: number; max: number } {
  const byKey = {
    ...most,
    extraCpuTimeMs: most.cpuTimeMs,
    memoryKib: most.memoryKib ?? Number.MAX_SAFE_INTEGER >> 1,
    stackKib: most.stackKib ?? most.memoryKib ?? 1 << 30,
  };
  return { min: LEAST[key] ?? 1, max: byKey[key] };
}
