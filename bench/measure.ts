/** What all benchmarks share: rows, medians, compiled programs. */

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

/** A set of rows that belong together. */
export interface Benchmark {
  name: string;
  /** One line for `--help`. */
  summary: string;
  measure: () => Promise<Row[]>;
}

/** Ours, all of them, so that nobody else's boxes are touched. */
export const BOX_IDS: readonly number[] = Array.from({ length: 16 }, (_, i) => 440 + i);

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) throw new RangeError("Cannot take the median of nothing");
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How long something takes, in milliseconds. */
export async function timeMs(work: () => unknown): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** A process that has to succeed. */
export async function succeed(
  program: string,
  args: readonly string[],
  options: { cwd?: string } = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    ...options,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${program} ${args.join(" ")} failed: ${text(stderr)}`);
  return text(stdout);
}

/** Compiles `NAME.c` of this folder to `OUTPUT/NAME`. */
export async function compile(name: string, output: string): Promise<string> {
  const zig = Deno.env.get("ZIG");
  const [compiler, ...first] = zig ? [zig, "cc"] : ["gcc"];
  const source = new URL(`${name}.c`, import.meta.url).pathname;
  const binary = `${output}/${name}`;
  await succeed(compiler!, [...first, "-O2", "-pthread", "-o", binary, source]);
  // Boxes run it as users of their own.
  await Deno.chmod(binary, 0o755);
  return binary;
}

/** Gives `work` a folder that is removed afterwards. */
export async function withFolder<T>(
  work: (folder: string) => Promise<T>,
  parent?: string,
): Promise<T> {
  const where = parent === undefined ? {} : { dir: parent };
  const folder = await Deno.makeTempDir({ prefix: "isolate-bench-", ...where });
  try {
    return await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Puts a program of this folder into a box, as `./NAME`. */
export async function install(name: string, directory: string): Promise<void> {
  await compile(name, `${directory}/box`);
}
