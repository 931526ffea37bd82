/** Writes the reports of `isolate judge`, for each of which a module is loaded. */

import type { ContestReport, HostFiles, JudgeReport } from "../judge/mod.ts";
import { ExpectedError } from "../text/errors.ts";
import { describeError, tell, write } from "./complain.ts";
import type { JudgeRequest } from "./judge_options.ts";

/** The report of a package, or of a contest. */
export type AnyReport =
  | { readonly kind: "package"; readonly report: JudgeReport }
  | { readonly kind: "contest"; readonly report: ContestReport };

/** Finds out before hours of judging that a report cannot be written. */
export function checkReportPlaces(host: HostFiles, { junit, html, clics }: JudgeRequest): void {
  for (
    const [option, path] of [["--junit", junit], ["--html", html], ["--clics", clics]] as const
  ) {
    if (path === undefined) continue;
    const directory = host.absolute(path).replace(/\/[^/]*$/, "") || "/";
    if (host.status(directory)?.kind === "directory") continue;
    throw new ExpectedError(
      `Cannot write the report ${path} (option ${option}): ${directory} is not a directory`,
    );
  }
}

/** Writes all reports that are asked for; gives whether that went well. */
export async function writeReports(
  host: HostFiles,
  given: AnyReport,
  { json, junit, html, clics }: JudgeRequest,
): Promise<boolean> {
  if (json) {
    const { contestJson, jsonReport } = await import("../judge/report/json.ts");
    write(
      Deno.stdout,
      given.kind === "package" ? jsonReport(given.report) : contestJson(given.report),
    );
  }
  let isWritten = true;
  const writeTo = (option: string, path: string, text: string) => {
    try {
      host.write(path, text);
    } catch (error) {
      tell(`Cannot write the report ${path} (option ${option}): ${describeError(error)}`);
      isWritten = false;
    }
  };
  if (junit !== undefined) {
    const { contestJunit, junitReport } = await import("../judge/report/junit.ts");
    const text = given.kind === "package" ? junitReport(given.report) : contestJunit(given.report);
    writeTo("--junit", junit, text);
  }
  if (html !== undefined) {
    const { contestPage, htmlReport } = await import("../judge/report/html.ts");
    const text = given.kind === "package" ? htmlReport(given.report) : contestPage(given.report);
    writeTo("--html", html, text);
  }
  if (clics !== undefined) {
    const { clicsFeed, contestClicsFeed } = await import("../judge/report/clics.ts");
    const text = given.kind === "package"
      ? clicsFeed(given.report)
      : contestClicsFeed(given.report);
    writeTo("--clics", clics, text);
  }
  return isWritten;
}
