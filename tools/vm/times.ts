/** How long each file of tests took in its guest: the next time the work is dealt out by that. */

import type { TestCase } from "../junit.ts";

/** Seconds by file, of what was not skipped. */
export function timesOf(cases: readonly TestCase[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const { file, wallTimeS, outcome } of cases) {
    if (outcome === "skipped") continue;
    const name = file.replace(/^\.\//, "");
    times.set(name, (times.get(name) ?? 0) + wallTimeS);
  }
  return times;
}

/** What a checkout begins with: measured once, to be written anew when files have come and gone. */
const FIRST_TIMES = new URL("seconds.json", import.meta.url);

/** What was remembered, or else what a checkout begins with. */
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
