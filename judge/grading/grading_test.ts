import { assertEquals } from "@std/assert";
import { type Grades, Grading, testNames } from "./grading.ts";
import type { GroupGrading, GroupMember, TestGroup, TestResult, Verdict } from "../types.ts";

const DEFAULT: GroupGrading = {
  verdictMode: "worst_error",
  scoreMode: "sum",
  ignoreSample: false,
  acceptIfAnyAccepted: false,
  acceptScore: 1,
  rejectScore: 0,
  range: [-Infinity, Infinity],
};

interface GroupOptions extends Partial<GroupGrading> {
  onReject?: TestGroup["onReject"];
}

function group(name: string, members: GroupMember[], options: GroupOptions = {}): TestGroup {
  const { onReject = "break", ...grading } = options;
  return { name, onReject, grading: { ...DEFAULT, ...grading }, validatorFlags: [], members };
}

function test(name: string): GroupMember {
  const path = `/data/${name}`;
  return {
    kind: "test",
    test: { name, inputFile: `${path}.in`, answerFile: `${path}.ans`, isSample: false },
  };
}

function inner(...args: Parameters<typeof group>): GroupMember {
  return { kind: "group", group: group(...args) };
}

function result(test: string, verdict: Verdict, score?: number): TestResult {
  return { test, verdict, message: `of ${test}`, cpuTimeMs: 1, wallTimeMs: 1, memoryKib: 1, score };
}

type Verdicts = Record<string, Verdict | readonly [Verdict, number]>;

/** Runs tests one by one, as long as there are any; gives also the names of those that were run. */
function grade(
  data: TestGroup,
  verdicts: Verdicts,
  kind: "pass-fail" | "scoring" = "scoring",
): { grades: Grades; run: string[] } {
  const grading = new Grading({ data, kind });
  const run: string[] = [];
  for (let planned; (planned = grading.next());) {
    const given = verdicts[planned.test.name] ?? "AC";
    run.push(planned.test.name);
    const [verdict, score] = typeof given === "string" ? [given, undefined] : given;
    grading.add(planned, result(planned.test.name, verdict, score));
  }
  assertEquals(grading.isComplete, true);
  return { grades: grading.conclude(), run };
}

const THREE = [test("1"), test("2"), test("3")];

Deno.test("all tests accepted is accepted, with the sum of the scores", () => {
  const { grades, run } = grade(group("", THREE), {});
  assertEquals(run, ["1", "2", "3"]);
  assertEquals([grades.verdict, grades.score, grades.decidedBy], ["AC", 3, undefined]);
});

Deno.test("a pass-fail problem has no scores", () => {
  const { grades } = grade(group("", THREE), {}, "pass-fail");
  const scores = [grades, grades.groups[0]!, ...grades.tests].map(({ score }) => score);
  assertEquals(scores, new Array(5).fill(undefined));
});

Deno.test("break leaves out what comes after the first rejected test", () => {
  const { grades, run } = grade(group("", THREE), { 2: "WA", 3: "RTE" });
  assertEquals(run, ["1", "2"]);
  assertEquals([grades.verdict, grades.decidedBy?.test], ["WA", "2"]);
  assertEquals(grades.groups[0], {
    group: "",
    verdict: "WA",
    score: 1,
    testsRun: 2,
    testsSkipped: 1,
  });
});

Deno.test("a submission that is not accepted has no score", () => {
  assertEquals(grade(group("", THREE), { 3: "TLE" }).grades.score, undefined);
});

Deno.test("continue goes on, and the worst error decides", () => {
  const data = group("", THREE, { onReject: "continue" });
  const { grades, run } = grade(data, { 1: "WA", 2: "RTE", 3: "TLE" });
  assertEquals(run, ["1", "2", "3"]);
  assertEquals([grades.verdict, grades.decidedBy?.test], ["RTE", "2"]);
});

Deno.test("errors from the worst to the mildest: JE, RTE, MLE, TLE, OLE, WA", () => {
  const order: Verdict[] = ["JE", "RTE", "MLE", "TLE", "OLE", "WA"];
  for (let i = 0; i + 1 < order.length; i++) {
    const data = group("", [test("1"), test("2")], { onReject: "continue" });
    const { grades } = grade(data, { 1: order[i + 1]!, 2: order[i]! });
    assertEquals(grades.verdict, order[i]);
  }
});

Deno.test("first_error takes the first error", () => {
  const data = group("", THREE, { onReject: "continue", verdictMode: "first_error" });
  const { grades } = grade(data, { 2: "WA", 3: "RTE" });
  assertEquals([grades.verdict, grades.decidedBy?.test], ["WA", "2"]);
});

