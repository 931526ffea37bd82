/** Many boxes at once in one process. */

import { Box } from "isolate/mod.ts";
import { BOX_IDS, install, mediansInTurns, type Row, run, runSpin, timeMs } from "./measure.ts";

const RUNS_A_BOX = 20;
const ROUNDS = 4;
const SPIN_MS = 100;

async function runs(box: Box, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await run(box, ["/bin/true"]);
}

/** Starts work on all boxes at once; returns when each of them was done. */
async function endsMs(
  boxes: readonly Box[],
  work: (box: Box) => Promise<unknown>,
): Promise<number[]> {
  const startMs = performance.now();
  return await Promise.all(boxes.map(async (box) => {
    await work(box);
    return performance.now() - startMs;
  }));
}

async function throughput(boxes: readonly Box[]): Promise<Row[]> {
  const total = boxes.length * RUNS_A_BOX;
  let ends: number[] = [];
  const { single, together, spread } = await mediansInTurns(ROUNDS, {
    single: async () => total / await timeMs(() => runs(boxes[0]!, total)) * 1000,
    together: async () => {
      ends = await endsMs(boxes, (box) => runs(box, RUNS_A_BOX));
      return total / Math.max(...ends) * 1000;
    },
    spread: () => Math.max(...ends) / Math.min(...ends),
  });
  const what = `${boxes.length} boxes at once`;
  return [
    {
      what: `${what}: runs of \`true\``,
      against: "one at a time",
      unit: "runs/s",
      reference: single,
      here: together,
    },
    { what: `${what}: slowest box against the fastest`, unit: "", here: spread },
  ];
}

/** All want a CPU for some time: the last ends when the CPUs have done all the work. */
async function busy(boxes: readonly Box[]): Promise<Row[]> {
  const cpus = navigator.hardwareConcurrency;
  const reported: number[] = [];
  const ends = await endsMs(boxes, async (box) => {
    const { outcome } = await runSpin(box, [SPIN_MS]);
    reported.push(outcome.usage.cpuTimeMs);
  });
  const what = `${boxes.length} boxes burn ${SPIN_MS} ms each`;
  return [
    {
      what: `${what}: the last ends`,
      against: `${cpus} CPUs without a sandbox`,
      unit: "ms",
      reference: boxes.length * SPIN_MS / cpus,
      here: Math.max(...ends),
    },
    { what: `${what}: CPU time reported, worst`, unit: "ms", here: Math.max(...reported) },
  ];
}

/** Measures many boxes at once. */
export async function measureParallel(): Promise<Row[]> {
  await using stack = new AsyncDisposableStack();
  const boxes: Box[] = [];
  for (const boxId of BOX_IDS) {
    const box = stack.use(await Box.init({ boxId }));
    boxes.push(box);
    await install("spin", box);
  }
  return [...await throughput(boxes), ...await busy(boxes)];
}
