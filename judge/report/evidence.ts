/** Shows a test in detail: the difference, messages, standard error, the conversation. */

import type { Difference, TestResult, TranscriptLine } from "../types.ts";
import {
  amount,
  cell,
  column,
  type Content,
  folded,
  type Markup,
  markup,
  row,
  table,
} from "./markup.ts";
import { cut } from "../../text/quantities.ts";
import { VERDICTS } from "../verdicts.ts";

/** The most characters of a text that are shown. */
const TEXT_LENGTH_MAX = 4000;
/** The most characters of a line of a difference. */
const LINE_LENGTH_MAX = 400;
/** The most pieces of a conversation that are shown. */
const PIECES_MAX = 100;

/** Shows what a program wrote. */
export function textFrame(text: string): Markup {
  return markup`<pre tabindex="0">${cut(text, TEXT_LENGTH_MAX)}</pre>
`;
}

function titledText(title: string, text: string | undefined): Content {
  return text ? markup`<h4>${title}</h4>${textFrame(text)}` : undefined;
}

/** Shows all that is known of a test. */
export function evidence(result: TestResult, { isOpen }: { isOpen: boolean }): Markup {
  const { test, verdict, message, difference, transcript } = result;
  const title = `${cut(test, 200)}: ${VERDICTS[verdict].name}`;
  const parts = [
    difference && differenceTable(difference, message),
    titledText("Judge message", result.judgeMessage),
    titledText("Team message", result.teamMessage),
    transcript && conversation(transcript),
    titledText("Standard error", result.stderr),
  ];
  const content = markup`<p>${cut(message, TEXT_LENGTH_MAX)}</p>
${parts}`;
  return folded(title, content, { className: "evidence", level: 3, isOpen });
}

function differenceTable(difference: Difference, message: string): Markup {
  const { reason, expected, actual, expectedFrom, actualFrom } = difference;
  const rows = Array.from({ length: Math.max(expected.length, actual.length) }, (_, i) => {
    const [left, right] = [expected[i], actual[i]];
    const isSame = left !== undefined && right !== undefined && words(left) === words(right);
    return markup`<tr${isSame ? "" : markup` class="differs"`}>${
      sideCells(left, { number: expectedFrom + i, other: isSame ? left : right ?? "" })
    }${sideCells(right, { number: actualFrom + i, other: isSame ? right : left ?? "" })}</tr>
`;
  });
  const columns = ["Line", "Answer", "Line", "Output"].map(column);
  const caption = "The answer and the output, side by side";
  return markup`${
    message.includes(reason) ? "" : markup`<p>${cut(reason, 1000)}</p>
`
  }${table(rows, { columns, className: "difference", caption })}`;
}

/** Reduces a line to what counts in it, near enough to find the lines that matter. */
function words(text: string): string {
  return text.trim().split(/\s+/).join(" ").toLowerCase();
}

/** Writes the number and the text of a line, with a mark on what differs from the other side. */
function sideCells(
  text: string | undefined,
  { number, other }: { number: number; other: string },
): Content {
  if (text === undefined) return [amount(""), cell("(no line)", { className: "none" })];
  return [amount(number), cell(markup`<code>${marked(cut(text, LINE_LENGTH_MAX), other)}</code>`)];
}

function marked(text: string, other: string): Content {
  if (text === other) return text;
  const own = Array.from(text);
  const others = Array.from(other);
  const most = Math.min(own.length, others.length);
  let before = 0;
  while (before < most && own[before] === others[before]) before++;
  let after = 0;
  while (after < most - before && own.at(-1 - after) === others.at(-1 - after)) after++;
  const end = own.length - after;
  if (before === end) return text;
  const part = (from: number, to: number) => own.slice(from, to).join("");
  return [part(0, before), markup`<mark>${part(before, end)}</mark>`, part(end, own.length)];
}

function conversation(pieces: readonly TranscriptLine[]): Markup {
  const rest = pieces.length - PIECES_MAX;
  const rows = pieces.slice(0, PIECES_MAX).map(({ from, text }) => {
    const code = markup`<code>${cut(text, LINE_LENGTH_MAX).replace(/\n$/, "")}</code>`;
    return row(from, cell(code), `from-${from}`);
  });
  const columns = ["Side", "Text"].map(column);
  return markup`<h4>Conversation</h4>
${table(rows, { columns, className: "conversation", caption: "Conversation" })}${
    rest > 0 ? markup`<p class="note">… and ${rest} more</p>` : undefined
  }`;
}
