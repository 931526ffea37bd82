/** TwoNames of the tests that `generators/generators.yaml` lists: numbers of lists, and counts. */

import type { YamlNode } from "../../text/yaml_node.ts";

/**
 * The two ways in which tools number the members of lists: tests through the whole file and groups within
 * their folder, or, in older versions, all members within their folder.
 */
export type TwoNames = readonly [throughFile: string, withinFolder: string];

/** A member of a folder; a test with a count is there once for each of its numbers. */
export interface Member {
  readonly key: string;
  readonly names: TwoNames;
  readonly node: YamlNode;
  readonly isTest: boolean;
  /** Which of the tests with a count it is; 1 without a count. */
  readonly count: number;
}

/** More than that nobody keeps in a package. */
const COUNT_MAX = 100;
const RANGE = /^(-?\d{1,9})\.\.=(-?\d{1,9})$/;
const COUNT = "a number of tests up to 100, a list of numbers or a range such as 2..=5";

const ROOT_FOLDERS = [
  ...["sample", "secret", "invalid_output", "invalid_answer", "invalid_input", "valid_output"],
];

/** What makes a mapping a test; every other mapping is a folder. */
const TEST_KEYS = [
  ...["generate", "copy", "count", "match", "in", "ans", "out", "desc", "hint", "yaml"],
  ...["interaction", "in.statement", "ans.statement", "in.download", "ans.download"],
];

/** Tells whether a member of a folder is a test. */
export function isTest(node: YamlNode): boolean {
  return !node.isMapping || [...node.entries().keys()].some((key) => TEST_KEYS.includes(key));
}

/** TwoNames the members of folders; they are to be asked in the order of the file. */
export class MemberNames {
  readonly #width: number;
  #next = 1;

  /** Counts the tests of the whole file. */
  constructor(root: YamlNode) {
    this.#width = digits(countNumbered(root));
  }

  /**
   * Lists the members of a folder; those of a mapping are sorted. What is in a folder must be read before the
   * member after it is asked for.
   */
  *of(data: YamlNode, { isRoot }: { isRoot: boolean }): Generator<Member> {
    if (data.isList) return yield* this.#numbered(data);
    const entries = [...data.entries({ withEmpty: true })];
    entries.sort(([one], [other]) =>
      isRoot ? rootPlace(one) - rootPlace(other) : one < other ? -1 : 1
    );
    for (const [key, node] of entries) {
      for (const { count, suffix } of counted(node)) {
        const name = `${key}${suffix}`;
        yield { key, node, isTest: isTest(node), count, names: [name, name] };
      }
    }
  }

  *#numbered(data: YamlNode): Generator<Member> {
    const items = data.list().map((item): [string, YamlNode] => {
      const [only, ...others] = item.entries({ withEmpty: true });
      if (only && others.length === 0) return only;
      throw item.error("must have one test or one group: indent what belongs to it");
    });
    const groups = items.filter(([, node]) => !isTest(node)).length;
    const all = items.reduce((sum, [, node]) => sum + counted(node).length, 0);
    let [group, member] = [0, 0];
    for (const [key, node] of items) {
      const isOne = isTest(node);
      for (const { count, suffix } of counted(node)) {
        const throughFile = isOne
          ? numbered(this.#next++, this.#width, key)
          : numbered(++group, digits(groups), key);
        const withinFolder = numbered(++member, digits(all), key);
        const names: TwoNames = [`${throughFile}${suffix}`, `${withinFolder}${suffix}`];
        yield { key, node, isTest: isOne, count, names };
      }
    }
  }
}

/** In which order the folders in `data` are numbered. */
function rootPlace(key: string): number {
  const place = ROOT_FOLDERS.findIndex((folder) => key === folder || key === `${folder}s`);
  return place < 0 ? ROOT_FOLDERS.length : place;
}

function numbered(number: number, width: number, key: string): string {
  const text = String(number).padStart(width, "0");
  return key === "" ? text : `${text}-${key}`;
}

function digits(number: number): number {
  return String(number).length;
}

/** Counts the tests that stand in lists, also of folders below. */
function countNumbered(folder: YamlNode): number {
  const data = folder.entries().get("data");
  if (!data || data.isEmpty) return 0;
  const members = (data.isList ? data.list() : [data]).flatMap((
    one,
  ) => [...one.entries({ withEmpty: true }).values()]);
  return members.reduce((sum, node) => {
    if (!isTest(node)) return sum + countNumbered(node);
    return sum + (data.isList ? counted(node).length : 0);
  }, 0);
}

/** Lists the numbers of a test, with what each adds to its name. */
function counted(node: YamlNode): { count: number; suffix: string }[] {
  const value = node.isMapping && isTest(node) ? node.entries().get("count") : undefined;
  if (!value) return [{ count: 1, suffix: "" }];
  const counts = countsOf(value);
  const isGapless = Math.max(...counts) - Math.min(...counts) === counts.length - 1;
  const width = isGapless ? Math.max(...counts.map((count) => String(count).length)) : 0;
  return counts.map((count) => ({ count, suffix: `-${padded(count, width)}` }));
}

/** A sign counts for the width. */
function padded(count: number, width: number): string {
  const sign = count < 0 ? "-" : "";
  return sign + String(Math.abs(count)).padStart(width - sign.length, "0");
}

function countsOf(value: YamlNode): number[] {
  if (value.isList) {
    const counts = value.list().map((one) => one.text());
    const isRight = counts.length > 0 && counts.length <= COUNT_MAX &&
      counts.every((one) => /^-?\d{1,9}$/.test(one)) && new Set(counts).size === counts.length;
    if (isRight) return counts.map(Number);
    throw value.error(`must be ${COUNT}`);
  }
  const text = value.text();
  const [, low, high] = RANGE.exec(text) ?? (/^\d{1,3}$/.test(text) ? ["", "1", text] : []);
  const [first, last] = [Number(low ?? 1), Number(high ?? 0)];
  if (first > last || last - first >= COUNT_MAX) throw value.mustBe(COUNT);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
