/**
 * Bounds what a YAML document expands to: with anchors (`&name`) and aliases (`*name`) a small file can
 * stand for one of any size, or for one without end.
 */

import { FileError } from "./errors.ts";

/** Characters, and one for each value. */
const EXPANDED_MAX = 1 << 22;
/** What the parser may have to copy: it makes a text of a list that is a key. */
const COPIED_MAX = 1 << 24;

const ANCHOR = /(?:^|[\s,[{:?-])&[^\s,[\]{}]/;
/** Also finds emphasis in texts; that counts only in a file with an anchor. */
const ALIAS = /(?:^|[\s,[{:?-])\*[^\s,[\]{}]/g;

/** Refuses a text with more aliases than its size allows, before it is parsed. */
export function checkAliases(text: string, file: string): void {
  if (!ANCHOR.test(text)) return;
  let aliases = 0;
  for (const _ of text.matchAll(ALIAS)) aliases++;
  if (aliases * text.length <= COPIED_MAX) return;
  const most = Math.floor(COPIED_MAX / text.length);
  throw new FileError(
    `has ${aliases} aliases (*name), more than the ${most} that a file of ${text.length} ` +
      "characters may have; write the values out",
    { file },
  );
}

/** Refuses a parsed document that is too large with all aliases followed, or that contains itself. */
export function checkExpansion(document: unknown, file: string): void {
  // What is shared is measured once: walking what it stands for could take for ever.
  const sizes = new Map<object, number>();
  const measure = (value: unknown): number => {
    if (typeof value === "string") return 1 + value.length;
    if (typeof value !== "object" || value === null) return 1;
    const known = sizes.get(value);
    if (known !== undefined) {
      if (known >= 0) return known;
      throw new FileError("has a list or mapping that contains itself by an alias (*name)", {
        file,
      });
    }
    sizes.set(value, -1);
    let size = 1;
    for (const [key, below] of Object.entries(value)) size += key.length + measure(below);
    sizes.set(value, size);
    return size;
  };
  if (measure(document) <= EXPANDED_MAX) return;
  throw new FileError(
    `expands to more than ${EXPANDED_MAX} characters by its aliases (*name); write less`,
    { file },
  );
}
