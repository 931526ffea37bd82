/** Reads the JUnit report that `deno test --junit-path` writes. */

/** What became of one test. */
export interface CaseResult {
  /** The test's file, as the runner names it. */
  file: string;
  name: string;
  outcome: "passed" | "failed" | "skipped";
  /** Includes its steps. */
  wallTimeS: number;
  /** Whether it failed beside other tests, and passed when it ran once more. */
  neededSecondTry?: true;
  /** Why it was skipped, where its name says so: see `tests/support/skip.ts`. */
  reason?: string;
}

/** What became of many tests. */
export interface TestRun {
  cases: CaseResult[];
  /** What went wrong besides the tests that the report lists. */
  problem?: string;
}

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    if (hex) return String.fromCodePoint(parseInt(hex, 16));
    return ENTITIES[name] ?? whole;
  });
}

/** Splits off what `tests/support/skip.ts` has added to a name: `does X [skipped: no Y] [in FILE]`. */
function splitName(text: string): { name: string; reason?: string; file?: string } {
  const [, rest = text, file] = /^(.*) \[in (\S+)\]$/s.exec(text) ?? [];
  const [, name = rest, reason] = /^(.*) \[skipped: (.*)\]$/s.exec(rest) ?? [];
  return { name, ...reason !== undefined && { reason }, ...file !== undefined && { file } };
}

/**
 * Lists the tests of a report. The steps of a test are folded into it: the report names them
 * `TEST > STEP` and marks the test itself as failed when one of them failed.
 */
export function parseJunit(xml: string): CaseResult[] {
  const cases: CaseResult[] = [];
  const names = new Set<string>();
  const pattern =
    /<testcase name="([^"]*)" classname="([^"]*)" time="([\d.]+)"[^>]*>(.*?)<\/testcase>/gs;
  for (const [, rawName = "", rawFile = "", time, body = ""] of xml.matchAll(pattern)) {
    const fullName = unescapeXml(rawName);
    const file = unescapeXml(rawFile);
    names.add(`${file}\n${fullName}`);
    if (isStep(fullName, file, names)) continue;
    const outcome = body.includes("<failure")
      ? "failed"
      : body.includes("<skipped")
      ? "skipped"
      : "passed";
    cases.push({ file, outcome, wallTimeS: Number(time), ...splitName(fullName) });
  }
  return cases;
}

/** A step follows its test in the report, so the test's name has been seen. */
function isStep(name: string, file: string, names: ReadonlySet<string>): boolean {
  for (let end = name.indexOf(" > "); end >= 0; end = name.indexOf(" > ", end + 1)) {
    if (names.has(`${file}\n${name.slice(0, end)}`)) return true;
  }
  return false;
}
