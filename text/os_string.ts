/**
 * Strings of the operating system (paths, arguments, environment) as JavaScript strings and back,
 * without loss: a byte that is no valid UTF-8 becomes a lone surrogate U+DC80 to U+DCFF.
 */

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const looseDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Decodes bytes that the operating system calls a string. */
export function decodeOsString(bytes: Uint8Array<ArrayBuffer>): string {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return decodeBrokenString(bytes);
  }
}

/** Length in bytes of the well-formed UTF-8 sequence at `at`, or 0 if there is none. */
function sequenceLength(bytes: Uint8Array<ArrayBuffer>, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      strictDecoder.decode(bytes.subarray(at, at + length));
      return length;
    } catch {
      // Not complete yet, or broken: a longer piece decides.
    }
  }
  return 0;
}

function decodeBrokenString(bytes: Uint8Array<ArrayBuffer>): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    text += length === 0
      ? String.fromCharCode(0xdc00 + bytes[at]!)
      : looseDecoder.decode(bytes.subarray(at, at + length));
    at += Math.max(length, 1);
  }
  return text;
}

/** Encodes a string for the operating system; the inverse of {@linkcode decodeOsString}. */
export function encodeOsString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new TypeError(
      `Cannot pass ${JSON.stringify(text)} to the system: it has a NUL character`,
    );
  }
  if (text.isWellFormed()) return encoder.encode(text);
  const pieces: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) pieces.push(code - 0xdc00);
    else pieces.push(...encoder.encode(character));
  }
  return new Uint8Array(pieces);
}
