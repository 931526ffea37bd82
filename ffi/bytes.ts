/**
 * Puts bytes that came in pieces together.
 *
 * @param pieces the pieces in order
 * @param length their length together, in bytes
 * @returns a copy of all of them
 *
 * @example
 * ```ts
 * import { joinBytes } from "isolate/ffi/bytes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(joinBytes([new Uint8Array([1]), new Uint8Array([2, 3])], 3), new Uint8Array([1, 2, 3]));
 * ```
 */
export function joinBytes(pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
