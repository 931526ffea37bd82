/** What all benchmarks share: rows, medians, runs that must succeed, compiled programs. */

import process from "node:process";
import type { Box, Outcome, RunOptions } from "isolate/mod.ts";
import { output } from "../tools/process.ts";

export { withFolder } from "../tools/process.ts";

/** One line of the table. */
export interface Row {
  /** What was measured. */
  what: string;
  /** What it was compared with, if anything. */
  against?: string;
  unit: "ms" | "µs" | "MiB" | "runs/s" | "" | "s" | "%";
  /** The measurement of what it is compared with. */
  reference?: number;
  /** Our own. */
  here: number;
  /** The greatest ratio (`here / reference`) or, without a reference, value that is good enough. */
  goal?: number;
}

/** Box ids that only the benchmarks use. */
export const BOX_IDS: readonly number[] = Array.from({ length: 16 }, (_, i) => 440 + i);

/** Returns the middle value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) throw new RangeError("Cannot take the median of nothing");
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Makes two rows of the same measurements: the median, for which a goal holds, and the worst. */
export function medianAndWorst(
  values: readonly number[],
  { what, unit, goal }: Pick<Row, "what" | "unit" | "goal">,
): Row[] {
  return [
    { what: `${what}: median`, unit, here: median(values), ...goal === undefined ? {} : { goal } },
    { what: `${what}: worst`, unit, here: Math.max(...values.map(Math.abs)) },
  ];
}

/** Measures how long something takes, in milliseconds. */
export async function timeMs(work: () => unknown): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** Measures how much CPU time of this process something takes, in milliseconds. */
export async function ownCpuMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * Takes measurements in turns, so that all meet the same machine, and returns the median of each.
 * A first round that does not count warms everything up.
 */
export async function mediansInTurns<Name extends string>(
  rounds: number,
  measurements: Readonly<Record<Name, () => number | Promise<number>>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(measurements) as Name[];
  const values = new Map(names.map((name): [Name, number[]] => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const value = await measurements[name]();
      if (round > 0) values.get(name)!.push(value);
    }
  }
  const medians = names.map((name) => [name, median(values.get(name)!)]);
  return Object.fromEntries(medians) as Record<Name, number>;
}

/** Runs a program that must end in one of these ways, with status 0 if it ends by itself. */
export async function run(
  box: Box,
  command: readonly string[],
  { kinds = ["exit"], ...options }: RunOptions & { kinds?: Outcome["kind"][] } = {},
): Promise<Outcome> {
  const outcome = await box.run(command, options);
  const hasFailed = outcome.kind === "exit" && outcome.exitCode !== 0;
  if (!kinds.includes(outcome.kind) || hasFailed) {
    throw new Error(`${command.join(" ")} has failed: ${JSON.stringify(outcome)}`);
  }
  return outcome;
}

/** Runs `./spin` with these arguments; returns the outcome and what the program measured itself. */
export async function runSpin(
  box: Box,
  args: readonly number[],
  options: RunOptions = {},
): Promise<{ outcome: Outcome; own: { cpuMs: number; wallMs: number } }> {
  const command = ["./spin", ...args.map(String)];
  const outcome = await run(box, command, { ...options, stdout: { path: "out.txt" } });
  return {
    outcome,
    own: JSON.parse(await Deno.readTextFile(`${box.directory}/box/out.txt`)),
  };
}

/** Compiles `NAME.c` of this folder to `FOLDER/NAME`. */
export async function compile(name: string, folder: string): Promise<string> {
  const zig = Deno.env.get("ZIG");
  const compiler = zig ? [zig, "cc"] : ["gcc"];
  const source = new URL(`${name}.c`, import.meta.url).pathname;
  const binary = `${folder}/${name}`;
  await output([...compiler, "-O2", "-pthread", "-o", binary, source]);
  // Boxes run it as users of their own.
  await Deno.chmod(binary, 0o755);
  return binary;
}

/** Compiles a program of this folder into a box, as `./NAME`. */
export async function install(name: string, box: Box): Promise<void> {
  await compile(name, `${box.directory}/box`);
}
