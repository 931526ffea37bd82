/** What a control group costs, and how true its figures are. */

import { Box, type Outcome, type RunOptions } from "isolate/mod.ts";
import { type Benchmark, BOX_IDS, install, median, type Row } from "./measure.ts";

const COST_RUNS = 300;
const WARM_UP_RUNS = 30;
const ACCURACY_RUNS = 10;
const SPIN_MS = 300;
const SPINNERS = 4;
const LIMIT_MS = 500;

/** A run that must end in one of these ways. */
async function run(
  box: Box,
  command: readonly string[],
  { kinds = ["exit"], ...options }: RunOptions & { kinds?: Outcome["kind"][] } = {},
): Promise<Outcome> {
  const outcome = await box.run(command, {
    ...options,
    limits: { processes: "unlimited", ...options.limits },
  });
  const hasFailed = outcome.kind === "exit" && outcome.exitCode !== 0;
  if (!kinds.includes(outcome.kind) || hasFailed) {
    throw new Error(`${command.join(" ")} has failed: ${JSON.stringify(outcome)}`);
  }
  return outcome;
}

async function timeOf(box: Box): Promise<number> {
  const startMs = performance.now();
  await run(box, ["/bin/true"]);
  return performance.now() - startMs;
}

function fastestTenth(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b).slice(0, Math.ceil(values.length / 10));
}

/** Runs with and without a group alternate, so that both meet the same machine. */
async function cost(plain: Box, grouped: Box): Promise<Row[]> {
  const [withoutMs, withMs]: [number[], number[]] = [[], []];
  for (let i = -WARM_UP_RUNS; i < COST_RUNS; i++) {
    const [without, having] = [await timeOf(plain), await timeOf(grouped)];
    if (i < 0) continue;
    withoutMs.push(without);
    withMs.push(having);
  }
  const what = "a control group adds to a library run of `true`";
  // Where others are busy too, the fastest runs are those that met nobody.
  const [fastWith, fastWithout] = [fastestTenth(withMs), fastestTenth(withoutMs)];
  return [
    {
      what: `${what}: median`,
      unit: "ms",
      here: median(withMs) - median(withoutMs),
      goal: 0.5,
    },
    {
      what: `${what}: fastest tenth`,
      unit: "ms",
      here: median(fastWith) - median(fastWithout),
      goal: 0.5,
    },
  ];
}

async function cpuTime(box: Box): Promise<Row[]> {
  const percents: number[] = [];
  for (let i = 0; i < ACCURACY_RUNS; i++) {
    const { usage } = await run(box, ["./busy", String(SPIN_MS), String(SPINNERS)], {
      stdout: { path: "out.txt" },
    });
    const measured = JSON.parse(await Deno.readTextFile(`${box.directory}/box/out.txt`));
    percents.push(100 * (usage.cpuTimeMs / measured.cpuMs - 1));
  }
  const what = `CPU time of ${SPINNERS} busy processes beyond what they measured`;
  return [
    { what: `${what}: median`, unit: "%", here: median(percents), goal: 2 },
    { what: `${what}: worst`, unit: "%", here: Math.max(...percents.map(Math.abs)) },
  ];
}

async function peak(box: Box): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [mib, processes] of [[32, 1], [256, 1], [64, 4]] as const) {
    const percents: number[] = [];
    for (let i = 0; i < ACCURACY_RUNS; i++) {
      const { usage } = await run(box, ["./touch", String(mib * 1024), String(processes)]);
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
    const { usage } = await run(box, ["/bin/sh", "-c", "./spin 0 & ./spin 0"], {
      limits: { cpuTimeMs: LIMIT_MS },
      kinds: ["time-limit"],
    });
    beyondMs.push(usage.cpuTimeMs - LIMIT_MS);
  }
  const what = `past CPU limit of ${LIMIT_MS} ms, 2 busy processes in a control group`;
  return [
    { what: `${what}: median`, unit: "ms", here: median(beyondMs), goal: 10 },
    { what: `${what}: worst`, unit: "ms", here: Math.max(...beyondMs) },
  ];
}

async function measure(): Promise<Row[]> {
  await using plain = await Box.init({ boxId: BOX_IDS[0]! });
  await using grouped = await Box.init({ boxId: BOX_IDS[1]!, controlGroup: true });
  await using fresh = await Box.init({ boxId: BOX_IDS[2]!, controlGroup: true });
  for (const name of ["busy", "spin", "touch"]) await install(name, grouped.directory);
  await install("touch", fresh.directory);
  return [
    ...await cost(plain, grouped),
    ...await cpuTime(grouped),
    // Before Linux 6.12 the peak of v2 is that of the box, so the amounts only grow.
    ...await peak(fresh),
    ...await overshoot(grouped),
  ];
}

/** Control groups. */
export const controlGroupBenchmark: Benchmark = {
  name: "cgroup",
  summary: "what a control group costs, and how true its figures are",
  measure,
};
