/** What the sandbox reports against what a program measures itself, from the start of its main(). */

import { Box } from "isolate/mod.ts";
import { BOX_IDS, install, medianAndWorst, type Row, runSpin } from "./measure.ts";

const RUNS = 10;
const AMOUNTS_MS = [10, 100, 500];

/** Measures how true reported times are. */
export async function measureAccuracy(): Promise<Row[]> {
  await using box = await Box.init({ boxId: BOX_IDS[0]! });
  await install("spin", box);
  const rows: Row[] = [];
  for (const amountMs of AMOUNTS_MS) {
    const [cpuMs, wallMs]: [number[], number[]] = [[], []];
    for (let i = 0; i < RUNS; i++) {
      const { outcome: { usage }, own } = await runSpin(box, [amountMs]);
      cpuMs.push(usage.cpuTimeMs - own.cpuMs);
      wallMs.push(usage.wallTimeMs - own.wallMs);
    }
    for (const [clock, values] of [["CPU", cpuMs], ["wall", wallMs]] as const) {
      const what = `${clock} time reported beyond the program's own, ${amountMs} ms`;
      rows.push(...medianAndWorst(values, { what, unit: "ms" }));
    }
  }
  return rows;
}
