/** How a group of tests is judged: `testdata.yaml` of the problem package format. */

import { nearestHint, parseNumber, type YamlNode } from "../../text/yaml_node.ts";
import type { GroupGrading, TestGroup } from "../types.ts";

/** How a group is judged. */
export type GroupSettings = Pick<
  TestGroup,
  "onReject" | "grading" | "validatorFlags" | "inputFlags" | "args"
>;

/** How a group is judged by default. */
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
  ...["args", "input_visualizer_args", "output_visualizer_args"],
];

/** Keys of later versions that change how scores are computed. */
const UNSUPPORTED_KEYS = ["scoring", "static_validation"];

const FLAGS_MAX = 256;
const FLAGS_LENGTH_MAX = 16 * 1024;
const NAME_LENGTH_MAX = 1000;

const VERDICT_MODES = ["first_error", "worst_error", "always_accept"] as const;
const SCORE_MODES = ["sum", "avg", "min", "max"] as const;
/** Another name of the default. */
const NO_ERRORS = "no_errors";
const FLAGS = [
  NO_ERRORS,
  ...VERDICT_MODES,
  ...SCORE_MODES,
  "ignore_sample",
  "accept_if_any_accepted",
];

/** What a group's settings depend on. */
export interface GroupContext {
  /** The settings of the group above. */
  readonly above: GroupSettings;
  /** Flags from `problem.yaml`, which come before those of a group. */
  readonly problemFlags: readonly string[];
  /** Whether it is the topmost group. */
  readonly isTop: boolean;
}

/** Reads the settings of a group; where they are silent, those of the group above hold. */
export function readGroupSettings(
  node: YamlNode | undefined,
  context: GroupContext,
): GroupSettings {
  const { above, problemFlags } = context;
  const values = node?.mapping([...KEYS, ...UNSUPPORTED_KEYS]) ?? new Map<string, YamlNode>();
  for (const key of UNSUPPORTED_KEYS) {
    const unsupported = values.get(key);
    if (unsupported && unsupported.value !== "false") {
      throw unsupported.error(
        "is not supported, as its meaning has changed since; problem_format_version: 2025-09 has " +
          "score_aggregation, max_score and static_validation_score",
      );
    }
  }
  const flags = values.get("output_validator_flags") ?? values.get("output_validator_args");
  const inputFlags = values.get("input_validator_flags") ?? values.get("input_validator_args");
  const args = values.get("args");
  return {
    ...above.args && { args: above.args },
    ...args && { args: readFlags(args) },
    inputFlags: inputFlags ? readInputFlags(inputFlags) : above.inputFlags,
    onReject: values.get("on_reject")?.oneOf(["break", "continue"]) ?? above.onReject,
    grading: readGrading(values, context),
    validatorFlags: flags ? [...problemFlags, ...validatorFlags(flags)] : above.validatorFlags,
  };
}

/** Reads flags for all input validators, for the one that is named, or for each by its name. */
export function readInputFlags(node: YamlNode): Record<string, readonly string[]> {
  if (!node.isMapping) return { "*": readFlags(node) };
  const entries = node.entries();
  const [name, flags] = [entries.get("name"), entries.get("flags")];
  if (name && flags && entries.size === 2) return { [name.text()]: readFlags(flags) };
  return Object.fromEntries([...entries].map(([name, flags]) => [name, readFlags(flags)]));
}

/** Reads flags, or a mapping that also names the validator, of which there is only one. */
function validatorFlags(node: YamlNode): string[] {
  if (!node.isMapping) return readFlags(node);
  return readFlags(node.mapping(["name", "flags"]).get("flags"));
}

/** Reads the arguments of a validator. Each group has them all, so there are not too many. */
export function readFlags(node: YamlNode | undefined): string[] {
  const words = node?.words() ?? [];
  const length = words.reduce((sum, word) => sum + word.length, 0);
  if (words.length <= FLAGS_MAX && length <= FLAGS_LENGTH_MAX) return words;
  throw node!.error(
    `has ${words.length} words with ${length} characters: at most ${FLAGS_MAX} words with ` +
      `${FLAGS_LENGTH_MAX} characters are allowed`,
  );
}

/** Reads a name or title that people see. */
export function readName(node: YamlNode): string {
  const text = node.text();
  if (text.length <= NAME_LENGTH_MAX) return text;
  throw node.error(`is longer than ${NAME_LENGTH_MAX} characters: it has ${text.length}`);
}

/** Reads scores and grader flags. */
export function readGrading(
  values: ReadonlyMap<string, YamlNode>,
  { above, isTop }: Pick<GroupContext, "above" | "isTop">,
): GroupGrading {
  const flags = values.get("grader_flags");
  const range = values.get("range");
  const { acceptScore, rejectScore, ignoreSample } = above.grading;
  const kind = values.get("grading");
  const isCustom = kind?.isMapping === false
    ? kind.oneOf(["default", "custom"]) === "custom"
    : above.grading.graderFlags !== undefined;
  const { graderFlags = [], ...inherited } = above.grading;
  if (isCustom) {
    return {
      ...inherited,
      graderFlags: flags ? readFlags(flags) : graderFlags,
      acceptScore: score(values.get("accept_score")) ?? acceptScore,
      rejectScore: score(values.get("reject_score")) ?? rejectScore,
      ...range && { range: readRange(range) },
    };
  }
  return {
    ...inherited,
    // Below the topmost group it would leave out a group of tests.
    ignoreSample: isTop && ignoreSample,
    ...flags && readGraderFlags(flags, isTop),
    acceptScore: score(values.get("accept_score")) ?? acceptScore,
    rejectScore: score(values.get("reject_score")) ?? rejectScore,
    ...range && { range: readRange(range) },
  };
}

function readGraderFlags(node: YamlNode, isTop: boolean): Partial<GroupGrading> {
  const { verdictMode, scoreMode } = DEFAULT_GROUP.grading;
  const words = node.words();
  for (const word of words) {
    if (!FLAGS.includes(word)) {
      const hint = nearestHint(word, FLAGS) ?? `known flags: ${FLAGS.join(", ")}`;
      throw node.error(`unknown flag ${JSON.stringify(word)}; ${hint}`);
    }
    if (word === "ignore_sample" && !isTop) {
      throw node.error("ignore_sample is allowed only in data/testdata.yaml");
    }
  }
  const last = <Mode extends string>(modes: readonly Mode[]) =>
    modes.find((mode) => mode === words.findLast((word) => modes.some((mode) => mode === word)));
  return {
    verdictMode: last(VERDICT_MODES) ?? verdictMode,
    scoreMode: last(SCORE_MODES) ?? scoreMode,
    acceptIfAnyAccepted: words.includes("accept_if_any_accepted"),
    ignoreSample: words.includes("ignore_sample"),
  };
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
