/** Times and sizes with units, as people write them. */

import { parseNumber, type YamlNode } from "../../text/yaml_node.ts";

const DAY_MS = 86_400_000;
const TERABYTE_KIB = 2 ** 30;

/** In milliseconds. */
const TIME_UNITS: Readonly<Record<string, number>> = { "": 1000, s: 1000, ms: 1, min: 60_000 };

/** In KiB. A `K` is always 1024: nobody means 1000 when limiting memory. */
const SIZE_UNITS: Readonly<Record<string, number>> = {
  b: 1 / 1024,
  ...powers(["k", "kb", "kib"], 1),
  ...powers(["m", "mb", "mib"], 1024),
  ...powers(["g", "gb", "gib"], 1024 ** 2),
};

function powers(names: readonly string[], value: number): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, value]));
}

/** Reads a time such as `1.5s`, `300 ms`, `1 min`; a plain number is seconds. */
export function readTimeMs(node: YamlNode): number {
  const value = quantity(node, TIME_UNITS);
  if (value !== undefined && value > 0 && value <= DAY_MS) return value;
  throw node.mustBe("a time of at most a day, such as 1.5s or 300ms");
}

/** Reads a size such as `64KiB`, `256 MiB`, `1G`; a plain number is MiB. */
export function readSizeKib(node: YamlNode): number {
  const value = quantity(node, { ...SIZE_UNITS, "": 1024 });
  if (value !== undefined && value >= 1 && value <= TERABYTE_KIB) return Math.floor(value);
  throw node.mustBe("a size from 1KiB to 1024GiB, such as 256MiB");
}

function quantity(node: YamlNode, units: Readonly<Record<string, number>>): number | undefined {
  const [, number = "", unit = ""] = /^(.*?)\s*([a-z]*)$/i.exec(node.text()) ?? [];
  const value = parseNumber(number);
  const factor = Object.hasOwn(units, unit.toLowerCase()) ? units[unit.toLowerCase()] : undefined;
  // 1.1 seconds are 1100 milliseconds, not 1100.0000000000002.
  return value === undefined || factor === undefined
    ? undefined
    : Number((value * factor).toPrecision(12));
}
