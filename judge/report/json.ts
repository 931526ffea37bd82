/** Writes the report as JSON; `report.schema.json` describes it. */

import type { JudgeReport } from "../types.ts";

/**
 * Writes a report as JSON: the fields of {@linkcode JudgeReport}, after `schema` and `version`. The
 * version changes when a field changes its meaning or goes away.
 */
export function jsonReport(report: JudgeReport): string {
  const named = { schema: "isolate-judge-report", version: 1, ...report };
  const wellFormed = (_: string, value: unknown) =>
    typeof value === "string" ? value.toWellFormed() : value;
  return JSON.stringify(named, wellFormed, 2) + "\n";
}
