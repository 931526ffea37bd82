/** The report as JSON; `report.schema.json` describes it. */

import type { JudgeReport } from "../types.ts";

/** What the field `schema` says. */
export const REPORT_SCHEMA = "isolate-judge-report";
/** What the field `version` says; another one if a field changes its meaning or goes away. */
export const REPORT_VERSION = 1;

/** Writes a report as JSON: the fields of {@linkcode JudgeReport}, after `schema` and `version`. */
export function jsonReport(report: JudgeReport): string {
  const named = { schema: REPORT_SCHEMA, version: REPORT_VERSION, ...report };
  const wellFormed = (_: string, value: unknown) =>
    typeof value === "string" ? value.toWellFormed() : value;
  return JSON.stringify(named, wellFormed, 2) + "\n";
}
