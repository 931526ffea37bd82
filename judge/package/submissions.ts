/** Submissions: those of a package with the verdicts that they must get, and those given by path. */

import { type HostFiles, SandboxError } from "../../mod.ts";
import { parseNumber } from "../../text/yaml_node.ts";
import type { Problem, Submission, TestExpectation, TestGroup, Verdict } from "../types.ts";
import { PackageError } from "./errors.ts";
import { isHidden, nameOf, type PackageEntry, PackageFiles, refusalReason } from "./files.ts";
import { readProgram } from "./programs.ts";
import {
  readSubmissionsFile,
  rulesFor,
  type SubmissionRule,
  SUBMISSIONS_FILE,
  verdictsOf,
  warnOfUnused,
} from "./submissions_file.ts";
import { ANY, folderHint, knownFolder, verdictsOfFolder, verdictsOfWord } from "./verdict_names.ts";

/** The format says so of wrong answers, but no judge stops for it. */
const ONLY_WRONG: TestExpectation = {
  tests: undefined,
  permitted: ["AC", "WA", "OLE"],
  onlyNoted: true,
};

const SOURCE_MAX_BYTES = 1 << 20;

/** What of a problem tells its best score. */
type Scored = Pick<Problem, "kind" | "objective" | "data"> & { readonly givesScores: boolean };

/** Reads the submissions of a package: files and folders in folders that are named after verdicts. */
export async function readSubmissions(
  files: PackageFiles,
  { folder, problem }: { folder: string; problem: Scored },
): Promise<Submission[]> {
  const rules = await readSubmissionsFile(files, folder);
  const submissions = listVisible(files, folder).flatMap((verdict) => {
    if (verdict.kind !== "directory") {
      files.warn(verdict.path, "ignored; submissions belong in folders named after verdicts");
      return [];
    }
    const all = listVisible(files, verdict.path).map((entry) =>
      readOne(files, { entry, verdict: verdict.name, problem, rules })
    );
    // Nothing but the folder says what they are for: a misspelled name would make every result right.
    if (all.some(({ expected }) => expected === undefined)) {
      const reason = `promises no verdict that is known; ${folderHint(verdict.name)}`;
      files.complaints.push(files.error(verdict.path, reason).message);
    }
    return all.map((one) => ({ ...one, expected: one.expected ?? ANY }));
  });
  const names = submissions.map(({ name }) => name);
  warnOfUnused(files, { path: `${folder}/${SUBMISSIONS_FILE}`, rules, names });
  return submissions;
}

function listVisible(files: PackageFiles, folder: string): PackageEntry[] {
  return (files.list(folder) ?? []).filter(({ name }) =>
    !isHidden(name) && !/^readme(\.|$)/i.test(name) && name !== SUBMISSIONS_FILE
  );
}

function readOne(files: PackageFiles, { entry, verdict, problem, rules }: {
  entry: PackageEntry;
  verdict: string;
  problem: Scored;
  rules: readonly SubmissionRule[];
}): Submission {
  const source = readProgram(files, entry);
  const name = `${verdict}/${entry.name}`;
  const own = rulesFor(rules, name);
  const tags = readTags(files, entry);
  const isPartial = knownFolder(verdict) === "partially_accepted";
  if (isPartial && problem.kind === "pass-fail") {
    files.warn(entry.path, "a pass-fail problem has no partially accepted submissions");
  }
  const given = own.map(({ score }) => score).find((score) => score !== undefined);
  const expectedScore = tags.score ?? (given && withTolerance(given)) ??
    (isPartial ? partialScore(problem) : undefined);
  if (expectedScore && problem.kind === "pass-fail") {
    files.warn(entry.path, "a pass-fail problem has no scores: its expected score is ignored");
  }
  const language = own.findLast(({ language }) => language !== undefined)?.language;
  const entrypoint = own.findLast((rule) => rule.entrypoint !== undefined)?.entrypoint;
  const expectations = own.flatMap((rule) => rule.expectations);
  const forTimeLimit = own.findLast((rule) => rule.forTimeLimit !== undefined)?.forTimeLimit;
  return {
    name,
    source,
    expected: expectedVerdicts(files, { entry, verdict, tagged: tags.verdicts, rules: own }),
    ...expectedScore && { expectedScore },
    ...language !== undefined && { language },
    ...entrypoint !== undefined && { entrypoint },
    ...forTimeLimit !== undefined && { forTimeLimit },
    ...expectations.length > 0
      ? { expectations }
      : knownFolder(verdict) === "wrong_answer" && !tags.verdicts && { expectations: [ONLY_WRONG] },
  };
}

