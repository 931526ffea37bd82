/**
 * Packages in the problem package format: the legacy version, and later ones as far as both agree.
 */

import type { Problem } from "../types.ts";
import { readData } from "./data.ts";
import type { PackageFiles } from "./files.ts";
import { DEFAULT_GROUP, type GroupSettings, readGrading } from "./group_settings.ts";
import { type FormatVersion, readLimits } from "./limits.ts";
import { YamlNode } from "./node.ts";
import { readSubmissions } from "./submissions.ts";
import { readValidation, unknownFlags, type ValidationWish } from "./validators.ts";

/** The file that makes a folder a package. */
export const PROBLEM_FILE = "problem.yaml";

const VERSIONS: Readonly<Record<string, FormatVersion>> = {
  "legacy": "legacy",
  "legacy-icpc": "legacy",
  "2023-07-draft": "2023-07",
  "2023-07": "2023-07",
};

/** Keys that say how to judge, and those that only tell about the problem. */
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
  const warnings: string[] = [];
  const warn = (warning: string) => void warnings.push(warning);
  const node = await YamlNode.read(files, PROBLEM_FILE);
  const values = node.mapping(KEYS, warn);
  warnOfUnsupported(files, values, warn);
  const version = readVersion(values.get("problem_format_version"));
  const types = readTypes(values.get("type"));
  const kind = types.includes("scoring") ? "scoring" : "pass-fail";
  const grading = values.get("grading")?.mapping(GRADING_KEYS, warn) ?? new Map<string, YamlNode>();
  refuseCustomGrader(grading);
  const validatorFlags = values.get("validator_flags");
  const wish = readWish(values.get("validation"), { version, types });
  const validation = readValidation(files, wish, warn);
  const problemFlags = validatorFlags?.words() ?? [];
  const settings = { ...topSettings(grading), validatorFlags: problemFlags };
  const data = await readData(files, { settings, problemFlags, warn });
  const wrong = validation.kind === "default" ? unknownFlags(data) : undefined;
  if (wrong && validatorFlags && wrong.group === "") throw validatorFlags.error(wrong.reason);
  if (wrong) throw files.error(`data/${wrong.group}`, wrong.reason);
  const objective = grading.get("objective")?.oneOf(["max", "min"]) ?? "max";
  const shortName = files.directory.slice(files.directory.lastIndexOf("/") + 1);
  const givesScores = validation.kind === "custom" && (validation.score || version !== "legacy");
  const submissions = readSubmissions(files, {
    folder: "submissions",
    problem: { kind, objective, data, givesScores },
    warn,
  });
  return {
    directory: files.directory,
    format: "kattis",
    shortName,
    title: readTitle(values.get("name")) ?? shortName,
    kind,
    objective,
    limits: readLimits(values.get("limits"), { files, version, unknown: warn }),
    validation,
    data,
    submissions,
    warnings,
  };
}

/** What a package may have that changes what submissions do, and is left out here. */
function warnOfUnsupported(
  files: PackageFiles,
  values: ReadonlyMap<string, YamlNode>,
  warn: (warning: string) => void,
): void {
  if (files.find("include")) {
    warn(`${files.pathFor("include")}: is not supported; submissions are compiled without it`);
  }
  if (files.find("static_validator")) {
    warn(`${files.pathFor("static_validator")}: is not supported; submissions are only run`);
  }
  const constants = values.get("constants");
  if (constants) warn(constants.error("are not supported: {{name}} stays as it is").message);
}

function readVersion(node: YamlNode | undefined): FormatVersion {
  if (node === undefined) return "legacy";
  const text = node.text();
  const version = Object.hasOwn(VERSIONS, text) ? VERSIONS[text] : undefined;
  if (version) return version;
  const known = Object.keys(VERSIONS).join(", ");
  throw node.error(`must be one of ${known}, not ${JSON.stringify(text)}`);
}

function readTypes(node: YamlNode | undefined): readonly string[] {
  if (node === undefined) return [];
  const types = node.isList
    ? node.list().map((entry) => entry.oneOf(TYPES))
    : node.words().map((word) => TYPES.find((type) => type === word) ?? node.oneOf(TYPES));
  for (const type of ["multi-pass", "submit-answer"] as const) {
    if (types.includes(type)) throw node.error(`must not be ${type}: it is not supported`);
  }
  if (types.includes("scoring") && types.includes("pass-fail")) {
    throw node.error("must not be both pass-fail and scoring");
  }
  return types;
}

function readWish(
  node: YamlNode | undefined,
  { version, types }: { version: FormatVersion; types: readonly string[] },
): ValidationWish {
  const interactive = types.includes("interactive");
  const scored = types.includes("scoring");
  if (node === undefined) {
    const isCustom = version === "legacy" && !interactive ? false : undefined;
    return { isCustom, interactive, score: version !== "legacy" && scored };
  }
  const [first, ...more] = node.words();
  const isWrong = first !== "custom" && (first !== "default" || more.length > 0);
  const unknown = more.find((word) => word !== "interactive" && word !== "score");
  if (isWrong || unknown !== undefined) {
    throw node.error(
      "must be default, or custom with interactive or score behind it if they apply, " +
        `not ${JSON.stringify(node.text())}`,
    );
  }
  const score = more.includes("score");
  if (score && !scored) throw node.error("must not have score: only with type: scoring");
  return {
    isCustom: first === "custom",
    interactive: interactive || more.includes("interactive"),
    score,
  };
}

function refuseCustomGrader(grading: ReadonlyMap<string, YamlNode>): void {
  const custom = grading.get("custom_scoring");
  if (custom?.truth()) throw custom.error("must be false: graders of a package are not supported");
}

/** Packages older than `testdata.yaml` had these in `problem.yaml`. */
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

/** One title, or one for each language; English is preferred. */
function readTitle(node: YamlNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (!node.isMapping) return node.text();
  const titles = node.entries();
  return (titles.get("en") ?? [...titles.values()][0])?.text();
}
