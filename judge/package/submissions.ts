/** Submissions: those of a package with the verdicts that they must get, and those given by path. */

import { type HostFiles, SandboxError } from "../../mod.ts";
import type { Problem, Submission, TestGroup, Verdict } from "../types.ts";
import { PackageError } from "./errors.ts";
import { isHidden, nameOf, type PackageEntry, PackageFiles, refusalReason } from "./files.ts";
import { readProgram } from "./programs.ts";

const SOURCE_MAX_BYTES = 1 << 20;

/** Verdicts of the format that cover several of ours: it knows no memory limit. */
const RUN_TIME_ERROR: readonly Verdict[] = ["RTE", "MLE"];
const REJECTED: readonly Verdict[] = ["WA", "TLE", "MLE", "OLE", "RTE"];

/** The verdicts that submissions in these folders must get. */
const FOLDERS: Readonly<Record<string, readonly Verdict[]>> = {
  accepted: ["AC"],
  partially_accepted: ["AC"],
  wrong_answer: ["WA"],
  time_limit_exceeded: ["TLE"],
  run_time_error: RUN_TIME_ERROR,
  memory_limit_exceeded: ["MLE"],
  output_limit_exceeded: ["OLE"],
  compile_error: ["CE"],
  compiler_error: ["CE"],
  rejected: REJECTED,
  brute_force: ["TLE", ...RUN_TIME_ERROR],
};

/** What the words behind `@EXPECTED_RESULTS@:` mean. */
const WORDS: Readonly<Record<string, readonly Verdict[]>> = {
  AC: ["AC"],
  CORRECT: ["AC"],
  ACCEPTED: ["AC"],
  WA: ["WA"],
  WRONG_ANSWER: ["WA"],
  NO_OUTPUT: ["WA"],
  TLE: ["TLE"],
  TIMELIMIT: ["TLE"],
  TIME_LIMIT_EXCEEDED: ["TLE"],
  RTE: ["RTE"],
  RUN_ERROR: RUN_TIME_ERROR,
  RUN_TIME_ERROR: RUN_TIME_ERROR,
  MLE: ["MLE"],
  MEMORY_LIMIT: ["MLE"],
  MEMORY_LIMIT_EXCEEDED: ["MLE"],
  OLE: ["OLE"],
  OUTPUT_LIMIT: ["OLE"],
  OUTPUT_LIMIT_EXCEEDED: ["OLE"],
  CE: ["CE"],
  COMPILER_ERROR: ["CE"],
  COMPILE_ERROR: ["CE"],
};

/** What of a problem tells its best score. */
type Scored = Pick<Problem, "kind" | "objective" | "data"> & { readonly givesScores: boolean };

/** Reads the submissions of a package: files and folders in folders that are named after verdicts. */
export function readSubmissions(
  files: PackageFiles,
  { folder, problem }: { folder: string; problem: Scored },
): Submission[] {
  return listVisible(files, folder).flatMap((verdict) => {
    if (verdict.kind === "directory") {
      return listVisible(files, verdict.path).map((entry) =>
        readOne(files, { entry, verdict: verdict.name, problem })
      );
    }
    files.warn(verdict.path, "ignored; submissions belong in folders named after verdicts");
    return [];
  });
}

function listVisible(files: PackageFiles, folder: string): PackageEntry[] {
  return (files.list(folder) ?? []).filter(({ name }) =>
    !isHidden(name) && !/^readme(\.|$)/i.test(name) && name !== "submissions.yaml"
  );
}

function readOne(files: PackageFiles, { entry, verdict, problem }: {
  entry: PackageEntry;
  verdict: string;
  problem: Scored;
}): Submission {
  const source = readProgram(files, entry);
  const expected = taggedVerdicts(files, entry) ??
    (Object.hasOwn(FOLDERS, verdict) ? FOLDERS[verdict] : undefined);
  if (expected === undefined) {
    files.warn(
      entry.path,
      "has no expected verdict; name its folder after one, such as " +
        Object.keys(FOLDERS).slice(0, 5).join(", "),
    );
  }
  const isPartial = verdict === "partially_accepted";
  if (isPartial && problem.kind === "pass-fail") {
    files.warn(entry.path, "a pass-fail problem has no partially accepted submissions");
  }
  const expectedScore = isPartial ? partialScore(problem) : undefined;
  const name = `${verdict}/${entry.name}`;
  return { name, source, expected, ...(expectedScore && { expectedScore }) };
}

