/**
 * The meta-file: what happened in a run, as `key:value` lines for the program that asked for it.
 */

/** The two-letter verdicts of the meta-file; a successful run has none. */
export type MetaStatus =
  /** The program returned a status other than 0. */
  | "RE"
  /** A signal ended the program. */
  | "SG"
  /** The program ran out of time. */
  | "TO"
  /** The sandbox itself failed. */
  | "XX";

/** What a meta-file tells. A field that does not apply is left out or undefined. */
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

/** One line of a meta-file. */
export interface MetaEntry {
  /** The key, e.g. `time-wall`. */
  key: string;
  /** The value as written, on one line. */
  value: string;
}

type MetaUnit = "seconds" | "integer" | "flag" | "text";

/** All keys in the order in which they are written. */
const KEYS: readonly { field: keyof MetaRecord; key: string; unit: MetaUnit }[] = [
  { field: "status", key: "status", unit: "text" },
  { field: "message", key: "message", unit: "text" },
  { field: "killed", key: "killed", unit: "flag" },
  { field: "exitCode", key: "exitcode", unit: "integer" },
  { field: "exitSignal", key: "exitsig", unit: "integer" },
  { field: "timeMs", key: "time", unit: "seconds" },
  { field: "wallTimeMs", key: "time-wall", unit: "seconds" },
  { field: "maxRssKib", key: "max-rss", unit: "integer" },
  { field: "voluntaryContextSwitches", key: "csw-voluntary", unit: "integer" },
  { field: "forcedContextSwitches", key: "csw-forced", unit: "integer" },
  { field: "cgEnabled", key: "cg-enabled", unit: "flag" },
  { field: "cgMemKib", key: "cg-mem", unit: "integer" },
  { field: "cgOomKilled", key: "cg-oom-killed", unit: "flag" },
];

/** Lists the lines of a meta-file. */
export function metaEntries(record: MetaRecord): MetaEntry[] {
  const entries: MetaEntry[] = [];
  for (const { field, key, unit } of KEYS) {
    const given = record[field];
    if (given === undefined || given === false) continue;
    entries.push({ key, value: formatValue(given, { field, unit }) });
  }
  return entries;
}

/**
 * Writes a meta-file.
 *
 * @param record What happened.
 * @returns The text of the file, each line ended by a newline; empty for an empty record.
 * @throws {RangeError} If a number is impossible, as {@linkcode metaEntries} says.
 *
 * @example Usage
 * ```ts
 * import { formatMeta } from "isolate/box/outcome/meta.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatMeta({ exitCode: 0, timeMs: 12.3456 }), "exitcode:0\ntime:0.012\n");
 * ```
 */
export function formatMeta(record: MetaRecord): string {
  return metaEntries(record).map(({ key, value }) => `${key}:${value}\n`).join("");
}

/**
 * Reads a meta-file, with keys that it does not know as well.
 *
 * @param text The text of the file.
 * @returns The values by their keys, in the order of the file.
 * @throws {SyntaxError} If a line has no colon, or a key comes twice.
 *
 * @example Usage
 * ```ts
 * import { parseMeta } from "isolate/box/outcome/meta.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const meta = parseMeta("status:TO\nmessage:Time limit exceeded\n");
 * assertEquals(meta.get("message"), "Time limit exceeded");
 * ```
 */
export function parseMeta(text: string): Map<string, string> {
  const values = new Map<string, string>();
  const lines = text.split("\n");
  // The newline at the end of the last line starts no other one.
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

/** Reads a meta-file; keys that it does not know do not matter. */
export function readMeta(text: string): MetaRecord {
  const values = parseMeta(text);
  const fields: [string, string | number | boolean][] = [];
  for (const { field, key, unit } of KEYS) {
    const value = values.get(key);
    if (value !== undefined) fields.push([field, readValue(value, { field, key, unit })]);
  }
  return Object.fromEntries(fields) as MetaRecord;
}

function readValue(
  value: string,
  { field, key, unit }: { field: string; key: string; unit: MetaUnit },
): string | number | boolean {
  const isRight = field === "status"
    ? /^(RE|SG|TO|XX)$/
    : unit === "seconds"
    ? /^\d+(\.\d+)?$/
    : unit === "integer"
    ? /^\d+$/
    : unit === "flag"
    ? /^[01]$/
    : /^/;
  if (!isRight.test(value)) {
    throw new SyntaxError(`Cannot read the meta-file: ${key} cannot be ${JSON.stringify(value)}`);
  }
  if (unit === "text") return value;
  if (unit === "flag") return value === "1";
  return unit === "seconds" ? Math.round(Number(value) * 1e6) / 1e3 : Number(value);
}

function formatValue(
  given: string | number | true,
  { field, unit }: { field: string; unit: MetaUnit },
): string {
  if (unit === "flag") return "1";
  // A line break would let whatever is in a message forge lines of its own.
  // deno-lint-ignore no-control-regex
  if (unit === "text") return String(given).replaceAll(/[\x00-\x1f\x7f\x85\u2028\u2029]+/g, " ");
  const value = Number(given);
  if (!Number.isFinite(value) || value < 0 || (unit === "integer" && !Number.isInteger(value))) {
    throw new RangeError(`Cannot write ${field} to the meta-file: current value is ${given}`);
  }
  return unit === "seconds" ? (value / 1000).toFixed(3) : String(value);
}
