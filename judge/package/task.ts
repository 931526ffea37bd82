/** Our own plain format: a folder of tests, and a `task.yaml` beside it. TASK.md describes it. */

import type { Problem, ProblemLimits, ProgramSource, Submission, Validation } from "../types.ts";
import { parseFlags } from "../checker/checker_flags.ts";
import { isFileOrFolder, notAFile, type PackageFiles } from "./files.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { YamlNode } from "./node.ts";
import { readProgram } from "./programs.ts";
import { readSubmissions } from "./submissions.ts";
import { readTaskData } from "./task_groups.ts";
import { cleanPath } from "./task_tests.ts";
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

/** What the keys `checker` and `interactor` say. */
interface Checker {
  readonly validation: Validation;
  readonly flags: readonly string[];
}

/** Reads a package. */
export async function readTask(files: PackageFiles): Promise<Problem> {
  const warnings: string[] = [];
  const warn = (warning: string) => void warnings.push(warning);
  const node = await YamlNode.read(files, TASK_FILE);
  const values = node.mapping(TASK_KEYS, "fail");
  const [groups, ownTests] = [values.get("groups"), values.get("tests")];
  if (groups && ownTests) {
    throw ownTests.error("must not stand beside groups: each group has its own tests");
  }
  const { validation, flags } = readChecker(files, values);
  const givesScores = validation.kind === "custom" && validation.score;
  const { data, isScored } = readTaskData(files, {
    samples: values.get("samples"),
    tests: ownTests ?? (files.find(DEFAULT_TESTS) ? defaultNode(node) : undefined),
    groups,
    validatorFlags: flags,
    hasProgram: validation.kind === "custom",
    givesScores,
  });
  const kind = isScored ? "scoring" : "pass-fail";
  const problem = { kind, objective: "max", data } as const;
  const folder = submissionsFolder(files, values.get("submissions"));
  const submissions = folder === undefined
    ? []
    : readSubmissions(files, { folder, problem: { ...problem, givesScores }, warn });
  const shortName = files.directory.slice(files.directory.lastIndexOf("/") + 1);
  return {
    directory: files.directory,
    format: "task",
    shortName,
    title: values.get("title")?.text() ?? shortName,
    ...problem,
    limits: readTaskLimits(values.get("limits"), submissions),
    validation,
    submissions,
    warnings,
  };
}

/** Where nothing is written, the tests are in a folder of that name. */
function defaultNode(node: YamlNode): YamlNode {
  return node.with(DEFAULT_TESTS, DEFAULT_TESTS);
}

function submissionsFolder(files: PackageFiles, node: YamlNode | undefined): string | undefined {
  if (node === undefined) return DEFAULT_SUBMISSIONS;
  const path = cleanPath(node);
  const entry = files.find(path);
  if (entry?.kind === "directory") return path;
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
  const values = node?.mapping(Object.keys(TASK_LIMITS), "fail");
  for (const [key, { name, read }] of Object.entries(TASK_LIMITS)) {
    const value = values?.get(key);
    if (value) limits[name] = Math.max(1, Math.round(read(value)));
  }
  const time = values?.get("time");
  if (time) limits.timeLimitSource = time.describe();
  else if (!submissions.some(({ expected }) => expected?.join() === "AC")) {
    // There is nothing that it could be found from.
    limits.timeLimitMs = DEFAULT_TIME_MS;
    limits.timeLimitSource = `${TASK_FILE} has none`;
  }
  return limits;
}

function readChecker(files: PackageFiles, values: ReadonlyMap<string, YamlNode>): Checker {
  const [checker, interactor] = [values.get("checker"), values.get("interactor")];
  if (checker && interactor) {
    throw interactor.error("must not stand beside checker: it judges by itself");
  }
  const node = checker ?? interactor;
  if (!node) return { validation: { kind: "default" }, flags: [] };
  const interactive = interactor !== undefined;
  const mapping = node.isMapping ? node.mapping(CHECKER_KEYS, "fail") : undefined;
  const programNode = mapping ? mapping.get("program") : node;
  const flags = mapping?.get("flags")?.words() ?? [];
  if (mapping?.has("scores") && !programNode) {
    throw mapping.get("scores")!.error("must not stand without a program: only that gives scores");
  }
  if (!interactive && (!programNode || (!mapping && isFlags(node)))) {
    return defaultChecker(mapping?.get("flags") ?? node);
  }
  if (!programNode) throw node.error("must have a program, the name of a file");
  const score = mapping?.get("scores")?.truth() ?? false;
  const program = programOf(files, programNode);
  return { validation: { kind: "custom", interactive, score, program }, flags };
}

/** A name of a file has no blanks; flags have no dots and slashes before the first. */
function isFlags(node: YamlNode): boolean {
  const words = node.words();
  return words.length !== 1 || /^(case|space|float)_\w+$/.test(words[0]!);
}

function defaultChecker(node: YamlNode): Checker {
  const flags = node.isMapping ? [] : node.words();
  try {
    parseFlags(flags);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw node.error(
      `must be flags of the default checker, or the name of a program: ${error.message}`,
    );
  }
  return { validation: { kind: "default" }, flags };
}

function programOf(files: PackageFiles, node: YamlNode): ProgramSource {
  const path = cleanPath(node);
  const entry = files.find(path);
  if (!entry || !isFileOrFolder(entry)) throw node.error(`names ${path}, which ${notAFile(entry)}`);
  return readProgram(files, entry);
}
