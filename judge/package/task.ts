/** Our own plain format: a folder of tests with a `task.yaml` beside it. TASK.md describes it. */

import type { YamlNode } from "../../text/yaml_node.ts";
import { parseFlags } from "../checker/checker_flags.ts";
import type { Problem, ProblemLimits, ProgramSource, Submission, Validation } from "../types.ts";
import { nameOf, notAFile, type PackageFiles } from "./files.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { readFlags, readName } from "./group_settings.ts";
import { readProgram } from "./programs.ts";
import { readSubmissions } from "./submissions.ts";
import { readTaskData } from "./task_groups.ts";
import { pathIn } from "./task_tests.ts";
import { readSizeKib, readTimeMs } from "./units.ts";

/** The file that makes a folder a package. */
export const TASK_FILE = "task.yaml";

/** The keys of the whole file. */
export const TASK_KEYS: readonly string[] = [
  ...["title", "limits", "checker", "interactor"],
  ...["tests", "samples", "groups", "submissions"],
];

/** The keys of `checker`, where it is a mapping. */
export const CHECKER_KEYS: readonly string[] = ["program", "flags", "scores"];

/** The keys of `limits`. */
export const TASK_LIMITS = {
  time: { name: "timeLimitMs", read: readTimeMs },
  memory: { name: "memoryKib", read: readSizeKib },
  output: { name: "outputKib", read: readSizeKib },
  code: { name: "codeKib", read: readSizeKib },
  compile_time: { name: "compileTimeMs", read: readTimeMs },
  compile_memory: { name: "compileMemoryKib", read: readSizeKib },
  checker_time: { name: "validationTimeMs", read: readTimeMs },
  checker_memory: { name: "validationMemoryKib", read: readSizeKib },
} as const;

const DEFAULT_TIME_MS = 1000;
const DEFAULT_MEMORY_KIB = 256 * 1024;
const DEFAULT_TESTS = "tests";
const DEFAULT_SUBMISSIONS = "submissions";

/** Reads a package. */
export async function readTask(files: PackageFiles): Promise<Problem> {
  const node = await files.readYaml(TASK_FILE, { unknownKeys: "refuse" });
  const values = node.mapping(TASK_KEYS);
  const groups = values.get("groups");
  const tests = values.get("tests");
  if (groups && tests) {
    throw tests.error("cannot be combined with groups: each group has its own tests");
  }
  const { validation, flags } = readChecker(files, values);
  const givesScores = validation.kind === "custom" && validation.score;
  const { data, isScored } = readTaskData(files, {
    samples: values.get("samples"),
    tests: tests ?? (files.find(DEFAULT_TESTS) && node.with(DEFAULT_TESTS, DEFAULT_TESTS)),
    groups,
    validatorFlags: flags,
    hasProgram: validation.kind === "custom",
    givesScores,
  });
  const problem = { kind: isScored ? "scoring" : "pass-fail", objective: "max", data } as const;
  const submissions = await readSubmissions(files, {
    folder: submissionsFolder(files, values.get("submissions")),
    problem: { ...problem, givesScores },
  });
  const shortName = nameOf(files.directory);
  const title = values.get("title");
  return {
    directory: files.directory,
    format: "task",
    shortName,
    title: title ? readName(title) : shortName,
    ...problem,
    limits: readTaskLimits(values.get("limits"), submissions),
    validation,
    submissions,
    warnings: files.warnings,
    complaints: files.complaints,
  };
}

function submissionsFolder(files: PackageFiles, node: YamlNode | undefined): string {
  if (node === undefined) return DEFAULT_SUBMISSIONS;
  const path = pathIn(node);
  if (files.find(path)?.kind === "directory") return path;
  throw node.error(`names ${path}, which must be a folder with a folder for each verdict in it`);
}

function readTaskLimits(
  node: YamlNode | undefined,
  submissions: readonly Submission[],
): ProblemLimits {
  const limits: { -readonly [Key in keyof ProblemLimits]: ProblemLimits[Key] } = {
    ...DEFAULT_LIMITS,
    acceptedToLimit: 2,
    limitToRejected: 1.5,
    memoryKib: DEFAULT_MEMORY_KIB,
  };
  const values = node?.mapping(Object.keys(TASK_LIMITS));
  for (const [key, { name, read }] of Object.entries(TASK_LIMITS)) {
    const value = values?.get(key);
    if (value) limits[name] = Math.max(1, Math.round(read(value)));
  }
  const time = values?.get("time");
  if (time) limits.timeLimitSource = time.describe();
  else if (!submissions.some(({ expected }) => expected?.join() === "AC")) {
    // No submission can show how much time is needed.
    limits.timeLimitMs = DEFAULT_TIME_MS;
    limits.timeLimitSource = `${TASK_FILE} has none`;
  }
  return limits;
}

interface Checker {
  readonly validation: Validation;
  readonly flags: readonly string[];
}

function readChecker(files: PackageFiles, values: ReadonlyMap<string, YamlNode>): Checker {
  const checker = values.get("checker");
  const interactor = values.get("interactor");
  if (checker && interactor) {
    throw interactor.error("cannot be combined with checker: an interactor judges by itself");
  }
  const node = checker ?? interactor;
  if (!node) return { validation: { kind: "default" }, flags: [] };
  const mapping = node.isMapping ? node.mapping(CHECKER_KEYS) : undefined;
  const program = mapping ? mapping.get("program") : node;
  const flags = mapping?.get("flags");
  const scores = mapping?.get("scores");
  if (!program && scores) throw scores.error("needs a program: only a program gives scores");
  if (checker && (!program || (!mapping && isFlags(node)))) {
    return readDefaultChecker(flags ?? node);
  }
  if (!program) throw node.error("must have a program, the name of a file");
  return {
    validation: {
      kind: "custom",
      interactive: interactor !== undefined,
      score: scores?.truth() ?? false,
      program: readProgramAt(files, program),
    },
    flags: readFlags(flags),
  };
}

/** Tells flags of the default checker from the name of a file, which is one word. */
function isFlags(node: YamlNode): boolean {
  const words = node.words();
  return words.length !== 1 || /^(case|space|float)_\w+$/.test(words[0]!);
}

function readDefaultChecker(node: YamlNode): Checker {
  const flags = node.isMapping ? [] : readFlags(node);
  try {
    parseFlags(flags);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const what = "flags of the default checker, or the name of a program";
    throw node.error(`must be ${what}: ${error.message}`);
  }
  return { validation: { kind: "default" }, flags };
}

function readProgramAt(files: PackageFiles, node: YamlNode): ProgramSource {
  const path = pathIn(node);
  const entry = files.find(path);
  if (!entry) throw node.error(`names ${path}, which ${notAFile(entry)}`);
  return readProgram(files, entry);
}
