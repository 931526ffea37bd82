/** The file `submissions.yaml`: what submissions must get, test by test, by patterns of their names. */

import { nearestHint, type YamlNode } from "../../text/yaml_node.ts";
import type { Submission, TestExpectation, Verdict } from "../types.ts";
import { PackageError } from "./errors.ts";
import type { PackageFiles } from "./files.ts";
import { matchesBelow } from "./glob.ts";

/** The file's name in the folder of submissions. */
export const SUBMISSIONS_FILE = "submissions.yaml";

/** The format knows four verdicts, which cover all of ours. */
const VERDICTS: Readonly<Record<string, readonly Verdict[]>> = {
  AC: ["AC"],
  WA: ["WA"],
  TLE: ["TLE", "OLE"],
  RTE: ["RTE", "MLE", "OLE"],
};

const RULE_KEYS = ["permitted", "required", "score", "message", "use_for_time_limit"];
const INFO_KEYS = ["authors", "model_solution"];
const KEYS = [...RULE_KEYS, ...INFO_KEYS, "language", "entrypoint"];

/** What a pattern says of the submissions that it matches. */
export interface SubmissionRule {
  /** The pattern. */
  readonly pattern: string;
  /** The language by code. */
  readonly language?: string | undefined;
  /** The main file or class. */
  readonly entrypoint?: string | undefined;
  /** Whether their times count for the time limit, and as what; undefined: as usual. */
  readonly forTimeLimit?: Submission["forTimeLimit"];
  readonly score?: readonly [number, number] | undefined;
  readonly expectations: readonly TestExpectation[];
}

/** Reads the file; what is wrong in it is a complaint about the package, and judging goes on. */
export async function readSubmissionsFile(
  files: PackageFiles,
  folder: string,
): Promise<SubmissionRule[]> {
  const path = `${folder}/${SUBMISSIONS_FILE}`;
  if (!files.find(path)) return [];
  try {
    const node = await files.readYaml(path, { unknownKeys: "warn" });
    return [...node.entries()].map(([pattern, rule]) => readRule(pattern, rule));
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    files.complaints.push(error.message);
    return [];
  }
}

function readRule(pattern: string, node: YamlNode): SubmissionRule {
  const values = node.entries();
  const expectations: TestExpectation[] = [];
  const own = readExpectation(values, undefined);
  if (own) expectations.push(own);
  for (const [key, value] of values) {
    if (KEYS.includes(key)) continue;
    if (!value.isMapping) {
      const hint = nearestHint(key, KEYS) ?? `known keys: ${KEYS.join(", ")}, and groups of tests`;
      throw value.error(`unknown key; ${hint}`);
    }
    const rule = readExpectation(value.mapping(RULE_KEYS), key);
    if (rule) expectations.push(rule);
  }
  const use = values.get("use_for_time_limit");
  return {
    pattern,
    language: values.get("language")?.text(),
    entrypoint: values.get("entrypoint")?.text(),
    score: readScore(values.get("score")),
    ...use && { forTimeLimit: readUse(use) },
    expectations,
  };
}

function readUse(node: YamlNode): Submission["forTimeLimit"] {
  const word = node.text().toLowerCase();
  if (word === "lower" || word === "upper") return word;
  if (["false", "no", "off"].includes(word)) return false;
  if (["true", "yes", "on"].includes(word)) return true;
  throw node.mustBe("false, lower or upper");
}

function readExpectation(
  values: ReadonlyMap<string, YamlNode>,
  tests: string | undefined,
): TestExpectation | undefined {
  const permitted = readVerdicts(values.get("permitted"));
  const required = readVerdicts(values.get("required"));
  const message = values.get("message")?.exactText();
  const score = tests === undefined ? undefined : readScore(values.get("score"));
  if (!permitted && !required && !message && !score) return undefined;
  return { tests, permitted, required, ...message && { message }, ...score && { score } };
}

function readVerdicts(node: YamlNode | undefined): Verdict[] | undefined {
  const words = node?.isList ? node.list() : node && [node];
  return words?.flatMap((word) => {
    const verdict = word.oneOf(Object.keys(VERDICTS));
    return VERDICTS[verdict]!;
  });
}

function readScore(node: YamlNode | undefined): readonly [number, number] | undefined {
  if (!node) return undefined;
  const what = "a score, or a list of the lowest and the highest, such as [0, 50]";
  const [low, high = low, ...more] = (node.isList ? node.list() : [node]).map((one) =>
    one.number({ min: -1e12, max: 1e12, what })
  );
  if (low === undefined || high === undefined || more.length > 0) {
    throw node.error(`must be ${what}`);
  }
  return [low, high];
}

/** Finds the rules of a submission: for it, or for the folder that it is in. */
export function rulesFor(rules: readonly SubmissionRule[], name: string): SubmissionRule[] {
  return rules.filter(({ pattern }) => matchesBelow(pattern, name));
}

/** Names patterns that match no submission. */
export function warnOfUnused(
  files: PackageFiles,
  { path, rules, names }: {
    path: string;
    rules: readonly SubmissionRule[];
    names: readonly string[];
  },
): void {
  for (const { pattern } of rules) {
    if (names.some((name) => matchesBelow(pattern, name))) continue;
    const hint = nearestHint(pattern, names);
    files.complaints.push(
      files.error(path, `${pattern} matches no submission${hint ? `; ${hint}` : ""}`).message,
    );
  }
}

/** Gives the verdicts that a submission with these rules can get, where they say. */
export function verdictsOf(expectations: readonly TestExpectation[]): Verdict[] | undefined {
  const whole = expectations.filter(({ tests }) => tests === undefined);
  if (whole.length === 0) return undefined;
  const all: readonly Verdict[] = ["AC", "WA", "TLE", "MLE", "OLE", "RTE"];
  return all.filter((verdict) =>
    whole.every(({ permitted = all, required = all }) =>
      permitted.includes(verdict) && (verdict !== "AC" || required.includes("AC"))
    )
  );
}
