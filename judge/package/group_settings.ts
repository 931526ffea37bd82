/** How a group of tests is judged: `testdata.yaml` of the problem package format. */

import { nearest } from "../../text/suggest.ts";
import type { GroupGrading, TestGroup } from "../types.ts";
import { parseNumber, type UnknownKeys, type YamlNode } from "./node.ts";

/** How a group is judged. */
export type GroupSettings = Pick<TestGroup, "onReject" | "grading" | "validatorFlags">;

/** How a group is judged where nothing is written. */
export const DEFAULT_GROUP: GroupSettings = {
  onReject: "break",
  grading: {
    verdictMode: "worst_error",
    scoreMode: "sum",
    ignoreSample: false,
    acceptIfAnyAccepted: false,
    acceptScore: 1,
    rejectScore: 0,
    range: [-Infinity, Infinity],
  },
  validatorFlags: [],
};

const KEYS = [
  ...["on_reject", "grading", "grader_flags", "accept_score", "reject_score", "range"],
  ...["output_validator_flags", "input_validator_flags"],
  ...["output_validator_args", "input_validator_args", "full_feedback", "hint", "description"],
];

/** Keys that say how scores are found in a way that is not that of the legacy version. */
const UNSUPPORTED_KEYS = ["scoring", "static_validation", "args"];

const VERDICT_MODES = ["first_error", "worst_error", "always_accept"] as const;
const SCORE_MODES = ["sum", "avg", "min", "max"] as const;
const FLAGS = [...VERDICT_MODES, ...SCORE_MODES, "ignore_sample", "accept_if_any_accepted"];

/** What a group's settings are read with. */
export interface GroupReading {
  /** The settings of the group above. */
  readonly above: GroupSettings;
  /** The flags that come first, from `problem.yaml`. */
  readonly problemFlags: readonly string[];
  /** Whether it is the topmost group. */
  readonly isTop: boolean;
  /** What is done about unknown keys. */
  readonly unknown: UnknownKeys;
}

/** Reads the settings of a group. What it does not say is as in the group above. */
export function readGroupSettings(node: YamlNode, reading: GroupReading): GroupSettings {
  const { above, problemFlags, unknown } = reading;
  const values = node.mapping([...KEYS, ...UNSUPPORTED_KEYS], unknown);
  for (const key of UNSUPPORTED_KEYS) {
    const unsupported = values.get(key);
    if (unsupported && unsupported.value !== "false") {
      throw unsupported.error("is not supported, only what the legacy version of the format has");
    }
  }
  if (values.get("grading")?.oneOf(["default", "custom"]) === "custom") {
    throw values.get("grading")!.error("must be default: graders of a package are not supported");
  }
  const flags = values.get("output_validator_flags") ?? values.get("output_validator_args");
  return {
    onReject: values.get("on_reject")?.oneOf(["break", "continue"]) ?? above.onReject,
    grading: readGrading(values, reading),
    validatorFlags: flags
      ? [...problemFlags, ...validatorFlags(flags, unknown)]
      : above.validatorFlags,
  };
}

/** Text, or a mapping that names the validator: there is one. */
function validatorFlags(node: YamlNode, unknown: UnknownKeys): string[] {
  if (!node.isMapping) return node.words();
  return node.mapping(["name", "flags"], unknown).get("flags")?.words() ?? [];
}

/** Reads scores and grader flags. */
export function readGrading(
  values: ReadonlyMap<string, YamlNode>,
  { above, isTop }: Pick<GroupReading, "above" | "isTop">,
): GroupGrading {
  const grading: { -readonly [Key in keyof GroupGrading]: GroupGrading[Key] } = {
    ...above.grading,
    // Of the topmost group alone: below, it would leave out a group of tests.
    ignoreSample: false,
  };
  const flags = values.get("grader_flags");
  if (flags) Object.assign(grading, readFlags(flags, isTop));
  grading.acceptScore = score(values.get("accept_score")) ?? grading.acceptScore;
  grading.rejectScore = score(values.get("reject_score")) ?? grading.rejectScore;
  const range = values.get("range");
  if (range) grading.range = readRange(range);
  return grading;
}

function readFlags(node: YamlNode, isTop: boolean): Partial<GroupGrading> {
  const found: { -readonly [Key in keyof GroupGrading]?: GroupGrading[Key] } = {
    ...pick("verdictMode", DEFAULT_GROUP.grading),
    ...pick("scoreMode", DEFAULT_GROUP.grading),
    acceptIfAnyAccepted: false,
  };
  for (const flag of node.words()) {
    const verdictMode = VERDICT_MODES.find((mode) => mode === flag);
    const scoreMode = SCORE_MODES.find((mode) => mode === flag);
    if (verdictMode) found.verdictMode = verdictMode;
    else if (scoreMode) found.scoreMode = scoreMode;
    else if (flag === "accept_if_any_accepted") found.acceptIfAnyAccepted = true;
    else if (flag === "ignore_sample" && isTop) found.ignoreSample = true;
    else if (flag === "ignore_sample") {
      throw node.error("must not have ignore_sample: it is for data/testdata.yaml alone");
    } else {
      const meant = nearest(flag, FLAGS);
      const hint = meant ? `did you mean ${meant}?` : `known are ${FLAGS.join(", ")}`;
      throw node.error(`has the unknown flag ${JSON.stringify(flag)}; ${hint}`);
    }
  }
  return found;
}

function pick<Key extends keyof GroupGrading>(key: Key, grading: GroupGrading) {
  return { [key]: grading[key] } as Pick<GroupGrading, Key>;
}

function score(node: YamlNode | undefined): number | undefined {
  return node?.number({ min: -1e12, max: 1e12, what: "a score, a number such as 10" });
}

function readRange(node: YamlNode): readonly [number, number] {
  const [low, high, ...more] = node.words().map((word) =>
    /^[+-]?inf(inity)?$/i.test(word)
      ? (word.startsWith("-") ? -Infinity : Infinity)
      : parseNumber(word)
  );
  if (low === undefined || high === undefined || more.length > 0 || low > high) {
    throw node.error("must be two numbers, the lowest and the highest score, such as 0 100");
  }
  return [low, high];
}
