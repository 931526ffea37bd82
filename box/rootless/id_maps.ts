/** Which ids there are in a user namespace: see user_namespaces(7). */

/** Ids of a user namespace that stand for ids of the one around it. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** Of the initial user namespace, where all ids are themselves. */
const ALL_IDS = 0xffff_ffff;

/** Reads `/proc/PID/uid_map`, or `gid_map`. */
export function parseIdMap(text: string): IdRange[] {
  return text.split("\n").filter((line) => line.trim() !== "").map((line) => {
    const [inside = 0, outside = 0, count = 0] = line.trim().split(/\s+/).map(Number);
    return { inside, outside, count };
  });
}

/** Writes what {@linkcode parseIdMap} reads. */
export function formatIdMap(ranges: readonly IdRange[]): string {
  return ranges.map(({ inside, outside, count }) => `${inside} ${outside} ${count}`).join("\n");
}

/** Whether it is the map of the initial user namespace. */
export function hasAllIds(ranges: readonly IdRange[]): boolean {
  return ranges.some(({ inside, count }) => inside === 0 && count === ALL_IDS);
}

/**
 * Finds ids for boxes among those that there are besides 0, from a certain one on where that is one of
 * them, else in the largest range; undefined: there are none.
 */
export function idsForBoxes(
  ranges: readonly IdRange[],
  wanted: number,
): { first: number; count: number } | undefined {
  const usable = ranges
    .map(({ inside, count }) =>
      inside === 0 ? { first: 1, count: count - 1 } : { first: inside, count }
    )
    .filter(({ count }) => count > 0);
  const around = usable.find(({ first, count }) => first <= wanted && wanted < first + count);
  if (around) return { first: wanted, count: around.first + around.count - wanted };
  return usable.toSorted((a, b) => b.count - a.count)[0];
}
