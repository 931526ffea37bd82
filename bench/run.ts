/** One library run of `true` in a full box, against a C program that does the same and nothing else. */

import { Box } from "isolate/mod.ts";
import { output } from "../tools/process.ts";
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

const ROUNDS = 14;
const RUNS_A_ROUND = 30;

async function libraryRunUs(box: Box): Promise<number> {
  const timesMs: number[] = [];
  for (let i = 0; i < RUNS_A_ROUND; i++) timesMs.push(await timeMs(() => run(box, ["/bin/true"])));
  return median(timesMs) * 1000;
}

/** Measures the cost of a run. */
export async function measureRun(): Promise<Row[]> {
  return await withFolder(async (folder) => {
    const floor = await compile("floor", folder);
    await using box = await Box.init({ boxId: BOX_IDS[0]! });
    const { reference, here } = await mediansInTurns(ROUNDS, {
      reference: async () => JSON.parse(await output([floor, `${RUNS_A_ROUND}`])).medianUs,
      here: () => libraryRunUs(box),
    });
    return [{
      what: "library run of `true` in a full box",
      against: "the same in C (bench/floor.c)",
      unit: "µs",
      reference,
      here,
      goal: 1.5,
    }];
  });
}
