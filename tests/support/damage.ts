/** Damage to packets: what a hostile client could send in place of what the native one does. */

import {
  DESCRIPTORS_PACKET,
  PACKET_BYTES_MAX,
  PACKET_HEADER_BYTES,
} from "isolate/service/protocol.ts";

/** A packet with what comes with it. */
export interface Sent {
  readonly bytes: Uint8Array;
  readonly fds: readonly number[];
}

/** Numbers by chance that a seed repeats. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number below this one. */
  below(count: number): number {
    // The generator "mulberry32".
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ this.#state >>> 15, this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return Math.floor(((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32 * count);
  }

  of<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)]!;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/** What results like to be mistaken for: lengths, descriptors, errors, addresses. */
const NUMBERS = [0, 1, -1, 2, 3, 7, -2, -9, 255, 4095, -4096, 65536, 0x7fffffff, -0x80000000];

/** Where two images of a plan differ: the words that its execution has written. */
function wordsWritten(before: Uint8Array, after: Uint8Array): number[] {
  const words: number[] = [];
  for (let at = 0; at + 4 <= after.length; at += 4) {
    for (let i = at; i < at + 4; i++) {
      if (before[i] !== after[i]) {
        words.push(at);
        break;
      }
    }
  }
  return words;
}

function words(values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** Damages a packet of a client. */
export class Damage {
  readonly #chance: Chance;
  /** Descriptors that no client sends. */
  readonly #strange: () => readonly number[];
  #held: Sent | undefined;

  constructor(chance: Chance, strange: () => readonly number[]) {
    this.#chance = chance;
    this.#strange = strange;
  }

  /** The packets to send in place of one that answers a plan, or that is the first. */
  apply(packet: Sent, plan: Uint8Array | undefined): Sent[] {
    const [chance, held] = [this.#chance, this.#held];
    this.#held = undefined;
    const kinds = [
      () => [this.#changed(packet)],
      () => [this.#changed(packet)],
      () => [plan ? this.#otherResults(packet, plan) : this.#changed(packet)],
      () => [plan ? this.#otherResults(packet, plan) : this.#changed(packet)],
      () => [plan ? this.#otherResults(packet, plan) : this.#changed(packet)],
      () => [this.#resized(packet)],
      () => [{ ...packet, fds: this.descriptors() }],
      () => [{ ...packet, fds: [...packet.fds, ...this.descriptors()] }],
      () => [{ ...packet, fds: packet.fds.slice(1) }],
      () => [{ ...packet, fds: packet.fds.toReversed() }],
      () => [packet, packet],
      () => [this.strange(), packet],
      () => [packet, this.strange()],
      () => {
        this.#held = packet;
        return [];
      },
      () => [this.strange()],
    ];
    const damaged = chance.of(kinds)();
    // A packet that was held back comes after its successor.
    return held ? [...damaged, held] : damaged;
  }

  /** A packet that has nothing to do with what was asked. */
  strange(): Sent {
    const chance = this.#chance;
    const fds = chance.below(2) === 0 ? [] : this.descriptors();
    const size = chance.of([0, 2, 3, 4, 7, 8, 9, 40, 296, 1000, 5000]);
    const bytes = chance.of([
      () => Uint8Array.of(chance.below(256)),
      () => new Uint8Array(0),
      () => words(DESCRIPTORS_PACKET),
      () => chance.bytes(size),
      () =>
        Uint8Array.of(
          ...words([chance.below(5), chance.of([0, 1, 8, size, -1])]),
          ...chance.bytes(size),
        ),
    ])();
    return { bytes, fds };
  }

  /** Some descriptors of all kinds. */
  descriptors(): number[] {
    const strange = this.#strange();
    const count = this.#chance.of([1, 1, 2, 3, 20, 127, 129, 253]);
    return Array.from({ length: count }, () => this.#chance.of(strange));
  }

  #changed({ bytes, fds }: Sent): Sent {
    const changed = bytes.slice();
    const count = this.#chance.of([1, 2, 30]);
    for (let i = 0; i < count; i++) {
      changed[this.#chance.below(changed.length)] = this.#chance.below(256);
    }
    return { bytes: changed, fds };
  }

  /** Other results of the same plan: what the client says of its files, names and descriptors is made up. */
  #otherResults({ bytes, fds }: Sent, plan: Uint8Array): Sent {
    const changed = bytes.slice();
    const image = changed.subarray(PACKET_HEADER_BYTES);
    const written = wordsWritten(plan, image);
    const view = new DataView(changed.buffer);
    const count = this.#chance.of([1, 1, 2, 5, 50]);
    for (let i = 0; i < count; i++) {
      const at = written.length > 0 && this.#chance.below(5) > 0
        ? this.#chance.of(written)
        : 4 * this.#chance.below(image.length >> 2);
      if (at + 4 > image.length) continue;
      const value = this.#chance.below(4) === 0
        ? this.#chance.below(2 ** 32)
        : this.#chance.of(NUMBERS);
      view.setInt32(PACKET_HEADER_BYTES + at, value, true);
    }
    return { bytes: changed, fds };
  }

  /** A packet with less or more; half of the time its header knows of it. */
  #resized({ bytes, fds }: Sent): Sent {
    const length = this.#chance.of([
      this.#chance.below(bytes.length),
      bytes.length - 1,
      bytes.length + 1,
      bytes.length + this.#chance.below(5000),
      PACKET_BYTES_MAX + PACKET_HEADER_BYTES + 1,
    ]);
    const resized = new Uint8Array(length);
    resized.set(bytes.subarray(0, length));
    if (length >= PACKET_HEADER_BYTES && this.#chance.below(2) === 0) {
      new DataView(resized.buffer).setUint32(4, length - PACKET_HEADER_BYTES, true);
    }
    return { bytes: resized, fds };
  }
}
