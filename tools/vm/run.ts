/** Runs tests in guests and makes of their reports one list, as if they had run here. */

import { parseJunit, type TestCase } from "../junit.ts";
import { type Accelerator, chooseAccelerator } from "./accelerator.ts";
import { makeImage } from "./cgroup2.ts";
import { type GuestRun, runGuest } from "./guest.ts";
import { type Kernel, prepareKernel } from "./kernel.ts";
import { parseTimes, readTimes, rememberTimes } from "./times.ts";
import { deal, guestTests, projectFiles } from "./suite.ts";

const NAME = "vm cgroup2";

/** Several times what it takes on two cores that do nothing else. */
const TIME_LIMIT_MS = 900_000;

/** Each has two processors, but the tests keep them busy one at a time. */
const GUESTS = Math.min(2, navigator.hardwareConcurrency);

/** Lines of the console that are shown when a guest did not get to its report. */
const CONSOLE_TAIL_LINES = 60;

/** What became of the tests in the guests. */
export interface VmRun {
  cases: TestCase[];
  /** What went wrong beside the tests that the report lists. */
  problem?: string;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Marks a test as one of the guest's: the same test may have run here, too. */
function named(test: TestCase): TestCase {
  return { ...test, name: `[${NAME}] ${test.name}` };
}

/** Nothing can be said about single tests when there is no guest to load their files. */
function allSkipped(tests: readonly string[], error: unknown): VmRun {
  const reason = error instanceof Error ? error.message : `${error}`;
  const cases = tests.map((file) =>
    ({ file, name: "all tests", outcome: "skipped", reason }) as const
  );
  return { cases: cases.map(named) };
}

/** Everything that is needed to boot guests, all of the same image. */
interface Machine {
  folder: string;
  kernel: Kernel;
  accelerator: Accelerator;
  image: string;
  echo: boolean;
}

/** Where its output is no terminal, Deno writes a test's name when it starts and when it ends. */
function withoutRepeat(line: string): string {
  return line.replace(/^(.+ \.\.\.)\1/, "$1");
}

/** One guest's tests; what its console said is kept in a file, and shown if something failed. */
async function runOne(machine: Machine, index: number): Promise<VmRun & { xml: string }> {
  const run: GuestRun = await runGuest({
    kernel: machine.kernel.image,
    initialRoot: machine.image,
    accelerator: machine.accelerator,
    kernelWords: ["quiet", `guest_index=${index}`],
    timeLimitMs: TIME_LIMIT_MS,
    ...machine.echo ? { onLine: (line) => console.log(`${index}| ${withoutRepeat(line)}`) } : {},
  });
  const log = `${machine.folder}/console-${index}.log`;
  await Deno.writeTextFile(log, run.console);

  const report = run.results.get("report.xml");
  const xml = new TextDecoder().decode(report);
  const cases = parseJunit(xml);
  const problem = run.problem ?? (report ? undefined : "the guest handed out no report");
  const failed = cases.some((test) => test.outcome === "failed");
  if (!machine.echo && (problem !== undefined || failed)) {
    const lines = run.console.trimEnd().split(/\r?\n/);
    const shown = problem === undefined ? lines : lines.slice(-CONSOLE_TAIL_LINES);
    console.log(shown.map((line) => `${index}| ${line}`).join("\n"));
  }
  return { cases, xml, ...problem === undefined ? {} : { problem: `${problem}, see ${log}` } };
}

async function runAll(root: string, { tests, machine }: { tests: string[]; machine: Machine }) {
  const start = performance.now();
  const times = await readTimes(machine.folder);
  const weightOf = (file: string) => times.get(file) ?? 1;
  const hands = deal(tests, { guests: GUESTS, weightOf });
  const image = await makeImage({ root, kernel: machine.kernel, hands });
  const sizeBytes = await image.write(machine.image);
  const imageTimeMs = performance.now() - start;
  console.log(
    `${NAME}: ${tests.length} files of tests in ${hands.length} guests (${machine.accelerator.name}); ` +
      `image of ${Math.round(sizeBytes / 2 ** 20)} MiB made in ${seconds(imageTimeMs)}`,
  );
  const runs = await Promise.all(hands.map((_, index) => runOne(machine, index)));
  await rememberTimes(machine.folder, runs.map(({ xml }) => parseTimes(xml)));
  const cases = runs.flatMap((run) => run.cases.map(named));
  console.log(`${NAME}: ${cases.length} tests in ${seconds(performance.now() - start)}`);
  const problem = runs.flatMap((run) => run.problem ?? []).join("; ");
  return { cases, ...problem === "" ? {} : { problem: `${NAME}: ${problem}` } };
}

/**
 * Runs the tests that belong into a guest.
 *
 * @param root The project's folder.
 * @param options `words` choose by the names of test files; `echo` shows consoles while they run.
 */
export async function runVmTests(
  root: string,
  { words = [], echo = false }: { words?: readonly string[]; echo?: boolean } = {},
): Promise<VmRun> {
  const tests = guestTests(await projectFiles(root), words);
  const folder = `${root}/.tools/vm`;
  let kernel;
  try {
    kernel = await prepareKernel(folder);
  } catch (error) {
    return allSkipped(tests, error);
  }
  const accelerator = await chooseAccelerator(folder, { kernel: kernel.image });
  const image = await Deno.makeTempFile({ prefix: "isolate-guest-", suffix: ".cpio" });
  try {
    return await runAll(root, { tests, machine: { folder, kernel, accelerator, image, echo } });
  } finally {
    await Deno.remove(image);
  }
}
