/** Packages in the problem package format: the legacy version, and what later ones share with it. */

import type { YamlNode } from "../../text/yaml_node.ts";
import type { Problem, ProgramSource, TestGroup } from "../types.ts";
import { readConstants } from "./constants.ts";
import { readData } from "./data.ts";
import { readDataChecks } from "./data_checks.ts";
import { nameOf, type PackageFiles } from "./files.ts";
import { readGenerated } from "./generated_data.ts";
import {
  DEFAULT_GROUP,
  type GroupSettings,
  readFlags,
  readGrading,
  readName,
} from "./group_settings.ts";
import { readIncluded } from "./include.ts";
import { type FormatVersion, LIMIT_KEYS, readLimits, readPasses } from "./limits.ts";
import { warnOfStrays } from "./strays.ts";
import { readSubmissions } from "./submissions.ts";
import { readTestGroups } from "./test_groups.ts";
import { findProgram, readValidation, unknownFlags } from "./validators.ts";

const STATIC_VALIDATOR = "static_validator";
const GRADERS = "graders";
/** Folders of programs that draw tests, for people. */
const VISUALIZERS = [
  "input_visualizer",
  "input_visualizers",
  "output_visualizer",
  "output_visualizers",
];

/** The file that makes a folder a package. */
export const PROBLEM_FILE = "problem.yaml";

const VERSIONS: Readonly<Record<string, FormatVersion>> = {
  "legacy": "legacy",
  "legacy-icpc": "legacy",
  "2023-07-draft": "2023-07",
  "2023-07": "2023-07",
  "2025-09": "2025-09",
  "2025-09-draft": "2025-09",
  "draft": "2025-09",
};

/** Keys that say how to judge, and those that only describe the problem. */
const KEYS = [
  ...["problem_format_version", "type", "name", "limits"],
  ...["uuid", "version", "author", "credits", "source", "source_url", "license", "rights_owner"],
  ...["keywords", "embargo_until", "languages", "allow_file_writing", "constants"],
];

/** Keys that versions before 2025-09 have. */
const OLD_KEYS = ["validation", "validator_flags", "grading"];

const TYPES = ["pass-fail", "scoring", "interactive", "multi-pass", "submit-answer"] as const;

const GRADING_KEYS = [
  ...["objective", "show_test_data_groups", "custom_scoring", "on_reject"],
  ...["accept_score", "reject_score", "range", "grader_flags"],
];

/** Reads a package. */
export async function readKattis(files: PackageFiles): Promise<Problem> {
  const node = await files.readYaml(PROBLEM_FILE, { unknownKeys: "warn" });
  const values = readKeys(files, node);
  warnOfStrays(files);
  const version = readVersion(values.get("problem_format_version"));
  files.constants = readConstants(values.get("constants"));
  const types = readTypes(values.get("type"));
  const kind = types.includes("scoring") ? "scoring" : "pass-fail";
  const validation = readValidation(files, values.get("validation"), {
    version,
    types,
    passes: types.includes("multi-pass") ? readPasses(values.get("limits")) : undefined,
  });
  const staticValidator = findProgram(files, STATIC_VALIDATOR);
  const { data, objective } = version === "2025-09"
    ? {
      data: await readTestGroups(files, {
        isScoring: kind === "scoring",
        hasOutputValidator: validation.kind === "custom",
        hasStaticValidator: staticValidator !== undefined,
      }),
      objective: "max" as const,
    }
    : await readOldData(files, values);
  const grader = readGrader(files, data);
  if (staticValidator && !usesStaticValidator(data)) {
    files.warn(STATIC_VALIDATOR, "not run: no test_group.yaml has static_validation_score");
  }
  const wrong = validation.kind === "default" ? unknownFlags(data) : undefined;
  const flags = values.get("validator_flags");
  if (wrong && flags && wrong.group === "") throw flags.error(wrong.reason);
  if (wrong) throw files.error(`data/${wrong.group}`, wrong.reason);
  const givesScores = validation.kind === "custom" && (validation.score || version !== "legacy");
  const scored = { kind, objective, data, givesScores } as const;
  const submissions = await readSubmissions(files, { folder: "submissions", problem: scored });
  for (const folder of VISUALIZERS) {
    if (files.find(folder)) files.warn(folder, "not run: visualizers change no verdict");
  }
  const shortName = nameOf(files.directory);
  const writing = values.get("allow_file_writing");
  const generated = await readGenerated(files);
  return {
    directory: files.directory,
    format: "kattis",
    shortName,
    title: readTitle(values.get("name")) ?? shortName,
    kind,
    objective,
    limits: readLimits(files, values.get("limits"), version),
    validation,
    ...staticValidator && { staticValidator },
    ...grader && { grader },
    ...types.includes("submit-answer") && { acceptsOutputs: true },
    ...!(writing?.truth() ?? version === "legacy") && { forbidsWriting: true },
    included: readIncluded(files),
    checks: { ...readDataChecks(files), ...generated.length > 0 && { generated } },
    languages: readLanguages(values.get("languages")),
    data,
    submissions,
    warnings: files.warnings,
    complaints: files.complaints,
  };
}

