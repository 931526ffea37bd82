/** Compares an output with what is expected. */

import type { FileBlock } from "../../mod.ts";
import { checkOutput } from "../../judge/checker/checker.ts";
import { visibleText } from "../../text/visible.ts";
import { cut } from "../../text/quantities.ts";
import type { Bytes, Comparison } from "./types.ts";

const SHOWN_LENGTH = 60;
const LINE_FEED = 0x0a;
/** Space, tab, line feed, vertical tab, form feed, carriage return. */
const WHITE_SPACE: ReadonlySet<number> = new Set([0x20, 9, 10, 11, 12, 13]);

/** Whether an output is as expected, and if not, how it differs. */
export interface Compared {
  readonly isAccepted: boolean;
  readonly difference?: string;
}

/** Compares an output with what is expected. */
export async function compareOutput(
  actual: Bytes,
  { expected, comparison }: { expected: Bytes; comparison: Comparison },
): Promise<Compared> {
  if (comparison === "words") {
    const result = await checkOutput({
      output: inMemory(actual),
      answer: inMemory(expected),
      flags: [],
    });
    return result.accepted
      ? { isAccepted: true }
      : { isAccepted: false, difference: result.difference.reason };
  }
  const isByLine = comparison === "lines";
  const [ends, endsOfExpected] = [actual, expected].map((bytes) =>
    isByLine ? trimmed(bytes) : bytes
  );
  return compareLines(ends!, endsOfExpected!, isByLine);
}

/** Walks through both line by line; none of them is split into many strings. */
function compareLines(actual: Bytes, expected: Bytes, isByLine: boolean): Compared {
  for (let [a, e, number] = [0, 0, 1]; a <= actual.length || e <= expected.length; number++) {
    const [line, wanted] = [lineAt(actual, a), lineAt(expected, e)];
    a += (line?.length ?? 0) + 1;
    e += (wanted?.length ?? 0) + 1;
    if (line && wanted) {
      const [given, right] = isByLine ? [trimmed(line), trimmed(wanted)] : [line, wanted];
      if (equal(given, right)) continue;
      const difference = `Line ${number}: expected ${shown(right)}, got ${shown(given)}`;
      return { isAccepted: false, difference };
    }
    return {
      isAccepted: false,
      difference: line
        ? `Line ${number}: the output has more lines than expected`
        : `Line ${number}: the output ends, expected ${shown(wanted!)}`,
    };
  }
  return { isAccepted: true };
}

/** Gives the line that begins at a place; undefined behind the end. */
function lineAt(bytes: Bytes, start: number): Bytes | undefined {
  if (start > bytes.length) return undefined;
  const end = bytes.indexOf(LINE_FEED, start);
  return bytes.subarray(start, end < 0 ? bytes.length : end);
}

function trimmed(bytes: Bytes): Bytes {
  let end = bytes.length;
  while (end > 0 && WHITE_SPACE.has(bytes[end - 1]!)) end--;
  return bytes.subarray(0, end);
}

function equal(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function shown(line: Bytes): string {
  const text = new TextDecoder().decode(line.subarray(0, 4 * SHOWN_LENGTH));
  return `"${cut(visibleText(text), SHOWN_LENGTH)}"`;
}

/** Behaves like a file for what reads files in blocks. */
function inMemory(content: Bytes): { block(lengthBytes: number): FileBlock } {
  return {
    block(lengthBytes) {
      const bytes = new Uint8Array(lengthBytes);
      const read = (offset: number) => {
        const part = content.subarray(offset, offset + lengthBytes);
        bytes.set(part);
        return part.length;
      };
      return { bytes, read };
    },
  };
}
