/** Writes HTML and XML in which text is always escaped. */

import { visibleLines } from "../../text/visible.ts";

/** A piece of markup, as opposed to text. */
export class Markup {
  readonly code: string;

  /** Takes over what is markup already. */
  constructor(code: string) {
    this.code = code;
  }
}

/** What can be put into markup; undefined leaves nothing. */
export type Content = string | number | Markup | undefined | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Printable ASCII without meaning in markup: most of what there is. */
const PLAIN = /^[ !#-%(-;=?-~]*$/;

/** Makes text safe to show, and escapes it for elements and attributes. */
function escapeText(text: string): string {
  if (PLAIN.test(text)) return text;
  return visibleLines(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}

function codeOf(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Markup) return content.code;
  if (typeof content === "string") return escapeText(content);
  if (typeof content === "number") return String(content);
  return content.map(codeOf).join("");
}

/** Writes markup; escapes what is put in as text. */
export function markup(pieces: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(
    pieces.map((piece, i) => i === 0 ? piece : codeOf(contents[i - 1]) + piece).join(""),
  );
}

/** Writes a list of names with their values. */
export function facts(list: readonly (readonly [name: string, value: Content])[]): Markup {
  const items = list.map(([name, value]) =>
    markup`<div><dt>${name}</dt><dd>${value}</dd></div>
`
  );
  return markup`<dl class="facts">
${items}</dl>
`;
}

/** Writes a cell of a table; sorts by `value` instead of the text. */
export function cell(
  content: Content,
  { className, value }: { className?: string; value?: string | number } = {},
): Markup {
  return markup`<td${className === undefined ? "" : markup` class="${className}"`}${
    value === undefined ? "" : markup` data-value="${value}"`
  }>${content}</td>`;
}

/** Writes a cell that shows an amount. */
export function amount(content: Content, value?: string | number): Markup {
  return cell(content, { className: "number", ...value !== undefined && { value } });
}

/** Writes a row of a table. */
export function row(heading: Content, cells: Content, className?: string): Markup {
  const attribute = className === undefined ? "" : markup` class="${className}"`;
  return markup`<tr${attribute}><th scope="row">${heading}</th>${cells}</tr>
`;
}

/** Writes the heading of a column. */
export function column(name: string): Markup {
  return markup`<th scope="col">${name}</th>`;
}

/** Writes the heading of a column of amounts. */
export function amountColumn(name: string): Markup {
  return markup`<th scope="col" class="number">${name}</th>`;
}

/** Writes a table in a frame that scrolls where there is no room. */
export function table(
  rows: readonly Markup[],
  { columns, className, caption }: { columns: Content; className?: string; caption: string },
): Markup {
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
<table${className === undefined ? "" : markup` class="${className}"`}>
<caption class="unseen">${caption}</caption>
<thead><tr>${columns}</tr></thead>
<tbody>
${rows}</tbody>
</table></div>
`;
}

/** Writes a section that unfolds. */
export function folded(heading: Content, content: Content, options: {
  className: string;
  level: 2 | 3;
  isOpen: boolean;
}): Markup {
  const { className, level, isOpen } = options;
  return markup`<details class="${className}"${isOpen ? markup` open` : ""}>
<summary><h${level}>${heading}</h${level}></summary>
${content}</details>
`;
}
