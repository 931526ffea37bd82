/** Plots what each test used, as SVG. */

import type { Verdict } from "../types.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { countText, cut } from "../../text/quantities.ts";
import { VERDICTS, VERDICTS_BEST_FIRST } from "../verdicts.ts";

/** What a test used. */
export interface Bar {
  readonly test: string;
  /** Undefined if it was not run. */
  readonly verdict: Verdict | undefined;
  /** In the unit of the limit. */
  readonly value: number;
}

/** What a plot shows. */
export interface PlotOptions {
  /** Such as `CPU time`. */
  readonly title: string;
  readonly limit: number;
  /** Writes an amount for people. */
  readonly format: (amount: number) => string;
}

/** The drawing's own units; it is stretched to the width of the page. */
const WIDTH = 1000;
const HEIGHT = 100;
/** The height of the limit, as a part of the whole: what is beyond has room. */
const LIMIT_AT = 0.8;
/** More bars than these have no tooltips of their own: the table has all values. */
const TOOLTIPS_MAX = 250;
/** More folders than these have no names. */
const FOLDERS_MAX = 12;
/** So many letters fit below the drawing on a small screen. */
const LETTERS = 50;

/**
 * Draws a bar for each test against the limit, in the colour of the verdict. Tests that are not accepted
 * have a coloured column behind the bar, to be seen however little they used.
 */
export function plot(bars: readonly Bar[], { title, limit, format }: PlotOptions): Markup {
  const slot = WIDTH / bars.length;
  const folders = foldersOf(bars);
  const worst = bars.reduce((one, other) => other.value > one.value ? other : one);
  const run = bars.filter(({ verdict }) => verdict !== undefined).length;
  const label = `${title} of ${countText(run, "test")} against the limit of ${format(limit)}; ` +
    `maximum: ${format(worst.value)} in ${worst.test}`;
  const drawing = [
    bands(folders, slot),
    path("half", `M0 ${round(HEIGHT * (1 - LIMIT_AT / 2))}H${WIDTH}`),
    shapes(bars, { slot, limit }),
    path("limit", `M0 ${round(HEIGHT * (1 - LIMIT_AT))}H${WIDTH}`),
    tooltips(bars, { slot, format }),
  ];
  const most = `maximum ${format(worst.value)} in ${cut(worst.test, 60)}`;
  return markup`<figure class="plot">
<figcaption><b>${title}</b> <span>${most}</span></figcaption>
<div class="frame" role="img" aria-label="${label}">
<span class="at-limit">${format(limit)}</span>
<span class="at-half">${format(limit / 2)}</span>
<span class="at-zero">0</span>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none">${drawing}</svg>
${names(folders, bars.length)}</div>
</figure>
`;
}

/** Draws one shape for all bars of a verdict, so that the page stays small. */
function shapes(bars: readonly Bar[], { slot, limit }: { slot: number; limit: number }): Content {
  const width = Math.min(slot * 0.76, 24);
  const box = (i: number, height: number) => {
    const x = slot * i + (slot - width) / 2;
    return `M${round(x)} ${HEIGHT}v-${round(height)}h${round(width)}V${HEIGHT}z`;
  };
  const heightOf = (value: number) =>
    Math.min(HEIGHT, Math.max(1, value / limit * HEIGHT * LIMIT_AT));
  return VERDICTS_BEST_FIRST.map((verdict) => {
    const own = [...bars.entries()].filter(([, bar]) => bar.verdict === verdict);
    if (own.length === 0) return undefined;
    const name = verdict.toLowerCase();
    const columns = verdict === "AC" ? [] : own.map(([i]) => box(i, HEIGHT));
    const boxes = own.map(([i, { value }]) => box(i, heightOf(value)));
    return [path(`column ${name}`, columns.join("")), path(`bar ${name}`, boxes.join(""))];
  });
}

/** Adjacent tests of one folder. */
interface Folder {
  name: string;
  from: number;
  to: number;
}

function foldersOf(bars: readonly Bar[]): Folder[] {
  const folders: Folder[] = [];
  for (const [i, { test }] of bars.entries()) {
    const name = test.slice(0, test.lastIndexOf("/") + 1);
    const last = folders.at(-1);
    if (last?.name === name) last.to = i + 1;
    else folders.push({ name, from: i, to: i + 1 });
  }
  return folders;
}

/** Draws another background for every second folder of tests. */
function bands(folders: readonly Folder[], slot: number): Content {
  const areas = folders.filter((_, i) => i % 2 === 1)
    .map(({ from, to }) => `M${round(slot * from)} 0V${HEIGHT}H${round(slot * to)}V0z`);
  return path("band", areas.join(""));
}

/** Names the folders where there is room, outside the drawing: letters must not be stretched with it. */
function names(folders: readonly Folder[], tests: number): Content {
  if (folders.length > FOLDERS_MAX) return undefined;
  const texts = folders.map(({ name, from, to }) => {
    const letters = Math.floor((to - from) / tests * LETTERS);
    const short = name.slice(0, -1).split("/").at(-1) ?? "";
    if (letters < 3 || short === "") return undefined;
    const middle = round((from + to) / 2 / tests * 100);
    const shown = short.length > letters ? cut(short, letters - 1) : short;
    return markup`<text x="${middle}%" y="13">${shown}</text>`;
  });
  return markup`<svg class="names" aria-hidden="true">${texts}</svg>
`;
}

function tooltips(
  bars: readonly Bar[],
  { slot, format }: { slot: number; format: (amount: number) => string },
): Content {
  if (bars.length > TOOLTIPS_MAX) return undefined;
  return bars.map(({ test, verdict, value }, i) => {
    const what = verdict === undefined ? "not run" : `${format(value)}, ${VERDICTS[verdict].name}`;
    const area = `M${round(slot * i)} 0h${round(slot)}v${HEIGHT}h-${round(slot)}z`;
    return path("tip", area, markup`<title>${cut(test, 100)}: ${what}</title>`);
  });
}

function path(className: string, d: string, content?: Markup): Markup {
  return markup`<path class="${className}" d="${d}">${content}</path>`;
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
