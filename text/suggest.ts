/**
 * Finds the name that a misspelled word most probably means.
 *
 * A name is near if few edits lead from it to the word (one in a short word, two from six characters on),
 * or if one is the beginning of the other. Case does not matter.
 */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  const allowance = typed.length < 6 ? 1 : 2;
  let best: string | undefined;
  let bestDistance = allowance + 1;
  for (const name of names) {
    if (Math.abs(name.length - typed.length) > allowance) continue;
    const distance = editDistance(typed, name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best ??
    names.find((name) => name.length >= 3 && typed.startsWith(name)) ??
    names.find((name) => typed.length >= 3 && name.startsWith(typed));
}

/** Counts the insertions, deletions, replacements and swaps of neighbours between two words. */
function editDistance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= from.length; row++) {
    const distances = [row];
    rows.push(distances);
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      distances.push(Math.min(
        at(row - 1, column - 1) + (isSame ? 0 : 1),
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        isSwap ? at(row - 2, column - 2) + 1 : Infinity,
      ));
    }
  }
  return at(from.length, to.length);
}
