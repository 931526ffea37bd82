/** How a crash is told. */

import { crashCodeName, crashOf, type Outcome, SIGNALS } from "../core.ts";
import { columns } from "../text/columns.ts";

const WIDTH = 78;

/** Describes a crash in lines of text; none if nothing is known of one. */
export function crashLines(outcome: Outcome): string[] {
  const found = crashOf(outcome);
  if (!found) return [];
  const { signal, crash: { thread, code, address, registers } } = found;
  const name = Object.entries(SIGNALS).find(([, number]) => number === signal)?.[0] ??
    `signal ${signal}`;
  const where = address === undefined ? "" : ` at address ${hexadecimal(address)}`;
  const words = Object.entries(registers).map(([name, value]) => `${name}=${hexadecimal(value)}`);
  return [
    `Crash: ${name}, ${crashCodeName(signal, code)}${where}, in thread ${thread} of the box`,
    ...wrapped(words).map((line) => `  ${line}`),
  ];
}

/** A crash as JSON can hold it: addresses and registers as hexadecimal text. */
export function crashJson(outcome: Outcome): Record<string, unknown> | null {
  const found = crashOf(outcome);
  if (!found) return null;
  const { signal, crash: { thread, code, address, registers } } = found;
  return {
    signal,
    code,
    codeName: crashCodeName(signal, code),
    address: address === undefined ? null : hexadecimal(address),
    thread,
    registers: Object.fromEntries(
      Object.entries(registers).map(([name, value]) => [name, hexadecimal(value)]),
    ),
  };
}

function hexadecimal(value: bigint): string {
  return `0x${value.toString(16)}`;
}

function wrapped(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || columns(last) + columns(word) + 1 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
