/** How long each file of tests took in its guest: the next time the work is dealt out by that. */

/**
 * Seconds by file, of a JUnit report. The file is the suite's: a test's own is where it was
 * registered, which may be a helper of many files.
 */
export function parseTimes(xml: string): Map<string, number> {
  const times = new Map<string, number>();
  for (const suite of xml.split("<testsuite ").slice(1)) {
    const file = /^name="\.?\/?([^"]*)"/.exec(suite)?.[1] ?? "";
    const tests = [...suite.matchAll(/<testcase .*? time="([\d.]+)"/g)];
    times.set(file, tests.reduce((sum, [, time]) => sum + Number(time), 0));
  }
  return times;
}

/** What was remembered, if anything. */
export async function readTimes(folder: string): Promise<Map<string, number>> {
  const text = await Deno.readTextFile(`${folder}/times.json`).catch(() => "[]");
  return new Map(JSON.parse(text));
}

/** Remembers new times; files that did not run this time keep theirs. */
export async function rememberTimes(
  folder: string,
  runs: readonly Map<string, number>[],
): Promise<void> {
  const all = new Map([...await readTimes(folder), ...runs.flatMap((run) => [...run])]);
  await Deno.writeTextFile(`${folder}/times.json`, JSON.stringify([...all], undefined, 1));
}
