/** The meta-file: what happened in a run, as `key:value` lines for the program that asked for it. */

/** A verdict in a meta-file; a successful run has none. */
export type MetaStatus =
  /** The program returned a status other than 0. */
  | "RE"
  /** A signal ended the program. */
  | "SG"
  /** The program ran out of time. */
  | "TO"
  /** The sandbox itself failed. */
  | "XX";

/** The contents of a meta-file. A field that does not apply is left out or undefined. */
export interface MetaRecord {
  /** CPU time in milliseconds. */
  timeMs?: number | undefined;
  /** Wall clock time in milliseconds, from the start of the program to its end. */
  wallTimeMs?: number | undefined;
  /** Peak memory of the largest process in KiB. */
  maxRssKib?: number | undefined;
  /** Context switches because the program waited. */
  voluntaryContextSwitches?: number | undefined;
  /** Context switches because the time slice was over. */
  forcedContextSwitches?: number | undefined;
  /** Peak memory of the control group in KiB. */
  cgMemKib?: number | undefined;
  /** Whether the out-of-memory killer killed something in the control group. */
  cgOomKilled?: boolean | undefined;
  /** Whether the run had a control group. */
  cgEnabled?: boolean | undefined;
  /** The exit status of a program that ended by itself. */
  exitCode?: number | undefined;
  /** The number of the signal that ended the program. */
  exitSignal?: number | undefined;
  /** Whether the sandbox killed the program. */
  killed?: boolean | undefined;
  /** The verdict; absent on success. */
  status?: MetaStatus | undefined;
  /** One line for people. */
  message?: string | undefined;
}

/** How a value is checked, read and written. */
interface MetaUnit {
  readonly pattern: RegExp;
  readonly read: (text: string) => string | number | boolean;
  readonly write: (value: string) => string;
}

const UNITS = {
  seconds: {
    pattern: /^\d+(\.\d+)?$/,
    read: (text) => Math.round(Number(text) * 1e6) / 1e3,
    write: (ms) => (Number(ms) / 1000).toFixed(3),
  },
  integer: { pattern: /^\d+$/, read: Number, write: String },
  flag: { pattern: /^[01]$/, read: (text) => text === "1", write: () => "1" },
  status: { pattern: /^(RE|SG|TO|XX)$/, read: String, write: String },
  text: {
    pattern: /^/,
    read: String,
    // A line break would let whatever is in a message forge lines of its own.
    // deno-lint-ignore no-control-regex
    write: (text) => text.replaceAll(/[\x00-\x1f\x7f\x85\u2028\u2029]+/g, " "),
  },
} as const satisfies Readonly<Record<string, MetaUnit>>;

type Key = readonly [keyof MetaRecord, string, keyof typeof UNITS];

const STATUS: readonly Key[] = [
  ["status", "status", "status"],
  ["message", "message", "text"],
];
const KILLED: Key = ["killed", "killed", "flag"];
const ENDING: readonly Key[] = [
  ["exitCode", "exitcode", "integer"],
  ["exitSignal", "exitsig", "integer"],
];
const FIGURES: readonly Key[] = [
  ["timeMs", "time", "seconds"],
  ["wallTimeMs", "time-wall", "seconds"],
  ["maxRssKib", "max-rss", "integer"],
  ["voluntaryContextSwitches", "csw-voluntary", "integer"],
  ["forcedContextSwitches", "csw-forced", "integer"],
  ["cgEnabled", "cg-enabled", "flag"],
  ["cgMemKib", "cg-mem", "integer"],
  ["cgOomKilled", "cg-oom-killed", "flag"],
];
/** The keys in the order in which the classic command writes them: as it gets to know them. */
const OF_ENDED = [...FIGURES, ...ENDING, ...STATUS, KILLED];
const OF_STOPPED = [...STATUS, KILLED, ...ENDING, ...FIGURES];

/**
 * Formats a meta-file.
 *
 * @param record what happened
 * @returns the text of the file, each line ended by a newline; empty for an empty record
 * @throws {RangeError} if a number is negative, not finite, or not whole where it must be
 *
 * @example
 * ```ts
 * import { formatMeta } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatMeta({ exitCode: 0, timeMs: 12.3456 }), "time:0.012\nexitcode:0\n");
 * ```
 */
export function formatMeta(record: MetaRecord): string {
  let text = "";
  // Whoever ends a run says so first, and then takes the figures.
  const keys = record.killed || record.status === "XX" ? OF_STOPPED : OF_ENDED;
  for (const [field, key, unit] of keys) {
    const value = record[field];
    if (value === undefined || value === false) continue;
    if (typeof value === "number") checkNumber(value, field, unit);
    text += `${key}:${UNITS[unit].write(String(value))}\n`;
  }
  return text;
}

function checkNumber(value: number, field: string, unit: keyof typeof UNITS): void {
  if (value >= 0 && (unit === "integer" ? Number.isInteger(value) : Number.isFinite(value))) return;
  throw new RangeError(`Cannot write ${field} to the meta-file: current value is ${value}`);
}

/**
 * Reads a meta-file, including keys that it does not know.
 *
 * @param text the text of the file
 * @returns the values by their keys, in the order of the file
 * @throws {SyntaxError} if a line has no colon, or a key comes twice
 *
 * @example
 * ```ts
 * import { parseMeta } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * const meta = parseMeta("status:TO\nmessage:Time limit exceeded\n");
 * assertEquals(meta.get("message"), "Time limit exceeded");
 * ```
 */
export function parseMeta(text: string): Map<string, string> {
  const values = new Map<string, string>();
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const [index, line] of lines.entries()) {
    const colon = line.indexOf(":");
    const key = line.slice(0, colon);
    if (colon < 1) {
      throw new SyntaxError(`Cannot parse line ${index + 1} of the meta-file: it has no key`);
    }
    if (values.has(key)) {
      throw new SyntaxError(`Cannot parse line ${index + 1} of the meta-file: ${key} comes twice`);
    }
    values.set(key, line.slice(colon + 1));
  }
  return values;
}

/** Reads a meta-file, ignoring keys that it does not know. */
export function readMeta(text: string): MetaRecord {
  const values = parseMeta(text);
  const fields: [string, string | number | boolean][] = [];
  for (const [field, key, unit] of OF_ENDED) {
    const value = values.get(key);
    if (value === undefined) continue;
    const { pattern, read } = UNITS[unit];
    if (!pattern.test(value)) {
      throw new SyntaxError(`Cannot read the meta-file: ${key} cannot be ${JSON.stringify(value)}`);
    }
    fields.push([field, read(value)]);
  }
  return Object.fromEntries(fields) as MetaRecord;
}
