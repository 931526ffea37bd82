/** Judges all packages of a contest. */

import * as colors from "../vendor/std/colors.ts";
import {
  type Contest,
  type ContestPackage,
  type ContestReport,
  type ContestResult,
  type JudgeReport,
  NoMatchError,
} from "../judge/mod.ts";
import { columns, cutToColumns, padToColumns } from "../text/columns.ts";
import { ExpectedError } from "../text/errors.ts";
import { countText, timeText } from "../text/quantities.ts";
import { visibleText } from "../text/visible.ts";
import { tell } from "./complain.ts";
import { judgeOne, statusOf, tellResults } from "./judge_one.ts";
import type { JudgeSession } from "./judge_session.ts";
import type { WatchState } from "./judge_watch.ts";
import { isFine } from "./judge_table.ts";

const NAME_WIDTH_MAX = 40;

/** Judges one package after the other; one that cannot be read keeps no other from being judged. */
export async function judgeContest(
  session: JudgeSession,
  contest: Contest,
  given: {
    /** Files that have changed: packages with none of them are not judged. */
    readonly changed: readonly string[] | undefined;
    /** What is known from the last time. */
    readonly state: WatchState | undefined;
  },
): Promise<ContestReport> {
  const { request, say, signal } = session;
  const { packages } = contest;
  const startedAt = new Date();
  const startMs = performance.now();
  const results: (ContestResult | undefined)[] = [];
  const missed: ContestResult[] = [];
  const unchanged: string[] = [];
  for (const [i, one] of packages.entries()) {
    if (signal.aborted) break;
    if (!request.quiet) say(headline(one, `${i + 1} of ${packages.length}`));
    try {
      const result = await judgeMember(session, { one, contest, ...given });
      results.push(result);
      if (!result) unchanged.push(one.name);
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
      const result = { ...namesOf(one), failure: visibleText(error.message) };
      // Patterns may be meant for some of the packages only.
      if (error instanceof NoMatchError) {
        missed.push(result);
        continue;
      }
      results.push(result);
      if (request.quiet) tell(result.failure);
      else say(`${colors.red("wrong:")} ${result.failure}\n\n`);
      given.state?.known.delete(one.name);
    }
  }
  const isMissed = results.length === 0 && !signal.aborted;
  if (isMissed) { for (const { failure = "" } of missed) tell(failure); }
  const report: ContestReport = {
    contest: contest.name,
    problems: isMissed ? missed : results.filter((result) => result !== undefined),
    unchanged,
    interrupted: signal.aborted,
    startedAt: startedAt.toISOString(),
    durationMs: performance.now() - startMs,
  };
  if (!request.quiet) say(contestText(report, { onlyTests: request.check }));
  return report;
}

function headline({ name, label }: ContestPackage, place: string): string {
  const title = label === undefined ? name : `${label}  ${name}`;
  return `${colors.bold(visibleText(title))}  ${place}\n`;
}

function namesOf({ name, label }: ContestPackage): Pick<ContestResult, "name" | "label"> {
  return label === undefined ? { name } : { name, label };
}

/** Judges a package where that is needed; undefined: nothing has changed in it. */
async function judgeMember(
  session: JudgeSession,
  { one, contest, changed, state }: {
    one: ContestPackage;
    contest: Contest;
    changed: readonly string[] | undefined;
    state: WatchState | undefined;
  },
): Promise<ContestResult | undefined> {
  const { request, say } = session;
  const { name, path } = one;
  const isKnown = state?.known.has(name) ?? false;
  const report = await judgeOne(session, {
    path,
    name: `${contest.name}/${name}`,
    // What several packages share is in the contest.
    root: request.root ?? contest.directory,
    submissions: [],
    changed: isKnown ? state?.changed : changed,
    memory: state?.memory,
  });
  const known = state?.known.get(name);
  if (report) {
    tellResults(session, report);
    if (!request.quiet) say("\n");
    const result = { ...namesOf(one), report };
    state?.known.set(name, result);
    return result;
  }
  if (!request.quiet) say(`unchanged${known ? "" : ` since ${request.changedSince}`}\n\n`);
  state?.known.set(name, known);
  return known;
}

/** Sums a contest up: a line for each problem, and how many are as they should be. */
export function contestText(
  report: ContestReport,
  { onlyTests = false }: { onlyTests?: boolean } = {},
): string {
  const { problems, unchanged, interrupted, durationMs } = report;
  const titles = problems.map(({ name, label }) =>
    cutToColumns(visibleText(label === undefined ? name : `${label}  ${name}`), NAME_WIDTH_MAX)
  );
  const width = Math.max(0, ...titles.map(columns));
  const lines = problems.map((problem, i) => {
    const mark = isGood(problem) ? colors.green("ok") : colors.red("NO");
    return `${mark}  ${padToColumns(titles[i]!, width)}  ${stateText(problem, onlyTests)}`;
  });
  const good = problems.filter(isGood).length;
  const count = `${good} of ${countText(problems.length, "problem")} as expected`;
  const isAll = good === problems.length && !interrupted;
  const left = unchanged.length > 0 ? `, ${unchanged.length} unchanged` : "";
  return [
    ...lines,
    ...interrupted ? [colors.red("interrupted: results are partial")] : [],
    `${isAll ? colors.green(count) : colors.red(count)}${left}, ${timeText(durationMs)}`,
    "",
  ].join("\n");
}

function isGood({ report }: ContestResult): boolean {
  return report !== undefined && statusOf(report) === 0;
}

function stateText({ report, failure }: ContestResult, onlyTests: boolean): string {
  if (!report) return cutToColumns(failure ?? "", 200);
  const wrong = report.complaints.length;
  const complaints = wrong > 0 ? `, ${countText(wrong, "complaint")}` : "";
  return `${onlyTests ? testsText(report) : submissionsText(report)}${complaints}`;
}

function testsText({ tests, durationMs }: JudgeReport): string {
  return `${countText(tests.length, "test")} checked, ${timeText(durationMs)}`;
}

function submissionsText({ submissions, timeLimitMs, durationMs }: JudgeReport): string {
  const fine = `${submissions.filter(isFine).length} of ${
    countText(submissions.length, "submission")
  }`;
  return `${fine}, limit ${timeText(timeLimitMs)}, ${timeText(durationMs)}`;
}
