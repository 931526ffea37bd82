/** The limits of a problem, by default and in the problem package format. */

import type { ProblemLimits } from "../types.ts";
import { parseNumber, type YamlNode } from "../../text/yaml_node.ts";
import { PackageError } from "./errors.ts";
import type { PackageFiles } from "./files.ts";

/** The versions of the format that differ in their limits. */
export type FormatVersion = "legacy" | "2023-07" | "2025-09";

const SECONDS_MAX = 86_400;
const MIB_MAX = 1 << 20;
const SMALL_FILE_BYTES = 65536;
/** From here on another unit was meant: milliseconds, KiB. */
const TIME_SECONDS_USUAL = 500;
const MEMORY_MIB_USUAL = 65536;

/** The limits of a package that sets none: the values that the format calls typical. */
export const DEFAULT_LIMITS: ProblemLimits = {
  timeLimitMs: undefined,
  timeLimitSource: undefined,
  acceptedToLimit: 5,
  limitToRejected: 2,
  timeResolutionMs: 1000,
  memoryKib: 2048 * 1024,
  outputKib: 8 * 1024,
  codeKib: 128,
  compileTimeMs: 60_000,
  compileMemoryKib: 2048 * 1024,
  validationTimeMs: 60_000,
  validationMemoryKib: 2048 * 1024,
  validationOutputKib: 8 * 1024,
};

/** Keys with their unit: 1 for KiB and milliseconds. */
const AMOUNTS = {
  memory: { name: "memoryKib", unit: "MiB", factor: 1024, max: MIB_MAX },
  output: { name: "outputKib", unit: "MiB", factor: 1024, max: MIB_MAX },
  code: { name: "codeKib", unit: "KiB", factor: 1, max: MIB_MAX },
  compilation_time: { name: "compileTimeMs", unit: "seconds", factor: 1000, max: SECONDS_MAX },
  compilation_memory: { name: "compileMemoryKib", unit: "MiB", factor: 1024, max: MIB_MAX },
  validation_time: { name: "validationTimeMs", unit: "seconds", factor: 1000, max: SECONDS_MAX },
  validation_memory: { name: "validationMemoryKib", unit: "MiB", factor: 1024, max: MIB_MAX },
  validation_output: { name: "validationOutputKib", unit: "MiB", factor: 1024, max: MIB_MAX },
} as const;

const MULTIPLIERS = ["ac_to_time_limit", "time_limit_to_tle"];

/** The keys of `limits`. */
export const LIMIT_KEYS: readonly string[] = [
  ...Object.keys(AMOUNTS),
  ...["time_limit", "time_multipliers", "time_resolution"],
  ...["time_multiplier", "time_safety_margin", "validation_passes"],
];

/** Reads `limits` of a `problem.yaml`, and the time limit from any place that a package may have it. */
export function readLimits(
  files: PackageFiles,
  node: YamlNode | undefined,
  version: FormatVersion,
): ProblemLimits {
  const values = node?.mapping(LIMIT_KEYS) ?? new Map<string, YamlNode>();
  const limits: { -readonly [Key in keyof ProblemLimits]: ProblemLimits[Key] } = {
    ...DEFAULT_LIMITS,
    ...(version === "legacy" ? {} : { acceptedToLimit: 2, limitToRejected: 1.5 }),
  };
  for (const [key, { name, unit, factor, max }] of Object.entries(AMOUNTS)) {
    const what = `a number of ${unit}, more than 0 and at most ${max}`;
    const value = values.get(key)?.number({ min: Number.MIN_VALUE, max, what });
    if (value !== undefined) limits[name] = Math.max(1, Math.round(value * factor));
  }
  warnOfUnit(files, values.get("memory"), { unit: "MiB", usualMax: MEMORY_MIB_USUAL });
  warnOfUnit(files, values.get("time_limit"), { unit: "seconds", usualMax: TIME_SECONDS_USUAL });
  const factors = values.get("time_multipliers")?.mapping(MULTIPLIERS);
  limits.acceptedToLimit = factor(values.get("time_multiplier")) ??
    factor(factors?.get("ac_to_time_limit")) ?? limits.acceptedToLimit;
  limits.limitToRejected = factor(values.get("time_safety_margin")) ??
    factor(factors?.get("time_limit_to_tle")) ?? limits.limitToRejected;
  const isDefault = version === "legacy" &&
    !["time_multiplier", "time_multipliers", "time_safety_margin"].some((key) => values.has(key));
  const resolution = values.get("time_resolution");
  if (resolution) limits.timeResolutionMs = seconds(resolution);
  const time = values.get("time_limit");
  const ofFile = time ? {} : timeLimitFile(files);
  if (isDefault && (time || ofFile.timeLimitMs !== undefined)) limits.factorsAreDefault = true;
  if (time) return { ...limits, timeLimitMs: seconds(time), timeLimitSource: time.describe() };
  return { ...limits, ...ofFile };
}

