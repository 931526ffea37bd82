/** What judging adds to the runs of a submission, and how long the examples take. */

import { Box, callerEnvironment, type RunOptions, Sandbox } from "isolate/mod.ts";
import {
  HostFiles,
  judge,
  type JudgeOptions,
  loadLanguages,
  type Problem,
  readPackage,
} from "isolate/judge/mod.ts";
import { ROOT } from "../tools/process.ts";
import {
  BOX_IDS,
  compile,
  mediansInTurns,
  ownCpuMs,
  type Row,
  timeMs,
  withFolder,
} from "./measure.ts";

const TESTS = 1000;
const ROUNDS = 4;
const BOXES = { first: BOX_IDS[0]!, count: BOX_IDS.length };

/** Writes a package of many small tests and one submission: the sum of two numbers. */
async function writePackage(folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/data/secret`, { recursive: true });
  await Deno.mkdir(`${folder}/submissions/accepted`, { recursive: true });
  await Deno.writeTextFile(
    `${folder}/problem.yaml`,
    "name: Sum\nlimits: {time_limit: 1, memory: 256}\n",
  );
  await Deno.copyFile(`${ROOT}/bench/sum.c`, `${folder}/submissions/accepted/sum.c`);
  for (let i = 0; i < TESTS; i++) {
    const name = `${folder}/data/secret/${String(i).padStart(4, "0")}`;
    await Deno.writeTextFile(`${name}.in`, `${i} ${i}\n`);
    await Deno.writeTextFile(`${name}.ans`, `${2 * i}\n`);
  }
}

/** Measures how long something takes, or how much CPU time of this process. */
type Clock = (work: () => unknown) => Promise<number>;

/** The same runs with the library alone, whose results nobody looks at; in milliseconds a run. */
async function libraryRunMs(
  sandbox: Sandbox,
  { folder, program, jobs, clock = timeMs }: {
    folder: string;
    program: string;
    jobs: number;
    clock?: Clock;
  },
): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const boxes: Box[] = [];
  for (const boxId of BOX_IDS.slice(0, jobs)) {
    const box = stack.use(await Box.init({ sandbox, boxId, controlGroup: true }));
    await box.files.write("program", { hostFile: program }, { mode: 0o755 });
    boxes.push(box);
  }
  const next = Array.from({ length: TESTS }, (_, i) => i);
  const work = async (box: Box, cpu: number) => {
    const options: RunOptions = {
      limits: { cpuTimeMs: 1000, wallTimeMs: 6000, processes: 64, controlGroupMemoryKib: 262144 },
      stdout: { file: `${folder}/out-${cpu}` },
      stderr: "none",
      cpus: [cpu],
    };
    for (let test; (test = next.shift()) !== undefined;) {
      const file = `${folder}/data/secret/${String(test).padStart(4, "0")}.in`;
      await box.run(["./program"], { ...options, stdin: { file } });
    }
  };
  return await clock(() => Promise.all(boxes.map(work))) / TESTS;
}

interface Judge {
  sandbox: Sandbox;
  host: HostFiles;
  run(
    problem: Problem,
    options: Pick<JudgeOptions, "jobs" | "verify"> & { clock?: Clock },
  ): Promise<number>;
}

async function openJudge(cacheDirectory: string): Promise<Judge> {
  const sandbox = await Sandbox.open();
  const host = new HostFiles(sandbox);
  const languages = await loadLanguages(host, { environment: await callerEnvironment() });
  const run: Judge["run"] = (problem, { clock = timeMs, ...options }) =>
    clock(async () => {
      const { submissions } = problem;
      const common = { sandbox, host, problem, submissions, languages, cacheDirectory };
      const report = await judge({ ...common, ...options, boxIds: BOXES });
      if (report.complaints.length > 0) throw new Error(report.complaints.join("\n"));
    });
  return { sandbox, host, run };
}

async function overhead(folder: string, jobs: number): Promise<Row> {
  const { sandbox, host, run } = await openJudge(`${folder}/cache`);
  const problem = await readPackage(host, folder);
  const program = await compile("sum", folder);
  // The first round also fills the cache of compiled programs.
  const ms = await mediansInTurns(ROUNDS, {
    reference: () => libraryRunMs(sandbox, { folder, program, jobs }),
    here: async () => await run(problem, { jobs, verify: false }) / TESTS,
  });
  return {
    what: `judging ${TESTS} tests of a trivial program, ${jobs} at a time: each`,
    against: "library runs that nobody looks at",
    unit: "ms",
    ...ms,
    goal: 1.3,
  };
}

/** What the judge itself needs for a test, besides what the library needs to run it in a box. */
async function ownTime(folder: string): Promise<Row> {
  const { sandbox, host, run } = await openJudge(`${folder}/cache`);
  const problem = await readPackage(host, folder);
  const program = await compile("sum", folder);
  const { library, all } = await mediansInTurns(ROUNDS, {
    library: () => libraryRunMs(sandbox, { folder, program, jobs: 1, clock: ownCpuMs }),
    all: async () => await run(problem, { jobs: 1, verify: false, clock: ownCpuMs }) / TESTS,
  });
  const what = "CPU time of the judge for a test, beyond that of a library run";
  return { what, unit: "ms", here: all - library, goal: 1 };
}

/** Verifies all examples, as their author would. */
async function examples(folder: string): Promise<Row> {
  const { host, run } = await openJudge(`${folder}/examples-cache`);
  let totalMs = 0;
  for await (const { name, isDirectory } of Deno.readDir(`${ROOT}/examples`)) {
    if (!isDirectory) continue;
    const problem = await readPackage(host, `${ROOT}/examples/${name}`);
    totalMs += await run(problem, { jobs: navigator.hardwareConcurrency, verify: true });
  }
  const what = "judging all packages of examples/, nothing compiled before";
  return { what, unit: "s", here: totalMs / 1000 };
}

/** Measures judging. */
export async function measureJudge(): Promise<Row[]> {
  return await withFolder(async (folder) => {
    await writePackage(folder);
    return [
      await overhead(folder, 1),
      await overhead(folder, 2),
      await ownTime(folder),
      await examples(folder),
    ];
  });
}
