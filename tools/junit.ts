/** Reads the JUnit report that `deno test --junit-path` writes. */

/** What became of one test. */
export interface TestCase {
  /** The test's file, as the runner names it. */
  file: string;
  name: string;
  outcome: "passed" | "failed" | "skipped";
  /** Why it was skipped, where its name says so: see `tests/support/skip.ts`. */
  reason?: string;
}

const ENTITIES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
};

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    if (hex) return String.fromCodePoint(parseInt(hex, 16));
    return ENTITIES[name] ?? whole;
  });
}

/** Splits the name `does X [skipped: no Y]` into the name and the reason. */
function splitReason(text: string): { name: string; reason?: string } {
  const match = /^(.*) \[skipped: (.*)\]$/s.exec(text);
  return match ? { name: match[1] ?? "", reason: match[2] ?? "" } : { name: text };
}

/**
 * Lists the tests of a report. The steps of a test are folded into it: the report names them
 * `TEST > STEP` and marks the test itself as failed when one of them failed.
 */
export function parseJunit(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  const names = new Set<string>();
  const pattern = /<testcase name="([^"]*)" classname="([^"]*)"[^>]*>(.*?)<\/testcase>/gs;
  for (const [, rawName = "", rawFile = "", body = ""] of xml.matchAll(pattern)) {
    const fullName = unescapeXml(rawName);
    const file = unescapeXml(rawFile);
    names.add(`${file}\n${fullName}`);
    if (isStep(fullName, file, names)) continue;
    const outcome = body.includes("<failure")
      ? "failed"
      : body.includes("<skipped")
      ? "skipped"
      : "passed";
    cases.push({ file, outcome, ...splitReason(fullName) });
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
