/** Shows a test in detail: the difference, messages, standard error, the conversation. */

import type { Difference, TestResult, TranscriptLine } from "../types.ts";
import { type Column, type Content, folded, type Markup, markup, table } from "./markup.ts";
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

/** A line of the answer and the line of the output beside it. */
interface LinePair {
  readonly index: number;
  readonly left: string | undefined;
  readonly right: string | undefined;
}

function differenceTable(difference: Difference, message: string): Content {
  const { reason, expected, actual, expectedFrom, actualFrom } = difference;
  const pairs = Array.from({ length: Math.max(expected.length, actual.length) }, (_, index) => {
    return { index, left: expected[index], right: actual[index] };
  });
  const number = (from: number, lines: readonly string[]) => ({
    name: "Line",
    isAmount: true,
    show: ({ index }: LinePair) => index < lines.length ? from + index : undefined,
  });
  const columns: Column<LinePair>[] = [
    number(expectedFrom, expected),
    { name: "Answer", show: (pair) => code(pair.left, isSame(pair) ? pair.left : pair.right) },
    number(actualFrom, actual),
    { name: "Output", show: (pair) => code(pair.right, isSame(pair) ? pair.right : pair.left) },
  ];
  return [
    message.includes(reason) ? undefined : markup`<p>${cut(reason, 1000)}</p>\n`,
    table(pairs, {
      columns,
      caption: "The answer and the output, side by side",
      className: "difference",
      rowClass: (pair) => isSame(pair) ? undefined : "differs",
    }),
  ];
}

/** Compares what counts in two lines, near enough to find the lines that matter. */
function isSame({ left, right }: LinePair): boolean {
  const words = (text: string) => text.trim().split(/\s+/).join(" ").toLowerCase();
  return left !== undefined && right !== undefined && words(left) === words(right);
}

/** Writes a line with a mark on what differs from the other side. */
function code(line: string | undefined, other = ""): Markup {
  if (line === undefined) return markup`<i>(no line)</i>`;
  return markup`<code>${marked(cut(line, LINE_LENGTH_MAX), other)}</code>`;
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
  const columns: Column<TranscriptLine>[] = [
    { name: "Side", show: ({ from }) => from },
    {
      name: "Text",
      show: ({ text }) => markup`<code>${cut(text, LINE_LENGTH_MAX).replace(/\n$/, "")}</code>`,
    },
  ];
  const shown = table(pieces.slice(0, PIECES_MAX), {
    columns,
    caption: "Conversation",
    className: "conversation",
    rowClass: ({ from }) => `from-${from}`,
  });
  const more = rest > 0 ? markup`<p class="note">… and ${rest} more</p>` : undefined;
  return markup`<h4>Conversation</h4>
${shown}${more}`;
}
