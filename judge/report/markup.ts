/** Markup in which nothing is forgotten to be escaped: text becomes part of it only escaped. */

import { visibleLines } from "../../text/visible.ts";

/** A piece of markup, as opposed to text. */
export class Markup {
  /** The markup as it is written. */
  readonly code: string;

  /** Takes over what is markup already. */
  constructor(code: string) {
    this.code = code;
  }
}

/** What can stand in markup; undefined leaves nothing. */
export type Content = string | number | Markup | undefined | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes text for HTML and XML, in elements and in attributes. */
export function escapeText(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** Printable ASCII that means nothing in markup: most of what there is. */
const PLAIN = /^[ !#-%(-;=?-~]*$/;

function codeOf(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Markup) return content.code;
  if (typeof content === "string") {
    return PLAIN.test(content) ? content : escapeText(visibleLines(content));
  }
  if (typeof content === "number") return String(content);
  return content.map(codeOf).join("");
}

/** Writes markup; what is put in as text is escaped, and made visible. */
export function markup(pieces: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(
    pieces.map((piece, i) => i === 0 ? piece : codeOf(contents[i - 1]) + piece).join(""),
  );
}

/** What a cell of a table can be besides its content. */
export interface CellOptions {
  /** Its class. */
  readonly className?: string;
  /** What it is sorted by, unless by its text. */
  readonly value?: string | number;
}

/** A cell of a table. */
export function cell(content: Content, options: CellOptions = {}): Markup {
  const { className, value } = options;
  return markup`<td${className === undefined ? "" : markup` class="${className}"`}${
    value === undefined ? "" : markup` data-value="${value}"`
  }>${content}</td>`;
}

/** A cell of a table that shows an amount. */
export function amount(content: Content, value?: string | number): Markup {
  return cell(content, { className: "number", ...(value === undefined ? {} : { value }) });
}

/** A column of a table. */
export interface Column {
  /** Its heading. */
  readonly name: string;
  /** Whether it shows amounts. */
  readonly isAmount?: boolean;
}

/** A table, in a frame that scrolls where there is no room. */
export function table(
  rows: readonly Markup[],
  { columns, className, caption }: {
    columns: readonly Column[];
    className?: string;
    caption: string;
  },
): Markup {
  const headings = columns.map(({ name, isAmount }) =>
    markup`<th scope="col"${isAmount ? markup` class="number"` : ""}>${name}</th>`
  );
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
<table${className === undefined ? "" : markup` class="${className}"`}>
<caption class="unseen">${caption}</caption>
<thead><tr>${headings}</tr></thead>
<tbody>
${rows}</tbody>
</table></div>
`;
}
