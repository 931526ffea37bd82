/**
 * Escapes a text for roff, so that it is shown as it stands here: no character of it is taken for a
 * request or an escape sequence, and none is replaced by a typographic one.
 */
export function escapeRoff(text: string): string {
  return text
    .replace(/[\\"'`^~-]/g, (character) => ESCAPES[character] ?? character)
    .replace(/^\./, "\\&.");
}

/**
 * Formats a text for roff: `backquotes` stand around what is typed as it is (bold), and _underscores_
 * around a word in capitals that stands for something else (italic).
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
