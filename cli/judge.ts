/**
 * `isolate judge`: judges submissions with a problem package, or the package with its own, or all packages
 * of a contest.
 *
 * Progress goes to standard output, or with `--json`, which prints the report there, to standard error.
 */

import { type Contest, readContest } from "../judge/mod.ts";
import { FAILURE_STATUS, UsageError } from "./complain.ts";
import { judgeContest } from "./judge_contest.ts";
import { judgeOne, statusOf, tellResults } from "./judge_one.ts";
import type { JudgeRequest } from "./judge_options.ts";
import { type AnyReport, checkReportPlaces, writeReports } from "./judge_reports.ts";
import { type JudgeSession, openSession } from "./judge_session.ts";
import type { WatchState } from "./judge_watch.ts";

/** What is judged, and how. */
export interface JudgeArguments {
  readonly request: JudgeRequest;
  /** The folder of a package or a contest, or an archive. */
  readonly directory: string;
  /** Submissions to judge; none: verify the package with its own. */
  readonly submissions: readonly string[];
}

/** `isolate judge [OPTION...] PACKAGE [SUBMISSION...]`. */
export async function judgePackage(given: JudgeArguments): Promise<number> {
  const session = await openSession(given.request);
  checkReportPlaces(session.host, given.request);
  if (!given.request.watch) return await judgeOnce(session, given);
  const { watchAndJudge } = await import("./judge_watch.ts");
  return await watchAndJudge(session, given, (state) => judgeOnce(session, given, state));
}

/** Judges a package or a contest, and gives the exit status. */
async function judgeOnce(
  session: JudgeSession,
  { directory, submissions }: JudgeArguments,
  state?: WatchState,
): Promise<number> {
  const { request, host } = session;
  const contest = await readContest(host, directory);
  checkContest(contest, { directory, submissions });
  const changed = await changedSince(session, directory);
  let given: AnyReport;
  if (contest) {
    given = { kind: "contest", report: await judgeContest(session, contest, { changed, state }) };
  } else {
    const { root } = request;
    const memory = state?.memory;
    const one = { path: directory, name: directory, root, submissions, changed, memory };
    const report = await judgeOne(session, one);
    if (!report) {
      if (!request.quiet) session.say(`unchanged since ${request.changedSince}: ${directory}\n`);
      return 0;
    }
    tellResults(session, report);
    given = { kind: "package", report };
  }
  const isWritten = await writeReports(host, given, request);
  return isWritten ? exitStatus(given) : FAILURE_STATUS;
}

function checkContest(
  contest: Contest | undefined,
  { directory, submissions }: Omit<JudgeArguments, "request">,
): void {
  if (!contest) return;
  const [first] = contest.packages;
  if (submissions.length > 0) {
    throw new UsageError(
      `${directory} is a contest: to judge a submission name one of its packages, such as ` +
        `${directory.replace(/\/+$/, "")}/${first!.name}`,
    );
  }
}

/** Lists what has changed, if only that is to be judged. */
async function changedSince(
  { request, ...session }: JudgeSession,
  directory: string,
): Promise<readonly string[] | undefined> {
  const { changedSince: since } = request;
  if (since === undefined) return undefined;
  const { changedFiles } = await import("../judge/mod.ts");
  const isFolder = session.host.status(directory)?.kind === "directory";
  if (!isFolder) throw new UsageError("Option --changed-since is for folders, not for archives");
  return await changedFiles({ directory, since }, session);
}

function exitStatus(given: AnyReport): number {
  if (given.kind === "package") return statusOf(given.report);
  const { problems, interrupted } = given.report;
  if (interrupted) return FAILURE_STATUS;
  const all = problems.map(({ report }) => report ? statusOf(report) : FAILURE_STATUS);
  return Math.max(0, ...all);
}
