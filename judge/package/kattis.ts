/** Packages in the problem package format: the legacy version, and what later ones share with it. */

import type { YamlNode } from "../../text/yaml_node.ts";
import type { Problem } from "../types.ts";
import { readData } from "./data.ts";
import { readDataChecks } from "./data_checks.ts";
import { nameOf, type PackageFiles } from "./files.ts";
import {
  DEFAULT_GROUP,
  type GroupSettings,
  readFlags,
  readGrading,
  readName,
} from "./group_settings.ts";
import { readIncluded } from "./include.ts";
import { type FormatVersion, readLimits } from "./limits.ts";
import { readSubmissions } from "./submissions.ts";
import { readValidation, unknownFlags } from "./validators.ts";

/** The file that makes a folder a package. */
export const PROBLEM_FILE = "problem.yaml";

const VERSIONS: Readonly<Record<string, FormatVersion>> = {
  "legacy": "legacy",
  "legacy-icpc": "legacy",
  "2023-07-draft": "2023-07",
  "2023-07": "2023-07",
};

/** Keys that say how to judge, and those that only describe the problem. */
const KEYS = [
  ...["problem_format_version", "type", "name", "limits"],
  ...["validation", "validator_flags", "grading"],
  ...["uuid", "version", "author", "credits", "source", "source_url", "license", "rights_owner"],
  ...["keywords", "embargo_until", "languages", "allow_file_writing", "constants"],
];

const TYPES = ["pass-fail", "scoring", "interactive", "multi-pass", "submit-answer"] as const;

const GRADING_KEYS = [
  ...["objective", "show_test_data_groups", "custom_scoring", "on_reject"],
  ...["accept_score", "reject_score", "range", "grader_flags"],
];

/** Reads a package. */
export async function readKattis(files: PackageFiles): Promise<Problem> {
  const values = (await files.readYaml(PROBLEM_FILE, { unknownKeys: "warn" })).mapping(KEYS);
  warnOfUnsupported(files, values);
  const version = readVersion(values.get("problem_format_version"));
  const types = readTypes(values.get("type"));
  const kind = types.includes("scoring") ? "scoring" : "pass-fail";
  const grading = values.get("grading")?.mapping(GRADING_KEYS) ?? new Map<string, YamlNode>();
  const customScoring = grading.get("custom_scoring");
  if (customScoring?.truth()) {
    throw customScoring.error("must be false: custom graders are not supported");
  }
  const validation = readValidation(files, values.get("validation"), { version, types });
  const flags = values.get("validator_flags");
  const settings = { ...topSettings(grading), validatorFlags: readFlags(flags) };
  const data = await readData(files, settings);
  const wrong = validation.kind === "default" ? unknownFlags(data) : undefined;
  if (wrong && flags && wrong.group === "") throw flags.error(wrong.reason);
  if (wrong) throw files.error(`data/${wrong.group}`, wrong.reason);
  const objective = grading.get("objective")?.oneOf(["max", "min"]) ?? "max";
  const givesScores = validation.kind === "custom" && (validation.score || version !== "legacy");
  const scored = { kind, objective, data, givesScores } as const;
  const submissions = await readSubmissions(files, { folder: "submissions", problem: scored });
  const shortName = nameOf(files.directory);
  return {
    directory: files.directory,
    format: "kattis",
    shortName,
    title: readTitle(values.get("name")) ?? shortName,
    kind,
    objective,
    limits: readLimits(files, values.get("limits"), version),
    validation,
    included: readIncluded(files),
    checks: readDataChecks(files),
    languages: readLanguages(values.get("languages")),
    data,
    submissions,
    warnings: files.warnings,
    complaints: files.complaints,
  };
}

function readLanguages(node: YamlNode | undefined): readonly string[] | undefined {
  const words = node?.words() ?? [];
  return words.length === 0 || words.includes("all") ? undefined : words;
}

/** Warns of parts that would change how submissions are compiled or judged. */
function warnOfUnsupported(files: PackageFiles, values: ReadonlyMap<string, YamlNode>): void {
  const without = {
    static_validator: "submissions are only run",
  };
  for (const [path, what] of Object.entries(without)) {
    if (files.find(path)) files.warn(path, `not supported: ${what}`);
  }
  const writing = values.get("allow_file_writing");
  if (writing && !writing.truth()) {
    files.warnings.push(
      writing.error(
        "not enforced: a submission may write, into a folder of its own that each test empties",
      )
        .message,
    );
  }
  const constants = values.get("constants");
  if (constants) {
    files.warnings.push(constants.error("not supported: {{name}} is left as it is").message);
  }
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
  for (const type of ["multi-pass", "submit-answer"] as const) {
    if (types.includes(type)) throw node.error(`${type} is not supported`);
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