/** Reads the tag `@EXPECTED_RESULTS@`, which counts more than the folder. */
function taggedVerdicts(files: PackageFiles, entry: PackageEntry): readonly Verdict[] | undefined {
  const all = entry.kind === "file" ? [entry] : files.list(entry.path) ?? [];
  for (const file of all) {
    if (file.kind !== "file" || file.sizeBytes > SOURCE_MAX_BYTES) continue;
    const bytes = files.readBytes(file.path, { limitBytes: SOURCE_MAX_BYTES });
    const tag = /@EXPECTED_RESULTS@:[ \t]*([^\r\n]*)/.exec(new TextDecoder().decode(bytes));
    const verdicts = new Set<Verdict>();
    for (const word of tag?.[1]?.match(/[\w-]+/g) ?? []) {
      const key = word.toUpperCase().replaceAll("-", "_");
      const meant = Object.hasOwn(WORDS, key) ? WORDS[key]! : [];
      if (meant.length === 0) {
        files.warn(file.path, `@EXPECTED_RESULTS@ has the unknown verdict ${word}`);
      }
      for (const verdict of meant) verdicts.add(verdict);
    }
    if (verdicts.size > 0) return [...verdicts];
  }
  return undefined;
}

/** Gives the scores that are not the best: a partially accepted submission must get one of them. */
function partialScore(problem: Scored): [number, number] | undefined {
  if (problem.kind === "pass-fail") return undefined;
  const best = bestScore(problem.data, problem);
  if (!Number.isFinite(best)) return undefined;
  const step = Math.max(Math.abs(best), 1) * 1e-9;
  return problem.objective === "max" ? [-Infinity, best - step] : [best + step, Infinity];
}

function bestScore(group: TestGroup, problem: Scored): number {
  const { acceptScore, rejectScore, range, scoreMode, ignoreSample } = group.grading;
  const isMax = problem.objective === "max";
  const limit = isMax ? range[1] : range[0];
  if (Number.isFinite(limit)) return limit;
  const bestOfTest = isMax
    ? Math.max(acceptScore, rejectScore)
    : Math.min(acceptScore, rejectScore);
  const scores = group.members.map((member) => {
    if (member.kind === "group") return bestScore(member.group, problem);
    return problem.givesScores ? limit : bestOfTest;
  });
  const counted = ignoreSample ? scores.slice(-1) : scores;
  // Not Math.min(...): there can be more tests than arguments.
  if (scoreMode === "min") return counted.reduce((a, b) => Math.min(a, b), Infinity);
  if (scoreMode === "max") return counted.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = counted.reduce((a, b) => a + b, 0);
  return scoreMode === "sum" ? sum : sum / counted.length;
}

/**
 * Reads a submission that may be anywhere and need not get any verdict.
 *
 * @param host the host's files
 * @param path a file, or a folder of files
 * @returns the submission
 * @throws {PackageError} if there is no such file or folder, or it has no files
 *
 * @example
 * ```ts
 * import { HostFiles, sharedSandbox } from "@isolate/isolate";
 * import { readSubmission } from "@isolate/isolate/judge";
 * import { assertEquals } from "@std/assert";
 *
 * const host = new HostFiles(await sharedSandbox());
 * const directory = host.makeTemporaryDirectory();
 * host.write(`${directory}/sum.py`, "print(sum(map(int, input().split())))\n");
 * const submission = readSubmission(host, `${directory}/sum.py`);
 * assertEquals(submission.source.files.map((file) => file.name), ["sum.py"]);
 * host.removeTree(directory);
 * ```
 */
export function readSubmission(host: HostFiles, path: string): Submission {
  const given = path.replace(/(.)\/+$/, "$1");
  const real = realPath(host, given);
  const isFolder = host.status(real)?.kind === "directory";
  // Nothing outside of the folder is looked into.
  using files = new PackageFiles(host, isFolder ? real : real.slice(0, -nameOf(real).length));
  const entry = files.find(isFolder ? "" : nameOf(real));
  if (entry === undefined) throw new PackageError("is missing", { file: given });
  const source = readProgram(files, { ...entry, name: nameOf(real) });
  return { name: given, source, expected: undefined };
}

function realPath(host: HostFiles, path: string): string {
  try {
    return host.realPath(path);
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    throw new PackageError(refusalReason(error, "open it"), { file: path }, { cause: error });
  }
}
