/** Output validators of packages. */

import type { ProgramSource, TestGroup, Validation } from "../types.ts";
import { parseFlags } from "../checker/checker_flags.ts";
import type { PackageEntry, PackageFiles } from "./files.ts";
import { isHidden, readProgram } from "./programs.ts";

/** The folder of the legacy version, each entry of which is a program, and that of later ones. */
const LEGACY_FOLDER = "output_validators";
const FOLDER = "output_validator";

/** How a package is validated, by what `problem.yaml` says. */
export interface ValidationWish {
  /** Whether it has a validator of its own; undefined: if there is one. */
  readonly isCustom: boolean | undefined;
  /** It talks with the submission. */
  readonly interactive: boolean;
  /** It gives scores. */
  readonly score: boolean;
}

/** Finds the output validator of a package. */
export function readValidation(
  files: PackageFiles,
  wish: ValidationWish,
  warn: (warning: string) => void,
): Validation {
  const { interactive, score } = wish;
  if (wish.isCustom === false) {
    for (const folder of [LEGACY_FOLDER, FOLDER]) {
      if (programsIn(files, folder).length > 0) {
        warn(`${files.pathFor(folder)}: is not used, as problem.yaml has no validation: custom`);
      }
    }
    return { kind: "default" };
  }
  const program = findValidator(files);
  if (program) return { kind: "custom", interactive, score, program };
  if (wish.isCustom === undefined && !interactive) return { kind: "default" };
  const folder = files.find(FOLDER) ? FOLDER : LEGACY_FOLDER;
  const what = interactive ? "an interactive problem" : "validation: custom";
  throw files.error(
    folder,
    files.find(folder)
      ? `is empty, but ${what} needs a validator in it`
      : `is missing, but ${what} needs a validator in it`,
  );
}

function findValidator(files: PackageFiles): ProgramSource | undefined {
  const entries = programsIn(files, FOLDER);
  const [first] = entries;
  if (first && entries.length === 1) return readProgram(files, first);
  const folder = entries.length > 1 ? files.find(FOLDER) : undefined;
  if (folder) return readProgram(files, folder);
  const [only, ...more] = programsIn(files, LEGACY_FOLDER);
  if (more.length > 0) {
    throw files.error(
      LEGACY_FOLDER,
      `has ${more.length + 1} programs, of which only one is supported; ` +
        "files of one program must be in a folder of their own",
    );
  }
  return only && readProgram(files, only);
}

function programsIn(files: PackageFiles, folder: string): PackageEntry[] {
  return (files.list(folder) ?? []).filter(({ name }) =>
    !isHidden(name) && !/^readme(\.|$)/i.test(name)
  );
}

/** Finds flags that the default validator does not know, so that nobody learns it test by test. */
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
