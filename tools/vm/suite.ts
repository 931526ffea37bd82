/** Which tests run in a guest, how they are dealt out, and how long they took there. */

import type { CaseResult } from "../junit.ts";
import { ROOT } from "../process.ts";

/** The kinds of guests, each for its tests. */
export type GuestName = "cgroup2" | "newer" | "systemd";

const SYSTEMD_TESTS = /^tests\/systemd\/.*_test\.ts$/;

/**
 * The tests of each guest. In the first one run those that another kernel can change: control
 * groups, quotas, the classic command line, and what is left of a service that was killed; and links
 * that a setting of the machine must allow. Emulated guests take ten times as long for a test, so that
 * other tests run there only when they are named.
 */
const TESTS: Readonly<Record<GuestName, RegExp>> = {
  cgroup2:
    /^(cgroup|tests\/(vm|cgroup|cli)|tests\/service(?=\/killed)|tests\/walls(?=\/hard_links))\/.*_test\.ts$/,
  // Since Linux 6.12 the kernel can tell the peak memory of one run.
  newer: /^tests\/cgroup\/memory_test\.ts$/,
  systemd: SYSTEMD_TESTS,
};

/**
 * Tests that the kernel cannot change: how arguments, environments and configurations are read, what
 * root needs, how Deno goes on without a service, and a service outside systemd. What judge systems
 * type is tested in the guest with `--cg`.
 */
const HOST_ONLY =
  /^tests\/(cgroup\/keeper|cli\/(chroot|clients|config|entry|environment|rights|usage))_test\.ts$/;

/**
 * Tests of the command line, which in guests go through a service: there Deno takes seconds to start,
 * and the native client does not. Some of their commands are processes of their own all the same, as
 * are all in other files, so that both ways are tested with the guest's kernel.
 */
const SERVED = /^tests\/(cli|cgroup|vm\/quota).*_test\.ts$/;

/**
 * What only a run of the guests alone takes along: another kernel has never changed the results of these
 * tests, and they take half of the time. `./dev vm-test` runs them, and with a word some of them.
 */
export const LEFT_TO_VM_TEST: readonly string[] = ["address", "box_size", "directories", "drop_in"]
  .concat("files", "follow", "hostname", "life", "process", "root_inside", "signals")
  .concat("syscall_filter", "terminal", "timing")
  .map((name) => `tests/cli/${name}_test.ts`)
  .concat("tests/service/killed_test.ts", "tests/systemd/groups_test.ts");

/**
 * Picks the test files of a guest; with words those whose names contain one of them.
 *
 * @param files all files of the project
 * @param options the guest; whether only those are wanted that are worth their time in every run
 */
export function guestTests(
  files: readonly string[],
  { guest, words = [], isShort = false }: {
    guest: GuestName;
    words?: readonly string[];
    isShort?: boolean;
  },
): string[] {
  const listed = files.filter((file) => file.endsWith("_test.ts"));
  if (words.length === 0) {
    return listed.filter((file) =>
      TESTS[guest].test(file) && !HOST_ONLY.test(file) &&
      !(isShort && LEFT_TO_VM_TEST.includes(file))
    );
  }
  // A test that is named runs even if it would not by itself.
  const fits = (file: string) =>
    guest === "cgroup2" ? !SYSTEMD_TESTS.test(file) : TESTS[guest].test(file);
  return listed.filter((file) => fits(file) && words.some((word) => file.includes(word)));
}

/** Whether a guest runs these tests of the command line through the client of a service. */
export function isServed(file: string): boolean {
  return SERVED.test(file);
}

/** Deals test files out to guests so that all guests end at about the same time. */
export function deal(
  tests: readonly string[],
  { guests, weightOf }: { guests: number; weightOf: (file: string) => number },
): string[][] {
  const hands = Array.from({ length: guests }, () => ({ files: [] as string[], weight: 0 }));
  const heaviestFirst = tests.toSorted((a, b) => weightOf(b) - weightOf(a));
  for (const file of heaviestFirst) {
    const lightest = hands.reduce((a, b) => b.weight < a.weight ? b : a);
    lightest.files.push(file);
    lightest.weight += weightOf(file);
  }
  return hands.map(({ files }) => files.sort()).filter((files) => files.length > 0);
}

/** Adds up the seconds of each file, without skipped tests. */
export function timesOf(cases: readonly CaseResult[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const { file, wallTimeS, outcome } of cases) {
    if (outcome === "skipped") continue;
    const name = file.replace(/^\.\//, "");
    times.set(name, (times.get(name) ?? 0) + wallTimeS);
  }
  return times;
}

/** Times for a new checkout. Copy the remembered ones here when test files have come and gone. */
const FIRST_TIMES = `${ROOT}/tools/vm/seconds.json`;

/** Reads the times of earlier runs, or those for a new checkout. */
export async function readTimes(folder: string): Promise<Map<string, number>> {
  const text = await Deno.readTextFile(`${folder}/seconds.json`)
    .catch(() => Deno.readTextFile(FIRST_TIMES));
  return new Map(Object.entries(JSON.parse(text)));
}

/** Remembers new times; files that did not run this time keep theirs. */
export async function rememberTimes(
  folder: string,
  runs: readonly Map<string, number>[],
): Promise<void> {
  const all = new Map([...await readTimes(folder), ...runs.flatMap((run) => [...run])]);
  const rounded = [...all].sort().map(([file, seconds]) => [file, Math.round(seconds * 10) / 10]);
  const text = JSON.stringify(Object.fromEntries(rounded), undefined, 2);
  await Deno.writeTextFile(`${folder}/seconds.json`, `${text}\n`);
}
