import { contestJunit, junitReport } from "isolate/judge/report/junit.ts";
import {
  exampleReport,
  HOSTILE,
  hostileReport,
  scoringReport,
  submissionResult,
  testResult,
} from "isolate/tests/support/judge_report.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";
import { visibleLines } from "isolate/text/visible.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

/** What a parser of XML, not ours, makes of a text: suites with their cases. */
async function parse(xml: string): Promise<
  { name: string; failures: string; cases: { name: string; problem: string; text: string }[] }[]
> {
  const program = `
import json, sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
assert root.tag == "testsuites", root.tag
def case(one):
    problem = [child for child in one if child.tag != "system-out"]
    return {
        "name": one.get("name"),
        "problem": problem[0].tag if problem else "",
        "text": "".join((child.get("message") or "") + (child.text or "") for child in one),
    }
print(json.dumps([{
    "name": suite.get("name"),
    "failures": suite.get("failures"),
    "cases": [case(one) for one in suite.iter("testcase")],
} for suite in root.iter("testsuite")]))
`;
  const child = new Deno.Command("python3", {
    args: ["-c", program],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(xml));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  assert(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

const parser = needs.command("python3");

testWith([parser], "there is a suite for each submission, a case for each test", async () => {
  const report = exampleReport();
  const suites = await parse(junitReport(report));
  assertEquals(
    suites.map(({ name }) => name),
    report.submissions.map(({ submission }) => submission),
  );
  for (const suite of suites) {
    assertEquals(suite.cases.map(({ name }) => name), [...report.tests], suite.name);
  }
});

testWith([parser], "only an unexpected verdict has failed", async () => {
  const suites = await parse(junitReport(exampleReport()));
  for (const { name, failures, cases } of suites) {
    const failed = cases.filter(({ problem }) => problem === "failure");
    assertEquals(failed.length, name === "accepted/Main.java" ? 1 : 0, name);
    assertEquals(Number(failures), failed.length, name);
    for (const { name, text } of failed) {
      assertEquals(name, "secret/group2/04-large");
      assertStringIncludes(text, "expected accepted, got wrong answer");
      assertStringIncludes(text, 'Line 4, word 2: expected "1729", got "1730"');
    }
  }
  const main = suites.find(({ name }) => name === "accepted/Main.java")!;
  assertEquals(main.cases.filter(({ problem }) => problem === "skipped").length, 4);
});

testWith([parser], "where no test decided, the verdict itself has failed", async () => {
  const tests = exampleReport().tests;
  const wrong = submissionResult(
    "wrong_answer/right.c",
    tests.map((test) => testResult(test, "AC", 1)),
    {
      expected: ["WA"],
      asExpected: false,
    },
  );
  const [suite] = await parse(junitReport(exampleReport({ submissions: [wrong] })));
  const last = suite!.cases.at(-1)!;
  assertEquals([last.name, last.problem], ["verdict", "failure"]);
  assertStringIncludes(last.text, "expected wrong answer, got accepted");
  assertEquals(suite!.cases.length, tests.length + 1);
});

testWith([parser], "an error of the judge is an error, not a failure", async () => {
  const broken = submissionResult("accepted/a.c", [testResult("sample/1", "JE", 1)], {
    expected: ["AC"],
    asExpected: false,
  });
  const [suite] = await parse(junitReport(exampleReport({ submissions: [broken] })));
  assertEquals(suite!.cases[0]!.problem, "error");
  assertEquals(suite!.failures, "0");
});

testWith([parser], "hostile texts do not change the XML", async () => {
  const suites = await parse(junitReport(hostileReport()));
  const harmless = visibleLines(HOSTILE);
  assertEquals(suites.map(({ name }) => name), [harmless, harmless]);
  assertStringIncludes(suites[0]!.cases[0]!.text, harmless);
  assertEquals((await parse(junitReport(scoringReport()))).length, 1);
});

Deno.test("times are seconds, and add up", () => {
  const xml = junitReport(exampleReport());
  const times = (element: string) =>
    [...xml.matchAll(new RegExp(`<${element} [^>]*time="(\\d+\\.\\d{3})"`, "g"))]
      .map(([, time]) => Number(time));
  const sum = (values: number[]) => values.reduce((one, other) => one + other, 0);
  const [all] = times("testsuites");
  assert(Math.abs(sum(times("testsuite")) - all!) < 0.02);
  assert(Math.abs(sum(times("testcase")) - all!) < 0.2);
  assertMatch(xml, /timestamp="2026-03-14T15:09:26"/);
});

Deno.test("a contest has the suites of all packages, and an error for one that is wrong", () => {
  const { submissions } = exampleReport();
  const text = contestJunit({
    contest: "finals",
    problems: [
      { name: "taxicab", report: exampleReport() },
      { name: "broken", failure: "broken/problem.yaml:1: name: is missing" },
    ],
    unchanged: [],
    interrupted: false,
    startedAt: "2026-03-14T15:09:26.535Z",
    durationMs: 1234,
  });
  assertEquals(text.match(/<testsuite name="taxicab: /g)?.length, submissions.length);
  assertMatch(text, /<testsuite name="broken" tests="1" failures="0" errors="1"/);
  assertStringIncludes(
    text,
    '<error message="broken/problem.yaml:1: name: is missing" type="error">',
  );
});
