/** Which options of `isolate judge` go together. */

import { UsageError } from "./complain.ts";
import type { JudgeRequest } from "./judge_options.ts";

/** Refuses options of a search where nothing is searched for. */
export function checkNoStress({ generator, against, tries, firstSeed, into }: JudgeRequest): void {
  const given = { generator, against, tries, "first-seed": firstSeed, into };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    throw new UsageError(
      `Option --${name} is for a search: isolate judge stress PACKAGE --generator=COMMAND`,
    );
  }
}

/** Refuses options that contradict each other. */
export function checkTogether(request: JudgeRequest, submissions: readonly string[]): void {
  if (request.quiet && request.verbose) {
    throw new UsageError("Only one of --quiet and --verbose can be given");
  }
  if (request.noCache && request.cache !== undefined) {
    throw new UsageError("Only one of --cache and --no-cache can be given");
  }
  if (request.check && submissions.length > 0) {
    throw new UsageError("Option --check runs no submissions: name only the package");
  }
  if (request.submissions.length > 0 && submissions.length > 0) {
    throw new UsageError(
      "Option --submissions chooses among those of the package: name only the package",
    );
  }
  if (request.watch && (request.json || request.keep)) {
    const name = request.json ? "json" : "keep";
    throw new UsageError(`Only one of --watch and --${name} can be given`);
  }
  if (request.check && (request.submissions.length > 0 || request.allTests)) {
    const name = request.allTests ? "all-tests" : "submissions";
    throw new UsageError(`Only one of --check and --${name} can be given: it runs no submissions`);
  }
  if (request.language !== undefined && submissions.length === 0) {
    throw new UsageError("Option --language is for submissions: name one after the package");
  }
}
