/** The tests of a package in the problem package format: the folder `data`. */

import type { GroupMember, TestGroup } from "../types.ts";
import { notAFile, type PackageEntry, type PackageFiles } from "./files.ts";
import { type GroupReading, type GroupSettings, readGroupSettings } from "./group_settings.ts";
import { YamlNode } from "./node.ts";
import { isHidden } from "./programs.ts";

const SETTINGS_FILES = ["testdata.yaml", "test_group.yaml"];

/** Folders of `data` whose tests are for checking validators, not submissions. */
const FOLDERS_FOR_VALIDATORS = [
  "invalid_answers",
  "invalid_input",
  "invalid_inputs",
  "invalid_output",
  "invalid_outputs",
  "valid_output",
  "valid_outputs",
];

/** What may stand beside a test. */
const COMPANIONS =
  /\.(in|ans|hint|desc|png|jpe?g|svg|interaction|out|(in|ans)\.(statement|download)|download)$/;

/** What reading the tests needs. */
export interface DataReading {
  /** How the topmost group is judged where nothing is written. */
  readonly settings: GroupSettings;
  /** The validator's flags for all tests, from `problem.yaml`. */
  readonly problemFlags: readonly string[];
  /** Is told what is odd, a sentence each. */
  readonly warn: (warning: string) => void;
}

/** Reads the tests. */
export async function readData(files: PackageFiles, reading: DataReading): Promise<TestGroup> {
  const entries = files.list("data");
  if (entries === undefined) {
    throw files.error("data", "is missing; the tests must be in data/sample and data/secret");
  }
  const folders = entries.filter(({ kind }) => kind === "directory");
  const test = entries.find(({ name }) => name.endsWith(".in") || name.endsWith(".ans"));
  if (test) throw files.error(test.path, "must be in data/sample or data/secret");
  for (const { name, path } of folders) {
    if (["sample", "secret", ...FOLDERS_FOR_VALIDATORS].includes(name) || isHidden(name)) continue;
    reading.warn(`${files.pathFor(path)}: is not used; tests are in data/sample and data/secret`);
  }
  const base = { above: reading.settings, isTop: true, problemFlags: reading.problemFlags };
  const settings = await groupSettings(files, entries, {
    ...base,
    unknown: reading.warn,
  });
  const members: GroupMember[] = [];
  for (const entry of folders) {
    if (entry.name !== "sample" && entry.name !== "secret") continue;
    const isSample = entry.name === "sample";
    const group = await readGroup(files, entry, { ...reading, above: settings, isSample });
    if (group.members.length > 0) members.push({ kind: "group", group });
    else if (!isSample) reading.warn(`${files.pathFor(entry.path)}: has no tests`);
  }
  if (members.length === 0) {
    throw files.error("data", "has no tests; they must be in data/sample and data/secret");
  }
  return { name: "", ...settings, members };
}

interface FolderLevel extends DataReading {
  readonly above: GroupSettings;
  readonly isSample: boolean;
}

async function readGroup(
  files: PackageFiles,
  folder: PackageEntry,
  level: FolderLevel,
): Promise<TestGroup> {
  const { above, isSample, problemFlags, warn } = level;
  const entries = (files.list(folder.path) ?? []).filter(({ name }) => !isHidden(name));
  const settings = await groupSettings(files, entries, {
    above,
    problemFlags,
    isTop: false,
    unknown: warn,
  });
  const names = new Set(entries.map(({ name }) => name));
  const members: GroupMember[] = [];
  for (const entry of entries) {
    const { name, path, kind } = entry;
    if (name.endsWith(".in")) {
      members.push({ kind: "test", test: readTest(files, { input: entry, entries, isSample }) });
    } else if (name.endsWith(".ans")) {
      const input = name.replace(/ans$/, "in");
      if (!names.has(input)) throw files.error(path, `is an answer without an input, ${input}`);
    } else if (name.endsWith(".files") && kind === "directory") {
      throw files.error(path, "is not supported: files beside the input of a test");
    } else if (kind === "directory") {
      const group = await readGroup(files, entry, { ...level, above: settings });
      if (group.members.length > 0) members.push({ kind: "group", group });
      else warn(`${files.pathFor(path)}: has no tests`);
    } else if (name.endsWith(".yaml") && names.has(name.replace(/yaml$/, "in"))) {
      await refuseTestSettings(files, { path, unknown: warn });
    } else if (!SETTINGS_FILES.includes(name) && !COMPANIONS.test(name) && !isNote(name)) {
      warn(`${files.pathFor(path)}: is not used; inputs end in .in, answers in .ans`);
    }
  }
  return { name: dataName(folder.path), ...settings, members: members.sort(byName) };
}

/** Tests and groups are used in the order of their names without the ending. */
function byName(a: GroupMember, b: GroupMember): number {
  const name = (member: GroupMember) =>
    member.kind === "test" ? member.test.name : member.group.name;
  return name(a) < name(b) ? -1 : 1;
}

function readTest(
  files: PackageFiles,
  { input, entries, isSample }: {
    input: PackageEntry;
    entries: readonly PackageEntry[];
    isSample: boolean;
  },
) {
  const stem = input.name.replace(/in$/, "");
  const answer = entries.find(({ name }) => name === `${stem}ans`);
  if (answer === undefined) {
    throw files.error(input.path, `is a test without an answer, ${stem}ans`);
  }
  for (const entry of [input, answer]) {
    if (entry.kind !== "file") throw files.error(entry.path, notAFile(entry));
  }
  return {
    name: dataName(input.path).replace(/\.in$/, ""),
    inputFile: input.hostFile,
    answerFile: answer.hostFile,
    isSample,
  };
}

function dataName(path: string): string {
  return path.replace(/^data\//, "");
}

function isNote(name: string): boolean {
  return /^(readme|license|generator)/i.test(name) || /\.(md|txt)$/i.test(name);
}

async function groupSettings(
  files: PackageFiles,
  entries: readonly PackageEntry[],
  reading: GroupReading,
): Promise<GroupSettings> {
  const file = entries.find(({ name }) => SETTINGS_FILES.includes(name));
  if (file) return readGroupSettings(await YamlNode.read(files, file.path), reading);
  const { above, isTop } = reading;
  if (isTop) return above;
  return { ...above, grading: { ...above.grading, ignoreSample: false } };
}

/** Settings of single tests came with a later version; those that are only told may stand there. */
async function refuseTestSettings(
  files: PackageFiles,
  { path, unknown }: { path: string; unknown: (warning: string) => void },
): Promise<void> {
  const told = ["hint", "description", "full_feedback", "input_validator_args"];
  const judged = ["args", "output_validator_args"];
  const node = await YamlNode.read(files, path);
  const values = node.mapping([...told, ...judged], unknown);
  for (const key of judged) {
    const value = values.get(key);
    if (value && value.words().length > 0) {
      throw value.error("is not supported for a single test, only for groups in testdata.yaml");
    }
  }
}
