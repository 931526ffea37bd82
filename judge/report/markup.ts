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

/** A column of a table; the first one heads the rows. */
export interface Column<Row> {
  readonly name: string;
  /** Amounts stand on the right. */
  readonly isAmount?: boolean;
  readonly show: (row: Row) => Content;
  /** What the column is sorted by; default: its text. */
  readonly value?: (row: Row) => string | number;
}

/** Writes a table in a frame that scrolls where there is no room. */
export function table<Row>(rows: readonly Row[], options: {
  columns: readonly Column<Row>[];
  caption: string;
  className?: string;
  rowClass?: (row: Row) => string | undefined;
}): Markup {
  const { columns, caption, className, rowClass } = options;
  const numberClass = (isAmount = false) => attribute("class", isAmount ? "number" : undefined);
  const heads = columns.map(({ name, isAmount }) =>
    markup`<th scope="col"${numberClass(isAmount)}>${name}</th>`
  );
  const lines = rows.map((row) => {
    const cells = columns.map(({ isAmount, show, value }, i) => {
      const attributes = [numberClass(isAmount), attribute("data-value", value?.(row))];
      return i === 0
        ? markup`<th scope="row"${attributes}>${show(row)}</th>`
        : markup`<td${attributes}>${show(row)}</td>`;
    });
    return markup`<tr${attribute("class", rowClass?.(row))}>${cells}</tr>
`;
  });
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
<table${attribute("class", className)}>
<caption class="unseen">${caption}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${lines}</tbody>
</table></div>
`;
}

function attribute(name: "class" | "data-value", value: string | number | undefined): Content {
  return value === undefined ? undefined : markup` ${name}="${value}"`;
}

/** Writes a section that unfolds. */
export function folded(heading: Content, content: Content, options: {
  className: string;
  level: 2 | 3;
  isOpen: boolean;
}): Markup {
  const { className, level, isOpen } = options;
  return markup`<details class="${className}"${isOpen ? markup` open` : undefined}>
<summary><h${level}>${heading}</h${level}></summary>
${content}</details>
`;
}
