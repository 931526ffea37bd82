/** `isolate judge` in trouble: a task, boxes of its own, and a check that nothing is left. */

import { assert, assertEquals } from "@std/assert";
import { withFolder } from "./folder.ts";
import { type CommandResult, processesOf, sh, startIsolate } from "./isolate.ts";
import { type PackageContent, writeFiles } from "./package.ts";

/** Box ids that nothing else uses: control groups are named after boxes of any configuration. */
const FIRST_BOX = 11;
const LAST_BOX = 18;
const FIRST_UID = 61600;

export type Files = Readonly<Record<string, PackageContent>>;

/** The submission that must be judged whatever happens to the others: it prints twice the number. */
export const GOOD_NAME = "accepted/twice.sh";

/** A task with two tests and a good submission. */
export const TWICE: Files = {
  "task.yaml": "title: Twice\nlimits: {time: 1s, memory: 64MiB}\n",
  "tests/1.in": "1\n",
  "tests/1.ans": "2\n",
  "tests/2.in": "21\n",
  "tests/2.ans": "42\n",
  [`submissions/${GOOD_NAME}`]: "read n\necho $((n * 2))\n",
};

/** How a case is judged. */
export interface BadCase {
  /** What is in the package. */
  files?: Files;
  /** More arguments; `FOLDER` is the folder of the test. */
  args?: readonly string[];
  /** Lines of the configuration, in which `FOLDER` is the folder of the test. */
  config?: string;
  /** The boxes to use. */
  boxes?: string;
  /** Done before. */
  prepare?: (folder: string) => Promise<unknown>;
  /** Done when boxes are in use. */
  meanwhile?: (folder: string) => Promise<unknown>;
}

/**
 * Judges, and insists that nothing is left: no box, control group, mount, process or temporary file.
 * In what was written the folder of the test is `FOLDER`.
 */
export async function judgeBad(bad: BadCase): Promise<CommandResult> {
  const { files = TWICE, args = [], config = "", prepare, meanwhile } = bad;
  const results: CommandResult[] = [];
  await withFolder(async (folder) => {
    const here = (text: string) => text.replaceAll("FOLDER", folder);
    await Deno.writeTextFile(
      `${folder}/isolate.yaml`,
      `box_root: ${folder}/boxes\nlock_root: ${folder}/locks\nnum_boxes: 20\n` +
        `first_uid: ${FIRST_UID}\nfirst_gid: ${FIRST_UID}\n${here(config)}`,
    );
    await writeFiles(`${folder}/task`, files);
    await Deno.mkdir(`${folder}/tmp`);
    try {
      await prepare?.(folder);
      await using judge = startIsolate([
        "judge",
        `--config=${folder}/isolate.yaml`,
        `--box-ids=${bad.boxes ?? `${FIRST_BOX}-${LAST_BOX}`}`,
        `--cache=${folder}/cache`,
        ...args.map(here),
        `${folder}/task`,
      ], { env: { TMPDIR: `${folder}/tmp` } });
      await meanwhile?.(folder);
      const { code, stdout, stderr } = await judge.result;
      await assertNothingLeft(folder);
      const plain = (text: string) => text.replaceAll(folder, "FOLDER");
      results.push({ code, stdout: plain(stdout), stderr: plain(stderr) });
    } finally {
      await sh(`umount ${folder}/* 2>/dev/null || true`);
    }
  });
  return results[0]!;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return [];
    }
    throw error;
  }
}

async function assertNothingLeft(folder: string): Promise<void> {
  const isBox = (name: string) => /^\d+$/.test(name);
  assertEquals((await namesIn(`${folder}/boxes`)).filter(isBox), [], "boxes");
  assertEquals(await namesIn(`${folder}/tmp`), [], "temporary files");
  const unfinished = (await namesIn(`${folder}/cache`)).filter((name) => name.startsWith("new-"));
  assertEquals(unfinished, [], "unfinished programs");
  const mounts = (await Deno.readTextFile("/proc/self/mountinfo")).split("\n");
  assertEquals(mounts.filter((line) => line.includes(`${folder}/boxes/`)), [], "mounts");
  for (let box = FIRST_BOX; box <= LAST_BOX; box++) {
    assertEquals(await processesOf(FIRST_UID + box), [], "processes");
  }
  const groups = await sh(
    `find /sys/fs/cgroup -type d -path '*isolate*' -regex '.*/box-1[1-8]-.*' -prune`,
  );
  assertEquals(groups, "", "control groups");
}

/** The line of a submission, from its verdict on, without what varies. */
export function lineOf({ stdout, stderr }: CommandResult, submission: string): string {
  const line = stdout.split("\n").find((line) => line.slice(4).startsWith(`${submission} `));
  assert(line !== undefined, `no line of ${submission} in ${stdout}${stderr}`);
  return line.slice(4 + submission.length).trim().replaceAll(/ +/g, " ")
    .replace(/\(expected \w+\) /, "").replace(/[\d.]+ s [\d.]+ [KM]iB \d+ tests? ?/, "").trim();
}

/** The command refused before anything was judged, in one sentence. */
export function assertOneSentence(result: CommandResult, sentence: string | RegExp): void {
  const { code, stdout, stderr } = result;
  assertEquals([code, stdout], [2, ""], stderr);
  const [line, ...rest] = stderr.trimEnd().split("\n");
  assertEquals(rest.filter((line) => !line.includes("--help")), [], stderr);
  if (typeof sentence === "string") assertEquals(line, sentence);
  else assert(sentence.test(line!), `${sentence} does not fit ${line}`);
}
