/**
 * The main job on real input: judges whole problem packages, then runs untrusted programs, attacks
 * among them, in boxes under limits. Prints what became of each, and fails if a verdict is not the
 * expected one.
 *
 * usage: ./dev demo [WORD…]   only packages and programs whose name contains one of the words
 */

import { defaultSettings } from "isolate/config/settings.ts";
import { directCommand, ROOT } from "../tools/process.ts";
import { type Case, demoCases, type DemoVerdict } from "./cases.ts";
import { DemoBox, type RunResult } from "./isolate.ts";
import { missingLanguage, prepare } from "./languages.ts";
import { printHeading, printRow } from "./table.ts";

/** Two programs run at a time, each in its own box. */
const BOX_IDS = [490, 491];

/** Limits of every program; it may ask for others. */
const USUAL_LIMITS = [
  "--time=2",
  "--wall-time=5",
  "--mem=262144",
  "--fsize=16384",
  "--open-files=64",
];

/** What the attacks of `programs/` try to create. */
const TRACES = ["/isolate-demo", "/usr/bin/isolate-demo", "/etc/isolate-demo", "/lib/isolate-demo"];

/** Verifies a package of `examples/`; returns whether every submission got what it should. */
async function judgeExample(name: string): Promise<boolean> {
  const report = `dist/demo/${name}.html`;
  await Deno.mkdir(`${ROOT}/dist/demo`, { recursive: true });
  console.log(`\nisolate judge examples/${name} --html=${report}`);
  const options = ["--no-cache", `--html=${ROOT}/${report}`];
  const [program = "", ...args] = directCommand("judge", ...options, `${ROOT}/examples/${name}`);
  return (await new Deno.Command(program, { args, stdin: "null" }).spawn().status).success;
}

function verdictOf({ answer, expected }: Case, { meta, output }: RunResult): DemoVerdict {
  const isAttack = expected === "held";
  switch (meta.get("status")) {
    case "TO":
      return meta.get("message")?.includes("wall") ? "wall limit" : "CPU limit";
    case "SG":
      return `signal ${Number(meta.get("exitsig"))}`;
    case "RE":
      return isAttack ? "BROKEN OUT" : `exit status ${Number(meta.get("exitcode"))}`;
  }
  if (isAttack) return "held";
  return answer === undefined || output === answer ? "accepted" : "wrong answer";
}

/** Lists the processes of the box's user: none may be left when the command has returned. */
function survivors(boxId: number): string[] {
  const uid = defaultSettings().firstUid + boxId;
  const processes = [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name));
  return processes.map(({ name }) => name).filter((name) => lstat(`/proc/${name}`)?.uid === uid);
}

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined;
  }
}

interface Judged {
  verdict: DemoVerdict;
  result: RunResult;
  /** What is wrong; empty if all is as expected. */
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
    const verdict = verdictOf(item, result);
    const complaints = [
      ...verdict === item.expected ? [] : [`expected: ${item.expected}`],
      ...survivors(boxId).map((pid) => `process ${pid} of the box is still alive`),
      ...TRACES.filter(lstat).map((path) => `${path} exists`),
    ];
    return { verdict, result, complaints };
  } finally {
    await box.cleanup();
  }
}

/** Counts the connections that reach the host. */
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

/** Judges all cases, some at a time, and prints the rows in order; returns how many went wrong. */
async function judgeAll(cases: readonly Case[]): Promise<number> {
  const results = cases.map(() => Promise.withResolvers<Judged>());
  // A later case can fail before anybody waits for it.
  for (const { promise } of results) promise.catch(() => {});
  let next = 0;
  const workers = BOX_IDS.map(async (boxId) => {
    for (let at; (at = next++) < cases.length;) {
      await runCase(boxId, cases[at]!).then(results[at]!.resolve, results[at]!.reject);
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
  const isChosen = (name: string) =>
    words.length === 0 || words.some((word) => name.includes(word));
  const host = listen();
  try {
    const packages = [...Deno.readDirSync(`${ROOT}/examples`)]
      .filter(({ name, isDirectory }) => isDirectory && isChosen(name))
      .map(({ name }) => name)
      .sort();
    let wrongPackages = 0;
    for (const name of packages) if (!await judgeExample(name)) wrongPackages++;

    const chosen = demoCases(host).filter(({ source }) => isChosen(source));
    const cases = chosen.filter(({ source }) => missingLanguage(source) === undefined);
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
