/** Many boxes at once in one process. */

import { Box } from "isolate/mod.ts";
import { type Benchmark, BOX_IDS, install, median, type Row, timeMs } from "./measure.ts";

const RUNS_A_BOX = 20;
const ROUNDS = 4;
const SPIN_MS = 100;

async function runs(box: Box, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await box.run(["/bin/true"]);
}

async function throughput(boxes: readonly Box[]): Promise<Row[]> {
  const total = boxes.length * RUNS_A_BOX;
  const single: number[] = [];
  const together: number[] = [];
  const spread: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const singleMs = await timeMs(() => runs(boxes[0]!, total));
    const startMs = performance.now();
    const endsMs = await Promise.all(boxes.map(async (box) => {
      await runs(box, RUNS_A_BOX);
      return performance.now() - startMs;
    }));
    if (round === 0) continue;
    single.push(total / singleMs * 1000);
    together.push(total / Math.max(...endsMs) * 1000);
    spread.push(Math.max(...endsMs) / Math.min(...endsMs));
  }
  const what = `${boxes.length} boxes at once`;
  return [
    {
      what: `${what}: runs of \`true\``,
      against: "one at a time",
      unit: "runs/s",
      reference: median(single),
      here: median(together),
    },
    { what: `${what}: slowest box against the fastest`, unit: "", here: median(spread) },
  ];
}

/** All want a CPU for some time: the last ends when the CPUs have done all the work. */
async function busy(boxes: readonly Box[]): Promise<Row[]> {
  const cpus = navigator.hardwareConcurrency;
  const reported: number[] = [];
  const endsMs: number[] = [];
  const startMs = performance.now();
  await Promise.all(boxes.map(async (box) => {
    const outcome = await box.run(["./spin", String(SPIN_MS)], { stdout: { path: "out.txt" } });
    endsMs.push(performance.now() - startMs);
    reported.push(outcome.usage.cpuTimeMs);
  }));
  const what = `${boxes.length} boxes burn ${SPIN_MS} ms each`;
  return [
    {
      what: `${what}: the last ends`,
      against: `${cpus} CPUs without a sandbox`,
      unit: "ms",
      reference: boxes.length * SPIN_MS / cpus,
      here: Math.max(...endsMs),
    },
    { what: `${what}: CPU time reported, worst`, unit: "ms", here: Math.max(...reported) },
  ];
}

async function measure(): Promise<Row[]> {
  await using stack = new AsyncDisposableStack();
  const boxes: Box[] = [];
  for (const boxId of BOX_IDS) {
    const box = stack.use(await Box.init({ boxId }));
    boxes.push(box);
    await install("spin", box.directory);
  }
  return [...await throughput(boxes), ...await busy(boxes)];
}

/** Many boxes. */
export const parallelBenchmark: Benchmark = {
  name: "parallel",
  summary: `${BOX_IDS.length} boxes at once: throughput and fairness`,
  measure,
};
