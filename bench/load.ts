/** Clients that come back as soon as they are answered. */

import { median } from "./measure.ts";

/** What a load was like. */
export interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Lets so many clients work for some seconds, each one request after the other. */
export async function loadOf(
  send: () => Promise<void>,
  { clients, seconds }: { clients: number; seconds: number },
): Promise<Load> {
  const startMs = performance.now();
  const timesMs: number[] = [];
  await Promise.all(Array.from({ length: clients }, async () => {
    for (;;) {
      const sinceMs = performance.now();
      if (sinceMs - startMs > seconds * 1000) return;
      await send();
      timesMs.push(performance.now() - sinceMs);
    }
  }));
  const tookMs = performance.now() - startMs;
  const sorted = timesMs.toSorted((a, b) => a - b);
  return {
    perSecond: timesMs.length / tookMs * 1000,
    p50Ms: median(timesMs),
    p99Ms: sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))]!,
  };
}
