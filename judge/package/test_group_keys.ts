/** The keys of a `test_group.yaml`, which groups of tests have since version 2025-09. */

import type { YamlNode } from "../../text/yaml_node.ts";
import type { TestGroup } from "../types.ts";
import { readFlags, readInputFlags } from "./group_settings.ts";

/** Keys that only scoring problems have. */
export const SCORE_KEYS = ["max_score", "score_aggregation", "require_pass"] as const;

/** All keys. */
export const TEST_GROUP_KEYS: readonly string[] = [
  ...SCORE_KEYS,
  ...["static_validation_score", "static_validator_args", "args", "full_feedback"],
  ...["input_validator_args", "output_validator_args"],
  ...["input_visualizer_args", "output_visualizer_args"],
];

const SCORE_MAX = 1e12;

/** What the settings of tests depend on. */
export interface GroupedProblem {
  readonly isScoring: boolean;
  readonly hasOutputValidator: boolean;
  readonly hasStaticValidator: boolean;
}

/** Arguments, which groups have from those above them unless they have their own. */
export type Arguments = Pick<TestGroup, "args" | "validatorFlags" | "inputFlags">;

/** Reads how much the static validation of a group is worth; undefined: there is none. */
export function readStaticScore(
  values: ReadonlyMap<string, YamlNode>,
  { hasStaticValidator }: Pick<GroupedProblem, "hasStaticValidator">,
): number | "pass-fail" | undefined {
  const node = values.get("static_validation_score");
  const args = values.get("static_validator_args");
  if (!node) {
    if (args) throw args.error("needs static_validation_score beside it");
    return undefined;
  }
  if (!hasStaticValidator) throw node.error("needs a program in the folder static_validator");
  if (node.text() === "pass-fail") return "pass-fail";
  return node.number({
    min: 0,
    max: SCORE_MAX,
    what: "pass-fail, or the score of the static validation, such as 10",
  });
}

/** Reads arguments; those that are not there are those of the folder above. */
export function readArguments(values: ReadonlyMap<string, YamlNode>, above: Arguments): Arguments {
  const [args, flags] = [values.get("args"), values.get("output_validator_args")];
  const inputFlags = values.get("input_validator_args");
  return {
    ...above,
    ...args && { args: readFlags(args) },
    ...flags && { validatorFlags: readFlags(flags) },
    ...inputFlags && { inputFlags: readInputFlags(inputFlags) },
  };
}

/** Reads the highest score of a group. */
export function readMax(node: YamlNode | undefined): number | undefined {
  if (node?.text() === "unbounded") return Infinity;
  return node?.number({
    min: 0,
    max: SCORE_MAX,
    isWhole: true,
    what: "the highest score, a whole number such as 40, or unbounded",
  });
}
