// The types of semver.ts, as far as they are used. The npm packaging carries none.

export interface SemVer {
  major: number;
  minor: number;
  patch: number;
}

/** Alternatives, each of comparators that must all hold. */
export type Range = readonly (readonly unknown[])[];

export function compare(a: SemVer, b: SemVer): -1 | 0 | 1;
export function format(version: SemVer): string;
export function satisfies(version: SemVer, range: Range): boolean;
/** Gives undefined for what is no range. */
export function tryParseRange(text: string): Range | undefined;
