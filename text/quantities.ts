/** How times, sizes, scores and counts are written for people: the same everywhere. */

/** Writes a time: whole seconds or milliseconds, and minutes from one minute on. */
export function timeText(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(3).replace(".000", "")} s`;
  const seconds = Math.round(ms / 1000);
  const rest = seconds % 60;
  return `${Math.floor(seconds / 60)} min${rest === 0 ? "" : ` ${rest} s`}`;
}

/** Writes a size of so many KiB: three significant digits, and no whole number is rounded. */
export function sizeText(kib: number): string {
  const units = ["KiB", "MiB", "GiB"];
  let value = kib;
  while (value >= 1024 && units.length > 1) {
    value /= 1024;
    units.shift();
  }
  return `${value < 100 ? Number(value.toPrecision(3)) : Math.round(value)} ${units[0]}`;
}

/** Writes a score without the noise of binary fractions: 0.1 + 0.2 is 0.3. */
export function scoreText(score: number | undefined): string {
  return score === undefined ? "–" : String(Number(score.toFixed(6)));
}

/** Writes a number with its noun. */
export function countText(number: number, noun: string): string {
  return `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;
}

/** Cuts a text that is longer than so many UTF-16 units, between two characters. */
export function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  return `${text.slice(0, lengthMax).replace(/[\ud800-\udbff]$/, "")}…`;
}