/** Puts together what the tag or the folder promises, and what `submissions.yaml` says. */
function expectedVerdicts(files: PackageFiles, { entry, verdict, tagged, rules }: {
  entry: PackageEntry;
  verdict: string;
  tagged: readonly Verdict[] | undefined;
  rules: readonly SubmissionRule[];
}): readonly Verdict[] | undefined {
  // The name of the folder replaces what the folder promises; other patterns ask for more.
  const ofFolder = rules.filter(({ pattern }) => pattern === verdict);
  const replaced = verdictsOf(ofFolder.flatMap(({ expectations }) => expectations));
  const promised = tagged ?? replaced ?? verdictsOfFolder(verdict);
  const more = rules.filter(({ pattern }) => pattern !== verdict);
  const allowed = verdictsOf(more.flatMap(({ expectations }) => expectations));
  if (!promised || !allowed) return promised ?? allowed;
  const both = promised.filter((verdict) => allowed.includes(verdict));
  if (both.length > 0) return both;
  const reason = `cannot get what is promised: ${promised.join(" or ")} by its folder, but ` +
    `${allowed.join(" or ")} by ${SUBMISSIONS_FILE}`;
  files.complaints.push(files.error(entry.path, reason).message);
  return allowed;
}

/** What a source says of its own results. */
interface Tags {
  readonly verdicts?: readonly Verdict[] | undefined;
  readonly score?: readonly [number, number] | undefined;
}

/** Reads the tags `@EXPECTED_RESULTS@` and `@EXPECTED_SCORE@`, which count more than the folder. */
function readTags(files: PackageFiles, entry: PackageEntry): Tags {
  const all = entry.kind === "file" ? [entry] : files.list(entry.path) ?? [];
  let tags: Tags = {};
  for (const file of all) {
    if (file.kind !== "file" || file.sizeBytes > SOURCE_MAX_BYTES) continue;
    const bytes = files.readBytes(file.path, { limitBytes: SOURCE_MAX_BYTES });
    const text = new TextDecoder().decode(bytes);
    const verdicts = tags.verdicts ?? taggedVerdicts(files, file, text);
    const score = tags.score ?? taggedScore(files, file, text);
    tags = { verdicts, score };
  }
  return tags;
}

function taggedVerdicts(
  files: PackageFiles,
  { path }: PackageEntry,
  text: string,
): readonly Verdict[] | undefined {
  const tag = /@EXPECTED_RESULTS@:[ \t]*([^\r\n]*)/.exec(text);
  const verdicts = new Set<Verdict>();
  for (const word of tag?.[1]?.match(/[\w-]+/g) ?? []) {
    const meant = verdictsOfWord(word);
    if (meant.length === 0) files.warn(path, `@EXPECTED_RESULTS@ has the unknown verdict ${word}`);
    for (const verdict of meant) verdicts.add(verdict);
  }
  return verdicts.size > 0 ? [...verdicts] : undefined;
}

function taggedScore(
  files: PackageFiles,
  { path }: PackageEntry,
  text: string,
): readonly [number, number] | undefined {
  const tag = /@EXPECTED_SCORE@:[ \t]*([^\s*]*)/.exec(text);
  if (!tag) return undefined;
  const score = parseNumber(tag[1]!);
  if (score !== undefined) return withTolerance([score, score]);
  const what = JSON.stringify(tag[1]!.slice(0, 40));
  files.warn(path, `@EXPECTED_SCORE@ must be a number, not ${what}`);
  return undefined;
}

/** Widens a range of scores by what sums of decimal fractions are off. */
function withTolerance([low, high]: readonly [number, number]): readonly [number, number] {
  const step = (score: number) => Math.max(Math.abs(score), 1) * 1e-9;
  return [low - step(low), high + step(high)];
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
