/**
 * How the arguments of steps are printed: numbers with their names, structures with their fields,
 * and what only the execution will bring as a placeholder.
 */

import { type Argument, Data, type Plan, Slot } from "./plan.ts";
import { decodeOsString } from "../text/os_string.ts";
import * as linux from "./linux.ts";

/** Names of the kernel and their values. */
export type Names = Readonly<Record<string, number>>;

/** Picks the constants of the kernel whose names begin with a pattern. */
export function named(pattern: string): Names {
  const begins = new RegExp(`^(?:${pattern})`);
  return Object.fromEntries(
    Object.entries(linux).filter((entry): entry is [string, number] =>
      typeof entry[1] === "number" && begins.test(entry[0])
    ),
  );
}

const TEXT_MAX = 1024;
const BYTES_MAX = 48;

/** A plan as the printers of arguments see it. */
export class PlanReader {
  readonly #view: DataView<ArrayBuffer>;
  readonly #pointers: ReadonlyMap<number, number>;
  readonly #slotNames: readonly string[];
  /** Which operation will have filled which piece of the data, by its offset. */
  readonly #filled = new Map<number, string>();

  /** Looks at a plan. */
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

  /** The name of a slot, unique in the plan. */
  slotName(slot: Slot): string {
    return this.#slotNames[slot.index]!;
  }

  /** Notes that an operation writes to a piece of the data. */
  fill(data: Data, operation: string): void {
    this.#filled.set(data.offset, operation);
  }

  /** Which operation will have written there before. */
  filledBy(data: Data): string | undefined {
    return this.#filled.get(data.offset);
  }

  /** An unsigned number in the data. */
  read(offset: number, width: number): bigint {
    return width === 8
      ? this.#view.getBigUint64(offset, true)
      : width === 4
      ? BigInt(this.#view.getUint32(offset, true))
      : BigInt(this.#view.getUint16(offset, true));
  }

  /** Where a pointer in the data leads. */
  pointee(offset: number): Data | undefined {
    const target = this.#pointers.get(offset);
    return target === undefined ? undefined : new Data(target, 0);
  }

  /** Bytes of the data. */
  bytes(data: Data): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + data.offset, data.length);
  }

  /** The string at an offset, up to its NUL. */
  string(offset: number): string {
    const rest = this.bytes(new Data(offset, this.#view.byteLength - offset));
    const end = rest.indexOf(0);
    return decodeOsString(end < 0 ? rest : rest.slice(0, end));
  }
}

/** What the printer of an argument may look at besides the argument. */
export interface Surroundings {
  /** The plan. */
  readonly reader: PlanReader;
  /** What the step does. */
  readonly operation: string;
  /** All its arguments. */
  readonly args: readonly Argument[];
}

/** Prints an argument. */
export type Format = (value: Argument, step: Surroundings) => string;

/** Makes a printer for plain numbers; slots and what is not known are the same for all. */
function numeric(print: (value: number) => string): Format {
  return (value, step) => {
    if (value instanceof Slot) return step.reader.slotName(value);
    if (value instanceof Data) return room(value, step);
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

/** A decimal number. */
export const number: Format = numeric(String);

/** A number of bits. */
export const hex: Format = numeric((value) => value < 10 ? `${value}` : `0x${value.toString(16)}`);

/** Permissions. */
export const octal: Format = numeric((value) => value === 0 ? "0" : `0${value.toString(8)}`);

/** A descriptor, the working directory, or (of a range) the last there can be. */
export const fd: Format = numeric((value) =>
  value === linux.AT_FDCWD ? "AT_FDCWD" : value === 2 ** 32 - 1 ? "~0" : `${value}`
);

/** One of several values. */
export function choice(names: Names): Format {
  return numeric((value) => nameOf(names, value) ?? `${value}`);
}

function nameOf(names: Names, value: number): string | undefined {
  return Object.keys(names).find((name) => names[name] === value);
}

/** A sum of flags; the bits of `mask` are one choice among the names instead. */
export function flags(names: Names, mask = 0): Format {
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

/** A string that ends with a NUL. */
export const text: Format = address(({ offset }, { reader }) => quote(reader.string(offset)));

/** Bytes, as many as the next argument says. */
export const buffer: Format = address((data, { reader, args }) => {
  const length = args[args.indexOf(data) + 1];
  const wanted = Math.min(Number(typeof length === "number" ? length : 0), data.length);
  const shown = reader.bytes(data.part(0, Math.min(wanted, BYTES_MAX)));
  return quote(decodeOsString(shown.slice())) + (wanted > BYTES_MAX ? "…" : "");
});

/** What the operation will fill. */
export const room: Format = (value, step): string => {
  if (!(value instanceof Data)) return Number(value) === 0 ? "NULL" : number(value, step);
  step.reader.fill(value, step.operation);
  return value.length > 0 ? `<${value.length} bytes>` : "<…>";
};

/** A field of a structure: its name, offset and width in bytes, and how it is printed. */
export type Field = readonly [name: string, offset: number, width: 2 | 4 | 8, format: Format];

/** A structure; fields that are zero are left out unless `zeros` says otherwise. */
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

/** An array of strings, ended by a null pointer. */
export const texts: Format = address(({ offset }, { reader }) => {
  const words: string[] = [];
  for (let at = offset;; at += 8) {
    const target = reader.pointee(at);
    if (target === undefined) return `[${words.join(", ")}]`;
    words.push(quote(reader.string(target.offset)));
  }
});

/** An array of 32-bit numbers, as many as the argument before says. */
export const numbers: Format = address((data, { reader, args }) => {
  const count = Number(args[args.indexOf(data) - 1]);
  const words = Array.from({ length: count }, (_, i) => reader.read(data.offset + 4 * i, 4));
  return `[${words.join(", ")}]`;
});

/** A set of signals, of 8 bytes. */
export const signalSet: Format = address(({ offset }, { reader }) => {
  const bits = reader.read(offset, 8);
  if (bits === 2n ** 64n - 1n) return "[all]";
  const words: string[] = [];
  for (let signal = 1; signal <= 64; signal++) {
    if (bits >> BigInt(signal - 1) & 1n) words.push(nameOf(linux.SIGNALS, signal) ?? `${signal}`);
  }
  return `[${words.join(", ")}]`;
});

/** Text as C writes it; bytes that are no UTF-8 as `\xNN`. */
export function quote(text: string): string {
  const escaped = text.slice(0, TEXT_MAX).replace(/["\\]|\p{Cc}|\p{Surrogate}/gu, escape);
  return `"${escaped}"${text.length > TEXT_MAX ? "…" : ""}`;
}

function escape(character: string): string {
  const known: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", "\r": "\\r" };
  if (character === '"' || character === "\\") return `\\${character}`;
  const code = character.charCodeAt(0);
  const hexadecimal = (code & 0xff).toString(16).padStart(2, "0");
  return known[character] ?? (code >= 0x80 && code <= 0x9f ? "\\u00" : "\\x") + hexadecimal;
}
