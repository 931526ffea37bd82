/**
 * The execution server through each API that it speaks, against the library alone and against another
 * server: go-judge, if `GO_JUDGE` names its program.
 */

import { Box, type BoxFiles, Capture } from "isolate/mod.ts";
import { ApiServer } from "../tests/support/api_server.ts";
import { type Api, apiIsThere, APIS, EXPECTED, type Task, TASKS } from "./api_requests.ts";
import { startGoJudge } from "./go_judge.ts";
import { type Load, loadOf } from "./load.ts";
import { BOX_IDS, median, type Row, withFolder } from "./measure.ts";

const CLIENTS = [1, 8, 64] as const;
/** Each load lasts that long, in turns with the others. */
const SECONDS_A_TURN = 2;
const TURNS = 3;
const WARM_UP_REQUESTS = 10;
const LIBRARY = "the library alone";
const IDLE_MS = 6000;
const KIB = 1024;

/** Measures the execution server. */
export async function measureApi(): Promise<Row[]> {
  return await withFolder(async (folder) => {
    await using server = await ApiServer.start();
    const { pid } = server.process;
    await using goJudge = await startGoJudge(folder);
    const apis: Api[] = [];
    for (const api of APIS) if (await apiIsThere(api, server.url)) apis.push(api);
    const sendersOf = (task: Task): Senders => ({
      ...Object.fromEntries(apis.map((api) => [api.name, () => api.send(server.url, task)])),
      ...goJudge && { [goJudge.name]: () => goJudge.send(task) },
    });
    const rows: Row[] = [];
    let idleMib = 0;
    for (const task of TASKS) {
      const senders = sendersOf(task);
      for (const send of Object.values(senders)) {
        for (let i = 0; i < WARM_UP_REQUESTS; i++) await send();
      }
      idleMib ||= memoryMib(pid);
      await using library = await openLibrary(task);
      for (const clients of CLIENTS) {
        const others = clients === 1 ? { [LIBRARY]: library.run } : {};
        const loads = await inTurns({ ...senders, ...others }, clients);
        rows.push(...rowsOf(loads, { task, clients, rival: goJudge?.name }));
      }
    }
    const busyMib = memoryMib(pid);
    // What it does not need any more is given back once nobody comes.
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    return [
      ...rows,
      { what: "memory of the server: before the load", unit: "MiB", here: idleMib },
      { what: "right after it", unit: "MiB", here: busyMib },
      { what: "idle again", unit: "MiB", here: memoryMib(pid) },
      ...goJudge
        ? [{ what: "memory of go-judge", unit: "MiB" as const, here: memoryMib(goJudge.pid) }]
        : [],
    ];
  });
}

type Senders = Readonly<Record<string, () => Promise<void>>>;

/** Puts all under the same load, in turns, so that they meet the same machine. */
async function inTurns(senders: Senders, clients: number): Promise<ReadonlyMap<string, Load>> {
  const loads = new Map<string, Load[]>(Object.keys(senders).map((name) => [name, []]));
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [name, send] of Object.entries(senders)) {
      loads.get(name)!.push(await loadOf(send, { clients, seconds: SECONDS_A_TURN }));
    }
  }
  return new Map([...loads].map(([name, turns]) => [name, {
    perSecond: median(turns.map((load) => load.perSecond)),
    p50Ms: median(turns.map((load) => load.p50Ms)),
    p99Ms: median(turns.map((load) => load.p99Ms)),
  }]));
}

function rowsOf(
  loads: ReadonlyMap<string, Load>,
  { task, clients, rival }: { task: Task; clients: number; rival: string | undefined },
): Row[] {
  const library = loads.get(LIBRARY);
  const other = rival === undefined ? undefined : loads.get(rival);
  return [...loads].flatMap(([name, load]): Row[] => {
    const what = `${name}, ${task.name}, ${clients === 1 ? "1 client" : `${clients} clients`}`;
    const isServer = load !== library && load !== other;
    return [
      {
        what: `${what}: median`,
        ...library && isServer && { against: LIBRARY, reference: library.p50Ms, goal: 1.2 },
        unit: "ms",
        here: load.p50Ms,
      },
      { what: `${what}: 99th percentile`, unit: "ms", here: load.p99Ms },
      { what, unit: "runs/s", here: load.perSecond },
      ...other && isServer
        ? [{
          what: `${what}: time for each`,
          against: rival!,
          unit: "ms" as const,
          reference: 1000 / other.perSecond,
          here: 1000 / load.perSecond,
          // One and a half times as many in a second.
          goal: 0.67,
        }]
        : [],
    ];
  });
}

/** A program that uses the library for the same: put the file there, run, read, empty the box. */
async function openLibrary(task: Task): Promise<AsyncDisposable & { run(): Promise<void> }> {
  const box = await Box.init({ boxId: BOX_IDS[0]!, controlGroup: true, ready: true });
  const files = await task.prepare(box);
  const run = async () => {
    await put(box.files, files);
    const stdout = new Capture({ limitBytes: KIB });
    const stderr = new Capture({ limitBytes: KIB });
    const outcome = await box.run(task.command, {
      limits: {
        cpuTimeMs: 3000,
        wallTimeMs: 3000,
        processes: 64,
        controlGroupMemoryKib: 512 * KIB,
      },
      stdout,
      stderr,
      environment: new Map([["PATH", "/usr/local/bin:/usr/bin:/bin"]]),
    });
    if (outcome.kind !== "exit" || stdout.text() !== EXPECTED) {
      throw new Error(`The library has failed: ${JSON.stringify(outcome)} ${stderr.text()}`);
    }
    await box.clear({ controlGroup: true });
  };
  for (let i = 0; i < WARM_UP_REQUESTS; i++) await run();
  return { run, [Symbol.asyncDispose]: () => box.cleanup() };
}

async function put(files: BoxFiles, contents: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [name, bytes] of contents) await files.write(name, bytes, { mode: 0o755 });
}

function memoryMib(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / KIB;
}
