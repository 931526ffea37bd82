/** How far a program gets past its limit before it is dead. */

import { Box, type Limits } from "isolate/mod.ts";
import { type Benchmark, BOX_IDS, install, median, type Row } from "./measure.ts";

interface Setting {
  name: string;
  limit: "cpu" | "wall";
  limitMs: number;
  command: readonly string[];
  processes?: number;
  runs: number;
}

const SETTINGS: readonly Setting[] = [
  { name: "busy", limit: "cpu", limitMs: 100, command: ["./spin", "0"], runs: 15 },
  { name: "busy", limit: "cpu", limitMs: 500, command: ["./spin", "0"], runs: 10 },
  {
    name: "busy in 4 threads",
    limit: "cpu",
    limitMs: 500,
    command: ["./spin", "0", "4"],
    processes: 4,
    runs: 10,
  },
  { name: "asleep", limit: "wall", limitMs: 100, command: ["/bin/sleep", "100"], runs: 15 },
  { name: "asleep", limit: "wall", limitMs: 500, command: ["/bin/sleep", "100"], runs: 10 },
  { name: "busy", limit: "wall", limitMs: 500, command: ["./spin", "0"], runs: 6 },
];

async function overshoots(box: Box, setting: Setting): Promise<number[]> {
  const { limit, limitMs, processes } = setting;
  const limits: Limits = {
    processes,
    ...limit === "cpu" ? { cpuTimeMs: limitMs } : { wallTimeMs: limitMs },
  };
  const beyondMs: number[] = [];
  for (let i = 0; i < setting.runs; i++) {
    const outcome = await box.run(setting.command, { limits });
    if (outcome.kind !== "time-limit" || outcome.limit !== limit) {
      throw new Error(`${setting.name} was not stopped by its ${limit} limit: ${outcome.kind}`);
    }
    const { cpuTimeMs, wallTimeMs } = outcome.usage;
    beyondMs.push((limit === "cpu" ? cpuTimeMs : wallTimeMs) - limitMs);
  }
  return beyondMs;
}

async function measure(): Promise<Row[]> {
  await using box = await Box.init({ boxId: BOX_IDS[0]! });
  await install("spin", box.directory);
  const rows: Row[] = [];
  for (const setting of SETTINGS) {
    const beyondMs = await overshoots(box, setting);
    const clock = setting.limit === "cpu" ? "CPU" : "wall";
    const what = `past ${clock} limit of ${setting.limitMs} ms, ${setting.name}`;
    rows.push({ what: `${what}: median`, unit: "ms", here: median(beyondMs), goal: 10 });
    rows.push({ what: `${what}: worst`, unit: "ms", here: Math.max(...beyondMs) });
  }
  return rows;
}

/** The sharpness of limits. */
export const overshootBenchmark: Benchmark = {
  name: "overshoot",
  summary: "how far a program gets past CPU and wall clock limits",
  measure,
};
