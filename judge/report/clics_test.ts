import { clicsFeed, contestClicsFeed } from "isolate/judge/report/clics.ts";
import type { ContestReport } from "isolate/judge/mod.ts";
import {
  exampleReport,
  HOSTILE,
  hostileReport,
  scoringReport,
} from "isolate/tests/support/judge_report.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";

interface Event {
  type: string;
  id: string;
  token: string;
  data: Record<string, unknown> & { id: string };
}

const ABSOLUTE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const RELATIVE = /^([1-9]\d*)?\d:[0-5]\d:[0-5]\d\.\d{3}$/;
const ID = /^\w([\w.-]{0,34}[\w-])?$/;

function events(text: string): Event[] {
  assert(text.endsWith("\n"));
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

function contest(more: Partial<ContestReport> = {}): ContestReport {
  return {
    contest: "finals",
    problems: [
      { name: "taxicab", label: "X", report: exampleReport() },
      { name: "other", report: scoringReport() },
      { name: "broken", failure: "no" },
    ],
    unchanged: [],
    interrupted: false,
    startedAt: "2026-03-14T15:00:00.000Z",
    durationMs: 1e6,
    ...more,
  };
}

Deno.test("clicsFeed() has a judgement for each submission, and a run for each test", () => {
  const report = exampleReport();
  const all = events(clicsFeed(report));
  const of = (type: string) => all.filter((event) => event.type === type).map(({ data }) => data);
  assertEquals(
    of("judgements").map(({ judgement_type_id }) => judgement_type_id),
    report.submissions.map(({ verdict }) => verdict),
  );
  const runs = report.submissions.flatMap(({ tests }) => tests);
  assertEquals(
    of("runs").map(({ judgement_type_id, run_time }) => [judgement_type_id, run_time]),
    runs.map(({ verdict, cpuTimeMs }) => [verdict, Math.round(cpuTimeMs) / 1000]),
  );
  assertEquals(of("problems").map(({ label, time_limit }) => [label, time_limit]), [["A", 2]]);
  const types = new Set(of("judgement-types").map(({ id }) => id));
  assert(report.submissions.every(({ verdict }) => types.has(verdict)));
});

Deno.test("clicsFeed() writes ids, times and references as the API wants them", () => {
  for (const report of [exampleReport(), scoringReport(), hostileReport()]) {
    const all = events(clicsFeed(report));
    const known = new Map<string, Set<string>>();
    for (const [i, { type, id, token, data }] of all.entries()) {
      assertEquals([id, token], [data.id, `${i + 1}`]);
      assertMatch(id, ID);
      const own = known.get(type) ?? new Set();
      assert(!own.has(id), `${type} ${id} is there twice`);
      known.set(type, own.add(id));
      for (const [key, value] of Object.entries(data)) {
        if (/(^|_)contest_time$/.test(key)) assertMatch(String(value), RELATIVE);
        else if (/(^|_)time$/.test(key) && !key.includes("run")) {
          assertMatch(String(value), ABSOLUTE);
        }
        // Whatever is named was there before.
        const target = /^(language|problem|team|submission|judgement)_id$/.exec(key)?.[1];
        if (target) assert(known.get(`${target}s`)?.has(String(value)), `${key} ${value}`);
      }
    }
  }
});

Deno.test("clicsFeed() says when a submission was judged", () => {
  const report = exampleReport();
  const [first, ...others] = report.submissions;
  const timed = { ...first!, startMs: 1500, endMs: 3_661_250 };
  const all = events(clicsFeed({ ...report, submissions: [timed, ...others] }));
  const { data } = all.find(({ type }) => type === "judgements")!;
  assertEquals([data.start_contest_time, data.end_contest_time], ["0:00:01.500", "1:01:01.250"]);
  assertEquals([data.start_time, data.end_time], [
    "2026-03-14T15:09:28.035Z",
    "2026-03-14T16:10:27.785Z",
  ]);
});

Deno.test("clicsFeed() has no verdict for what was broken off", () => {
  const report = exampleReport();
  const submissions = [{ ...report.submissions[0]!, verdict: "JE" as const }];
  const judgement = (interrupted: boolean) =>
    events(clicsFeed({ ...report, submissions, interrupted }))
      .find(({ type }) => type === "judgements")!.data;
  assertEquals(judgement(false).judgement_type_id, "JE");
  const { judgement_type_id, end_time } = judgement(true);
  assertEquals([judgement_type_id, end_time], [null, null]);
});

Deno.test("contestClicsFeed() has all problems, whatever they are called", () => {
  const of = (report: ContestReport) =>
    events(contestClicsFeed(report)).filter(({ type }) => type === "problems")
      .map(({ data: { id, label, ordinal } }) => [id, label, ordinal]);
  assertEquals(of(contest()), [["taxicab", "X", 0], ["taxicab-2", "B", 1]]);
  const odd = ["../..", HOSTILE, "x".repeat(100)].map((problem, i) => ({
    name: `${i}`,
    report: exampleReport({ problem }),
  }));
  for (const [id] of of(contest({ problems: odd }))) assertMatch(String(id), ID);
});
