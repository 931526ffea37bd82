/**
 * The main job on real input: whole problem packages are judged; then programs that nobody trusts,
 * attacks among them, are run in a box under limits. Prints what became of each and fails if a
 * verdict is not the expected one.
 *
 * usage: ./dev demo [WORD…]   only packages and programs whose name contains one of the words
 */

import { defaultSettings } from "isolate/config/settings.ts";
import { type Case, demoCases, type Verdict } from "./cases.ts";
import { DemoBox, type RunResult } from "./isolate.ts";
import { missingLanguage, prepare } from "./languages.ts";
import { judgeExample, packageNames } from "./packages.ts";
import { printHeading, printRow } from "./table.ts";

/** Two at a time, each in its own box. */
const BOX_IDS = [490, 491];

/** Where each program starts from; it may ask for other limits. */
const USUAL_LIMITS = [
  "--time=2",
  "--wall-time=5",
  "--mem=262144",
  "--fsize=16384",
  "--open-files=64",
];

/** What the attacks of `programs/` try to make. */
const TRACES = ["/isolate-demo", "/usr/bin/isolate-demo", "/etc/isolate-demo", "/lib/isolate-demo"];

function judge({ answer, attack }: Case, { meta, output }: RunResult): Verdict {
  switch (meta.get("status")) {
    case "TO":
      return meta.get("message")?.includes("wall") ? "wall limit" : "CPU limit";
    case "SG":
      return `signal ${Number(meta.get("exitsig"))}`;
    case "RE":
      return attack ? "BROKEN OUT" : `exit status ${Number(meta.get("exitcode"))}`;
  }
  if (attack) return "held";
  return answer === undefined || output === answer ? "accepted" : "wrong answer";
}

/** Nothing that runs as the box's user may be left when the command has returned. */
function survivors(boxId: number): string[] {
  const { firstUid } = defaultSettings();
  const found: string[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Deno.lstatSync(`/proc/${name}`).uid === firstUid + boxId) found.push(name);
    } catch {
      // Gone meanwhile.
    }
  }
  return found;
}

function traces(): string[] {
  return TRACES.filter((path) => {
    try {
      Deno.lstatSync(path);
      return true;
    } catch {
      return false;
    }
  });
}

interface Judged {
  verdict: Verdict;
  result: RunResult;
  /** What is wrong; empty if all is as it has to be. */
  complaints: string[];
}

async function runCase(boxId: number, item: Case): Promise<Judged> {
  const box = await DemoBox.init(boxId);
  try {
    const source = new URL(`programs/${item.source}`, import.meta.url);
    await box.write(item.source, await Deno.readTextFile(source));
    await box.write("in.txt", item.input ?? "");
    const { command, options } = await prepare(box, item.source);
    const all = [...USUAL_LIMITS, ...options, ...item.options ?? []];
    const result = await box.run(command, all);
    const verdict = judge(item, result);
    const complaints = [
      ...verdict === item.expected ? [] : [`expected: ${item.expected}`],
      ...survivors(boxId).map((pid) => `process ${pid} of the box is still alive`),
      ...traces().map((path) => `${path} exists`),
    ];
    return { verdict, result, complaints };
  } finally {
    await box.cleanup();
  }
}

/** Counts who gets through to the host. */
function listen(): { port: number; connections: () => number; close: () => void } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let count = 0;
  (async () => {
    for await (const connection of listener) {
      count++;
      connection.close();
    }
  })();
  const { port } = listener.addr as Deno.NetAddr;
  return { port, connections: () => count, close: () => listener.close() };
}

/** Judges all cases, some at a time, and prints the rows in order. */
async function judgeAll(cases: readonly Case[]): Promise<number> {
  const results = cases.map(() => Promise.withResolvers<Judged>());
  // Who waits for an earlier row has not looked at this one yet.
  for (const { promise } of results) promise.catch(() => {});
  let next = 0;
  const workers = BOX_IDS.map(async (boxId) => {
    for (let at; (at = next++) < cases.length;) {
      try {
        results[at]!.resolve(await runCase(boxId, cases[at]!));
      } catch (error) {
        results[at]!.reject(error);
      }
    }
  });
  let wrong = 0;
  for (const [at, { source, does }] of cases.entries()) {
    try {
      const { verdict, result, complaints } = await results[at]!.promise;
      printRow({ source, does, verdict, meta: result.meta });
      for (const complaint of complaints) console.log(`    WRONG: ${complaint}`);
      if (complaints.length === 0) continue;
      for (const text of [result.output, result.errors]) console.log(text.replace(/^/gm, "    | "));
    } catch (error) {
      console.log(`${source}: ${error instanceof Error ? error.message : error}`);
    }
    wrong++;
  }
  await Promise.all(workers);
  return wrong;
}

async function main(words: readonly string[]): Promise<number> {
  const startMs = performance.now();
  const host = listen();
  try {
    const chosen = demoCases(host).filter(({ source }) =>
      words.length === 0 || words.some((word) => source.includes(word))
    );
    const cases = chosen.filter(({ source }) => missingLanguage(source) === undefined);
    const packages = packageNames(words);
    let wrongPackages = 0;
    for (const name of packages) if (!await judgeExample(name)) wrongPackages++;
    if (cases.length > 0) printHeading();
    let wrong = await judgeAll(cases);
    for (const { source } of chosen) {
      const reason = missingLanguage(source);
      if (reason) console.log(`left out: ${source}: ${reason}`);
    }
    if (host.connections() > 0) {
      console.log("WRONG: a program has reached the host's network");
      wrong++;
    }
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    const good = packages.length - wrongPackages;
    console.log(
      `\n${good} of ${packages.length} packages and ${cases.length - wrong} of ${cases.length} ` +
        `single programs as expected, ${seconds} s`,
    );
    return wrong + wrongPackages === 0 && cases.length + packages.length > 0 ? 0 : 1;
  } finally {
    host.close();
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
