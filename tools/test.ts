/**
 * Runs all tests, or those that the arguments name, and closes with the line `N passed, N failed`.
 * All tests are those on this machine and, at the same time, most of those in guests. With `--vm` as the
 * first argument the latter run, all of them. Those of the command line run a second time on this machine,
 * through the client of a resident service; `--service` as the first argument runs only these.
 * `--quick` leaves out guests and what takes long, and says so. Without patterns the files of failed
 * tests run once more, alone.
 *
 * Fails if a test failed, if a test was skipped without a reason, if the checks before it failed
 * (`ISOLATE_CHECK_FAILED`), and if nothing ran.
 */

import { exists, ignoredFolders, projectFiles } from "./files.ts";
import { type CaseResult, parseJunit, type TestRun } from "./junit.ts";
import { ROOT } from "./process.ts";
import { secondTry } from "./second_try.ts";
import { runVmTests } from "./vm/run.ts";
import { LEFT_TO_VM_TEST } from "./vm/suite.ts";

/** After this time something hangs: stop, and report what has run. */
const TIME_LIMIT_MINUTES = 60;
const COMMAND_LINE_TESTS = ["tests/cli"];

/** The heaviest folders that use other boxes than all other tests: they run beside these. */
const SECOND_LANE = ["tests/library", "tests/judge", "tests/server", "tests/service"];

/** What `--quick` leaves out here, with the reason. The command line is tested through a service. */
const LONG: readonly { files: readonly string[]; reason: string }[] = [
  { files: COMMAND_LINE_TESTS, reason: "as a process of its own; through the service it runs" },
  { files: ["tests/service"], reason: "hostile clients and steering wait much" },
  {
    files: [
      "author_mistakes",
      "bad_input",
      "bad_machine",
      "compile",
      "contest",
      "data_check",
      "formats",
      "interactive",
    ]
      .concat("judge", "languages", "machine", "near_limit", "new", "output_check", "passes")
      .concat("reports", "stress", "stress_dialogue", "validator").map((name) =>
        `tests/judge/${name}_test.ts`
      ),
    reason: "compilers and whole packages",
  },
  {
    files: [
      "clients",
      "fuzz",
      "http",
      "judge0",
      "load",
      "memory",
      "queue",
      "queue_database",
      "queue_failure",
      "run",
    ]
      .map((name) => `tests/server/${name}_test.ts`),
    reason: "databases, and clients that are slow or many",
  },
  {
    files: ["bombs", "caller", "killed_keeper", "names", "outlive", "planted_links", "random"].map((
      name,
    ) => `tests/walls/${name}_test.ts`),
    reason: "attacks that take long",
  },
  {
    files: ["tests/cgroup/life_test.ts", "tests/cgroup/clients_test.ts", "tests/shim_test.ts"],
    reason: "take long",
  },
  { files: ["tests/rootless"], reason: "each command starts twice" },
  {
    files: ["tests/consumer_test.ts", "tests/compile_test.ts"],
    reason: "type checks and packing with empty caches",
  },
];

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function isBareSkip({ outcome, reason }: CaseResult): boolean {
  return outcome === "skipped" && reason === undefined;
}

/** Runs tests here. Patterns are files and folders, or words that select tests by their names. */
async function runTests(
  patterns: readonly string[],
  { env = {}, ignored = [], checksTypes = false, isBeside = false }: {
    env?: Record<string, string>;
    ignored?: readonly string[];
    checksTypes?: boolean;
    /** Other tests write at the same time: what these write is shown when they have ended. */
    isBeside?: boolean;
  } = {},
): Promise<TestRun> {
  const paths = patterns.filter(exists);
  const words = patterns.filter((pattern) => !exists(pattern));
  const report = await Deno.makeTempFile({ prefix: "isolate-test-", suffix: ".xml" });
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "--allow-all",
        "--doc",
        // A full run has checked all types: an error there must not keep tests from running.
        ...checksTypes ? [] : ["--no-check"],
        `--junit-path=${report}`,
        ...ignored.length > 0 ? [`--ignore=${ignored.join(",")}`] : [],
        ...words.length > 0 ? [`--filter=/${words.map(escapeRegExp).join("|")}/`] : [],
        ...paths,
      ],
      env: { ISOLATE_TEST_REPORT: "1", ...env },
      stdin: "null",
      stdout: isBeside ? "piped" : "inherit",
    }).spawn();
    const written = isBeside ? new Response(child.stdout).text() : undefined;
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, TIME_LIMIT_MINUTES * 60_000);
    const status = await child.status;
    clearTimeout(timer);
    if (written !== undefined) console.log(await written);
    const listed = parseJunit(await Deno.readTextFile(report));
    // The report lists what a filter left out as skipped, too.
    const cases = words.length === 0 ? listed : listed.filter((test) => !isBareSkip(test));
    const problem = timedOut
      ? `the tests took longer than ${TIME_LIMIT_MINUTES} minutes`
      : status.signal
      ? `the test process was killed by ${status.signal}`
      : !status.success && !cases.some((test) => test.outcome === "failed")
      ? "a test file could not be loaded, see above"
      : undefined;
    return { cases, ...problem === undefined ? {} : { problem } };
  } finally {
    await Deno.remove(report);
  }
}

