/** Files and folders of a package that are ignored because of a mistake in their names. */

import { nearestHint } from "../../text/yaml_node.ts";
import { isHidden, type PackageFiles } from "./files.ts";

/** What packages have, of which some is for people. */
const KNOWN = [
  ...["problem.yaml", "data", "submissions", "generators", "graders", "include", "attachments"],
  ...["input_validators", "input_format_validators", "output_validators", "output_validator"],
  ...["static_validator", "input_visualizers", "output_visualizer", "output_visualizers"],
  ...["statement", "problem_statement", "solution", "domjudge-problem.ini"],
];

/** Names that look like mistakes and are none. */
const RIGHT = ["input_visualizer", "solutions", "statements", "problem_statements", "generator"];

/** Warns of what is not called as it probably should be. */
export function warnOfStrays(files: PackageFiles): void {
  for (const { name, path } of files.list("") ?? []) {
    if (isHidden(name) || KNOWN.includes(name) || RIGHT.includes(name)) continue;
    const meant = nearestHint(name, KNOWN);
    if (meant !== undefined) files.warn(path, `ignored; ${meant}`);
  }
}