Deno.test("always_accept accepts, but never an error of the judge", () => {
  const data = group("", THREE, { onReject: "continue", verdictMode: "always_accept" });
  const accepted = grade(data, { 1: "WA", 2: "RTE" }).grades;
  assertEquals([accepted.verdict, accepted.score], ["AC", 1]);
  assertEquals(grade(data, { 1: "WA", 3: "JE" }).grades.verdict, "JE");
});

Deno.test("accept_if_any_accepted accepts if any member is", () => {
  const data = group("", THREE, { onReject: "continue", acceptIfAnyAccepted: true });
  assertEquals(grade(data, { 1: "WA", 3: "WA" }).grades.verdict, "AC");
  assertEquals(grade(data, { 1: "WA", 2: "TLE", 3: "WA" }).grades.verdict, "TLE");
});

Deno.test("scores: sum, avg, min, max, without noise of binary fractions", () => {
  const scores: Verdicts = { 1: ["AC", 0.1], 2: ["AC", 0.2], 3: ["AC", 0.6] };
  const score = (scoreMode: GroupGrading["scoreMode"]) =>
    grade(group("", THREE, { scoreMode }), scores).grades.score;
  assertEquals([score("sum"), score("avg"), score("min"), score("max")], [0.9, 0.3, 0.1, 0.6]);
});

Deno.test("a group's accept_score and reject_score serve where the validator gives no score", () => {
  const options = { onReject: "continue", verdictMode: "always_accept" } as const;
  const data = group("", THREE, { ...options, acceptScore: 10, rejectScore: -1 });
  const { grades } = grade(data, { 1: ["AC", 2.5], 2: "WA" });
  assertEquals(grades.score, 11.5);
  assertEquals(grades.tests.map(({ score }) => score), [2.5, -1, 10]);
});

Deno.test("a rejected group stops its parent where that breaks", () => {
  const data = group("", [inner("a", [test("a1"), test("a2")]), inner("b", [test("b1")])]);
  const { grades, run } = grade(data, { a1: "WA" });
  assertEquals(run, ["a1"]);
  assertEquals(grades.groups.map(({ group }) => group), ["", "a"]);
});

Deno.test("a rejected group leaves the others alone where the parent continues", () => {
  const members = [inner("a", [test("a1"), test("a2")]), inner("b", [test("b1")])];
  const data = group("", members, { onReject: "continue", verdictMode: "always_accept" });
  const { grades, run } = grade(data, { a1: "WA" });
  assertEquals(run, ["a1", "b1"]);
  assertEquals([grades.verdict, grades.score], ["AC", 1]);
  assertEquals(grades.groups.map(({ verdict }) => verdict), ["AC", "WA", "AC"]);
});

Deno.test("ignore_sample leaves the samples out of verdict and score", () => {
  const members = [inner("sample", [test("s1")]), inner("secret", [test("1"), test("2")])];
  const options = { onReject: "continue", ignoreSample: true } as const;
  const { grades } = grade(group("", members, options), { s1: "WA" });
  assertEquals([grades.verdict, grades.score], ["AC", 2]);
  const stopped = grade(group("", members, { ...options, onReject: "break" }), { s1: "WA" });
  assertEquals([stopped.run, stopped.grades.verdict], [["s1"], "WA"]);
});

Deno.test("a group without tests changes nothing", () => {
  const members = [inner("sample", []), inner("secret", [test("1")])];
  const { grades } = grade(group("", members, { scoreMode: "min" }), {});
  assertEquals([grades.verdict, grades.score], ["AC", 1]);
});

Deno.test("a score that a group cannot have is reported", () => {
  const data = group("", [inner("a", [test("1")], { range: [0, 5] })]);
  assertEquals(grade(data, { 1: ["AC", 7] }).grades.warnings, [
    "Group a has the score 7, which is not in 0 to 5",
  ]);
});

Deno.test("missing tests decide nothing about the submission", () => {
  const grading = new Grading({ data: group("", THREE), kind: "scoring" });
  grading.add(grading.next()!, result("1", "AC"));
  const { verdict, message, score, tests, isComplete } = grading.conclude();
  assertEquals([verdict, message, score, tests.length, isComplete], [
    "JE",
    "Judging was interrupted after 1 of 3 tests",
    undefined,
    1,
    false,
  ]);
});

