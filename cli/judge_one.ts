/** Judges one package, and prints what it got. */

import {
  hasChanged,
  type HostFiles,
  judge,
  type JudgeReport,
  partOfProblem,
  type Problem,
  readPackage,
  readSubmission,
  type ResultMemory,
  type UnpackedPackage,
  unpackPackage,
} from "../judge/mod.ts";
import { visibleText } from "../text/visible.ts";
import { FAILURE_STATUS, tell } from "./complain.ts";
import { verdictMatrix } from "./judge_matrix.ts";
import type { JudgeRequest } from "./judge_options.ts";
import { JudgeProgress } from "./judge_progress.ts";
import { COLUMNS_DEFAULT, type JudgeSession } from "./judge_session.ts";
import { isFine, resultTable, summaryText } from "./judge_table.ts";

const TRANSCRIPT_BYTES = 65536;

/** One package to judge. */
export interface PackageToJudge {
  /** Its folder, or an archive. */
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
  /** A folder above it to which its links may lead. */
  readonly root: string | undefined;
  readonly submissions: readonly string[];
  /** Files that have changed: a package with none of them is not judged. */
  readonly changed?: readonly string[] | undefined;
  readonly memory?: ResultMemory | undefined;
}

/** Judges one package; undefined: nothing has changed in it. */
export async function judgeOne(
  session: JudgeSession,
  given: PackageToJudge,
): Promise<JudgeReport | undefined> {
  const { request, host, sandbox, boxes } = session;
  using unpacked = isArchive(given.path) ? await openArchive(host, given.path, request) : undefined;
  const problem = await readWanted(host, unpacked?.directory ?? given.path, { given, request });
  const { changed } = given;
  // An archive is one file.
  const hasNews = unpacked
    ? changed?.includes(host.realPath(given.path)) ?? true
    : !changed || hasChanged(problem, changed);
  if (!hasNews) return undefined;
  const isVerified = given.submissions.length === 0 && !request.check;
  const submissions = request.check ? [] : isVerified
    ? problem.submissions
    // The author of a submission must not be able to say what it should get: no tag, no folder counts.
    : given.submissions.map((path) => ({
      ...readSubmission(host, path),
      language: request.language,
    }));
  const progress = new JudgeProgress({
    write: session.say,
    width: session.width,
    verbosity: request.quiet ? -1 : request.verbose ? 1 : 0,
    nowMs: () => performance.now(),
  });
  const report = await judge({
    sandbox,
    host,
    problem,
    submissions,
    languages: session.languages,
    pypy: request.pypy,
    allTests: request.allTests,
    verify: isVerified,
    onlyTests: request.check,
    jobs: request.jobs ?? navigator.hardwareConcurrency,
    boxes,
    boxIds: session.boxIds,
    timeLimitMs: request.timeLimitMs,
    cacheDirectory: session.cacheDirectory,
    memory: given.memory,
    keep: request.keep,
    transcriptBytes: request.transcript ? TRANSCRIPT_BYTES : 0,
    signal: session.signal,
    onEvent: (event) => progress.tell(event),
  });
  progress.end();
  return report;
}

/** Prints what a package got. */
export function tellResults({ request, say, width }: JudgeSession, report: JudgeReport): void {
  if (request.quiet) {
    for (const complaint of report.complaints) tell(visibleText(complaint));
    // They may be the reason.
    if (statusOf(report) !== 0) {
      for (const warning of report.warnings) tell(`note: ${visibleText(warning)}`);
    }
    return;
  }
  const columns = width();
  if (columns !== undefined && !request.check) say(`\n${resultTable(report, columns)}\n`);
  if (request.allTests || columns !== undefined && report.submissions.length > 1) {
    const matrix = verdictMatrix(report, columns ?? COLUMNS_DEFAULT);
    if (matrix !== "") say(`${matrix}\n`);
  }
  say(summaryText(report, { onlyTests: request.check }));
}

/** Reads the package, or the part of it that is asked for. */
async function readWanted(
  host: HostFiles,
  directory: string,
  { given: { root, name }, request }: { given: PackageToJudge; request: JudgeRequest },
): Promise<Problem> {
  const { fileMib, submissions, tests } = request;
  const problem = await readPackage(host, directory, { fileMib, root, name });
  if (submissions.length === 0 && tests.length === 0) return problem;
  return partOfProblem(problem, {
    submissions: submissions.length > 0 ? submissions : undefined,
    tests: tests.length > 0 ? tests : undefined,
  });
}

/** A folder may have such a name, too. */
async function openArchive(
  host: HostFiles,
  path: string,
  request: JudgeRequest,
): Promise<UnpackedPackage | undefined> {
  if (host.status(path)?.kind === "directory") return undefined;
  return await unpackPackage(host, path, request);
}

function isArchive(path: string): boolean {
  return /\.(zip|kpp)$/i.test(path);
}

/** The exit status that a report of a package stands for. */
export function statusOf({ submissions, complaints, interrupted }: JudgeReport): 0 | 1 | 2 {
  if (interrupted || submissions.some(({ verdict }) => verdict === "JE")) return FAILURE_STATUS;
  return complaints.length > 0 || !submissions.every(isFine) ? 1 : 0;
}
