/**
 * Runs all tests, or those that the arguments name, and closes with the line `N passed, N failed`.
 * All tests are those here and at the same time those in the guests; with `--vm` as the first
 * argument only the latter.
 *
 * It fails when a test failed, when a test was skipped without a reason, when the checks before it
 * failed (`ISOLATE_CHECK_FAILED`), and when nothing ran.
 */

import { parseJunit, type TestCase } from "./junit.ts";
import { runVmTests } from "./vm/run.ts";

/** Past this something hangs, and a report of what ran so far is worth more than waiting on. */
const TIME_LIMIT_MINUTES = 60;

interface Run {
  cases: TestCase[];
  /** What went wrong beside the tests that the report lists. */
  problem?: string;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function isBareSkip({ outcome, reason }: TestCase): boolean {
  return outcome === "skipped" && reason === undefined;
}

/** Patterns are files and folders, or words that select by the names of the tests. */
async function runTests(patterns: readonly string[]): Promise<Run> {
  const paths = patterns.filter(exists);
  const words = patterns.filter((pattern) => !exists(pattern));
  const report = await Deno.makeTempFile({ prefix: "isolate-test-", suffix: ".xml" });
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "--allow-all",
        "--doc",
        // All types were checked before a full run: an error there must not keep tests from running.
        ...patterns.length > 0 ? [] : ["--no-check"],
        `--junit-path=${report}`,
        ...words.length > 0 ? [`--filter=/${words.map(escapeRegExp).join("|")}/`] : [],
        ...paths,
      ],
      env: { ISOLATE_TEST_REPORT: "1" },
      stdin: "null",
    }).spawn();
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, TIME_LIMIT_MINUTES * 60_000);
    const status = await child.status;
    clearTimeout(timer);
    const listed = parseJunit(await Deno.readTextFile(report));
    // The report lists what a filter left out as skipped, too.
    const cases = words.length === 0 ? listed : listed.filter((test) => !isBareSkip(test));
    return { cases, ...problemOf({ cases, status, timedOut }) };
  } finally {
    await Deno.remove(report);
  }
}

function problemOf(
  { cases, status, timedOut }: { cases: TestCase[]; status: Deno.CommandStatus; timedOut: boolean },
): { problem?: string } {
  if (timedOut) return { problem: `the tests took longer than ${TIME_LIMIT_MINUTES} minutes` };
  if (status.signal) return { problem: `the test process was killed by ${status.signal}` };
  if (!status.success && !cases.some((test) => test.outcome === "failed")) {
    return { problem: "a test file could not be loaded, see above" };
  }
  return {};
}

function printSkipped(skipped: readonly TestCase[]): void {
  for (const { name, reason, file } of skipped) {
    console.log(`skipped: ${name} (${file}): ${reason ?? "NO REASON GIVEN"}`);
  }
}

async function runAll(args: readonly string[]): Promise<Run[]> {
  const root = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
  if (args[0] === "--vm") return await runVmTests(root, { words: args.slice(1), echo: true });
  if (args.length > 0) return [await runTests(args)];
  // Tests mostly wait for something. Guests use what they leave of the processors.
  const [here, guests] = await Promise.all([runTests(args), runVmTests(root)]);
  return [here, ...guests];
}

/** Returns the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const runs = await runAll(args);
  const cases = runs.flatMap((run) => run.cases);
  const of = (outcome: TestCase["outcome"]) => cases.filter((test) => test.outcome === outcome);
  const skipped = of("skipped");
  printSkipped(skipped);

  const problems = [
    ...runs.flatMap(({ problem }) => problem ?? []),
    ...Deno.env.get("ISOLATE_CHECK_FAILED") ? ["./dev check failed, see above"] : [],
    ...skipped.some(isBareSkip)
      ? ["a test was skipped without a reason: use tests/support/skip.ts"]
      : [],
    ...of("passed").length + of("failed").length === 0 ? ["no test ran"] : [],
  ];
  for (const text of problems) console.log(`failed: ${text}`);

  const failed = of("failed").length + problems.length;
  const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
  console.log(`${of("passed").length} passed, ${failed} failed${tail}`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
