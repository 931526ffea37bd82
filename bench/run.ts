/** One library run of `true` in a full box, against a C program that does the same and nothing else. */

import { Box } from "isolate/mod.ts";
import {
  type Benchmark,
  BOX_IDS,
  compile,
  median,
  type Row,
  succeed,
  withFolder,
} from "./measure.ts";

const ROUNDS = 14;
const RUNS_A_ROUND = 30;

async function libraryRuns(box: Box): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < RUNS_A_ROUND; i++) {
    const startMs = performance.now();
    const outcome = await box.run(["/bin/true"]);
    times.push((performance.now() - startMs) * 1000);
    if (outcome.kind !== "exit" || outcome.exitCode !== 0) throw new Error("`true` has failed");
  }
  return times;
}

async function measure(): Promise<Row[]> {
  return await withFolder(async (folder) => {
    const floor = await compile("floor", folder);
    await using box = await Box.init({ boxId: BOX_IDS[0]! });
    const references: number[] = [];
    const heres: number[] = [];
    // The first round warms up both.
    for (let round = 0; round <= ROUNDS; round++) {
      const { medianUs } = JSON.parse(await succeed(floor, [String(RUNS_A_ROUND)]));
      const times = await libraryRuns(box);
      if (round === 0) continue;
      references.push(medianUs);
      heres.push(median(times));
    }
    return [{
      what: "library run of `true` in a full box",
      against: "the same in C (bench/floor.c)",
      unit: "µs",
      reference: median(references),
      here: median(heres),
      goal: 1.5,
    }];
  });
}

/** The cost of a run. */
export const runBenchmark: Benchmark = {
  name: "run",
  summary: "one library run of `true` against the floor",
  measure,
};
