/** Writes reports as events of the CLICS Contest API, which contest systems and their tools read. */

import type { ContestReport } from "../contest/types.ts";
import type { JudgeReport, SubmissionResult } from "../types.ts";
import { VERDICTS, VERDICTS_BEST_FIRST } from "../verdicts.ts";

const ID_LENGTH = 36;
/** All submissions of a package belong to it. */
const TEAM = { id: "jury", name: "Jury" };

/** The kinds of objects, as the API names its endpoints. */
type Kind =
  | "judgement-types"
  | "languages"
  | "problems"
  | "teams"
  | "submissions"
  | "judgements"
  | "runs";

/** A package in the feed. */
interface FeedProblem {
  readonly label: string | undefined;
  readonly report: JudgeReport;
}

/**
 * Writes a report as an event feed of the CLICS Contest API: a JSON object in each line, with the types
 * of judgements, languages, the problem, and the submissions with their judgements and runs. Contest
 * times count from the start of judging. A run has the time at which its judgement ended.
 */
export function clicsFeed(report: JudgeReport): string {
  return feed([{ label: undefined, report }], report.startedAt);
}

/** Writes the report of a contest in the same way; packages that could not be judged are left out. */
export function contestClicsFeed({ problems, startedAt }: ContestReport): string {
  const judged = problems.flatMap(({ label, report }) => report ? { label, report } : []);
  return feed(judged, startedAt);
}

function feed(problems: readonly FeedProblem[], startedAt: string): string {
  const lines: string[] = [];
  const write = (type: Kind, data: { readonly id: string }) => {
    const token = `${lines.length + 1}`;
    lines.push(`${JSON.stringify({ type, id: data.id, data, token }, wellFormed)}\n`);
  };
  for (const verdict of VERDICTS_BEST_FIRST) {
    const [solved, penalty] = [verdict === "AC", !["AC", "CE", "JE"].includes(verdict)];
    write("judgement-types", { id: verdict, ...{ name: VERDICTS[verdict].name, penalty, solved } });
  }
  const names = problems.flatMap(({ report }) =>
    report.submissions.map(({ compile }) => compile.language ?? "unknown")
  );
  for (const name of new Set(names)) write("languages", { id: languageId(name), ...{ name } });
  write("teams", TEAM);
  const ids = problems.map(({ report }) => idOf(report.problem));
  for (const [i, { label, report }] of problems.entries()) {
    const isTaken = ids.indexOf(ids[i]!) < i;
    const problem_id = isTaken ? `${ids[i]!.slice(0, ID_LENGTH - 6)}-${i + 1}` : ids[i]!;
    write("problems", {
      id: problem_id,
      ...{
        ordinal: i,
        label: label ?? letter(i),
        name: report.title,
        time_limit: seconds(report.timeLimitMs),
        test_data_count: report.tests.length,
      },
    });
    for (const [j, result] of report.submissions.entries()) {
      const id = `${i + 1}-${j + 1}`;
      writeSubmission(write, { id, problem_id, result, report, startedAt });
    }
  }
  return lines.join("");
}

function writeSubmission(
  write: (type: Kind, data: { readonly id: string }) => void,
  { id, problem_id, result, report, startedAt }: {
    id: string;
    problem_id: string;
    result: SubmissionResult;
    report: JudgeReport;
    startedAt: string;
  },
): void {
  const { submission, compile, tests, verdict, startMs = 0, endMs = report.durationMs } = result;
  const time = (ms: number) => new Date(Date.parse(report.startedAt) + ms);
  const relative = (ms: number) => relativeTime(+time(ms) - Date.parse(startedAt));
  const start = { time: time(startMs).toISOString(), contest_time: relative(startMs) };
  const end = { time: time(endMs).toISOString(), contest_time: relative(endMs) };
  write("submissions", {
    id,
    ...{
      language_id: languageId(compile.language ?? "unknown"),
      problem_id,
      team_id: TEAM.id,
      ...start,
      entry_point: null,
      files: [{
        href: `submissions/${submission.split("/").map(encoded).join("/")}`,
        mime: "text/plain",
        filename: submission.split("/").at(-1),
      }],
    },
  });
  // What was broken off has no verdict.
  const isOpen = report.interrupted && verdict === "JE";
  write("judgements", {
    id,
    ...{
      submission_id: id,
      judgement_type_id: isOpen ? null : verdict,
      start_time: start.time,
      start_contest_time: start.contest_time,
      end_time: isOpen ? null : end.time,
      end_contest_time: isOpen ? null : end.contest_time,
      ...tests.length > 0 && !isOpen && { max_run_time: seconds(result.maxCpuTimeMs) },
      current: true,
    },
  });
  for (const test of tests) {
    const ordinal = report.tests.indexOf(test.test) + 1;
    write("runs", {
      id: `${id}-${ordinal}`,
      ...{
        judgement_id: id,
        ordinal,
        judgement_type_id: test.verdict,
        ...end,
        run_time: seconds(test.cpuTimeMs),
      },
    });
  }
}

/** Times in the API are seconds with at most three decimals. */
function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}

function relativeTime(ms: number): string {
  const rest = Math.max(0, Math.round(ms));
  const two = (number: number) => String(Math.floor(number)).padStart(2, "0");
  const part = String(rest % 1000).padStart(3, "0");
  return `${Math.floor(rest / 3_600_000)}:${two(rest / 60_000 % 60)}:${
    two(rest / 1000 % 60)
  }.${part}`;
}

function idOf(name: string): string {
  const plain = name.replaceAll(/[^\w.-]/g, "_").replace(/^[.-]+/, "").slice(0, ID_LENGTH)
    .replace(/\.+$/, "");
  return plain === "" ? "problem" : plain;
}

function languageId(name: string): string {
  return idOf(name.toLowerCase().replaceAll("+", "p").replaceAll("#", "sharp"));
}

/** Names problems as contests do: A, B, …, Z, AA, and so on. */
function letter(index: number): string {
  const rest = Math.floor(index / 26);
  return `${rest > 0 ? letter(rest - 1) : ""}${String.fromCharCode(65 + index % 26)}`;
}

function encoded(name: string): string {
  return encodeURIComponent(name.toWellFormed());
}

function wellFormed(_: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}
