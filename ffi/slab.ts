/** Memory for plans, which are many and short-lived: to ask for each would cost more than to fill it. */

const SLAB_BYTES = 1 << 15;
/** What is larger gets memory of its own, so that a plan that lives long keeps no more than it needs. */
const PIECE_BYTES_MAX = 1 << 12;

let slab = new Uint8Array(0);
let used = 0;

/** Cuts zeroed bytes, at an address that is a multiple of 8, from a slab that the pieces share. */
export function zeroedBytes(length: number): Uint8Array<ArrayBuffer> {
  const size = (length + 7) & ~7;
  if (size > PIECE_BYTES_MAX) return new Uint8Array(length);
  if (used + size > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  const piece = slab.subarray(used, used + length);
  used += size;
  return piece;
}