/** Reads the keys that the version knows; those of older ones would be taken to count otherwise. */
function readKeys(files: PackageFiles, node: YamlNode): ReadonlyMap<string, YamlNode> {
  const isOld = readVersion(node.entries().get("problem_format_version")) !== "2025-09";
  const values = node.mapping([...KEYS, ...OLD_KEYS, ...LIMIT_KEYS]);
  for (const key of LIMIT_KEYS) {
    const misplaced = values.get(key);
    if (!misplaced) continue;
    files.warnings.push(misplaced.error("ignored; it belongs below limits: indent it").message);
  }
  if (isOld) return values;
  for (const key of OLD_KEYS) {
    const old = values.get(key);
    if (!old) continue;
    throw old.error(
      "is no key since 2025-09: the type, output_validator/ and test_group.yaml say it; remove it",
    );
  }
  return values;
}

/** Reads tests as they were before 2025-09. */
async function readOldData(
  files: PackageFiles,
  values: ReadonlyMap<string, YamlNode>,
): Promise<Pick<Problem, "data" | "objective">> {
  const grading = values.get("grading")?.mapping(GRADING_KEYS) ?? new Map<string, YamlNode>();
  const customScoring = grading.get("custom_scoring");
  if (customScoring?.truth()) {
    throw customScoring.error(
      "must be false: a grader in graders/ is asked where testdata.yaml says grading: custom",
    );
  }
  const validatorFlags = readFlags(values.get("validator_flags"));
  const data = await readData(files, { ...topSettings(grading), validatorFlags });
  return { data, objective: grading.get("objective")?.oneOf(["max", "min"]) ?? "max" };
}

/** Finds the program that grades groups, if any of them wants one. */
function readGrader(files: PackageFiles, data: TestGroup): ProgramSource | undefined {
  const wants = ({ grading, members }: TestGroup): boolean =>
    grading.graderFlags !== undefined ||
    members.some((member) => member.kind === "group" && wants(member.group));
  const grader = findProgram(files, GRADERS);
  if (wants(data)) {
    if (grader) return grader;
    throw files.error(GRADERS, "is missing, but a testdata.yaml says grading: custom");
  }
  if (grader) files.warn(GRADERS, "ignored, as no testdata.yaml says grading: custom");
  return undefined;
}

function usesStaticValidator({ members }: TestGroup): boolean {
  return members.some((member) =>
    member.kind === "group"
      ? usesStaticValidator(member.group)
      : member.test.staticFlags !== undefined
  );
}

function readLanguages(node: YamlNode | undefined): readonly string[] | undefined {
  const words = node?.words() ?? [];
  return words.length === 0 || words.includes("all") ? undefined : words;
}

function readVersion(node: YamlNode | undefined): FormatVersion {
  const text = node?.text() ?? "legacy";
  if (Object.hasOwn(VERSIONS, text)) return VERSIONS[text]!;
  throw node!.mustBe(`one of ${Object.keys(VERSIONS).join(", ")}`);
}

function readTypes(node: YamlNode | undefined): readonly string[] {
  if (node === undefined) return [];
  const types = node.isList
    ? node.list().map((entry) => entry.oneOf(TYPES))
    : node.words().map((word) => TYPES.find((type) => type === word) ?? node.oneOf(TYPES));
  const other = types.find((type) => type === "interactive" || type === "multi-pass");
  if (types.includes("submit-answer") && other) {
    throw node.error(`cannot be both submit-answer and ${other}, which needs a program`);
  }
  if (types.includes("scoring") && types.includes("pass-fail")) {
    throw node.error("cannot be both pass-fail and scoring");
  }
  return types;
}

/** Reads settings that stood in `problem.yaml` before there was a `testdata.yaml`. */
function topSettings(grading: ReadonlyMap<string, YamlNode>): GroupSettings {
  const onReject = grading.get("on_reject")?.oneOf([
    "break",
    "continue",
    "first_error",
    "worst_error",
  ]);
  return {
    ...DEFAULT_GROUP,
    onReject: onReject === "continue" || onReject === "worst_error" ? "continue" : "break",
    grading: readGrading(grading, { above: DEFAULT_GROUP, isTop: true }),
  };
}

/** Reads one title, or one of several languages: English if there is one. */
function readTitle(node: YamlNode | undefined): string | undefined {
  if (!node?.isMapping) return node && readName(node);
  const titles = node.entries();
  const title = titles.get("en") ?? [...titles.values()][0];
  return title && readName(title);
}
