/** The submissions of a package, and what they promise. */

import type { Problem, Submission, TestGroup, Verdict } from "../types.ts";
import { isFileOrFolder, notAFile, type PackageEntry, type PackageFiles } from "./files.ts";
import { isHidden, readProgram } from "./programs.ts";

const SOURCE_MAX_BYTES = 1 << 20;

/** Some verdicts of the format stand for several of ours: it knows no memory limit. */
const RUN_TIME_ERROR: readonly Verdict[] = ["RTE", "MLE"];
const REJECTED: readonly Verdict[] = ["WA", "TLE", "MLE", "OLE", "RTE"];

/** What the folders of submissions promise. */
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

/** What reading submissions needs. */
export interface SubmissionsReading {
  /** The folder of submissions, in the package. */
  readonly folder: string;
  /** The problem's kind, and its tests, which tell how many points there are. */
  readonly problem: Pick<Problem, "kind" | "objective" | "data"> & {
    readonly givesScores: boolean;
  };
  /** Is told what is odd, a sentence each. */
  readonly warn: (warning: string) => void;
}

/**
 * Reads the submissions of a package: files and folders in folders that are named after verdicts.
 */
export function readSubmissions(files: PackageFiles, reading: SubmissionsReading): Submission[] {
  const { folder, warn } = reading;
  const submissions: Submission[] = [];
  for (const verdict of files.list(folder) ?? []) {
    if (isHidden(verdict.name) || isNote(verdict.name)) continue;
    if (verdict.kind !== "directory") {
      warn(`${files.pathFor(verdict.path)}: is not used; submissions are in folders of verdicts`);
      continue;
    }
    const promised = Object.hasOwn(FOLDERS, verdict.name) ? FOLDERS[verdict.name] : undefined;
    for (const entry of files.list(verdict.path) ?? []) {
      if (isHidden(entry.name) || isNote(entry.name)) continue;
      submissions.push(readOne(files, { entry, verdict: verdict.name, promised, reading }));
    }
  }
  return submissions;
}

function readOne(files: PackageFiles, { entry, verdict, promised, reading }: {
  entry: PackageEntry;
  verdict: string;
  promised: readonly Verdict[] | undefined;
  reading: SubmissionsReading;
}): Submission {
  if (!isFileOrFolder(entry)) throw files.error(entry.path, notAFile(entry));
  const { problem, warn } = reading;
  const source = readProgram(files, entry);
  const name = `${verdict}/${entry.name}`;
  const expected = taggedVerdicts(files, entry, warn) ?? promised;
  if (expected === undefined) {
    warn(
      `${files.pathFor(entry.path)}: promises nothing; the folder must be named after a verdict, ` +
        `such as ${Object.keys(FOLDERS).slice(0, 5).join(", ")}`,
    );
  }
  const expectedScore = verdict === "partially_accepted" ? partialScore(problem) : undefined;
  if (verdict === "partially_accepted" && problem.kind === "pass-fail") {
    warn(`${files.pathFor(entry.path)}: a problem without scores has no partially accepted ones`);
  }
  return { name, source, expected, ...(expectedScore && { expectedScore }) };
}

function isNote(name: string): boolean {
  return /^readme(\.|$)/i.test(name) || name === "submissions.yaml";
}

/** The verdicts of the tag `@EXPECTED_RESULTS@`, which counts more than the folder. */
function taggedVerdicts(
  files: PackageFiles,
  entry: PackageEntry,
  warn: (warning: string) => void,
): readonly Verdict[] | undefined {
  const all = entry.kind === "file" ? [entry] : files.list(entry.path) ?? [];
  for (const file of all) {
    if (file.kind !== "file" || file.sizeBytes > SOURCE_MAX_BYTES) continue;
    const bytes = files.readBytes(file.path, { limitBytes: SOURCE_MAX_BYTES });
    const tag = /@EXPECTED_RESULTS@:[ \t]*([^\r\n]*)/.exec(new TextDecoder().decode(bytes));
    if (tag === null) continue;
    const verdicts = new Set<Verdict>();
    for (const word of tag[1]!.match(/[\w-]+/g) ?? []) {
      const key = word.toUpperCase().replaceAll("-", "_");
      const meant = Object.hasOwn(WORDS, key) ? WORDS[key]! : [];
      if (meant.length === 0) {
        warn(`${files.pathFor(file.path)}: @EXPECTED_RESULTS@ names ${word}, which is no verdict`);
      }
      for (const verdict of meant) verdicts.add(verdict);
    }
    if (verdicts.size > 0) return [...verdicts];
  }
  return undefined;
}

/** A partially accepted submission must not have the best score. */
function partialScore(problem: SubmissionsReading["problem"]): [number, number] | undefined {
  if (problem.kind === "pass-fail") return undefined;
  const best = bestScore(problem.data, problem);
  if (!Number.isFinite(best)) return undefined;
  const step = Math.max(Math.abs(best), 1) * 1e-9;
  return problem.objective === "max" ? [-Infinity, best - step] : [best + step, Infinity];
}

function bestScore(group: TestGroup, problem: SubmissionsReading["problem"]): number {
  const { acceptScore, rejectScore, range, scoreMode, ignoreSample } = group.grading;
  const isMax = problem.objective === "max";
  const best = (values: readonly number[]) => isMax ? Math.max(...values) : Math.min(...values);
  const limit = isMax ? range[1] : range[0];
  if (Number.isFinite(limit)) return limit;
  const scores = group.members.map((member) => {
    if (member.kind === "group") return bestScore(member.group, problem);
    return problem.givesScores ? limit : best([acceptScore, rejectScore]);
  });
  const counted = ignoreSample ? scores.slice(-1) : scores;
  if (scoreMode === "min") {
    return counted.reduce((least, score) => Math.min(least, score), Infinity);
  }
  if (scoreMode === "max") return counted.reduce((most, score) => Math.max(most, score), -Infinity);
  const sum = counted.reduce((total, score) => total + score, 0);
  return scoreMode === "sum" ? sum : sum / counted.length;
}
