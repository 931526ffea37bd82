/** The tests of a package in the problem package format: the folder `data`. */

import { nearestHint } from "../../text/yaml_node.ts";
import type { GroupMember, SourceFile, TestCase, TestGroup } from "../types.ts";
import { isHidden, type PackageEntry, type PackageFiles } from "./files.ts";
import { FOLDERS_FOR_VALIDATORS } from "./data_checks.ts";
import { type GroupContext, type GroupSettings, readGroupSettings } from "./group_settings.ts";
import { readProgram } from "./programs.ts";
import { readTestSettings } from "./test_settings.ts";

const SETTINGS_FILES = ["testdata.yaml", "test_group.yaml"];

/** Endings of a test's files. */
const COMPANIONS =
  /\.(in|ans|hint|desc|png|jpe?g|svg|interaction|out|(in|ans)\.(statement|download)|download)$/;

const NOTES = /^(readme|license|generator)|^(?!.*\.(in|ans|out)\.).*\.(md|txt)$/i;
/** Names of a test's files without the endings. */
const BASE = /\.(in|ans|hint|desc|png|jpe?g|svg|out|(in|ans)\.(statement|download))$/;

/** Reads the tests; the settings are those of `problem.yaml`. */
export async function readData(files: PackageFiles, above: GroupSettings): Promise<TestGroup> {
  const problemFlags = above.validatorFlags;
  const { entries, folders } = listData(files);
  const settings = await groupSettings(files, entries, { above, isTop: true, problemFlags });
  const members: GroupMember[] = [];
  for (const entry of folders) {
    const { name, path } = entry;
    const isSample = name === "sample";
    const group = await readGroup(files, entry, { above: settings, problemFlags, isSample });
    if (group.members.length > 0) members.push({ kind: "group", group });
    else if (!isSample) files.warn(path, "has no tests");
  }
  if (members.length > 0) return { name: "", ...settings, members };
  throw files.error("data", "has no tests; they belong in data/sample and data/secret");
}

/** Lists `data`, and the folders of samples and of secret tests in it. */
export function listData(
  files: PackageFiles,
): { entries: readonly PackageEntry[]; folders: readonly PackageEntry[] } {
  const entries = files.list("data");
  if (entries === undefined) {
    throw files.error("data", "is missing; tests belong in data/sample and data/secret");
  }
  const test = entries.find(({ name }) => /\.(in|ans)$/.test(name));
  if (test) throw files.error(test.path, "must be in data/sample or data/secret");
  const folders = entries.filter(({ name, path, kind }) => {
    if (kind !== "directory" || isHidden(name) || FOLDERS_FOR_VALIDATORS.includes(name)) {
      return false;
    }
    if (name === "sample" || name === "secret") return true;
    files.warn(path, "ignored; tests belong in data/sample and data/secret");
    return false;
  });
  return { entries, folders };
}

async function readGroup(
  files: PackageFiles,
  folder: PackageEntry,
  context: Omit<GroupContext, "isTop"> & { readonly isSample: boolean },
): Promise<TestGroup> {
  files.countGroup(folder.path);
  const entries = (files.list(folder.path) ?? []).filter(({ name }) => !isHidden(name));
  const settings = await groupSettings(files, entries, { ...context, isTop: false });
  const { tests, folders } = await readTests(files, entries, context);
  const members: GroupMember[] = tests.map((test) => ({ kind: "test", test }));
  for (const entry of folders) {
    const group = await readGroup(files, entry, { ...context, above: settings });
    if (group.members.length > 0) members.push({ kind: "group", group });
    else files.warn(entry.path, "has no tests");
  }
  return { name: nameInData(folder.path), ...settings, members: members.sort(inOrder) };
}

