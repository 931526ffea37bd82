/**
 * The resident service and its client, against what is installed: the classic command if `ISOLATE_C`
 * names one, and bubblewrap.
 */

import { Box } from "isolate/mod.ts";
import { directCommand, isolateCommand, output, ROOT } from "../tools/process.ts";
import {
  BOX_IDS,
  compile,
  median,
  mediansInTurns,
  type Row,
  run,
  timeMs,
  withFolder,
} from "./measure.ts";

const ROUNDS = 10;
const RUNS_A_ROUND = 30;
const THROUGHPUT_BOXES = 8;
const THROUGHPUT_MS = 2000;
const CLIENTS = [1, 8, 64] as const;
const IDLE_MS = 6000;
/** The native client. */
export const CLIENT = `${ROOT}/lib/isolate-${Deno.build.arch}`;
const BOX_ID = String(BOX_IDS[0]);

/** Measures the service. */
export async function measureService(): Promise<Row[]> {
  return await withFolder(async (folder) => {
    const spawn = await compile("spawn", folder);
    await using service = await startService(folder);
    return [
      ...await measureCommands(spawn, service.environment),
      ...await measureRuntime(folder, service.environment),
      ...await measureLoad(spawn, service.environment),
      ...await memoryRows(service.pid),
      ...await measureReady(await compile("floor", folder)),
    ];
  });
}

/** A service that only the benchmarks use. */
export interface Service extends AsyncDisposable {
  readonly pid: number;
  /** What makes clients find it. */
  readonly environment: Record<string, string>;
}

