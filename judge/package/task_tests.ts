/** The tests of a `task.yaml`: a folder, a pattern of names, or a list. */

import type { TestCase } from "../types.ts";
import { notAFile, type PackageEntry, type PackageFiles } from "./files.ts";
import type { YamlNode } from "./node.ts";
import { isHidden } from "./programs.ts";

const INPUT = ".in";
const ANSWERS = [".ans", ".out"];

/** The keys of a pair of patterns. */
export const PAIR_KEYS: readonly string[] = ["input", "answer"];
/** The keys of a test in a list. */
export const TEST_KEYS: readonly string[] = [...PAIR_KEYS, "points"];

/** A test, and the points for it where the list of tests gives some. */
export interface TaskTest {
  /** The test. */
  readonly test: TestCase;
  /** Its points; undefined: its group knows. */
  readonly points: number | undefined;
}

/** What reading tests needs. */
export interface TaskTestsReading {
  /** Whether they are samples. */
  readonly isSample: boolean;
  /** Whether a program judges, which may need no answer: it then gets the input in its place. */
  readonly answerOptional: boolean;
}

/** Reads tests. */
export function readTests(
  files: PackageFiles,
  node: YamlNode,
  reading: TaskTestsReading,
): TaskTest[] {
  const tests = node.isList
    ? node.list().map((entry) => listedTest(files, entry, reading))
    : patternTests(files, node, reading);
  if (tests.length === 0) throw node.error("gives no tests: it must give at least one");
  return tests;
}

/** Reads points. */
export function readPoints(node: YamlNode): number {
  return node.number({ min: 0, max: 1e9, what: "a number of points, such as 10" });
}

function listedTest(files: PackageFiles, node: YamlNode, reading: TaskTestsReading): TaskTest {
  const values = node.mapping(TEST_KEYS, "fail");
  const inputNode = values.get("input");
  if (inputNode === undefined) throw node.error("must have an input, the name of a file");
  const input = fileOf(files, inputNode);
  const answerNode = values.get("answer");
  const answer = answerNode
    ? fileOf(files, answerNode)
    : findAnswer(files, input.path, (path) => files.find(path));
  if (!answer && !reading.answerOptional) {
    throw node.error("must have an answer, the name of a file");
  }
  const points = values.get("points");
  return { test: testOf({ input, answer, reading }), points: points && readPoints(points) };
}

function fileOf(files: PackageFiles, node: YamlNode): PackageEntry {
  const path = cleanPath(node);
  const entry = files.find(path);
  if (entry?.kind !== "file") throw node.error(`names ${path}, which ${notAFile(entry)}`);
  return entry;
}

/** A path in the package. */
export function cleanPath(node: YamlNode): string {
  const parts = node.text().split("/").filter((part) => part !== "." && part !== "");
  if (node.text().startsWith("/") || parts.includes("..") || parts.length === 0) {
    throw node.error("must be the path of something in the package, relative to it, without ..");
  }
  return parts.join("/");
}

/** The text before and behind the `*` of a pattern's last part, and the folder. */
interface Pattern {
  readonly folder: string;
  readonly before: string;
  readonly behind: string;
}

function patternOf(node: YamlNode): Pattern {
  const path = cleanPath(node);
  const cut = path.lastIndexOf("/");
  const [before, behind, ...more] = path.slice(cut + 1).split("*");
  const folder = path.slice(0, Math.max(cut, 0));
  if (before === undefined || behind === undefined || more.length > 0 || folder.includes("*")) {
    throw node.error("must have one * in the name of the file, such as tests/*.in");
  }
  return { folder, before, behind };
}

function stemOf({ before, behind }: Pattern, name: string): string | undefined {
  const fits = name.length >= before.length + behind.length && name.startsWith(before) &&
    name.endsWith(behind);
  return fits ? name.slice(before.length, name.length - behind.length) : undefined;
}

function patternTests(
  files: PackageFiles,
  node: YamlNode,
  reading: TaskTestsReading,
): TaskTest[] {
  const pair = node.isMapping ? node.mapping(PAIR_KEYS, "fail") : undefined;
  const inputNode = pair ? pair.get("input") : node;
  if (inputNode === undefined) throw node.error("must have an input, such as tests/*.in");
  const isFolder = !pair && !node.text().includes("*");
  const input = isFolder
    ? { folder: cleanPath(node), before: "", behind: INPUT }
    : patternOf(inputNode);
  const answerNode = pair?.get("answer");
  const answer = answerNode && patternOf(answerNode);
  if (!answer && input.behind !== INPUT && !reading.answerOptional) {
    throw inputNode.error("must end in .in, or be a pair of patterns: {input: …, answer: …}");
  }
  const entries = listFolder(files, inputNode, input.folder);
  const answers = !answer || answer.folder === input.folder
    ? entries
    : listFolder(files, answerNode!, answer.folder);
  const used = new Set<string>();
  const byPath = new Map(answers.map((entry) => [entry.path, entry]));
  const tests: TaskTest[] = [];
  for (const entry of entries) {
    const stem = stemOf(input, entry.name);
    if (stem === undefined || isHidden(entry.name)) continue;
    if (entry.kind !== "file") throw files.error(entry.path, notAFile(entry));
    const name = answer && join(answer.folder, `${answer.before}${stem}${answer.behind}`);
    const found = name === undefined
      ? findAnswer(files, entry.path, (path) => byPath.get(path))
      : byPath.get(name);
    if (!found && !reading.answerOptional) {
      const wanted = name ?? ANSWERS.map((end) => `${stem}${end}`).join(" or ");
      throw files.error(entry.path, `is a test without an answer, ${wanted}`);
    }
    if (found) used.add(found.path);
    tests.push({ test: testOf({ input: entry, answer: found, reading }), points: undefined });
  }
  if (isFolder) refuseLonely(files, entries, used);
  return tests;
}

function listFolder(files: PackageFiles, node: YamlNode, folder: string): PackageEntry[] {
  const entries = files.list(folder);
  if (entries === undefined) throw node.error(`names the folder ${folder}, which is missing`);
  return entries;
}

/** In a folder of tests every answer belongs to an input. */
function refuseLonely(
  files: PackageFiles,
  entries: readonly PackageEntry[],
  used: ReadonlySet<string>,
): void {
  const names = new Set(entries.map(({ name }) => name));
  for (const { name, path } of entries) {
    const end = ANSWERS.find((end) => name.endsWith(end));
    if (end === undefined || isHidden(name) || used.has(path)) continue;
    const input = name.slice(0, -end.length) + INPUT;
    if (!names.has(input)) throw files.error(path, `is an answer without an input, ${input}`);
    throw files.error(path, `is a second answer to ${input}`);
  }
}

function findAnswer(
  files: PackageFiles,
  input: string,
  find: (path: string) => PackageEntry | undefined,
): PackageEntry | undefined {
  if (!input.endsWith(INPUT)) return undefined;
  for (const end of ANSWERS) {
    const entry = find(input.slice(0, -INPUT.length) + end);
    if (entry && entry.kind !== "file") throw files.error(entry.path, notAFile(entry));
    if (entry) return entry;
  }
  return undefined;
}

function testOf({ input, answer, reading }: {
  input: PackageEntry;
  answer: PackageEntry | undefined;
  reading: TaskTestsReading;
}): TestCase {
  return {
    name: input.path.replace(/\.in$/, ""),
    inputFile: input.hostFile,
    answerFile: (answer ?? input).hostFile,
    isSample: reading.isSample,
  };
}

function join(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}
