/** The tests of a `task.yaml`: a folder, a pattern of names, or a list. */

import type { YamlNode } from "../../text/yaml_node.ts";
import type { TestCase } from "../types.ts";
import { isHidden, join, notAFile, type PackageEntry, type PackageFiles } from "./files.ts";

const INPUT = ".in";
const ANSWERS = [".ans", ".out"];

/** The keys of a pair of patterns. */
export const PAIR_KEYS: readonly string[] = ["input", "answer"];
/** The keys of a test in a list. */
export const TEST_KEYS: readonly string[] = [...PAIR_KEYS, "points"];

/** A test, and its points if its list gives some. */
export interface TaskTest {
  readonly test: TestCase;
  readonly points: number | undefined;
}

/** What tests are read for. */
export interface TaskTestOptions {
  readonly isSample: boolean;
  /** Whether a program judges, which may need no answer: it then gets the input in its place. */
  readonly answerOptional: boolean;
}

/** Reads tests. */
export function readTests(
  files: PackageFiles,
  node: YamlNode,
  options: TaskTestOptions,
): TaskTest[] {
  const tests = node.isList
    ? node.list().map((entry) => listedTest(files, entry, options))
    : matchingTests(files, node, options);
  if (tests.length === 0) throw node.error("must give at least one test");
  return tests;
}

/** Reads points. */
export function readPoints(node: YamlNode): number {
  return node.number({ min: 0, max: 1e9, what: "a number of points, such as 10" });
}

/** Reads a path in the package. */
export function pathIn(node: YamlNode): string {
  const parts = node.text().split("/").filter((part) => part !== "." && part !== "");
  if (node.text().startsWith("/") || parts.includes("..") || parts.length === 0) {
    throw node.error("must be a relative path in the package, without ..");
  }
  return parts.join("/");
}

function listedTest(files: PackageFiles, node: YamlNode, options: TaskTestOptions): TaskTest {
  const values = node.mapping(TEST_KEYS);
  const inputNode = values.get("input");
  if (!inputNode) throw node.error("must have an input, the name of a file");
  const input = fileAt(files, inputNode);
  const answerNode = values.get("answer");
  const answer = answerNode
    ? fileAt(files, answerNode)
    : findAnswer(files, input.path, (path) => files.find(path));
  if (!answer && !options.answerOptional) {
    throw node.error("must have an answer, the name of a file");
  }
  const points = values.get("points");
  return { test: testOf({ input, answer, ...options }), points: points && readPoints(points) };
}

function fileAt(files: PackageFiles, node: YamlNode): PackageEntry {
  const path = pathIn(node);
  const entry = files.find(path);
  if (entry?.kind !== "file") throw node.error(`names ${path}, which ${notAFile(entry)}`);
  return files.mustBeFile(path, entry);
}

/** A folder, and the text before and after the `*` in the names of its files. */
interface Pattern {
  readonly folder: string;
  readonly before: string;
  readonly after: string;
}

function readPattern(node: YamlNode): Pattern {
  const path = pathIn(node);
  const cut = path.lastIndexOf("/");
  const [before, after, ...more] = path.slice(cut + 1).split("*");
  const folder = path.slice(0, Math.max(cut, 0));
  if (before === undefined || after === undefined || more.length > 0 || folder.includes("*")) {
    throw node.error("must have one * in the file name, such as tests/*.in");
  }
  return { folder, before, after };
}

function stemOf({ before, after }: Pattern, name: string): string | undefined {
  const fits = name.length >= before.length + after.length && name.startsWith(before) &&
    name.endsWith(after);
  return fits ? name.slice(before.length, name.length - after.length) : undefined;
}

function matchingTests(
  files: PackageFiles,
  node: YamlNode,
  options: TaskTestOptions,
): TaskTest[] {
  const pair = node.isMapping ? node.mapping(PAIR_KEYS) : undefined;
  const inputNode = pair ? pair.get("input") : node;
  if (!inputNode) throw node.error("must have an input, such as tests/*.in");
  const isFolder = !pair && !node.text().includes("*");
  const input = isFolder
    ? { folder: pathIn(node), before: "", after: INPUT }
    : readPattern(inputNode);
  const answerNode = pair?.get("answer");
  const pattern = answerNode && readPattern(answerNode);
  if (!pattern && input.after !== INPUT && !options.answerOptional) {
    throw inputNode.error("must end in .in, or be a pair of patterns: {input: …, answer: …}");
  }
  const entries = listFolder(files, inputNode, input.folder);
  const answers = pattern && pattern.folder !== input.folder
    ? listFolder(files, answerNode!, pattern.folder)
    : entries;
  const byPath = new Map(answers.map((entry) => [entry.path, entry]));
  const used = new Set<PackageEntry>();
  const tests: TaskTest[] = [];
  for (const entry of entries) {
    const stem = stemOf(input, entry.name);
    if (stem === undefined || isHidden(entry.name)) continue;
    files.mustBeFile(entry.path, entry);
    const wanted = pattern && join(pattern.folder, `${pattern.before}${stem}${pattern.after}`);
    const answer = wanted === undefined
      ? findAnswer(files, entry.path, (path) => byPath.get(path))
      : byPath.get(wanted);
    if (!answer && !options.answerOptional) {
      const names = wanted ?? ANSWERS.map((end) => `${stem}${end}`).join(" or ");
      throw files.error(entry.path, `has no answer ${names}`);
    }
    if (answer) used.add(answer);
    tests.push({ test: testOf({ input: entry, answer, ...options }), points: undefined });
  }
  if (isFolder) refuseUnused(files, entries, used);
  return tests;
}

function listFolder(files: PackageFiles, node: YamlNode, folder: string): PackageEntry[] {
  const entries = files.list(folder);
  if (entries) return entries;
  throw node.error(`names the folder ${folder}, which is missing`);
}

/** Refuses answers without an input in a folder of tests. */
function refuseUnused(
  files: PackageFiles,
  entries: readonly PackageEntry[],
  used: ReadonlySet<PackageEntry>,
): void {
  for (const entry of entries) {
    const { name, path } = entry;
    const end = ANSWERS.find((end) => name.endsWith(end));
    if (end === undefined || isHidden(name) || used.has(entry)) continue;
    const input = name.slice(0, -end.length) + INPUT;
    const hasInput = entries.some(({ name }) => name === input);
    throw files.error(path, hasInput ? `is a second answer for ${input}` : `has no input ${input}`);
  }
}

function findAnswer(
  files: PackageFiles,
  input: string,
  find: (path: string) => PackageEntry | undefined,
): PackageEntry | undefined {
  if (!input.endsWith(INPUT)) return undefined;
  const found = ANSWERS.map((end) => find(input.slice(0, -INPUT.length) + end));
  const answer = found.find((entry) => entry !== undefined);
  return answer && files.mustBeFile(answer.path, answer);
}

function testOf({ input, answer, isSample }: {
  input: PackageEntry;
  answer: PackageEntry | undefined;
  isSample: boolean;
}): TestCase {
  return {
    name: input.path.replace(/\.in$/, ""),
    inputFile: input.hostFile,
    answerFile: (answer ?? input).hostFile,
    isSample,
  };
}