/** Starts one, with its socket in the folder, and with more lines in its configuration. */
export async function startService(
  folder: string,
  lines: readonly string[] = [],
): Promise<Service> {
  const socket = `${folder}/socket`;
  const settings = [`service_socket = ${socket}`, ...lines].map((line) => `${line}\n`);
  await Deno.writeTextFile(`${folder}/config`, settings.join(""));
  const [program, ...args] = directCommand("serve", `--config=${folder}/config`);
  const child = new Deno.Command(program!, {
    args,
    stdin: "null",
    // As its unit has it.
    env: { DENO_V8_FLAGS: "--max-semi-space-size=1" },
  }).spawn();
  while (!await Deno.lstat(socket).then(() => true, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    pid: child.pid,
    environment: { ISOLATE_SERVICE: socket },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

/** The time of a command in milliseconds, as a program in C sees it that runs it many times. */
async function commandMs(
  spawn: string,
  command: readonly string[],
  environment: Record<string, string> = {},
): Promise<number> {
  const text = await output([spawn, `${RUNS_A_ROUND}`, ...command], { env: environment });
  return JSON.parse(text).medianUs / 1000;
}

async function measureCommands(spawn: string, environment: Record<string, string>): Promise<Row[]> {
  const classic = Deno.env.get("ISOLATE_C");
  const bubblewrap = await findProgram("bwrap");
  const runArgs = ["--silent", `--box-id=${BOX_ID}`, "--run", "--", "/bin/true"];
  const wholeLife = (program: string) => [
    "/bin/sh",
    "-c",
    `${program} --init -b${BOX_ID} && ${program} -s --run -b${BOX_ID} -- /bin/true && ${program} --cleanup -b${BOX_ID}`,
  ];
  await output([CLIENT, "--init", `-b${BOX_ID}`], { env: environment });
  const ms = await mediansInTurns<string>(ROUNDS, {
    run: () => commandMs(spawn, [CLIENT, ...runArgs], environment),
    plain: () => commandMs(spawn, ["/bin/true"]),
    ...bubblewrap && {
      bubblewrap: () =>
        commandMs(spawn, [bubblewrap, "--ro-bind", "/", "/", "--unshare-all", "/bin/true"]),
    },
    ...classic && { classic: () => commandMs(spawn, [classic, ...runArgs]) },
  });
  const lives = await mediansInTurns<string>(ROUNDS, {
    life: () => commandMs(spawn, wholeLife(CLIENT), environment),
    ...classic && { classic: () => commandMs(spawn, wholeLife(classic)) },
  });
  const against = (
    what: string,
    here: number,
    { reference, name, goal }: { reference: number | undefined; name: string; goal?: number },
  ): Row[] =>
    reference === undefined
      ? []
      : [{ what, against: name, unit: "ms", reference, here, ...goal && { goal } }];
  const one = "client: --run -- /bin/true";
  const life = "client: --init, --run and --cleanup";
  return [
    ...against(one, ms["run"]!, { reference: ms["plain"], name: "/bin/true alone" }),
    ...against(one, ms["run"]!, { reference: ms["bubblewrap"], name: "bubblewrap" }),
    ...against(one, ms["run"]!, { reference: ms["classic"], name: "the original", goal: 0.7 }),
    { what: life, unit: "ms", here: lives["life"]! },
    ...against(life, lives["life"]!, {
      reference: lives["classic"],
      name: "the original",
      goal: 0.7,
    }),
  ];
}

async function findProgram(name: string): Promise<string | undefined> {
  return (await output(["/bin/sh", "-c", `command -v ${name} || true`])).trim() || undefined;
}

/** Measures the command of those who have no client. */
async function measureRuntime(folder: string, environment: Record<string, string>): Promise<Row[]> {
  await Deno.writeTextFile(`${folder}/empty.ts`, "");
  await output([CLIENT, "--init", `-b${BOX_ID}`], { env: environment });
  const command = isolateCommand("--silent", `-b${BOX_ID}`, "--run", "--", "/bin/true");
  const ms = await mediansInTurns(2 * ROUNDS, {
    empty: () => timeMs(() => output([Deno.execPath(), "run", `${folder}/empty.ts`])),
    run: () => timeMs(() => output(command, { env: environment })),
  });
  return [{
    what: "deno run --allow-ffi isolate.ts --run -- /bin/true, with a service",
    against: "deno run of an empty file",
    unit: "ms",
    reference: ms.empty,
    here: ms.run,
    goal: 1.5,
  }];
}

/** Measures how long clients wait that come at the same time. */
async function measureLoad(spawn: string, environment: Record<string, string>): Promise<Row[]> {
  const rows: Row[] = [];
  for (const clients of CLIENTS) {
    const boxes = Array.from({ length: clients }, (_, i) => String(1 + i + BOX_IDS[0]!));
    for (const box of boxes) await output([CLIENT, "--init", `-b${box}`], { env: environment });
    const startMs = performance.now();
    const runs = Math.ceil(512 / clients);
    const times = await Promise.all(boxes.map(async (box) => {
      const command = [CLIENT, "--silent", `-b${box}`, "--run", "--", "/bin/true"];
      return JSON.parse(await output([spawn, `${runs}`, ...command], { env: environment }));
    }));
    const seconds = (performance.now() - startMs) / 1000;
    for (const box of boxes) await output([CLIENT, "--cleanup", `-b${box}`], { env: environment });
    const what = clients === 1 ? "1 client" : `${clients} clients at once`;
    rows.push(
      { what: `${what}: runs of \`true\``, unit: "runs/s", here: clients * runs / seconds },
      { what: `${what}: median`, unit: "ms", here: median(times.map((t) => t.medianUs)) / 1000 },
      {
        what: `${what}: 99th percentile`,
        unit: "ms",
        here: median(times.map((t) => t.p99Us)) / 1000,
      },
    );
  }
  return rows;
}

function residentMib(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

async function memoryRows(pid: number): Promise<Row[]> {
  // Once nobody comes for some seconds it gives back what it does not need.
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const childrenOf = (parent: number) =>
    Deno.readTextFileSync(`/proc/${parent}/task/${parent}/children`).split(" ").filter(Boolean)
      .map(Number);
  const stages = childrenOf(pid);
  const waiting = [...stages, ...stages.flatMap(childrenOf)].map(residentMib);
  return [
    {
      what: "memory of the service, idle after all this",
      unit: "MiB",
      here: residentMib(pid),
      goal: 80,
    },
    ...waiting.length === 0 ? [] : [{
      what: "memory of a box that waits",
      unit: "MiB" as const,
      here: median(waiting),
      goal: 1,
    }],
  ];
}

/** Measures what the library gives without a service: boxes that are ready. */
async function measureReady(floor: string): Promise<Row[]> {
  const one = async (ready: boolean) => {
    await using box = await Box.init({ boxId: BOX_IDS[0]!, ready });
    const timesMs: number[] = [];
    for (let i = 0; i < RUNS_A_ROUND; i++) {
      timesMs.push(await timeMs(() => run(box, ["/bin/true"])));
    }
    return median(timesMs) * 1000;
  };
  const many = async (ready: boolean) => {
    const boxes = await Promise.all(
      BOX_IDS.slice(0, THROUGHPUT_BOXES).map((boxId) => Box.init({ boxId, ready })),
    );
    const endMs = performance.now() + THROUGHPUT_MS;
    let count = 0;
    await Promise.all(boxes.map(async (box) => {
      while (performance.now() < endMs) {
        await run(box, ["/bin/true"]);
        count++;
      }
    }));
    for (const box of boxes) await box.cleanup();
    return count / (THROUGHPUT_MS / 1000);
  };
  const us = await mediansInTurns(ROUNDS, {
    floor: async () => JSON.parse(await output([floor, `${RUNS_A_ROUND}`])).medianUs,
    readyFloor: async () => JSON.parse(await output([floor, `${RUNS_A_ROUND}`, "ready"])).medianUs,
    ready: () => one(true),
  });
  const perSecond = await mediansInTurns(3, { cold: () => many(false), ready: () => many(true) });
  return [
    {
      what: "library run of `true` in a box that is ready",
      against: "a cold one in C (bench/floor.c)",
      unit: "µs",
      reference: us.floor,
      here: us.ready,
      goal: 0.67,
    },
    {
      what: "the same",
      against: "one that is ready, in C",
      unit: "µs",
      reference: us.readyFloor,
      here: us.ready,
    },
    {
      what: `library runs of \`true\`, ${THROUGHPUT_BOXES} boxes that are ready`,
      against: "boxes that are not",
      unit: "runs/s",
      reference: perSecond.cold,
      here: perSecond.ready,
    },
  ];
}