/** Runs tests of the command line through the client of a service. */
async function runServiceTests(
  patterns: readonly string[],
  { isBeside = false } = {},
): Promise<TestRun> {
  const env = { ISOLATE_TEST_SERVICE: "1" };
  const { cases, ...rest } = await runTests(patterns, { env, isBeside });
  return { ...rest, cases: cases.map((test) => ({ ...test, name: `${test.name} (service)` })) };
}

function withoutDot(file: string): string {
  return file.replace(/^\.\//, "");
}

/** One after the other, when everything else has ended. */
async function tryAgain(
  { direct, service, guests }: Readonly<Record<"direct" | "service" | "guests", TestRun[]>>,
): Promise<TestRun[]> {
  return [
    ...await secondTry(direct, async (files) => [await runTests(files)]),
    ...await secondTry(service, async (files) => [await runServiceTests(files)]),
    ...await secondTry(guests, (files) => runVmTests({ words: files.map(withoutDot) })),
  ];
}

/** What no test run takes: the option takes the place of "exclude" in deno.json. */
async function ignoredAlways(): Promise<string[]> {
  return [...ignoredFolders(await Deno.readTextFile(`${ROOT}/.gitignore`)), "vendor"];
}

/** The test files of the second lane, without some: what is named is run even if it is ignored. */
async function secondLaneFiles(leftOut: readonly string[] = []): Promise<string[]> {
  const isBelow = (file: string, path: string) => file === path || file.startsWith(`${path}/`);
  return (await projectFiles()).filter((file) =>
    file.endsWith("_test.ts") && SECOND_LANE.some((folder) => isBelow(file, folder)) &&
    !leftOut.some((path) => isBelow(file, path))
  );
}

/** Runs everything, in two lanes that use other boxes. */
async function runWhole(): Promise<TestRun[]> {
  const ignored = [...await ignoredAlways(), ...SECOND_LANE];
  // Tests mostly wait. Guests use the processor time that they leave.
  const guests = runVmTests({ isShort: true });
  const firstLane = async () => ({
    direct: [await runTests([], { ignored })],
    service: [await runServiceTests(COMMAND_LINE_TESTS)],
  });
  const [first, second] = await Promise.all([
    firstLane(),
    runTests(await secondLaneFiles(), { isBeside: true }),
  ]);
  return await tryAgain({ ...first, direct: [...first.direct, second], guests: await guests });
}

/** Runs what takes a short time, in two lanes. */
async function runQuick(): Promise<TestRun[]> {
  const long = LONG.flatMap(({ files }) => files);
  const ignored = [...await ignoredAlways(), ...long, ...SECOND_LANE];
  const secondLane = async () => ({
    service: [await runServiceTests(COMMAND_LINE_TESTS, { isBeside: true })],
    direct: [await runTests(await secondLaneFiles(long), { isBeside: true })],
  });
  const [first, second] = await Promise.all([
    runTests([], { ignored }),
    secondLane(),
  ]);
  return await tryAgain({ ...second, direct: [first, ...second.direct], guests: [] });
}

async function runAll(args: readonly string[]): Promise<TestRun[]> {
  if (args[0] === "--quick") {
    if (args.length > 1) throw new Error("--quick takes no patterns: it is a selection itself");
    return await runQuick();
  }
  if (args[0] === "--vm") return await runVmTests({ words: args.slice(1), echo: true });
  if (args[0] === "--service") {
    return [await runServiceTests(args.length > 1 ? args.slice(1) : COMMAND_LINE_TESTS)];
  }
  if (args.length > 0) return [await runTests(args, { checksTypes: true })];
  return await runWhole();
}

/** Runs the tests and returns the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const runs = await runAll(args);
  const cases = runs.flatMap((run) => run.cases);
  const of = (outcome: CaseResult["outcome"]) => cases.filter((test) => test.outcome === outcome);
  const skipped = of("skipped");
  for (const { name, reason, file } of skipped) {
    console.log(`skipped: ${name} (${file}): ${reason ?? "NO REASON GIVEN"}`);
  }

  for (const { name, file } of cases.filter((test) => test.neededSecondTry)) {
    console.log(`passed in the second try only: ${name} (${file})`);
  }

  const problems = [
    ...runs.flatMap(({ problem }) => problem ?? []),
    ...Deno.env.get("ISOLATE_CHECK_FAILED") ? ["./dev check failed, see above"] : [],
    ...skipped.some(isBareSkip)
      ? ["a test was skipped without a reason: use tests/support/skip.ts"]
      : [],
    ...of("passed").length + of("failed").length === 0 ? ["no test ran"] : [],
  ];
  for (const text of problems) console.log(`failed: ${text}`);
  if (args.length === 0) {
    console.log(`in virtual machines, left to ./dev vm-test: ${LEFT_TO_VM_TEST.join(", ")}`);
  }
  if (args[0] === "--quick") {
    console.log("left out: everything in virtual machines");
    for (const { files, reason } of LONG) console.log(`left out: ${files.join(", ")}: ${reason}`);
  }

  const failed = of("failed").length + problems.length;
  const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
  console.log(`${of("passed").length} passed, ${failed} failed${tail}`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
