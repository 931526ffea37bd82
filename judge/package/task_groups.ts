/** Groups and points of a `task.yaml`. */

import type { YamlNode } from "../../text/yaml_node.ts";
import type { GroupGrading, GroupMember, TestGroup } from "../types.ts";
import type { PackageFiles } from "./files.ts";
import { DEFAULT_GROUP, readName } from "./group_settings.ts";
import { readPoints, readTests, type TaskTest } from "./task_tests.ts";

/** The keys of a group. */
export const GROUP_KEYS: readonly string[] = ["name", "tests", "points", "points_each"];

const SAMPLES = "samples";
const TESTS = "tests";

/** The values of `task.yaml` that give tests and points. */
export interface TaskData {
  readonly samples: YamlNode | undefined;
  readonly tests: YamlNode | undefined;
  readonly groups: YamlNode | undefined;
  readonly validatorFlags: readonly string[];
  /** Whether a program judges. */
  readonly hasProgram: boolean;
  /** Whether this program gives scores. */
  readonly givesScores: boolean;
}

/** Reads all tests of a task, and whether there are points. */
export function readTaskData(
  files: PackageFiles,
  task: TaskData,
): { data: TestGroup; isScored: boolean } {
  return new TaskReader(files, task).read();
}

interface GroupOptions extends Partial<GroupGrading> {
  readonly onReject?: TestGroup["onReject"];
}

/** Grading in which each part with points counts by itself: any of them makes it accepted. */
const EACH_COUNTS: GroupOptions = { onReject: "continue", acceptIfAnyAccepted: true };

class TaskReader {
  readonly #files: PackageFiles;
  readonly #task: TaskData;
  readonly #tests = new Set<string>();

  constructor(files: PackageFiles, task: TaskData) {
    this.#files = files;
    this.#task = task;
  }

  read(): { data: TestGroup; isScored: boolean } {
    const { samples, groups } = this.#task;
    const { members, isScored } = groups ? this.#readGroups(groups) : this.#readTests();
    const grading = isScored ? EACH_COUNTS : {};
    if (!samples) return { isScored, data: this.#group("", members, grading) };
    const tests = this.#testsOf(samples, { isSample: true });
    if (tests.some(({ points }) => points !== undefined)) {
      throw samples.error("cannot have points: samples are examples");
    }
    const data = this.#group("", [
      { kind: "group", group: this.#group(SAMPLES, tests.map(memberOf), {}) },
      { kind: "group", group: this.#group(TESTS, members, grading) },
    ], isScored ? { onReject: "continue", ignoreSample: true } : {});
    return { isScored, data };
  }

  #group(name: string, members: readonly GroupMember[], options: GroupOptions): TestGroup {
    const { onReject = "break", ...grading } = options;
    const { validatorFlags } = this.#task;
    return {
      name,
      onReject,
      grading: { ...DEFAULT_GROUP.grading, ...grading },
      validatorFlags,
      members,
    };
  }

  #testsOf(node: YamlNode, { isSample = false } = {}): TaskTest[] {
    const tests = readTests(this.#files, node, {
      isSample,
      answerOptional: this.#task.hasProgram,
    });
    for (const { test: { name } } of tests) {
      if (this.#tests.has(name)) throw node.error(`lists the test ${name} again`);
      this.#tests.add(name);
    }
    return tests;
  }

  /** Reads tests without groups. */
  #readTests(): { members: GroupMember[]; isScored: boolean } {
    const node = this.#task.tests;
    if (!node) {
      throw this.#files.error("task.yaml", "needs tests or groups, or a folder tests beside it");
    }
    const tests = this.#testsOf(node);
    const without = tests.find(({ points }) => points === undefined);
    if (tests.every(({ points }) => points === undefined)) {
      return { members: tests.map(memberOf), isScored: this.#task.givesScores };
    }
    if (without) {
      throw node.error(`must give points to all tests or to none; ${without.test.name} has none`);
    }
    // Points belong to groups: a test with points becomes a group of one.
    const members = tests.map((test): GroupMember => {
      const acceptScore = test.points!;
      return {
        kind: "group",
        group: this.#group(test.test.name, [memberOf(test)], { acceptScore }),
      };
    });
    return { members, isScored: true };
  }

  #readGroups(node: YamlNode): { members: GroupMember[]; isScored: boolean } {
    const names = new Set([SAMPLES, TESTS]);
    const groups = node.list().map((entry, i) =>
      this.#readGroup(entry, { names, position: i + 1 })
    );
    if (groups.length === 0) throw node.error("must have at least one group");
    const { givesScores } = this.#task;
    const without = groups.find(({ hasPoints }) => !hasPoints);
    const isScored = givesScores || groups.some(({ hasPoints }) => hasPoints);
    if (isScored && without && !givesScores) {
      throw without.entry.error("must have points or points_each, as other groups have");
    }
    return { members: groups.map(({ group }) => ({ kind: "group", group })), isScored };
  }

  #readGroup(
    entry: YamlNode,
    { names, position }: { names: Set<string>; position: number },
  ): { entry: YamlNode; group: TestGroup; hasPoints: boolean } {
    const values = entry.mapping(GROUP_KEYS);
    this.#files.countGroup("task.yaml");
    const given = values.get("name");
    const name = given ? readName(given) : String(position);
    if (names.has(name)) {
      throw (given ?? entry).error(`needs another name: ${name} is taken`);
    }
    names.add(name);
    const tests = values.get("tests");
    if (!tests) throw entry.error("must have tests");
    const members = this.#testsOf(tests);
    if (members.some(({ points }) => points !== undefined)) {
      throw tests.error("cannot give points to single tests; use points or points_each");
    }
    const points = values.get("points");
    const each = values.get("points_each");
    if (points && each) throw each.error("cannot be combined with points");
    const options = each
      ? { ...EACH_COUNTS, acceptScore: readPoints(each) }
      : points
      ? { acceptScore: readPoints(points), scoreMode: "min" } as const
      : this.#task.givesScores
      ? EACH_COUNTS
      : {};
    const group = this.#group(name, members.map(memberOf), options);
    return { entry, group, hasPoints: (points ?? each) !== undefined };
  }
}

function memberOf({ test }: TaskTest): GroupMember {
  return { kind: "test", test };
}
