/** Groups and points of a `task.yaml`. */

import type { GroupGrading, GroupMember, TestGroup } from "../types.ts";
import type { PackageFiles } from "./files.ts";
import { DEFAULT_GROUP } from "./group_settings.ts";
import type { YamlNode } from "./node.ts";
import { readPoints, readTests, type TaskTest, type TaskTestsReading } from "./task_tests.ts";

/** The keys of a group. */
export const GROUP_KEYS: readonly string[] = ["name", "tests", "points", "points_each"];

const SAMPLES = "samples";
const TESTS = "tests";

/** Where tests and points are written. */
export interface TaskData {
  /** The value of `samples`, if there is one. */
  readonly samples: YamlNode | undefined;
  /** The value of `tests`, if there is one. */
  readonly tests: YamlNode | undefined;
  /** The value of `groups`, if there is one. */
  readonly groups: YamlNode | undefined;
  /** Flags of the checker. */
  readonly validatorFlags: readonly string[];
  /** Whether a program judges. */
  readonly hasProgram: boolean;
  /** Whether it gives scores. */
  readonly givesScores: boolean;
}

/** All tests, and whether there are points. */
export interface TaskTree {
  /** The topmost group. */
  readonly data: TestGroup;
  /** Whether there are points. */
  readonly isScored: boolean;
}

/** Reads all tests of a task. */
export function readTaskData(files: PackageFiles, task: TaskData): TaskTree {
  const reading: TaskTestsReading = { isSample: false, answerOptional: task.hasProgram };
  const builder = new Builder(task);
  const main = task.groups
    ? builder.groups(files, task.groups, reading)
    : builder.tests(files, task.tests, reading);
  const { members, isScored } = main;
  if (!task.samples) {
    return { isScored, data: builder.group("", members, builder.whole(isScored)) };
  }
  const samples = readTests(files, task.samples, { ...reading, isSample: true });
  for (const { points } of samples) {
    if (points !== undefined) throw task.samples.error("must not have points: they are examples");
  }
  const data = builder.group("", [
    groupMember(builder.group(SAMPLES, builder.members(samples, task.samples), {})),
    groupMember(builder.group(TESTS, members, builder.whole(isScored))),
  ], { ...(isScored && { onReject: "continue", ignoreSample: true }) });
  return { isScored, data };
}

interface GroupOptions extends Partial<GroupGrading> {
  readonly onReject?: TestGroup["onReject"];
}

class Builder {
  readonly #task: TaskData;
  readonly #tests = new Set<string>();

  constructor(task: TaskData) {
    this.#task = task;
  }

  group(name: string, members: readonly GroupMember[], options: GroupOptions): TestGroup {
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

  /** With points every part counts for itself, and who has any is accepted with them. */
  whole(isScored: boolean): GroupOptions {
    return isScored ? { onReject: "continue", acceptIfAnyAccepted: true } : {};
  }

  /** Tests without groups. */
  tests(files: PackageFiles, node: YamlNode | undefined, reading: TaskTestsReading) {
    if (node === undefined) {
      throw files.error("task.yaml", "must have tests or groups, or a folder tests beside it");
    }
    const tests = readTests(files, node, reading);
    const members = this.members(tests, node);
    const scored = tests.filter(({ points }) => points !== undefined);
    if (scored.length === 0) return { members, isScored: this.#task.givesScores };
    if (scored.length < tests.length) {
      const other = tests.find(({ points }) => points === undefined)!;
      throw node.error(`must give points for all tests or for none; ${other.test.name} has none`);
    }
    // Points belong to groups; a test with points of its own is a group of its own.
    const groups = tests.map(({ test, points }) =>
      groupMember(this.group(test.name, [{ kind: "test", test }], { acceptScore: points! }))
    );
    return { members: groups, isScored: true };
  }

  groups(files: PackageFiles, node: YamlNode, reading: TaskTestsReading) {
    const names = new Set([SAMPLES, TESTS]);
    const groups = node.list().map((entry, i) => {
      const values = entry.mapping(GROUP_KEYS, "fail");
      const name = values.get("name")?.text() ?? String(i + 1);
      if (names.has(name)) {
        throw (values.get("name") ?? entry).error(`must have a name of its own, not ${name} again`);
      }
      names.add(name);
      const tests = values.get("tests");
      if (tests === undefined) throw entry.error("must have tests");
      const read = readTests(files, tests, reading);
      if (read.some(({ points }) => points !== undefined)) {
        throw tests.error("must not have points in a group; the group has points or points_each");
      }
      return { entry, isScored: hasPoints(values), ...this.#named(name, { values, read, tests }) };
    });
    if (groups.length === 0) throw node.error("must have at least one group");
    const isScored = this.#task.givesScores || groups.some((group) => group.isScored);
    const without = groups.find((group) => !group.isScored);
    if (isScored && without && !this.#task.givesScores) {
      throw without.entry.error("must have points or points_each, as other groups have");
    }
    return { members: groups.map(({ group }) => groupMember(group)), isScored };
  }

  #named(name: string, { values, read, tests }: {
    values: ReadonlyMap<string, YamlNode>;
    read: readonly TaskTest[];
    tests: YamlNode;
  }): { group: TestGroup } {
    const members = this.members(read, tests);
    const [points, each] = [values.get("points"), values.get("points_each")];
    if (points && each) throw each.error("must not stand beside points: one of the two");
    if (each) {
      const acceptScore = readPoints(each);
      return { group: this.group(name, members, { ...this.whole(true), acceptScore }) };
    }
    if (points) {
      const acceptScore = readPoints(points);
      return { group: this.group(name, members, { acceptScore, scoreMode: "min" }) };
    }
    return { group: this.group(name, members, this.whole(this.#task.givesScores)) };
  }

  members(tests: readonly TaskTest[], node: YamlNode): GroupMember[] {
    return tests.map(({ test }) => {
      if (this.#tests.has(test.name)) {
        throw node.error(`has the test ${test.name} a second time; a test can stand in one place`);
      }
      this.#tests.add(test.name);
      return { kind: "test", test };
    });
  }
}

function hasPoints(values: ReadonlyMap<string, YamlNode>): boolean {
  return values.has("points") || values.has("points_each");
}

function groupMember(group: TestGroup): GroupMember {
  return { kind: "group", group };
}
