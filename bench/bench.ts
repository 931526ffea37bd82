/**
 * Measures, side by side, and prints a table.
 *
 * usage: ./dev bench [--json] [NAME…]   all benchmarks, or those named; as root
 */

import { accuracyBenchmark } from "./accuracy.ts";
import { checkerBenchmark } from "./checker.ts";
import { controlGroupBenchmark } from "./control_group.ts";
import { filesBenchmark } from "./files.ts";
import { guestBenchmark } from "./guest.ts";
import { judgeBenchmark } from "./judge.ts";
import { keeperBenchmark } from "./keeper.ts";
import type { Benchmark, Row } from "./measure.ts";
import { overshootBenchmark } from "./overshoot.ts";
import { pairBenchmark } from "./pair.ts";
import { parallelBenchmark } from "./parallel.ts";
import { runBenchmark } from "./run.ts";
import { startupBenchmark } from "./startup.ts";

const BENCHMARKS: readonly Benchmark[] = [
  runBenchmark,
  startupBenchmark,
  overshootBenchmark,
  accuracyBenchmark,
  parallelBenchmark,
  pairBenchmark,
  keeperBenchmark,
  judgeBenchmark,
  filesBenchmark,
  controlGroupBenchmark,
  guestBenchmark,
  checkerBenchmark,
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

/** The table of the README. */
function printTable(rows: readonly Row[]): void {
  const lines = [
    ["what", "against", "that", "here", "ratio", "at most"],
    ...rows.map((row) => {
      const ratio = ratioOf(row);
      return [
        row.what,
        row.against ?? "",
        row.reference === undefined ? "" : quantity(row.reference, row.unit),
        quantity(row.here, row.unit),
        ratio === undefined ? "" : `${ratio.toFixed(2)}x`,
        verdict(row),
      ];
    }),
  ];
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const print = (cells: readonly string[]) => {
    const padded = cells.map((cell, i) =>
      i >= 2 && i <= 4 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
    );
    console.log(`| ${padded.join(" | ")} |`);
  };
  print(lines[0]!);
  print(widths.map((width, i) => "-".repeat(width - 1) + (i >= 2 && i <= 4 ? ":" : "-")));
  for (const line of lines.slice(1)) print(line);
}

function usage(): string {
  const names = BENCHMARKS.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`);
  return ["usage: ./dev bench [--json] [NAME…]", "", ...names].join("\n");
}

/** Returns the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const options = args.filter((arg) => arg.startsWith("-"));
  const names = args.filter((arg) => !arg.startsWith("-"));
  const unknown = names.find((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name)) ??
    options.find((option) => option !== "--json");
  if (unknown !== undefined) {
    console.error(unknown === "--help" ? usage() : `Unknown benchmark: ${unknown}\n${usage()}`);
    return unknown === "--help" ? 0 : 2;
  }
  if (Deno.uid() !== 0) {
    console.error("The benchmarks need root, as boxes do");
    return 2;
  }
  const rows: (Row & { benchmark: string })[] = [];
  for (const { name, summary, measure } of BENCHMARKS) {
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
