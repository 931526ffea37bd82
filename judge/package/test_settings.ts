/** Settings of a single test: the YAML file beside its input. */

import type { TestCase } from "../types.ts";
import type { PackageFiles } from "./files.ts";
import { readFlags, readInputFlags } from "./group_settings.ts";

/** Settings that change how a test is judged. */
export type TestSettings = Pick<TestCase, "args" | "validatorFlags" | "inputFlags">;

const KEYS = [
  ...["args", "input_validator_args", "output_validator_args", "output_validator_flags"],
  ...["input_visualizer_args", "output_visualizer_args", "full_feedback", "hint", "description"],
];

/** Reads the settings of a test; those that are not there are those of its group. */
export async function readTestSettings(
  files: PackageFiles,
  { path, problemFlags }: { path: string; problemFlags: readonly string[] },
): Promise<TestSettings> {
  const node = await files.readYaml(path, { unknownKeys: "warn" });
  const values = node.mapping(KEYS);
  const args = values.get("args");
  const flags = values.get("output_validator_args") ?? values.get("output_validator_flags");
  const inputFlags = values.get("input_validator_args");
  return {
    ...args && { args: readFlags(args) },
    ...flags && { validatorFlags: [...problemFlags, ...readFlags(flags)] },
    ...inputFlags && { inputFlags: readInputFlags(inputFlags) },
  };
}
