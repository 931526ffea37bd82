/** `isolate judge new FOLDER`: makes a problem package to start from. */

import { HostFiles, NEW_PACKAGE_KINDS, newPackage } from "../judge/mod.ts";
import { Sandbox } from "../mod.ts";
import { nearest } from "../text/suggest.ts";
import { UsageError, write } from "./complain.ts";
import type { JudgeRequest } from "./judge_options.ts";

/** Makes a package in a folder, and says what to do next. */
export async function makePackage(
  { kind = "pass-fail" }: JudgeRequest,
  [folder, ...more]: readonly string[],
): Promise<number> {
  if (folder === undefined || more.length > 0) {
    throw new UsageError("judge new needs one folder: isolate judge new FOLDER [--kind=KIND]");
  }
  const known = NEW_PACKAGE_KINDS.find((one) => one === kind);
  if (known === undefined) {
    const meant = nearest(kind, NEW_PACKAGE_KINDS);
    const hint = meant === undefined
      ? `one of ${NEW_PACKAGE_KINDS.join(", ")}`
      : `did you mean ${meant}?`;
    throw new UsageError(`Unknown kind of package: ${kind} (${hint})`);
  }
  newPackage(new HostFiles(await Sandbox.withoutBoxes()), folder, { kind: known });
  write(Deno.stdout, `Made ${folder}. Verify it with: isolate judge ${folder}\n`);
  return 0;
}
