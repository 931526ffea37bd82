/** Writes the report as JSON; `report.schema.json` describes it. */

import type { ContestReport } from "../contest/types.ts";
import type { JudgeReport } from "../types.ts";

/**
 * Writes a report as JSON: the fields of {@linkcode JudgeReport}, after `schema` and `version`. The
 * version changes when a field changes its meaning or goes away.
 */
export function jsonReport(report: JudgeReport): string {
  return toJson({ schema: "isolate-judge-report", version: 1, ...report });
}

/**
 * Writes the report of a contest as JSON: the fields of {@linkcode ContestReport}, after `schema` and
 * `version`. Each `report` in it is as {@linkcode jsonReport} writes it, without those two.
 */
export function contestJson(report: ContestReport): string {
  return toJson({ schema: "isolate-contest-report", version: 1, ...report });
}

function toJson(value: unknown): string {
  const wellFormed = (_: string, value: unknown) =>
    typeof value === "string" ? value.toWellFormed() : value;
  return JSON.stringify(value, wellFormed, 2) + "\n";
}