/** Says of a limit that is far larger than any that is meant, which unit it has. */
function warnOfUnit(
  files: PackageFiles,
  node: YamlNode | undefined,
  { unit, usualMax }: { unit: string; usualMax: number },
): void {
  const value = node && parseNumber(node.text());
  if (value === undefined || value < usualMax) return;
  const smaller = unit === "MiB" ? value / 1024 : value / 1000;
  const meant = smaller > 0 && smaller < usualMax
    ? `; did you mean ${Number(smaller.toFixed(3))}?`
    : "";
  files.warnings.push(node!.error(`is in ${unit}: ${value} is very much${meant}`).message);
}

const PASSES_MAX = 1000;

/** Reads how often a submission runs on each test of a multi-pass problem at most. */
export function readPasses(limits: YamlNode | undefined): number {
  const node = limits?.isMapping ? limits.entries().get("validation_passes") : undefined;
  const what = `a whole number of passes from 2 to ${PASSES_MAX}`;
  return node?.number({ min: 2, max: PASSES_MAX, isWhole: true, what }) ?? 2;
}

function factor(node: YamlNode | undefined): number | undefined {
  return node?.number({ min: 1, max: 1000, what: "a number from 1 to 1000, such as 2" });
}

function seconds(node: YamlNode): number {
  const what = `a number of seconds, at least 0.001 and at most ${SECONDS_MAX}`;
  return Math.round(node.number({ min: 0.001, max: SECONDS_MAX, what }) * 1000);
}

/** Files that had the time limit before the format had a key for it. */
const TIME_LIMIT_FILES = [
  { file: ".timelimit", key: undefined, pattern: /^\s*(?<value>\S*)\s*$/ },
  {
    file: "domjudge-problem.ini",
    key: "timelimit",
    pattern: /^[ \t]*timelimit[ \t]*=[ \t]*["']?(?<value>[^"'\s]*)/m,
  },
];

function timeLimitFile(files: PackageFiles): Partial<ProblemLimits> {
  for (const { file, key, pattern } of TIME_LIMIT_FILES) {
    if (files.find(file) === undefined) continue;
    const text = files.readText(file, { limitBytes: SMALL_FILE_BYTES });
    const match = pattern.exec(text);
    // Such a file may hold other settings alone, or text around a number.
    if (match === null && key !== undefined) continue;
    const written = match?.groups?.value ?? text.trim();
    const value = parseNumber(written);
    if (value !== undefined && value >= 0.001 && value <= SECONDS_MAX) {
      const timeLimitSource = key === undefined ? file : `${file}: ${key}`;
      return { timeLimitMs: Math.round(value * 1000), timeLimitSource };
    }
    const line = key === undefined ? 1 : text.slice(0, match?.index).split("\n").length;
    throw new PackageError(
      `must be a number of seconds, at most ${SECONDS_MAX}, not ` +
        JSON.stringify(written.slice(0, 40)),
      { file: files.pathFor(file), line, key },
    );
  }
  return {};
}
