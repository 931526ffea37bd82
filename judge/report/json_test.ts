import { contestJson, jsonReport } from "isolate/judge/report/json.ts";
import type { JudgeReport, TestResult } from "isolate/judge/types.ts";
import {
  exampleReport,
  HOSTILE,
  hostileReport,
  scoringReport,
  submissionResult,
  testResult,
} from "isolate/tests/support/judge_report.ts";
import { VERDICTS_BEST_FIRST } from "isolate/judge/verdicts.ts";
import { type JsonSchema, schemaErrors } from "isolate/tests/support/json_schema.ts";
import schema from "./report.schema.json" with { type: "json" };
import { assert, assertEquals, assertMatch } from "@std/assert";

const SCHEMA: JsonSchema = schema;

/** A report in which programs ended in every possible way. */
function endingsReport(): JudgeReport {
  const { usage } = testResult("a", "AC", 1).outcome!;
  const outcomes: NonNullable<TestResult["outcome"]>[] = [
    { kind: "interrupted", signal: undefined, usage },
    { kind: "interrupted", signal: 15, usage: { ...usage, controlGroup: undefined } },
    { kind: "memory-limit", ending: { how: "exit", exitCode: 0 }, usage },
    {
      kind: "time-limit",
      limit: "wall",
      killed: false,
      ending: { how: "signal", signal: 9 },
      usage: { ...usage, controlGroup: { peakMemoryKib: undefined, oomKills: 0 } },
    },
    { kind: "output-limit", stream: "stderr", usage },
  ];
  const tests = outcomes.map((outcome, i) => ({ ...testResult(`t/${i}`, "RTE", 1), outcome }));
  return exampleReport({
    submissions: [submissionResult("a.c", tests, { expected: undefined, decidedBy: undefined })],
  });
}

const REPORTS = [exampleReport(), scoringReport(), hostileReport(), endingsReport()];

Deno.test("jsonReport() writes what the schema describes", () => {
  for (const report of REPORTS) {
    assertEquals(schemaErrors(JSON.parse(jsonReport(report)), SCHEMA), []);
  }
});

Deno.test("the schema has the verdicts that there are", () => {
  assertEquals(new Set(schema.$defs.verdict.enum), new Set<string>(VERDICTS_BEST_FIRST));
});

Deno.test("the schema describes nothing else", () => {
  const broken: [string, (report: Record<string, unknown>) => void][] = [
    ["$.version: must be 1", (report) => report.version = 2],
    ["$: must not have extra", (report) => report.extra = 1],
    ["$: must have title", (report) => delete report.title],
    ["$.durationMs: must be >= 0", (report) => report.durationMs = -1],
    ["$.tests[0]: must be string", (report) => report.tests = [1]],
    ["$.kind: must be one of pass-fail,scoring", (report) => report.kind = "other"],
    ["$.submissions[0]: must be object", (report) => report.submissions = [null]],
  ];
  for (const [error, change] of broken) {
    const report = JSON.parse(jsonReport(exampleReport()));
    change(report);
    assertEquals(schemaErrors(report, SCHEMA), [error]);
  }
  const report = JSON.parse(jsonReport(exampleReport()));
  report.submissions[0].tests[0].outcome.kind = "other";
  const errors = schemaErrors(report, SCHEMA);
  assert(errors.includes("$.submissions[0].tests[0].outcome.kind: must be exit"), errors.join());
});

Deno.test("every field in the schema is described", () => {
  /** As much of a schema as is looked at here. */
  interface Part {
    $ref?: string;
    description?: string;
    items?: Part;
    oneOf?: Part[];
    properties?: Record<string, Part>;
    $defs?: Record<string, Part>;
  }
  const schema = SCHEMA as Part;
  let fields = 0;
  const look = (part: Part, path: string): void => {
    for (const [name, property] of Object.entries(part.properties ?? {})) {
      const target = property.$ref ? schema.$defs?.[property.$ref.slice("#/$defs/".length)] : {};
      const described = property.description ?? target?.description;
      assert(described || "const" in property, `${path}.${name} has no description`);
      look(property, `${path}.${name}`);
      fields++;
    }
    for (const one of [...part.oneOf ?? [], ...Object.values(part.$defs ?? {})]) look(one, path);
    if (part.items) look(part.items, path);
  };
  look(schema, "report");
  assert(fields > 60, `only ${fields} fields`);
});

Deno.test("jsonReport() is indented, and well-formed whatever was written", () => {
  const text = jsonReport(hostileReport());
  assertMatch(text, /^\{\n {2}"schema": "isolate-judge-report",\n {2}"version": 1,\n {2}"problem"/);
  assert(text.endsWith("}\n"));
  assertEquals(text.includes("\\ud800"), false);
  assertEquals(JSON.parse(text).title, HOSTILE.toWellFormed());
});

Deno.test("contestJson() writes each report as the schema describes it", () => {
  const text = contestJson({
    contest: "finals",
    problems: [{ name: "a", label: "A", report: exampleReport() }, { name: "b", failure: "no" }],
    unchanged: ["c"],
    interrupted: false,
    startedAt: "2026-03-14T15:09:26.535Z",
    durationMs: 1234,
  });
  const { schema, version, problems, ...rest } = JSON.parse(text);
  assertEquals([schema, version, rest.unchanged], ["isolate-contest-report", 1, ["c"]]);
  const named = { schema: "isolate-judge-report", version: 1, ...problems[0].report };
  assertEquals(schemaErrors(named, SCHEMA), []);
  assertEquals(problems[1], { name: "b", failure: "no" });
});
