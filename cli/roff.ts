/**
 * Escapes a text for roff, so that it is shown as it stands here: no character of it is taken for a
 * request or an escape sequence, and none is replaced by a typographic one.
 *
 * @param text The text, without newlines.
 * @returns One line of a page made with the macros of `groff_man(7)`.
 *
 * @example A dash that can be copied from the page
 * ```ts
 * import { escapeRoff } from "isolate/cli/roff.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(escapeRoff("ls -l"), "ls \\-l");
 * ```
 */
export function escapeRoff(text: string): string {
  return text
    .replace(/[\\"'`^~-]/g, (character) => ESCAPES[character] ?? character)
    .replace(/^\./, "\\&.");
}

/**
 * Formats a text for roff: `backquotes` stand around what is typed as it is (bold), and _underscores_
 * around a word in capitals that stands for something else (italic).
 *
 * @param text The text, without newlines.
 * @returns One line of a page made with the macros of `groff_man(7)`.
 *
 * @example An option and its value
 * ```ts
 * import { formatRoff } from "isolate/cli/roff.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatRoff("`-M` _FILE_"), "\\fB\\-M\\fP \\fIFILE\\fP");
 * ```
 */
export function formatRoff(text: string): string {
  return text
    .split(/(`[^`]*`|\b_[A-Z][^_ ]*_\b)/)
    .map((part, index) => {
      // split() puts what stood between two parts at the odd places.
      if (index % 2 === 0) return escapeRoff(part);
      return `\\f${part.startsWith("`") ? "B" : "I"}${escapeRoff(part.slice(1, -1))}\\fP`;
    })
    .join("");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\e",
  '"': "\\(dq",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
  "-": "\\-",
};
