/**
 * Measures side by side and prints a table.
 *
 * usage: ./dev bench [--json] [NAME…]   all benchmarks, or those named; as root
 */

import { measureAccuracy } from "./accuracy.ts";
import { measureApi } from "./api.ts";
import { measureChecker } from "./checker.ts";
import { measureControlGroup } from "./control_group.ts";
import { measureFairness } from "./fairness.ts";
import { measureFiles } from "./files.ts";
import { measureGuest } from "./guest.ts";
import { measureJudge } from "./judge.ts";
import { measureKeeper } from "./keeper.ts";
import type { Row } from "./measure.ts";
import { measureOvershoot } from "./overshoot.ts";
import { measurePackages } from "./packages.ts";
import { measurePair } from "./pair.ts";
import { measureParallel } from "./parallel.ts";
import { measureQueue } from "./queue.ts";
import { measureRootless } from "./rootless.ts";
import { measureRun } from "./run.ts";
import { measureService } from "./service.ts";
import { measureStartup } from "./startup.ts";
import { measureWalls } from "./walls.ts";

/** Benchmarks by their names, with a summary for `--help`. */
const BENCHMARKS: readonly (readonly [string, summary: string, () => Promise<Row[]>])[] = [
  ["run", "one library run of `true` against the floor", measureRun],
  ["startup", "whole commands against `deno run` of an empty file", measureStartup],
  ["service", "the resident service and its client, against what is installed", measureService],
  ["fairness", "the service's other clients beside a box with 100,000 files", measureFairness],
  ["overshoot", "how far a program gets past CPU and wall clock limits", measureOvershoot],
  ["accuracy", "reported times against the program's own measurement", measureAccuracy],
  ["parallel", "16 boxes at once: throughput and fairness", measureParallel],
  ["pair", "two programs that talk: with a transcript against direct pipes", measurePair],
  ["keeper", "memory and threads of the keeper", measureKeeper],
  ["judge", "many tests against bare runs, and all examples", measureJudge],
  ["packages", "whole packages, against problemtools if VERIFYPROBLEM names it", measurePackages],
  ["files", "a box with 100,000 files against chown -R and rm -rf", measureFiles],
  ["cgroup", "what a control group costs, and how true its figures are", measureControlGroup],
  ["guest", "the same as cgroup, with version 2 in a virtual machine", measureGuest],
  ["rootless", "commands of an ordinary user against root's", measureRootless],
  ["walls", "what each wall adds to a run of `true`", measureWalls],
  ["queue", "what a queue adds to each job of the execution server", measureQueue],
  ["api", "the execution server: each API, against the library and `GO_JUDGE`", measureApi],
  ["checker", "the default output validator on 100 MB against cmp", measureChecker],
];

function quantity(value: number, unit: Row["unit"]): string {
  const digits = unit === "µs" || unit === "runs/s" || Math.abs(value) >= 1000 ? 0 : 2;
  return `${value.toFixed(digits)} ${unit}`.trimEnd();
}

function ratioOf({ here, reference }: Row): number | undefined {
  return reference === undefined ? undefined : here / reference;
}

function verdict(row: Row): string {
  if (row.goal === undefined) return "";
  const value = ratioOf(row) ?? row.here;
  const goal = row.reference === undefined ? quantity(row.goal, row.unit) : `${row.goal}x`;
  return `${goal} ${value <= row.goal ? "met" : "MISSED"}`;
}

/** Prints the table of the README. */
function printTable(rows: readonly Row[]): void {
  const lines = [["what", "against", "that", "here", "ratio", "at most"]];
  for (const row of rows) {
    const that = row.reference === undefined ? "" : quantity(row.reference, row.unit);
    const ratio = ratioOf(row);
    const times = ratio === undefined ? "" : `${ratio.toFixed(2)}x`;
    const here = quantity(row.here, row.unit);
    lines.push([row.what, row.against ?? "", that, here, times, verdict(row)]);
  }
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const isNumber = (i: number) => i >= 2 && i <= 4;
  const rule = widths.map((width, i) => "-".repeat(width - 1) + (isNumber(i) ? ":" : "-"));
  lines.splice(1, 0, rule);
  for (const line of lines) {
    const cells = line.map((cell, i) =>
      isNumber(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
    );
    console.log(`| ${cells.join(" | ")} |`);
  }
}

function usage(): string {
  const names = BENCHMARKS.map(([name, summary]) => `  ${name.padEnd(12)}${summary}`);
  return ["usage: ./dev bench [--json] [NAME…]", "", ...names].join("\n");
}

/** Runs the benchmarks and returns the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const options = args.filter((arg) => arg.startsWith("-"));
  const names = args.filter((arg) => !arg.startsWith("-"));
  const unknown = names.find((name) => !BENCHMARKS.some(([known]) => known === name)) ??
    options.find((option) => option !== "--json");
  if (unknown !== undefined) {
    console.error(unknown === "--help" ? usage() : `Unknown benchmark: ${unknown}\n${usage()}`);
    return unknown === "--help" ? 0 : 2;
  }
  if (Deno.uid() !== 0) {
    console.error("Benchmarks need root, as boxes do");
    return 2;
  }
  const rows: (Row & { benchmark: string })[] = [];
  for (const [name, summary, measure] of BENCHMARKS) {
    if (names.length > 0 && !names.includes(name)) continue;
    console.error(`${name}: ${summary}`);
    rows.push(...(await measure()).map((row) => ({ benchmark: name, ...row })));
  }
  if (options.includes("--json")) {
    console.log(JSON.stringify(rows.map((row) => ({ ...row, ratio: ratioOf(row) })), null, 2));
  } else printTable(rows);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
