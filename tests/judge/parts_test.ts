/** Parts of a package, and all of its tests. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { partOfProblem } from "isolate/judge/mod.ts";
import { needsJudge, resultOf, SUM, withPackage } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

const FILES = {
  ...SUM,
  "data/secret/3.in": "0 0\n",
  "data/secret/3.ans": "0\n",
  "submissions/accepted/sum.sh": "read a b; echo $((a + b))\n",
  "submissions/wrong_answer/first.sh": "read a b; [ $a = 1 ] && echo 0 || echo $((a + b))\n",
  "submissions/wrong_answer/second.sh": "read a b; [ $a = 20 ] && exit 1; echo $((a + b + 1))\n",
};

testWith(needsJudge, "all tests are run on request, and change no verdict", async () => {
  await withPackage(FILES, async (judge) => {
    const stops = await judge.judge({ verify: true, jobs: 1 });
    const all = await judge.judge({ verify: true, allTests: true });
    for (const name of ["wrong_answer/first.sh", "wrong_answer/second.sh"]) {
      const [one, other] = [resultOf(stops, name), resultOf(all, name)];
      assertEquals([one.verdict, one.decidedBy], [other.verdict, other.decidedBy]);
      assertEquals(one.tests.map(({ test, isExtra }) => [test, isExtra]), [
        ["secret/1", undefined],
      ]);
      assertEquals(other.tests.map(({ test, isExtra }) => [test, isExtra]), [
        ["secret/1", undefined],
        ["secret/2", true],
        ["secret/3", true],
      ]);
    }
    const verdicts = resultOf(all, "wrong_answer/second.sh").tests.map(({ verdict }) => verdict);
    assertEquals(verdicts, ["WA", "RTE", "WA"]);
    const events = judge.events.filter((event) => event.kind === "test");
    assertEquals(events.length, 9);
    assert(events.every(({ done, total }) => done <= total && total === 3));
    assertEquals(all.interrupted, false);
  });
});

testWith(needsJudge, "judging that is interrupted while all tests run says so", async () => {
  await withPackage(FILES, async (judge) => {
    const controller = new AbortController();
    const report = await judge.judge({
      allTests: true,
      jobs: 1,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.kind !== "test" || event.submission !== "wrong_answer/first.sh") return;
        if (event.result.test === "secret/2") controller.abort();
      },
    });
    assertEquals(report.interrupted, true);
  });
});

testWith(needsJudge, "a submission that should fail may pass some of the tests", async () => {
  await withPackage(FILES, async (judge) => {
    const { problem } = await judge.judge({ submissions: [] })
      .then(() => judge.events.find((event) => event.kind === "start")!);
    const part = partOfProblem(problem, { tests: ["secret/3"] });
    const report = await judge.judge({
      problem: part,
      submissions: part.submissions,
      verify: true,
    });
    assertEquals(report.complaints, []);
    assertEquals(report.submissions.map(({ verdict, tests }) => [verdict, tests.length]), [
      ["AC", 1],
      ["AC", 1],
      ["WA", 1],
    ]);
  });
});

testWith(needsJudge, "the time limit of a part comes from the whole package", async () => {
  const slow = "read a b; i=0; while [ $a = 20 ] && [ $i -lt 50000 ]; do i=$((i + 1)); done\n" +
    "echo $((a + b))\n";
  await withPackage({
    ...FILES,
    "problem.yaml": "name: Sum\nlimits:\n  time_multipliers: {ac_to_time_limit: 10}\n" +
      "  time_resolution: 0.01\nproblem_format_version: 2023-07-draft\n",
    "submissions/accepted/slow.sh": slow,
  }, async (judge) => {
    const whole = await judge.judge({ verify: true });
    const { problem } = judge.events.find((event) => event.kind === "start")!;
    const part = partOfProblem(problem, { submissions: ["wrong_answer"], tests: ["secret/1"] });
    const report = await judge.judge({
      problem: part,
      submissions: part.submissions,
      verify: true,
    });
    for (const { timeLimitSource } of [whole, report]) {
      assertMatch(timeLimitSource, /accepted\/slow\.sh \(.* on secret\/2\)/);
    }
    assertEquals(report.submissions.length, 2);
    // What only gives the time is neither announced nor reported.
    const told = judge.events.filter((event) => event.kind === "judged");
    assertEquals(told.length, 2);
    assertEquals(report.complaints, []);
  });
});