Deno.test("a test after one that fails is not needed any more", () => {
  const grading = new Grading({ data: group("", THREE), kind: "pass-fail" });
  const [first, second, third] = [grading.next()!, grading.next()!, grading.next()!];
  grading.add(third, result("3", "RTE"));
  assertEquals([grading.isNeeded(first), grading.isNeeded(second)], [true, true]);
  grading.add(first, result("1", "WA"));
  assertEquals([grading.isNeeded(second), grading.isComplete], [false, true]);
  assertEquals(grading.conclude().decidedBy?.test, "1");
});

/** A reproducible source of numbers below `n`. */
function randomSource(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * n);
  };
}

function randomGroup(
  random: (n: number) => number,
  { name, depth }: { name: string; depth: number },
): TestGroup {
  const members = Array.from({ length: random(4) + (depth === 0 ? 1 : 0) }, (_, i) => {
    const path = `${name}/${i}`;
    return depth < 3 && random(3) === 0
      ? { kind: "group" as const, group: randomGroup(random, { name: path, depth: depth + 1 }) }
      : test(path);
  });
  return group(depth === 0 ? "" : name, members, {
    onReject: random(2) ? "break" : "continue",
    verdictMode: (["worst_error", "first_error", "always_accept"] as const)[random(3)]!,
    scoreMode: (["sum", "avg", "min", "max"] as const)[random(4)]!,
    acceptIfAnyAccepted: random(4) === 0,
    ignoreSample: depth === 0 && random(4) === 0,
  });
}

Deno.test("many at once in any order give what one by one gives, and run no test less", () => {
  const all: Verdict[] = ["AC", "AC", "AC", "WA", "TLE", "RTE", "JE"];
  for (let seed = 0; seed < 3000; seed++) {
    const random = randomSource(seed);
    const data = randomGroup(random, { name: "d", depth: 0 });
    const results = testNames(data).map((name) => result(name, all[random(all.length)]!));
    const oneByOne = new Grading({ data, kind: "scoring" });
    for (let planned; (planned = oneByOne.next());) {
      oneByOne.add(planned, results[planned.index]!);
    }
    const expected = oneByOne.conclude();
    const many = new Grading({ data, kind: "scoring" });
    const running = [];
    for (;;) {
      while (running.length < 4) {
        const planned = many.next();
        if (!planned) break;
        running.push(planned);
      }
      const [ended] = running.splice(random(running.length), 1);
      if (!ended) break;
      many.add(ended, results[ended.index]!);
    }
    assertEquals(many.isComplete, true);
    assertEquals(many.conclude(), expected);
  }
});

/** A group that counts only as a whole. */
function whole(name: string, points: number, requires?: string[]): GroupMember {
  const tests = ["1", "2"].map((test_) => test(`${name}/${test_}`));
  const options = {
    verdictMode: "first_error",
    scoreMode: "pass-fail",
    acceptScore: 0,
    range: [0, points],
  } as const;
  const member = group(name, tests, options);
  return { kind: "group", group: requires ? { ...member, requires } : member };
}

const REQUIRING = group("", [
  whole("a", 10),
  whole("b", 20),
  whole("c", 30, ["a", "b"]),
  whole("d", 40, ["c"]),
  whole("e", 50, ["a"]),
], { onReject: "continue", verdictMode: "first_error", scoresRejected: true });

Deno.test("a group is judged only if those that it requires are accepted", () => {
  const { grades, run } = grade(REQUIRING, { "b/1": "WA" });
  assertEquals(run, ["a/1", "a/2", "b/1", "e/1", "e/2"]);
  assertEquals([grades.verdict, grades.score, grades.decidedBy?.test], ["WA", 60, "b/1"]);
  assertEquals(
    grades.groups.map(({ group, verdict, score, testsSkipped }) =>
      `${group} ${verdict} ${score} ${testsSkipped}`
    ),
    [" WA 60 5", "a AC 10 0", "b WA 0 1", "c WA 0 2", "d WA 0 2", "e AC 50 0"],
  );
  assertEquals(grade(REQUIRING, {}).grades.score, 150);
});

Deno.test("results of a group that turns out to be blocked do not count, whatever their order", () => {
  const grading = new Grading({ data: REQUIRING, kind: "scoring" });
  const planned = Array.from({ length: 10 }, () => grading.next()!);
  for (const one of planned.toReversed()) {
    const { name } = one.test;
    grading.add(one, result(name, name === "a/2" ? "RTE" : name === "d/1" ? "WA" : "AC"));
  }
  const { verdict, score, decidedBy, tests } = grading.conclude();
  assertEquals([verdict, score, decidedBy?.test], ["RTE", 20, "a/2"]);
  assertEquals(tests.map(({ test }) => test), ["a/1", "a/2", "b/1", "b/2"]);
});
