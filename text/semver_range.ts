/** Versions, and ranges of them as npm knows them: `*`, `3.x`, `^1.2`, `~1.2.3`, `>=1 <3`, `1.2 - 2`, `1 || 3`. */

/** Major, minor and patch; pre-releases of tools are no different from releases here. */
export type Version = readonly [major: number, minor: number, patch: number];

/** A version lies in it if it is at least the first and less than the second. */
type Span = readonly [from: Version, to: Version];

const ZERO: Version = [0, 0, 0];
const END: Version = [Infinity, 0, 0];
const RANGE_LENGTH_MAX = 256;
const PARTIAL = String
  .raw`v?(\d{1,9}|[xX*])(?:\.(\d{1,9}|[xX*])(?:\.(\d{1,9}|[xX*])(?:[-+][\w.+-]*)?)?)?`;
const HYPHEN = new RegExp(`^\\s*${PARTIAL}\\s+-\\s+${PARTIAL}\\s*$`);
const COMPARATOR = new RegExp(`^(<=|>=|<|>|=|\\^|~>|~|)\\s*${PARTIAL}$`);

/** Tells which of two versions is the later one, as functions that sort want it. */
export function compareVersions(a: Version, b: Version): number {
  for (let i = 0; i < 3; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return 0;
}

/** Writes a version. */
export function versionText(version: Version): string {
  return version.join(".");
}

/** Finds the version in what a tool says of itself; what stands in parentheses is of something else. */
export function versionIn(text: string): Version | undefined {
  for (const candidate of [text.replace(/\([^)]*\)/g, " "), text]) {
    const match = /(?<![\d.])(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?/.exec(candidate);
    if (match) return [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  }
  return undefined;
}

/** Reads a range, and gives what tells whether a version lies in it; undefined if it is none. */
export function parseRange(text: string): ((version: Version) => boolean) | undefined {
  if (text.length > RANGE_LENGTH_MAX) return undefined;
  const alternatives: Span[][] = [];
  for (const alternative of text.split("||")) {
    const spans = parseAlternative(alternative);
    if (!spans) return undefined;
    alternatives.push(spans);
  }
  const isIn = (version: Version) => ([from, to]: Span) =>
    compareVersions(version, from) >= 0 && compareVersions(version, to) < 0;
  return (version) => alternatives.some((spans) => spans.every(isIn(version)));
}

function parseAlternative(text: string): Span[] | undefined {
  const hyphen = HYPHEN.exec(text);
  if (hyphen) {
    const [from, to] = [spanOf(hyphen.slice(1, 4)), spanOf(hyphen.slice(4, 7))];
    return [[from[0], to[1]]];
  }
  const words = text.trim().replace(/(<=|>=|<|>|=|\^|~>|~)\s+/g, "$1").split(/\s+/);
  const spans = words.map((word) => word === "" || word === "latest" ? all() : comparator(word));
  return spans.includes(undefined) ? undefined : spans as Span[];
}

function all(): Span {
  return [ZERO, END];
}

function comparator(word: string): Span | undefined {
  const match = COMPARATOR.exec(word);
  if (!match) return undefined;
  const [, operator, ...parts] = match;
  const [from, to] = spanOf(parts);
  const [major, minor, patch] = from;
  switch (operator) {
    case "<":
      return [ZERO, from];
    case "<=":
      return [ZERO, to];
    case ">":
      return [to, END];
    case ">=":
      return [from, END];
    case "^":
      if (to === END) return all();
      if (major > 0 || !isGiven(parts[1])) return [from, [major + 1, 0, 0]];
      return minor > 0 || !isGiven(parts[2])
        ? [from, [0, minor + 1, 0]]
        : [from, [0, 0, patch + 1]];
    case "~":
    case "~>":
      if (to === END || !isGiven(parts[1])) return [from, to];
      return [from, [major, minor + 1, 0]];
    default:
      return [from, to];
  }
}

/** All versions that begin so: `1.2` is from 1.2.0 on, and less than 1.3.0. */
function spanOf([major, minor, patch]: readonly (string | undefined)[]): Span {
  if (!isGiven(major)) return all();
  const first = Number(major);
  if (!isGiven(minor)) return [[first, 0, 0], [first + 1, 0, 0]];
  const second = Number(minor);
  if (!isGiven(patch)) return [[first, second, 0], [first, second + 1, 0]];
  return [[first, second, Number(patch)], [first, second, Number(patch) + 1]];
}

function isGiven(part: string | undefined): part is string {
  return part !== undefined && /^\d+$/.test(part);
}
