import { contestPage, htmlReport } from "isolate/judge/report/html.ts";
import {
  exampleReport,
  HOSTILE,
  hostileReport,
  largeReport,
  scoringReport,
} from "isolate/tests/support/judge_report.ts";
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";

/** A contest with a package that could not be judged, and a hostile one. */
const CONTEST = {
  contest: "finals",
  problems: [
    { name: "taxicab", label: "A", report: exampleReport() },
    { name: "hostile", report: hostileReport() },
    { name: "broken", label: "C", failure: `broken/problem.yaml: ${HOSTILE}` },
  ],
  unchanged: ["warmup"],
  interrupted: false,
  startedAt: "2026-03-14T15:09:26.535Z",
  durationMs: 1234,
};

const REPORTS = { example: exampleReport(), scoring: scoringReport(), hostile: hostileReport() };

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}

function elementText(page: string, element: string): string {
  return new RegExp(`<${element}>([^]*?)</${element}>`).exec(page)?.[1] ?? "";
}

function occurrences(text: string, piece: RegExp): number {
  return [...text.matchAll(piece)].length;
}

/** The names of all elements, and of all their attributes, as a browser would read them. */
function vocabulary(page: string): { elements: Set<string>; attributes: Set<string> } {
  const elements = new Set<string>();
  const attributes = new Set<string>();
  const markup = page.replace(/<style>[^]*?<\/style>|<script>[^]*?<\/script>/g, "");
  for (const [, name = "", rest = ""] of markup.matchAll(/<([a-z!][^\s/>]*)([^>]*)>/gi)) {
    elements.add(name);
    for (const [, attribute = ""] of rest.matchAll(/([^\s="]+)(?:="[^"]*")?/g)) {
      if (attribute !== "/") attributes.add(attribute);
    }
  }
  return { elements, attributes };
}

Deno.test("the policy names the page's own style and script, and allows nothing else", async () => {
  const page = htmlReport(REPORTS.example);
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1];
  assertEquals(
    policy,
    `default-src 'none'; style-src '${await hash(elementText(page, "style"))}'; ` +
      `script-src '${await hash(elementText(page, "script"))}'; ` +
      "base-uri 'none'; form-action 'none'",
    "report.css or report.js has changed: put these hashes into html.ts",
  );
});

Deno.test("the page loads nothing from outside", () => {
  for (const report of Object.values(REPORTS)) {
    const markup = htmlReport(report).replaceAll(/&lt;[^<]*/g, "");
    assertEquals(occurrences(markup, /\bsrc=|\bhref="(?!#)|url\(|@import|https?:/g), 0);
    assertEquals(occurrences(markup, / style=/g), 0);
  }
});

Deno.test("each submission has its row, its part and two plots", () => {
  const page = htmlReport(REPORTS.example);
  for (const [i, { submission, verdict }] of REPORTS.example.submissions.entries()) {
    assertStringIncludes(page, `<a href="#s${i + 1}">${submission}</a>`);
    assertStringIncludes(page, `<div id="s${i + 1}" class="inside">`);
    assertStringIncludes(page, `>${verdict}</abbr>`);
  }
  // What could not be compiled did not run.
  const run = REPORTS.example.submissions.filter(({ tests }) => tests.length > 0).length;
  assertEquals(occurrences(page, /<figure class="plot">/g), 2 * run);
  assertEquals(occurrences(page, /<details class="submission" open>/g), 1);
  assertMatch(page, /<h3>Compiler output<\/h3>[^]*‘cuot’ was not declared/);
});

Deno.test("a plot says in words what it shows", () => {
  const page = htmlReport(REPORTS.example);
  assertStringIncludes(
    page,
    'aria-label="CPU time of 14 tests against the limit of 2 s; maximum: 2.312 s in ' +
      'secret/group2/06-large"',
  );
  assertStringIncludes(page, "<title>secret/group2/06-large: 2.312 s, time limit exceeded</title>");
  assertStringIncludes(page, "<title>secret/group2/08-large: not run</title>");
});

Deno.test("a bar's height is its part of the limit, which lies at four fifths", () => {
  const page = htmlReport(REPORTS.example);
  const slow = REPORTS.example.submissions.find(({ verdict }) => verdict === "TLE")!;
  const part = page.slice(page.indexOf(`${slow.submission}</h2>`));
  const bar = /class="bar tle" d="M[\d.]+ 100v-([\d.]+)h/.exec(part)?.[1];
  assertEquals(Number(bar), Number((slow.maxCpuTimeMs / 2000 * 80).toFixed(2)));
  assertStringIncludes(part, '<path class="limit" d="M0 20H1000"></path>');
});

Deno.test("a difference is shown side by side, with what differs marked", () => {
  const page = htmlReport(REPORTS.example);
  assertMatch(
    page,
    /<th scope="row" class="number">4<\/th><td><code>12 17<mark>29<\/mark><\/code><\/td><td class="number">4<\/td><td><code>12 17<mark>30<\/mark>/,
  );
  // More white space makes no difference.
  assertMatch(page, /<tr><th scope="row" class="number">3<\/th><td><code>12 144<\/code>/);
  assertStringIncludes(page, "<td><i>(no line)</i></td>");
});

Deno.test("scores, groups and conversations are shown where there are any", () => {
  const page = htmlReport(REPORTS.scoring);
  assertMatch(page, /<th scope="row">secret\/group1<\/th>.*<td class="number">40<\/td>/);
  assertStringIncludes(page, '<tr class="from-submission"><th scope="row">submission</th>');
  assertStringIncludes(page, "<code>? 25\n? 12</code>");
  assertEquals(occurrences(htmlReport(REPORTS.example), />Groups</g), 0);
});

Deno.test("a table shows all submissions and tests, what was expected pale", () => {
  const { submissions: [first, ...others], ...rest } = REPORTS.example;
  const extra = { ...first!.tests[0]!, test: "sample/2", isExtra: true };
  const tests = [first!.tests[0]!, extra];
  const page = htmlReport({ ...rest, submissions: [{ ...first!, tests }, ...others] });
  const rows = /<table class="matrix">[^]*?<\/table>/.exec(page)![0].split("\n")
    .filter((line) => line.startsWith("<tr>"));
  assertEquals(rows.length, REPORTS.example.submissions.length);
  assertStringIncludes(rows[0]!, 'title="sample/2: accepted, 0 s, does not count">✓</td>');
  assertStringIncludes(rows[0]!, '<td title="secret/group1/01-small: not run">·</td>');
  assertMatch(rows[2]!, /<td class="wa" title="secret\/group2\/04-large: [^"]*">WA<\/td>/);
  assertMatch(rows[3]!, /<td class="wa expected" /);
  assertStringIncludes(page, '<th scope="colgroup" colspan="6">secret/group1</th>');
  assertStringIncludes(page, '<abbr class="badge wa expected" title="wrong answer">');
});

Deno.test("the page of a contest has a table of the problems, and all of each", () => {
  const page = contestPage(CONTEST);
  assertStringIncludes(page, "<title>finals: not as expected</title>");
  assertStringIncludes(page, '<th scope="row"><a href="#p1">A  taxicab</a></th>');
  assertMatch(
    page,
    /<tr class="unexpected"><th scope="row">C {2}broken<\/th>[^\n]*could not be judged/,
  );
  assertStringIncludes(page, "<dd>warmup</dd>");
  for (const [i, { submission }] of CONTEST.problems[0]!.report!.submissions.entries()) {
    assertStringIncludes(page, `<a href="#p1-s${i + 1}">${submission}</a>`);
    assertStringIncludes(page, `<div id="p1-s${i + 1}" class="inside">`);
  }
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  assertEquals(new Set(ids).size, ids.length);
  assertEquals(occurrences(page, /alert\(1\)>/g), 0);
});

Deno.test("hostile text adds no element, no attribute and nothing that cannot be seen", () => {
  const own = [htmlReport(REPORTS.example), htmlReport(REPORTS.scoring)].map(vocabulary);
  const page = htmlReport(REPORTS.hostile);
  const { elements, attributes } = vocabulary(page);
  const known = (key: "elements" | "attributes") =>
    new Set(own.flatMap((vocabulary) => [...vocabulary[key]]));
  // These two are in every list of names: the check is worth something.
  assert(known("elements").has("abbr") && known("attributes").has("class"));
  assertEquals([...elements.difference(known("elements"))], []);
  assertEquals([...attributes.difference(known("attributes"))], []);
  assertEquals(occurrences(page, /<\/script>/g), 1);
  // deno-lint-ignore no-control-regex
  assertEquals(occurrences(page, /[\x00-\x08\x0b-\x1f\u202e\ufffe]/g), 0);
  assert(page.isWellFormed());
  assertStringIncludes(page, "&lt;/script&gt;&lt;/pre&gt;&lt;img src=x onerror=alert(1)&gt;");
});

Deno.test("all elements are closed in order", () => {
  for (const [name, report] of Object.entries(REPORTS)) {
    const markup = htmlReport(report).replace(/<(style|script)>[^]*?<\/\1>/g, "");
    const open: string[] = [];
    for (const [whole, end, element = ""] of markup.matchAll(/<(\/?)([a-z0-9]+)[^>]*>/g)) {
      if (element === "meta" || whole.endsWith("/>")) continue;
      if (end) assertEquals(open.pop(), element, name);
      else open.push(element);
    }
    assertEquals(open, [], name);
  }
});

Deno.test("a page of 1,000 tests of 20 submissions stays small, however much they wrote", () => {
  const page = htmlReport(largeReport(1000, 20));
  assertLess(page.length, 10e6);
  assertEquals(occurrences(page, /<tr><th scope="row">secret/g), 20_000);
});

Deno.test("a report without submissions, and one that was interrupted, are pages too", () => {
  const page = htmlReport(exampleReport({ submissions: [], complaints: [], interrupted: true }));
  assertStringIncludes(page, "No submissions were judged.");
  assertMatch(page, /<title>.*: interrupted<\/title>/);
});
