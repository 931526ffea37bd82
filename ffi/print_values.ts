/**
 * Prints the arguments of steps: numbers by their names, structures by their fields, and a placeholder
 * for what only execution will bring.
 */

import { type Argument, Data, type Plan, Slot } from "./plan.ts";
import { decodeOsString } from "../text/os_string.ts";
import { visibleText } from "../text/visible.ts";
import * as linux from "./linux.ts";

export type Names = Readonly<Record<string, number>>;

/** Picks the constants of the kernel whose names begin with a regular expression. */
export function named(pattern: string): Names {
  const begins = new RegExp(`^(?:${pattern})`);
  const table = Object.entries<unknown>(linux);
  return Object.fromEntries(table.filter(([name]) => begins.test(name))) as Names;
}

const TEXT_MAX = 1024;
const BYTES_MAX = 48;

/** Shows a plan to the printers of arguments. */
export class PlanReader {
  readonly #view: DataView<ArrayBuffer>;
  readonly #pointers: ReadonlyMap<number, number>;
  readonly #slotNames: readonly string[];
  /** Maps the offset of a piece of the data to the operation that will fill it. */
  readonly #filled = new Map<number, string>();

  constructor(plan: Plan) {
    this.#view = plan.plannedData();
    this.#pointers = plan.plannedPointers();
    const counts = new Map<string, number>();
    this.#slotNames = plan.slots.map(({ name }) => {
      const word = name.replace(/[^\w./-]+/g, "_");
      const count = (counts.get(word) ?? 0) + 1;
      counts.set(word, count);
      return count === 1 ? `$${word}` : `$${word}#${count}`;
    });
  }

  /** Names a slot as no other in the plan. */
  slotName(slot: Slot): string {
    return this.#slotNames[slot.index]!;
  }

  /** Notes that an operation writes to a piece of the data. */
  fill(data: Data, operation: string): void {
    this.#filled.set(data.offset, operation);
  }

  /** Names the operation that will have written there before. */
  filledBy(data: Data): string | undefined {
    return this.#filled.get(data.offset);
  }

  /** Reads an unsigned number. */
  read(offset: number, width: number): bigint {
    return width === 8
      ? this.#view.getBigUint64(offset, true)
      : width === 4
      ? BigInt(this.#view.getUint32(offset, true))
      : BigInt(this.#view.getUint16(offset, true));
  }

  /** Follows a pointer in the data. */
  pointee(offset: number): Data | undefined {
    const target = this.#pointers.get(offset);
    return target === undefined ? undefined : new Data(target, 0);
  }

  bytes(data: Data): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + data.offset, data.length);
  }

  /** Reads the string at an offset, up to its NUL. */
  string(offset: number): string {
    const rest = this.bytes(new Data(offset, this.#view.byteLength - offset));
    const end = rest.indexOf(0);
    return decodeOsString(end < 0 ? rest : rest.slice(0, end));
  }
}

/** Is what the printer of an argument may look at besides the argument. */
export interface Surroundings {
  readonly reader: PlanReader;
  readonly operation: string;
  readonly args: readonly Argument[];
}

export type Format = (value: Argument, step: Surroundings) => string;

/** Makes a printer for numbers, which may also come from slots. */
function numeric(print: (value: number) => string): Format {
  return (value, step) => {
    if (value instanceof Slot) return step.reader.slotName(value);
    if (value instanceof Data) return output(value, step);
    return print(Number(value));
  };
}

/** Makes a printer for addresses. */
function address(print: (data: Data, step: Surroundings) => string): Format {
  return (value, step) => {
    if (!(value instanceof Data)) return Number(value) === 0 ? "NULL" : number(value, step);
    const filledBy = step.reader.filledBy(value);
    return filledBy === undefined ? print(value, step) : `<set by ${filledBy}>`;
  };
}

export const number: Format = numeric(String);

export const hex: Format = numeric((value) => value < 10 ? `${value}` : `0x${value.toString(16)}`);

export const octal: Format = numeric((value) => value === 0 ? "0" : `0${value.toString(8)}`);

/** Prints a descriptor; `~0` is the last that a range can have. */
export const fd: Format = numeric((value) =>
  value === linux.AT_FDCWD ? "AT_FDCWD" : value === 2 ** 32 - 1 ? "~0" : `${value}`
);

/** Prints one of several values: those of a table, or the constants that {@linkcode named} picks. */
export function choice(among: string | Names): Format {
  const names = typeof among === "string" ? named(among) : among;
  return numeric((value) => nameOf(names, value) ?? `${value}`);
}

/** Finds the name of a value. */
export function nameOf(names: Names, value: number): string | undefined {
  return Object.keys(names).find((name) => names[name] === value);
}

/** Prints a sum of flags; the bits of `mask` are one choice among the names instead. */
export function flags(pattern: string, mask = 0): Format {
  const names = named(pattern);
  // A name for several bits comes before those for some of them.
  const descending = Object.entries(names).filter(([, bits]) => bits > mask)
    .sort(([, a], [, b]) => b - a);
  return numeric((value) => {
    let rest = BigInt(value);
    const words: string[] = [];
    for (const [name, bits] of descending) {
      const wanted = BigInt(bits);
      if ((rest & wanted) !== wanted) continue;
      words.unshift(name);
      rest -= wanted;
    }
    const chosen = Number(rest & BigInt(mask));
    rest -= BigInt(chosen);
    if (mask !== 0) words.unshift(nameOf(names, chosen) ?? `${chosen}`);
    if (rest !== 0n) words.push(`0x${rest.toString(16)}`);
    return words.join("|") || "0";
  });
}

/** Prints a string that ends with a NUL. */
export const text: Format = address(({ offset }, { reader }) => quote(reader.string(offset)));

/** Prints bytes, as many as the next argument says. */
export const buffer: Format = address((data, { reader, args }) => {
  const length = args[args.indexOf(data) + 1];
  const wanted = Math.min(Number(typeof length === "number" ? length : 0), data.length);
  const shown = reader.bytes(data.part(0, Math.min(wanted, BYTES_MAX)));
  return quote(decodeOsString(shown.slice())) + (wanted > BYTES_MAX ? "…" : "");
});

/** Prints a placeholder for what the operation will fill. */
export const output: Format = (value, step): string => {
  if (!(value instanceof Data)) return Number(value) === 0 ? "NULL" : number(value, step);
  step.reader.fill(value, step.operation);
  return value.length > 0 ? `<${value.length} bytes>` : "<…>";
};

/** Describes a field of a structure; offset and width are in bytes. */
export type Field = readonly [name: string, offset: number, width: 2 | 4 | 8, format: Format];

/** Prints a structure, without the fields that are zero unless `zeros` is set. */
export function struct(fields: readonly Field[], options: { zeros?: boolean } = {}): Format {
  return address((data, step) => {
    const words: string[] = [];
    for (const [name, at, width, format] of fields) {
      const value = step.reader.pointee(data.offset + at) ??
        step.reader.read(data.offset + at, width);
      if (value !== 0n || options.zeros) words.push(`${name}=${format(value, step)}`);
    }
    return `{${words.join(", ")}}`;
  });
}

/** Prints an array of strings, ended by a null pointer. */
export const texts: Format = address(({ offset }, { reader }) => {
  const words: string[] = [];
  for (let at = offset;; at += 8) {
    const target = reader.pointee(at);
    if (target === undefined) return `[${words.join(", ")}]`;
    words.push(quote(reader.string(target.offset)));
  }
});

/** Prints an array of 32-bit numbers, as many as the argument before says. */
export const numbers: Format = address((data, { reader, args }) => {
  const count = Number(args[args.indexOf(data) - 1]);
  const words = Array.from({ length: count }, (_, i) => reader.read(data.offset + 4 * i, 4));
  return `[${words.join(", ")}]`;
});

/** Prints a set of signals. */
export const signalSet: Format = address(({ offset }, { reader }) => {
  const bits = reader.read(offset, 8);
  if (bits === 2n ** 64n - 1n) return "[all]";
  const words: string[] = [];
  for (let signal = 1; signal <= 64; signal++) {
    if (bits >> BigInt(signal - 1) & 1n) words.push(nameOf(linux.SIGNALS, signal) ?? `${signal}`);
  }
  return `[${words.join(", ")}]`;
});

/** Quotes text as C would; bytes that are not UTF-8 become `\xNN`. */
function quote(text: string): string {
  const escaped = visibleText(text.slice(0, TEXT_MAX).replaceAll(/["\\]/g, "\\$&"));
  return `"${escaped}"${text.length > TEXT_MAX ? "…" : ""}`;
}
