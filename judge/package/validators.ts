/** Output validators of packages in the problem package format. */

import type { ProgramSource, TestGroup, Validation } from "../types.ts";
import { parseFlags } from "../checker/checker_flags.ts";
import type { YamlNode } from "../../text/yaml_node.ts";
import { isHidden, type PackageEntry, type PackageFiles } from "./files.ts";
import type { FormatVersion } from "./limits.ts";
import { readProgram } from "./programs.ts";

/** The folder of the legacy version, each entry of which is a program, and that of later ones. */
const LEGACY_FOLDER = "output_validators";
const FOLDER = "output_validator";

/** What `problem.yaml` says of the version and the type. */
export interface ProblemType {
  readonly version: FormatVersion;
  /** Words such as `scoring` and `interactive`. */
  readonly types: readonly string[];
}

/** Reads `validation` of a `problem.yaml`, and finds the output validator. */
export function readValidation(
  files: PackageFiles,
  node: YamlNode | undefined,
  problem: ProblemType,
): Validation {
  const { isCustom, interactive, score } = readRequest(node, problem);
  if (isCustom === false) {
    for (const folder of [LEGACY_FOLDER, FOLDER]) {
      if (programsIn(files, folder).length === 0) continue;
      files.warn(folder, "ignored, as problem.yaml does not say validation: custom");
    }
    return { kind: "default" };
  }
  const program = findValidator(files);
  if (program) return { kind: "custom", interactive, score, program };
  if (isCustom === undefined && !interactive) return { kind: "default" };
  const folder = files.find(FOLDER) ?? files.find(LEGACY_FOLDER);
  const what = interactive ? "an interactive problem" : "validation: custom";
  throw files.error(
    folder?.path ?? LEGACY_FOLDER,
    `is ${folder ? "empty" : "missing"}, but ${what} needs a validator in it`,
  );
}

/** Reads which kind of validator is asked for; `isCustom` is undefined where its folder decides. */
function readRequest(node: YamlNode | undefined, { version, types }: ProblemType) {
  const interactive = types.includes("interactive");
  const scoring = types.includes("scoring");
  if (node === undefined) {
    const isCustom = version === "legacy" && !interactive ? false : undefined;
    return { isCustom, interactive, score: version !== "legacy" && scoring };
  }
  const [first, ...more] = node.words();
  const isCustom = first === "custom";
  const isWrong = more.some((word) => !isCustom || (word !== "interactive" && word !== "score"));
  if (isWrong || (!isCustom && first !== "default")) {
    throw node.mustBe("default, or custom with optional interactive and score");
  }
  const score = more.includes("score");
  if (score && !scoring) throw node.error("score needs type: scoring");
  return { isCustom, interactive: interactive || more.includes("interactive"), score };
}

function findValidator(files: PackageFiles): ProgramSource | undefined {
  const entries = programsIn(files, FOLDER);
  const entry = entries.length > 1 ? files.find(FOLDER) : entries[0];
  if (entry) return readProgram(files, entry);
  const [only, ...more] = programsIn(files, LEGACY_FOLDER);
  if (more.length === 0) return only && readProgram(files, only);
  throw files.error(
    LEGACY_FOLDER,
    `has ${more.length + 1} programs, but only one is supported; the files of one program belong ` +
      "in a folder of their own",
  );
}

function programsIn(files: PackageFiles, folder: string): PackageEntry[] {
  return (files.list(folder) ?? []).filter(({ name }) =>
    !isHidden(name) && !/^readme(\.|$)/i.test(name)
  );
}

/** Finds flags that the default validator does not know, before a test needs them. */
export function unknownFlags(group: TestGroup): { group: string; reason: string } | undefined {
  try {
    parseFlags(group.validatorFlags);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { group: group.name, reason: error.message };
  }
  for (const member of group.members) {
    const found = member.kind === "group" ? unknownFlags(member.group) : undefined;
    if (found) return found;
  }
  return undefined;
}
