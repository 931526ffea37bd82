/** The table that the demo prints, row by row. */

const TITLES = ["program", "what it does", "verdict", "CPU", "wall", "memory", "meta-file"];
const WIDTHS = [16, 24, 13, 8, 8, 9, 0];
/** Numbers are aligned to the right: CPU, wall and memory. */
const isNumber = (column: number) => column >= 3 && column <= 5;

/** These have columns of their own, or say little. */
const IN_COLUMNS = new Set(["time", "time-wall", "max-rss", "csw-voluntary", "csw-forced"]);

function print(cells: readonly string[]): void {
  const padded = cells.map((cell, i) =>
    isNumber(i) ? cell.padStart(WIDTHS[i]!) : cell.padEnd(WIDTHS[i]!)
  );
  console.log(padded.join("  ").trimEnd());
}

/** Prints the head of the table. */
export function printHeading(): void {
  print(TITLES);
  print(TITLES.map((title, i) => "-".repeat(WIDTHS[i] || title.length)));
}

/** Prints one program's row. */
export function printRow({ source, does, verdict, meta }: {
  source: string;
  does: string;
  verdict: string;
  meta: ReadonlyMap<string, string>;
}): void {
  const rest = [...meta].filter(([key]) => !IN_COLUMNS.has(key));
  print([
    source,
    does,
    verdict,
    `${meta.get("time") ?? "?"} s`,
    `${meta.get("time-wall") ?? "?"} s`,
    `${(Number(meta.get("max-rss") ?? 0) / 1024).toFixed(1)} MiB`,
    rest.map(([key, value]) => `${key}:${value}`).join(" "),
  ]);
}
