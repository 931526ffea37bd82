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
  /** How often a submission runs on a test at most; undefined: once. */
  readonly passes?: number | undefined;
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
  const { passes } = problem;
  const [program, ...more] = findValidators(files);
  if (more.length > 0 && (interactive || passes !== undefined)) {
    throw files.error(
      LEGACY_FOLDER,
      `has ${more.length + 1} programs, but only one can talk to a submission or give it another ` +
        "input; the files of one program belong in a folder of their own",
    );
  }
  if (program) {
    return {
      kind: "custom",
      interactive,
      score,
      program,
      ...more.length > 0 && { more },
      ...passes !== undefined && { passes },
    };
  }
  if (isCustom === undefined && !interactive && passes === undefined) return { kind: "default" };
  const folder = files.find(FOLDER) ?? files.find(LEGACY_FOLDER);
  const what = interactive
    ? "an interactive problem"
    : passes === undefined
    ? "validation: custom"
    : "a multi-pass problem";
  throw files.error(
    folder?.path ?? LEGACY_FOLDER,
    `is ${folder ? "empty" : "missing"}, but ${what} needs a validator in it`,
  );
}

/** Reads which kind of validator is asked for; `isCustom` is undefined where its folder decides. */
function readRequest(node: YamlNode | undefined, { version, types, passes }: ProblemType) {
  const interactive = types.includes("interactive");
  const scoring = types.includes("scoring");
  if (node === undefined) {
    const isCustom = version === "legacy" && !interactive && passes === undefined
      ? false
      : undefined;
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

/** Finds the output validators: one program, or in older versions several. */
function findValidators(files: PackageFiles): ProgramSource[] {
  const program = findProgram(files, FOLDER);
  if (program) return [program];
  return programsIn(files, LEGACY_FOLDER)
    // What other programs include.
    .filter(({ kind, name }) => kind === "directory" || !/\.(h|hh|hpp|md|txt)$/i.test(name))
    .map((entry) => readProgram(files, entry));
}

/** Finds the only program of a folder, whose files may be in the folder itself. */
export function findProgram(files: PackageFiles, folder: string): ProgramSource | undefined {
  const entries = programsIn(files, folder);
  const entry = entries.length > 1 ? files.find(folder) : entries[0];
  return entry && readProgram(files, entry);
}

function programsIn(files: PackageFiles, folder: string): PackageEntry[] {
  return (files.list(folder) ?? []).filter(({ name }) =>
    !isHidden(name) && !/^readme(\.|$)/i.test(name)
  );
}

/** Finds flags that the default validator does not know, before a test needs them. */
export function unknownFlags(group: TestGroup): { group: string; reason: string } | undefined {
  const reason = wrongFlags(group.validatorFlags);
  if (reason !== undefined) return { group: group.name, reason };
  for (const member of group.members) {
    if (member.kind === "group") {
      const found = unknownFlags(member.group);
      if (found) return found;
    } else {
      const { name, validatorFlags = [] } = member.test;
      const reason = wrongFlags(validatorFlags);
      if (reason !== undefined) return { group: `${name}.yaml`, reason };
    }
  }
  return undefined;
}

function wrongFlags(flags: readonly string[]): string | undefined {
  try {
    parseFlags(flags);
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return error.message;
  }
}
