/** How wide text is on a terminal. */

/** What takes no column of its own, and what takes two; see Unicode's annex 11. */
const ZERO_WIDTH = /[\p{Mn}\p{Me}\u200b-\u200f\ufe00-\ufe0f]/u;
const DOUBLE_WIDTH =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Counts the columns of a terminal that a text takes. */
export function columns(text: string): number {
  let count = 0;
  for (const character of text) {
    count += ZERO_WIDTH.test(character) ? 0 : DOUBLE_WIDTH.test(character) ? 2 : 1;
  }
  return count;
}

/** Cuts a text to so many columns. */
export function cutToColumns(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let kept = "";
  let used = 1;
  for (const character of text) {
    used += columns(character);
    if (used > width) break;
    kept += character;
  }
  return width < 1 ? "" : `${kept}…`;
}

/** Fills a text up with blanks to so many columns. */
export function padToColumns(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - columns(text)));
}
