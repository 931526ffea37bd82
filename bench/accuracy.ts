/** What the sandbox reports against what a program measures itself, from the start of its main(). */

import { Box } from "isolate/mod.ts";
import { type Benchmark, BOX_IDS, install, median, type Row } from "./measure.ts";

const RUNS = 10;
const AMOUNTS_MS = [10, 100, 500];

interface Measured {
  cpuMs: number;
  wallMs: number;
}

async function difference(box: Box, amountMs: number): Promise<Measured> {
  const outcome = await box.run(["./spin", String(amountMs)], { stdout: { path: "out.txt" } });
  const own: Measured = JSON.parse(await Deno.readTextFile(`${box.directory}/box/out.txt`));
  const { cpuTimeMs, wallTimeMs } = outcome.usage;
  return { cpuMs: cpuTimeMs - own.cpuMs, wallMs: wallTimeMs - own.wallMs };
}

async function measure(): Promise<Row[]> {
  await using box = await Box.init({ boxId: BOX_IDS[0]! });
  await install("spin", box.directory);
  const rows: Row[] = [];
  for (const amountMs of AMOUNTS_MS) {
    const differences: Measured[] = [];
    for (let i = 0; i < RUNS; i++) differences.push(await difference(box, amountMs));
    for (const clock of ["cpuMs", "wallMs"] as const) {
      const values = differences.map((measured) => measured[clock]);
      const name = clock === "cpuMs" ? "CPU" : "wall";
      const what = `${name} time reported beyond the program's own, ${amountMs} ms`;
      rows.push({ what: `${what}: median`, unit: "ms", here: median(values) });
      rows.push({ what: `${what}: worst`, unit: "ms", here: Math.max(...values.map(Math.abs)) });
    }
  }
  return rows;
}

/** The truth of reported times. */
export const accuracyBenchmark: Benchmark = {
  name: "accuracy",
  summary: "reported times against the program's own measurement",
  measure,
};
