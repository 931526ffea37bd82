/** What checks the tests of a package: input validators, and files that they must accept or refuse. */

import type { DataChecks, OutputCheck, ProgramSource, TestCase } from "../types.ts";
import { isHidden, type PackageEntry, type PackageFiles } from "./files.ts";
import { readProgram } from "./programs.ts";

const VALIDATOR_FOLDERS = ["input_validators", "input_format_validators"];

/** Folders of `data` whose tests are for checking validators, not submissions. */
export const FOLDERS_FOR_VALIDATORS: readonly string[] = [
  ...["invalid_answers", "invalid_input", "invalid_inputs", "invalid_output", "invalid_outputs"],
  ...["valid_output", "valid_outputs"],
];

/** Reads what checks the tests. */
export function readDataChecks(files: PackageFiles): DataChecks {
  return {
    inputValidators: VALIDATOR_FOLDERS.flatMap((folder) => readValidators(files, folder)),
    invalidInputs: ["data/invalid_input", "data/invalid_inputs"].flatMap((folder) =>
      inputsIn(files, folder).map(({ test }) => test)
    ),
    outputs: [
      ...readOutputs(files, { folders: ["invalid_output", "invalid_outputs"], isValid: false }),
      ...readOutputs(files, { folders: ["valid_output", "valid_outputs"], isValid: true }),
      ...readOutputs(files, { folders: ["invalid_answers"], isValid: false }),
    ],
  };
}

function readValidators(files: PackageFiles, folder: string): ProgramSource[] {
  return (files.list(folder) ?? []).flatMap((entry) => {
    const { name, path, kind } = entry;
    if (isHidden(name) || /^readme(\.|$)/i.test(name) || /\.(md|txt|h|hpp|yaml)$/i.test(name)) {
      return [];
    }
    if (name.endsWith(".viva")) {
      const reason =
        "cannot be run: VIVA is not supported; write it for checktestdata (.ctd), or " +
        "as a program in any language";
      files.complaints.push(files.error(path, reason).message);
      return [];
    }
    if (kind === "directory" && (files.list(path) ?? []).every(({ name }) => isHidden(name))) {
      files.warn(path, "is empty: it validates nothing");
      return [];
    }
    return [readProgram(files, entry)];
  });
}

/** Finds the inputs of a folder and those below it, each with the files beside it. */
function inputsIn(
  files: PackageFiles,
  folder: string,
): { test: TestCase; beside: ReadonlyMap<string, PackageEntry>; base: string }[] {
  const entries = (files.list(folder) ?? []).filter(({ name }) => !isHidden(name));
  const beside = new Map(entries.map((entry) => [entry.name, entry]));
  return entries.flatMap((entry) => {
    const { name, path, kind } = entry;
    if (kind === "directory") return inputsIn(files, path);
    if (!name.endsWith(".in")) return [];
    const base = name.slice(0, -"in".length);
    const { hostFile } = files.mustBeFile(path, entry);
    const answer = beside.get(`${base}ans`);
    const test: TestCase = {
      name: path.replace(/^data\//, "").replace(/\.in$/, ""),
      inputFile: hostFile,
      answerFile: answer ? files.mustBeFile(answer.path, answer).hostFile : hostFile,
      isSample: false,
    };
    return [{ test, beside, base }];
  });
}

function readOutputs(
  files: PackageFiles,
  { folders, isValid }: { folders: readonly string[]; isValid: boolean },
): OutputCheck[] {
  return folders.flatMap((folder) =>
    inputsIn(files, `data/${folder}`).flatMap(({ test, beside, base }) => {
      // Where there is only an answer, that is what must be refused.
      const output = beside.get(`${base}out`) ?? beside.get(`${base}ans`);
      if (!output) {
        files.warn(`data/${test.name}.in`, `ignored; it has no output ${base}out`);
        return [];
      }
      const { hostFile } = files.mustBeFile(output.path, output);
      return [{ test, outputFile: hostFile, isValid }];
    })
  );
}
