/** The table of all submissions and all tests of `isolate judge`: a letter for each verdict. */

import * as colors from "../vendor/std/colors.ts";
import type { JudgeReport, SubmissionResult, TestResult, Verdict } from "../judge/types.ts";
import { VERDICTS, VERDICTS_BEST_FIRST } from "../judge/verdicts.ts";
import { columns, cutToColumns, padToColumns } from "../text/columns.ts";
import { visibleText } from "../text/visible.ts";
import { paintVerdict } from "./judge_table.ts";

const NAME_WIDTH_MAX = 30;
const NOT_RUN = "·";

/** Neighbouring tests of one group that share a column. */
interface TestColumn {
  readonly group: string;
  readonly tests: readonly string[];
}

/**
 * Lays out a row for each submission and a column for each test. Where that is too wide, neighbouring
 * tests of a group share a column, which shows the worst of their verdicts. Without room it is empty.
 */
export function verdictMatrix(report: JudgeReport, width: number): string {
  const { submissions, tests } = report;
  const names = submissions.map(({ submission }) => columns(visibleText(submission)));
  const nameWidth = Math.min(NAME_WIDTH_MAX, Math.floor(width / 2), Math.max(0, ...names));
  const room = width - nameWidth - 3;
  const shared = columnsOf(tests, room);
  if (!shared || submissions.length === 0) return "";
  const { list, testsMax } = shared;
  const gap = (i: number) => i > 0 && list[i - 1]!.group !== list[i]!.group ? " " : "";
  const rows = submissions.map((result) => {
    const run = new Map(result.tests.map((test) => [test.test, test]));
    const cells = list.map((column, i) => gap(i) + cell(column, { run, result }));
    const name = cutToColumns(visibleText(result.submission), nameWidth);
    return `${padToColumns(name, nameWidth)}  ${cells.join("")}`;
  });
  const head = `${" ".repeat(nameWidth)}  ${heads(list)}`;
  return [head.trimEnd(), ...rows, legend(report, testsMax), ""].join("\n");
}

/** Spreads the tests over as few columns as there is room for; undefined: there is no room. */
function columnsOf(
  tests: readonly string[],
  room: number,
): { list: TestColumn[]; testsMax: number } | undefined {
  const groups = new Map<string, string[]>();
  for (const test of tests) {
    const group = test.slice(0, Math.max(0, test.lastIndexOf("/")));
    const own = groups.get(group);
    if (own) own.push(test);
    else groups.set(group, [test]);
  }
  const free = room - (groups.size - 1);
  if (groups.size === 0 || free < groups.size) return undefined;
  for (let testsMax = Math.ceil(tests.length / free);; testsMax++) {
    const list = [...groups].flatMap(([group, all]) =>
      Array.from({ length: Math.ceil(all.length / testsMax) }, (_, i) => ({
        group,
        tests: all.slice(i * testsMax, (i + 1) * testsMax),
      }))
    );
    if (list.length <= free) return { list, testsMax };
  }
}

function cell({ tests }: TestColumn, { run, result }: {
  run: ReadonlyMap<string, TestResult>;
  result: SubmissionResult;
}): string {
  const known = tests.flatMap((test) => run.get(test) ?? []);
  const worst = known.reduce<TestResult | undefined>(
    (worst, one) => worst && rank(worst.verdict) >= rank(one.verdict) ? worst : one,
    undefined,
  );
  if (!worst) return colors.dim(NOT_RUN);
  const { verdict } = worst;
  const isExpected = verdict === "AC" || (result.expected?.includes(verdict) ?? false);
  return paintVerdict(verdict, letterOf(verdict), { isExpected });
}

function rank(verdict: Verdict): number {
  return VERDICTS_BEST_FIRST.indexOf(verdict);
}

function letterOf(verdict: Verdict): string {
  return verdict === "AC" ? "✓" : verdict[0]!;
}

/** Names the groups above their columns, as far as there is room. */
function heads(list: readonly TestColumn[]): string {
  const widths = new Map<string, number>();
  for (const { group } of list) widths.set(group, (widths.get(group) ?? 0) + 1);
  return [...widths].map(([group, width]) => {
    const name = visibleText(group);
    // The end tells groups apart.
    const short = columns(name) <= width ? name : visibleText(group.split("/").at(-1)!);
    return padToColumns(columns(short) <= width ? short : cutToColumns(short, width), width);
  }).join(" ");
}

function legend({ submissions }: JudgeReport, testsMax: number): string {
  const seen = new Set(submissions.flatMap(({ tests }) => tests.map(({ verdict }) => verdict)));
  const words = VERDICTS_BEST_FIRST.filter((verdict) => seen.has(verdict))
    .map((verdict) => `${letterOf(verdict)} ${VERDICTS[verdict].name}`);
  words.push(`${NOT_RUN} not run`);
  if (testsMax > 1) words.push(`a column is the worst of up to ${testsMax} tests`);
  return colors.dim(words.join(", "));
}
