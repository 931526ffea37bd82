/** The table that the demo prints, row by row. */

interface Column {
  title: string;
  width: number;
  right?: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: "program", width: 16 },
  { title: "what it does", width: 24 },
  { title: "verdict", width: 13 },
  { title: "CPU", width: 8, right: true },
  { title: "wall", width: 8, right: true },
  { title: "memory", width: 9, right: true },
  { title: "meta-file", width: 0 },
];

/** These have columns of their own, or say little. */
const IN_COLUMNS = new Set(["time", "time-wall", "max-rss", "csw-voluntary", "csw-forced"]);

function print(cells: readonly string[]): void {
  const padded = COLUMNS.map(({ width, right }, i) => {
    const cell = cells[i] ?? "";
    return right ? cell.padStart(width) : cell.padEnd(width);
  });
  console.log(padded.join("  ").trimEnd());
}

/** Prints the head of the table. */
export function printHeading(): void {
  print(COLUMNS.map(({ title }) => title));
  print(COLUMNS.map(({ title, width }) => "-".repeat(width || title.length)));
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
