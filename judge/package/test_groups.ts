/** The tests of a package of version 2025-09: at most one level of groups, with a highest score each. */

import type { YamlNode } from "../../text/yaml_node.ts";
import type { GroupGrading, TestCase, TestGroup } from "../types.ts";
import { listData, nameInData, readTests } from "./data.ts";
import { isHidden, type PackageEntry, type PackageFiles } from "./files.ts";
import { DEFAULT_GROUP, readFlags } from "./group_settings.ts";
import {
  type Arguments,
  type GroupedProblem,
  readArguments,
  readMax,
  readStaticScore,
  SCORE_KEYS,
  TEST_GROUP_KEYS,
} from "./test_group_keys.ts";

const SETTINGS_FILE = "test_group.yaml";
const OLD_SETTINGS_FILE = "testdata.yaml";

/** The highest score of all tests together, unless the package says otherwise. */
const SECRET_SCORE = 100;

/** A folder of tests on its way. */
interface TestFolder {
  readonly entry: PackageEntry;
  readonly name: string;
  readonly values: ReadonlyMap<string, YamlNode>;
  readonly args: Arguments;
  readonly tests: readonly TestCase[];
  readonly folders: readonly PackageEntry[];
}

/** Reads all tests. */
export async function readTestGroups(
  files: PackageFiles,
  problem: GroupedProblem,
): Promise<TestGroup> {
  return await new GroupReader(files, problem).read();
}

class GroupReader {
  readonly #files: PackageFiles;
  readonly #problem: GroupedProblem;
  /** The groups that later ones can require. */
  readonly #accepting: string[] = [];

  constructor(files: PackageFiles, problem: GroupedProblem) {
    this.#files = files;
    this.#problem = problem;
  }

  async read(): Promise<TestGroup> {
    const { folders } = listData(this.#files);
    const find = (name: string) => folders.find((entry) => entry.name === name);
    const [sample, secret] = [find("sample"), find("secret")];
    if (!secret) {
      throw this.#files.error("data/secret", "is missing; at least one test belongs in it");
    }
    const groups = [
      ...sample ? [await this.#readSample(sample)] : [],
      await this.#readSecret(secret),
    ]
      .filter(({ members }) => members.length > 0);
    if (groups.at(-1)?.name !== "secret") throw this.#files.error(secret.path, "has no tests");
    const { grading } = groups.at(-1)!;
    return {
      name: "",
      ...DEFAULT_GROUP,
      ...this.#problem.isScoring && {
        onReject: "continue",
        grading: {
          ...DEFAULT_GROUP.grading,
          verdictMode: "first_error",
          range: grading.range,
          scoresRejected: true,
        },
      },
      members: groups.map((group) => ({ kind: "group", group })),
    };
  }

  /** Samples have no scores. */
  async #readSample(entry: PackageEntry): Promise<TestGroup> {
    const folder = await this.#open(entry, { validatorFlags: [] });
    const { values, tests, folders } = folder;
    for (const key of SCORE_KEYS) {
      const value = values.get(key);
      if (value) throw value.error("is not allowed for samples, which have no scores");
    }
    if (folders[0]) throw this.#files.error(folders[0].path, "samples must not be in groups");
    this.#accepting.push(folder.name);
    const grading: GroupGrading = {
      ...DEFAULT_GROUP.grading,
      verdictMode: "first_error",
      acceptScore: 0,
      range: [0, 0],
      testScores: "ignored",
    };
    return this.#group(folder, { tests, grading: this.#problem.isScoring ? grading : undefined });
  }

