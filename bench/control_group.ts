/** What a control group costs, and how true its figures are. */

import { Box, type RunOptions } from "isolate/mod.ts";
import {
  BOX_IDS,
  install,
  median,
  medianAndWorst,
  type Row,
  run,
  runSpin,
  timeMs,
} from "./measure.ts";

const COST_RUNS = 300;
const WARM_UP_RUNS = 30;
const ACCURACY_RUNS = 10;
const SPIN_MS = 300;
const SPINNERS = 4;
const LIMIT_MS = 500;

const MANY: RunOptions = { limits: { processes: "unlimited" } };

function fastestTenth(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b).slice(0, Math.ceil(values.length / 10));
}

/** Runs with and without a group alternate, so that both meet the same machine. */
async function cost(plain: Box, grouped: Box): Promise<Row[]> {
  const [withoutMs, withMs]: [number[], number[]] = [[], []];
  for (let i = -WARM_UP_RUNS; i < COST_RUNS; i++) {
    const without = await timeMs(() => run(plain, ["/bin/true"], MANY));
    const having = await timeMs(() => run(grouped, ["/bin/true"], MANY));
    if (i < 0) continue;
    withoutMs.push(without);
    withMs.push(having);
  }
  const what = "a control group adds to a library run of `true`";
  const row = (name: string, choose: (values: number[]) => number[]): Row => ({
    what: `${what}: ${name}`,
    unit: "ms",
    here: median(choose(withMs)) - median(choose(withoutMs)),
    goal: 0.5,
  });
  // On a busy machine the fastest runs are the ones that nothing disturbed.
  return [row("median", (values) => values), row("fastest tenth", fastestTenth)];
}

async function cpuTime(box: Box): Promise<Row[]> {
  const percents: number[] = [];
  for (let i = 0; i < ACCURACY_RUNS; i++) {
    const { outcome, own } = await runSpin(box, [SPIN_MS, 1, SPINNERS], MANY);
    percents.push(100 * (outcome.usage.cpuTimeMs / own.cpuMs - 1));
  }
  const what = `CPU time of ${SPINNERS} busy processes beyond what they measured`;
  return medianAndWorst(percents, { what, unit: "%", goal: 2 });
}

async function peak(box: Box): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [mib, processes] of [[32, 1], [256, 1], [64, 4]] as const) {
    const percents: number[] = [];
    for (let i = 0; i < ACCURACY_RUNS; i++) {
      const { usage } = await run(box, ["./touch", `${mib * 1024}`, `${processes}`], MANY);
      const reportedKib = usage.controlGroup?.peakMemoryKib ?? NaN;
      percents.push(100 * Math.abs(reportedKib / (mib * 1024 * processes) - 1));
    }
    const times = processes > 1 ? `${processes} x ` : "";
    const what = `peak memory against ${times}${mib} MiB that were touched, worst`;
    rows.push({ what, unit: "%", here: Math.max(...percents), goal: 5 });
  }
  return rows;
}

async function overshoot(box: Box): Promise<Row[]> {
  const beyondMs: number[] = [];
  for (let i = 0; i < ACCURACY_RUNS; i++) {
    const { usage } = await run(box, ["./spin", "0", "1", "2"], {
      limits: { ...MANY.limits, cpuTimeMs: LIMIT_MS },
      kinds: ["time-limit"],
    });
    beyondMs.push(usage.cpuTimeMs - LIMIT_MS);
  }
  const what = `past CPU limit of ${LIMIT_MS} ms, 2 busy processes in a control group`;
  return medianAndWorst(beyondMs, { what, unit: "ms", goal: 10 });
}

/** Measures control groups. */
export async function measureControlGroup(): Promise<Row[]> {
  await using plain = await Box.init({ boxId: BOX_IDS[0]! });
  await using grouped = await Box.init({ boxId: BOX_IDS[1]!, controlGroup: true });
  await using fresh = await Box.init({ boxId: BOX_IDS[2]!, controlGroup: true });
  await install("spin", grouped);
  await install("touch", fresh);
  return [
    ...await cost(plain, grouped),
    ...await cpuTime(grouped),
    // Before Linux 6.12 the peak of v2 is that of the box, so the amounts only grow.
    ...await peak(fresh),
    ...await overshoot(grouped),
  ];
}