/** Reads the tests of a folder, and finds the folders below it. */
export async function readTests(
  files: PackageFiles,
  entries: readonly PackageEntry[],
  context: { readonly problemFlags: readonly string[]; readonly isSample: boolean },
): Promise<{ tests: TestCase[]; folders: PackageEntry[] }> {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const tests: TestCase[] = [];
  const folders: PackageEntry[] = [];
  for (const entry of entries) {
    const { name, path, kind } = entry;
    if (name.endsWith(".in")) {
      tests.push(await readTest(files, { input: entry, byName, context }));
    } else if (name.endsWith(".ans")) {
      const input = name.replace(/ans$/, "in");
      if (!byName.has(input)) throw files.error(path, `has no input ${input}`);
    } else if (kind === "directory") {
      const input = name.replace(/files$/, "in");
      if (!name.endsWith(".files")) folders.push(entry);
      else if (!byName.has(input)) throw files.error(path, `has no input ${input}`);
    } else if (name.endsWith(".yaml") && byName.has(name.replace(/yaml$/, "in"))) {
      continue;
    } else if (BASE.test(name) && !byName.has(name.replace(BASE, ".in"))) {
      files.warn(path, `ignored; there is no ${name.replace(BASE, ".in")}`);
    } else if (![...SETTINGS_FILES, COMPANIONS, NOTES].some((known) => fits(name, known))) {
      const meant = nearestHint(name, SETTINGS_FILES);
      files.warn(path, `ignored; ${meant ?? "inputs end in .in, answers in .ans"}`);
    }
  }
  return { tests, folders };
}

function fits(name: string, known: string | RegExp): boolean {
  return typeof known === "string" ? name === known : known.test(name);
}

/** Sorts tests and groups by their names without the ending. */
function inOrder(a: GroupMember, b: GroupMember): number {
  const name = (member: GroupMember) =>
    member.kind === "test" ? member.test.name : member.group.name;
  return name(a) < name(b) ? -1 : 1;
}

async function readTest(files: PackageFiles, { input, byName, context }: {
  input: PackageEntry;
  byName: ReadonlyMap<string, PackageEntry>;
  context: { readonly problemFlags: readonly string[]; readonly isSample: boolean };
}): Promise<TestCase> {
  const { problemFlags, isSample } = context;
  const beside = (ending: string) => byName.get(input.name.replace(/in$/, ending));
  const [answer, settings, folder] = [beside("ans"), beside("yaml"), beside("files")];
  if (!answer) {
    const name = input.name.replace(/in$/, "ans");
    const meant = [...byName.keys()].find((other) =>
      other === input.name.replace(/in$/, "out") || other.toLowerCase() === name.toLowerCase()
    );
    throw files.error(
      input.path,
      `has no answer ${name}${meant ? `; rename ${meant}` : ""}`,
    );
  }
  const own = folder ? filesOf(files, folder) : [];
  return {
    name: nameInData(input.path).replace(/\.in$/, ""),
    inputFile: files.mustBeFile(input.path, input).hostFile,
    answerFile: files.mustBeFile(answer.path, answer).hostFile,
    isSample,
    ...settings && await readTestSettings(files, { path: settings.path, problemFlags }),
    ...own.length > 0 && { files: own },
  };
}

/** Reads what a submission finds in its working directory: data, in which no constant is replaced. */
function filesOf(files: PackageFiles, folder: PackageEntry): SourceFile[] {
  if ((files.list(folder.path) ?? []).length === 0) return [];
  return readProgram(files, folder).files
    .map(({ name, hostFile, sizeBytes }) => ({ name, hostFile, sizeBytes }));
}

/** Names a folder or a test as people do: without `data`. */
export function nameInData(path: string): string {
  return path.replace(/^data\//, "");
}

async function groupSettings(
  files: PackageFiles,
  entries: readonly PackageEntry[],
  context: GroupContext,
): Promise<GroupSettings> {
  const file = entries.find(({ name }) => SETTINGS_FILES.includes(name));
  const node = file && await files.readYaml(file.path, { unknownKeys: "warn" });
  return readGroupSettings(node, context);
}