  async #readSecret(entry: PackageEntry): Promise<TestGroup> {
    const folder = await this.#open(entry, { validatorFlags: [] });
    const { tests, folders } = folder;
    if (tests[0] && folders[0]) {
      const reason = `must be in a group, too: there is the group ${folders[0].name} beside it`;
      throw this.#files.error(`data/${tests[0].name}.in`, reason);
    }
    if (tests.length > 0 || folders.length === 0) return this.#scored(folder, tests);
    const whole = this.#scored(folder, []);
    const groups: TestGroup[] = [];
    for (const below of folders) {
      const group = await this.#readGroup(below, folder, whole);
      if (group.members.length > 0) groups.push(group);
      else this.#files.warn(below.path, "has no tests");
    }
    const [, most] = whole.grading.range;
    const sum = groups.reduce((sum, { grading: { range } }) => sum + range[1], 0);
    const isSum = this.#problem.isScoring && whole.grading.scoreMode === "sum";
    if (isSum && Number.isFinite(most) && sum > most + 1e-9) {
      const reason = `its groups have ${sum} points together, more than its max_score ${most}`;
      throw this.#files.error(entry.path, reason);
    }
    const members = groups.map((group) => ({ kind: "group", group }) as const);
    // What is ordered by names is the same as the order of the list.
    return { ...whole, members: [...whole.members, ...members] };
  }

  async #readGroup(entry: PackageEntry, above: TestFolder, whole: TestGroup): Promise<TestGroup> {
    this.#files.countGroup(entry.path);
    const folder = await this.#open(entry, above.args);
    const tests = [...folder.tests];
    for (const below of folder.folders) tests.push(...await this.#readBelow(below));
    tests.sort((one, other) => one.name < other.name ? -1 : 1);
    if (!this.#problem.isScoring) return this.#scored(folder, tests);
    const { scoreMode, range: [, most] } = whole.grading;
    const isAll = scoreMode === "pass-fail";
    const mode = folder.values.get("score_aggregation");
    if (isAll && mode && mode.text() !== "pass-fail") {
      throw mode.error("must be pass-fail, as that of data/secret is");
    }
    const group = this.#scored(folder, tests, isAll ? most : Infinity);
    if (group.grading.range[1] !== Infinity || most === Infinity) return group;
    throw this.#files.error(
      `${entry.path}/${SETTINGS_FILE}`,
      `needs max_score, the highest score of the group, as that of data/secret is ${most}`,
    );
  }

  /** Reads the tests of folders in a group, which make no groups. */
  async #readBelow(entry: PackageEntry): Promise<TestCase[]> {
    const entries = this.#list(entry);
    if (entries.some(({ name }) => name === SETTINGS_FILE)) {
      throw this.#files.error(
        `${entry.path}/${SETTINGS_FILE}`,
        "is in a group of a group, but there are only groups in data/secret",
      );
    }
    const { tests, folders } = await readTests(this.#files, entries, {
      problemFlags: [],
      isSample: false,
    });
    for (const below of folders) tests.push(...await this.#readBelow(below));
    return tests;
  }

  #list({ path }: PackageEntry): PackageEntry[] {
    return (this.#files.list(path) ?? []).filter(({ name }) => !isHidden(name));
  }

  async #open(entry: PackageEntry, above: Arguments): Promise<TestFolder> {
    const name = nameInData(entry.path);
    const entries = this.#list(entry);
    const old = entries.find(({ name }) => name === OLD_SETTINGS_FILE);
    if (old) {
      this.#files.complaints.push(
        this.#files.error(old.path, `ignored: since 2025-09 it is called ${SETTINGS_FILE}`).message,
      );
    }
    const file = entries.find(({ name }) => name === SETTINGS_FILE);
    const node = file && await this.#files.readYaml(file.path, { unknownKeys: "warn" });
    const values = node?.mapping(TEST_GROUP_KEYS) ?? new Map<string, YamlNode>();
    const context = { problemFlags: [], isSample: name === "sample" };
    const { tests, folders } = await readTests(this.#files, entries, context);
    return { entry, name, values, args: readArguments(values, above), tests, folders };
  }

  /** Makes a group with its scores; `tests` are empty where it consists of groups. */
  #scored(folder: TestFolder, tests: readonly TestCase[], usual = Infinity): TestGroup {
    const { values, name, entry, folders } = folder;
    if (!this.#problem.isScoring) {
      for (const key of SCORE_KEYS) {
        const value = values.get(key);
        if (value) throw value.error("is only for problems with type: scoring");
      }
      return this.#group(folder, { tests, grading: undefined });
    }
    const isSecret = name === "secret";
    const most = readMax(values.get("max_score")) ?? (isSecret ? SECRET_SCORE : usual);
    const mode = values.get("score_aggregation")?.oneOf(["pass-fail", "sum", "min"]) ??
      (isSecret ? "sum" : "pass-fail");
    const isOfGroups = isSecret && tests.length === 0 && folders.length > 0;
    if (most === Infinity && mode === "pass-fail") {
      throw this.#files.error(
        values.size > 0 ? `${entry.path}/${SETTINGS_FILE}` : entry.path,
        "needs max_score, a number, as its score_aggregation is pass-fail",
      );
    }
    if (most === Infinity && !isOfGroups && !this.#problem.hasOutputValidator) {
      throw this.#files.error(
        `${entry.path}/${SETTINGS_FILE}`,
        "needs max_score, a number: without bound, an output_validator must give each score",
      );
    }
    const staticScore = readStaticScore(values, this.#problem);
    const own = most - (typeof staticScore === "number" ? staticScore : 0);
    const ofTest = mode === "sum" ? own / Math.max(1, tests.length) : most;
    const hasTestScores = mode !== "pass-fail";
    const requires = this.#readRequires(values.get("require_pass"));
    if (mode === "pass-fail" && name !== "secret") this.#accepting.push(name);
    return {
      ...this.#group(folder, {
        tests,
        grading: {
          ...DEFAULT_GROUP.grading,
          verdictMode: "first_error",
          scoreMode: mode,
          acceptScore: hasTestScores && Number.isFinite(ofTest) ? ofTest : 0,
          range: [0, most],
          testScores: hasTestScores ? ofTest : "none",
        },
      }),
      // The rest is worth nothing.
      onReject: mode === "pass-fail" || mode === "min" && !isOfGroups ? "break" : "continue",
      ...requires.length > 0 && { requires },
    };
  }

  #readRequires(node: YamlNode | undefined): readonly string[] {
    const required = node?.words() ?? [];
    for (const one of required) {
      if (this.#accepting.includes(one)) continue;
      throw node!.error(
        `${one} must be sample or a group before this one whose score_aggregation is pass-fail` +
          (this.#accepting.length > 0 ? `: one of ${this.#accepting.join(", ")}` : ""),
      );
    }
    return required;
  }

  #group(
    { name, args, values }: TestFolder,
    { tests, grading }: { tests: readonly TestCase[]; grading: GroupGrading | undefined },
  ): TestGroup {
    const staticScore = readStaticScore(values, this.#problem);
    const looks: TestCase[] = staticScore === undefined ? [] : [{
      name: `${name}/static_validation`,
      inputFile: "",
      answerFile: "",
      isSample: name === "sample",
      staticFlags: readFlags(values.get("static_validator_args")),
      ...typeof staticScore === "number" && { scoreMax: staticScore },
    }];
    return {
      name,
      ...DEFAULT_GROUP,
      ...args,
      ...grading && { grading },
      members: [...looks, ...tests].map((test) => ({ kind: "test", test })),
    };
  }
}
