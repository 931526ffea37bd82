import { assert, assertEquals } from "@std/assert";
import { setColorEnabled, stripAnsiCode } from "../vendor/std/colors.ts";
import type { JudgeReport, Verdict } from "../judge/types.ts";
import { exampleReport, submissionResult, testResult } from "../tests/support/judge_report.ts";
import { needs, testWith } from "../tests/support/skip.ts";
import { columns } from "../text/columns.ts";
import { verdictMatrix } from "./judge_matrix.ts";

const TESTS = ["sample/1", "sample/2", "secret/a/1", "secret/a/2", "secret/a/3"];

function report(rows: Readonly<Record<string, string>>, tests = TESTS): JudgeReport {
  const verdicts: Readonly<Record<string, Verdict>> = { A: "AC", W: "WA", T: "TLE" };
  const submissions = Object.entries(rows).map(([name, letters]) =>
    submissionResult(
      name,
      [...letters].flatMap((letter, i) =>
        letter === " " ? [] : testResult(tests[i]!, verdicts[letter]!, 1)
      ),
    )
  );
  return exampleReport({ tests, submissions });
}

function plain(report: JudgeReport, width: number): string[] {
  return stripAnsiCode(verdictMatrix(report, width)).split("\n");
}

Deno.test("verdictMatrix() has a row for each submission and a letter for each test", () => {
  assertEquals(plain(report({ "accepted/a.py": "AAAAA", "wrong/b.py": "AAW T" }), 80), [
    "               s… a",
    "accepted/a.py  ✓✓ ✓✓✓",
    "wrong/b.py     ✓✓ W·T",
    "✓ accepted, W wrong answer, T time limit exceeded, · not run",
    "",
  ]);
});

Deno.test("verdictMatrix() shows the worst of neighbouring tests where there is no room", () => {
  const tests = Array.from({ length: 100 }, (_, i) => `secret/${String(i).padStart(2, "0")}`);
  const row = "A".repeat(37) + "W" + "A".repeat(62);
  const [, line, legend] = plain(report({ "a.py": row }, tests), 40);
  assertEquals(line, `a.py  ${"✓".repeat(9)}W${"✓".repeat(15)}`);
  assertEquals(
    legend,
    "✓ accepted, W wrong answer, · not run, a column is the worst of up to 4 tests",
  );
});

Deno.test("verdictMatrix() is never wider than the terminal", () => {
  const rows = { ["long/".repeat(20)]: "AAAAA", "宽/名字.py": "AW" };
  for (let width = 10; width < 60; width++) {
    const lines = plain(report(rows), width).slice(0, -2);
    for (const line of lines) assert(columns(line) <= width, `${line} in ${width} columns`);
  }
  assertEquals(verdictMatrix(report(rows), 5), "");
  assertEquals(verdictMatrix(report({}), 80), "");
});

const wantsColor = needs.that(!Deno.noColor, "NO_COLOR is set");

testWith(
  [wantsColor],
  "verdictMatrix() paints what was expected pale, and what was not bold",
  () => {
    setColorEnabled(true);
    try {
      const [expected, other] = [["WA"], ["AC"]] as const;
      const paint = (expected: readonly Verdict[]) => {
        const { submissions: [one], ...rest } = report({ "a.py": "W" });
        return verdictMatrix({ ...rest, submissions: [{ ...one!, expected }] }, 80).split("\n")[1]!;
      };
      assert(paint(expected).includes("\x1b[2m"), paint(expected));
      assert(paint(other).includes("\x1b[1m"), paint(other));
    } finally {
      setColorEnabled(false);
    }
  },
);
