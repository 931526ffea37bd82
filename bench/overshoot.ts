/** How far a program gets past its limit before it is dead. */

import { Box, type Limits } from "isolate/mod.ts";
import { BOX_IDS, install, medianAndWorst, type Row, run } from "./measure.ts";

interface Setting {
  name: string;
  limit: "cpu" | "wall";
  limitMs: number;
  command: readonly string[];
  processes?: number;
  runs: number;
}

const BUSY = { name: "busy", command: ["./spin", "0"] };
const BUSY_THREADS = { name: "busy in 4 threads", command: ["./spin", "0", "4"], processes: 4 };
const ASLEEP = { name: "asleep", command: ["/bin/sleep", "100"] };

const SETTINGS: readonly Setting[] = [
  { ...BUSY, limit: "cpu", limitMs: 100, runs: 15 },
  { ...BUSY, limit: "cpu", limitMs: 500, runs: 10 },
  { ...BUSY_THREADS, limit: "cpu", limitMs: 500, runs: 10 },
  { ...ASLEEP, limit: "wall", limitMs: 100, runs: 15 },
  { ...ASLEEP, limit: "wall", limitMs: 500, runs: 10 },
  { ...BUSY, limit: "wall", limitMs: 500, runs: 6 },
];

async function overshoots(box: Box, { name, limit, limitMs, ...setting }: Setting) {
  const limits: Limits = {
    processes: setting.processes,
    ...limit === "cpu" ? { cpuTimeMs: limitMs } : { wallTimeMs: limitMs },
  };
  const beyondMs: number[] = [];
  for (let i = 0; i < setting.runs; i++) {
    const outcome = await run(box, setting.command, { limits, kinds: ["time-limit"] });
    if (outcome.kind !== "time-limit" || outcome.limit !== limit) {
      throw new Error(`${name} was not stopped by its ${limit} limit`);
    }
    const { cpuTimeMs, wallTimeMs } = outcome.usage;
    beyondMs.push((limit === "cpu" ? cpuTimeMs : wallTimeMs) - limitMs);
  }
  return beyondMs;
}

/** Measures how sharp limits are. */
export async function measureOvershoot(): Promise<Row[]> {
  await using box = await Box.init({ boxId: BOX_IDS[0]! });
  await install("spin", box);
  const rows: Row[] = [];
  for (const setting of SETTINGS) {
    const clock = setting.limit === "cpu" ? "CPU" : "wall";
    const what = `past ${clock} limit of ${setting.limitMs} ms, ${setting.name}`;
    const beyondMs = await overshoots(box, setting);
    rows.push(...medianAndWorst(beyondMs, { what, unit: "ms", goal: 10 }));
  }
  return rows;
}
