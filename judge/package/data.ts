/** The tests of a package in the problem package format: the folder `data`. */

import type { GroupMember, TestCase, TestGroup } from "../types.ts";
import { isHidden, type PackageEntry, type PackageFiles } from "./files.ts";
import { FOLDERS_FOR_VALIDATORS } from "./data_checks.ts";
import { type GroupContext, type GroupSettings, readGroupSettings } from "./group_settings.ts";

const SETTINGS_FILES = ["testdata.yaml", "test_group.yaml"];

/** Endings of a test's files. */
const COMPANIONS =
  /\.(in|ans|hint|desc|png|jpe?g|svg|interaction|out|(in|ans)\.(statement|download)|download)$/;

const NOTES = /^(readme|license|generator)|^(?!.*\.(in|ans|out)\.).*\.(md|txt)$/i;
/** Names of a test's files without the endings. */
const BASE = /\.(in|ans|hint|desc|png|jpe?g|svg|out|(in|ans)\.(statement|download))$/;

/** Settings of a single test that do not change how it is judged, and those that would. */
const HARMLESS_TEST_KEYS = ["hint", "description", "full_feedback", "input_validator_args"];
const UNSUPPORTED_TEST_KEYS = ["args", "output_validator_args"];

/** Reads the tests; the settings are those of `problem.yaml`. */
export async function readData(files: PackageFiles, above: GroupSettings): Promise<TestGroup> {
  const problemFlags = above.validatorFlags;
  const entries = files.list("data");
  if (entries === undefined) {
    throw files.error("data", "is missing; tests belong in data/sample and data/secret");
  }
  const test = entries.find(({ name }) => /\.(in|ans)$/.test(name));
  if (test) throw files.error(test.path, "must be in data/sample or data/secret");
  const settings = await groupSettings(files, entries, { above, isTop: true, problemFlags });
  const members: GroupMember[] = [];
  for (const entry of entries) {
    const { name, path, kind } = entry;
    if (kind !== "directory" || isHidden(name) || FOLDERS_FOR_VALIDATORS.includes(name)) continue;
    if (name !== "sample" && name !== "secret") {
      files.warn(path, "ignored; tests belong in data/sample and data/secret");
      continue;
    }
    const isSample = name === "sample";
    const group = await readGroup(files, entry, { above: settings, problemFlags, isSample });
    if (group.members.length > 0) members.push({ kind: "group", group });
    else if (!isSample) files.warn(path, "has no tests");
  }
  if (members.length > 0) return { name: "", ...settings, members };
  throw files.error("data", "has no tests; they belong in data/sample and data/secret");
}

async function readGroup(
  files: PackageFiles,
  folder: PackageEntry,
  context: Omit<GroupContext, "isTop"> & { readonly isSample: boolean },
): Promise<TestGroup> {
  files.countGroup(folder.path);
  const entries = (files.list(folder.path) ?? []).filter(({ name }) => !isHidden(name));
  const settings = await groupSettings(files, entries, { ...context, isTop: false });
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const members: GroupMember[] = [];
  for (const entry of entries) {
    const { name, path, kind } = entry;
    if (name.endsWith(".in")) {
      const answer = byName.get(name.replace(/in$/, "ans"));
      const test = readTest(files, { input: entry, answer, isSample: context.isSample });
      members.push({ kind: "test", test });
    } else if (name.endsWith(".ans")) {
      const input = name.replace(/ans$/, "in");
      if (!byName.has(input)) throw files.error(path, `has no input ${input}`);
    } else if (name.endsWith(".files") && kind === "directory") {
      throw files.error(path, "is not supported: a test has only one input file");
    } else if (kind === "directory") {
      const group = await readGroup(files, entry, { ...context, above: settings });
      if (group.members.length > 0) members.push({ kind: "group", group });
      else files.warn(path, "has no tests");
    } else if (name.endsWith(".yaml") && byName.has(name.replace(/yaml$/, "in"))) {
      await refuseTestSettings(files, path);
    } else if (BASE.test(name) && !byName.has(name.replace(BASE, ".in"))) {
      files.warn(path, `ignored; there is no ${name.replace(BASE, ".in")}`);
    } else if (![...SETTINGS_FILES, COMPANIONS, NOTES].some((known) => fits(name, known))) {
      files.warn(path, "ignored; inputs end in .in, answers in .ans");
    }
  }
  return { name: nameInData(folder.path), ...settings, members: members.sort(inOrder) };
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

function readTest(files: PackageFiles, { input, answer, isSample }: {
  input: PackageEntry;
  answer: PackageEntry | undefined;
  isSample: boolean;
}): TestCase {
  if (!answer) throw files.error(input.path, `has no answer ${input.name.replace(/in$/, "ans")}`);
  return {
    name: nameInData(input.path).replace(/\.in$/, ""),
    inputFile: files.mustBeFile(input.path, input).hostFile,
    answerFile: files.mustBeFile(answer.path, answer).hostFile,
    isSample,
  };
}

function nameInData(path: string): string {
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

async function refuseTestSettings(files: PackageFiles, path: string): Promise<void> {
  const node = await files.readYaml(path, { unknownKeys: "warn" });
  const values = node.mapping([...HARMLESS_TEST_KEYS, ...UNSUPPORTED_TEST_KEYS]);
  for (const key of UNSUPPORTED_TEST_KEYS) {
    const value = values.get(key);
    if (value && value.words().length > 0) {
      throw value.error("is not supported for a single test, only for a group in testdata.yaml");
    }
  }
}
