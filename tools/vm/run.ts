/** Runs tests in guests and makes of their reports one list, as if they had run here. */

import { parseJunit, type TestCase } from "../junit.ts";
import { chooseAccelerator } from "./accelerator.ts";
import { makeCgroup2Image, makePlainImage } from "./cgroup2.ts";
import { type Accelerator, runGuest } from "./guest.ts";
import type { Image } from "./image.ts";
import { type Kernel, type KernelName, prepareKernel } from "./kernel.ts";
import type { ImageOptions } from "./project.ts";
import { deal, type GuestName, guestTests, projectFiles } from "./suite.ts";
import { makeSystemdImage, prepareSystemd } from "./systemd.ts";
import { readTimes, rememberTimes, timesOf } from "./times.ts";

/** A kind of guest. Each has two processors, but tests keep them busy one at a time. */
interface Kind {
  name: GuestName;
  kernel: KernelName;
  /** How many at once share the tests. */
  guests: number;
  prepare?: (folder: string) => Promise<void>;
  makeImage: (options: ImageOptions) => Promise<Image>;
}

/** Kinds whose guests run at the same time, two at once; then the next ones. */
const ROUNDS: readonly (readonly Kind[])[] = [
  [{ name: "cgroup2", kernel: "stable", guests: 2, makeImage: makeCgroup2Image }],
  [
    {
      name: "systemd",
      kernel: "stable",
      guests: 1,
      prepare: prepareSystemd,
      makeImage: makeSystemdImage,
    },
    { name: "newer", kernel: "newer", guests: 1, makeImage: makePlainImage },
  ],
];

/** Several times what it takes on two cores that do nothing else. */
const TIME_LIMIT_MS = 1_800_000;

/** Lines of the console that are shown when a guest did not get to its report. */
const CONSOLE_TAIL_LINES = 60;

/** What became of the tests in the guests. */
export interface VmRun {
  cases: TestCase[];
  /** What went wrong beside the tests that the report lists. */
  problem?: string;
}

/** What guests of all kinds need. */
interface Machine {
  root: string;
  folder: string;
  accelerator: Accelerator;
  echo: boolean;
}

/** A kind of guest, and the tests that belong into it. */
interface Job {
  kind: Kind;
  tests: readonly string[];
}

function secondsSince(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

/** Marks a test as one of a guest's: the same test may have run here, too. */
function named(test: TestCase, guest: GuestName): TestCase {
  return { ...test, name: `[vm ${guest}] ${test.name}` };
}

/** Nothing can be said about single tests when there is no guest to load their files. */
function allSkipped(
  tests: readonly string[],
  { guest, error }: { guest: GuestName; error: unknown },
): VmRun {
  const reason = error instanceof Error ? error.message : `${error}`;
  const skipped = { name: "all tests", outcome: "skipped", reason, wallTimeS: 0 } as const;
  return { cases: tests.map((file) => named({ file, ...skipped }, guest)) };
}

/** An image that cannot be made is our mistake, not a lack of the machine. */
function broken(error: unknown): VmRun {
  console.error(error);
  return { cases: [], problem: `no guest: ${error}` };
}

/** Where its output is no terminal, Deno writes a test's name when it starts and when it ends. */
function withoutRepeat(line: string): string {
  return line.replace(/^(.+ \.\.\.)\r?\1/, "$1");
}

/** One guest's tests; what its console said is kept in a file, and shown if something failed. */
async function runOne(
  { folder, accelerator, echo }: Machine,
  { kernel, image, guest, index }: {
    kernel: Kernel;
    image: string;
    guest: GuestName;
    index: number;
  },
): Promise<VmRun> {
  const prefix = (line: string) => `${guest} ${index}| ${withoutRepeat(line)}`;
  const run = await runGuest({
    kernel: kernel.image,
    initialRoot: image,
    accelerator,
    kernelWords: ["quiet", `guest_index=${index}`],
    timeLimitMs: TIME_LIMIT_MS,
    ...echo ? { onLine: (line) => console.log(prefix(line)) } : {},
  });
  const log = `${folder}/console-${guest}-${index}.log`;
  await Deno.writeTextFile(log, run.console);

  const report = run.results.get("report.xml");
  const cases = parseJunit(new TextDecoder().decode(report));
  const problem = run.problem ?? (report ? undefined : "the guest handed out no report");
  const failed = cases.some((test) => test.outcome === "failed");
  if (!echo && (problem !== undefined || failed)) {
    const lines = run.console.trimEnd().split(/\r?\n/);
    const shown = problem === undefined ? lines : lines.slice(-CONSOLE_TAIL_LINES);
    console.log(shown.map(prefix).join("\n"));
  }
  return { cases, ...problem === undefined ? {} : { problem: `${problem}, see ${log}` } };
}

/** An image is large, and whoever was killed could not remove it. */
async function removeStaleImages(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    const pid = /^image-(\d+)-/.exec(name)?.[1];
    const isStale = pid !== undefined && !await Deno.stat(`/proc/${pid}`).catch(() => undefined);
    if (isStale) await Deno.remove(`${folder}/${name}`).catch(() => {});
  }
}

/** All guests of a kind: they share an image and have the tests dealt out among them. */
async function runKind(machine: Machine, { kind, tests }: Job): Promise<VmRun> {
  const guest = kind.name;
  let kernel: Kernel;
  try {
    kernel = await prepareKernel(machine.folder, { name: kind.kernel });
    await kind.prepare?.(machine.folder);
  } catch (error) {
    return allSkipped(tests, { guest, error });
  }
  const start = performance.now();
  const times = await readTimes(machine.folder);
  const hands = deal(tests, { guests: kind.guests, weightOf: (file) => times.get(file) ?? 1 });
  await removeStaleImages(machine.folder);
  const image = `${machine.folder}/image-${Deno.pid}-${guest}.cpio`;
  try {
    const { root } = machine;
    const sizeBytes = await (await kind.makeImage({ root, kernel, hands })).write(image);
    const size = `${Math.round(sizeBytes / 2 ** 20)} MiB`;
    console.log(`vm ${guest}: made an image of ${size} in ${secondsSince(start)}`);
    const runs = await Promise.all(
      hands.map((_, index) => runOne(machine, { kernel, image, guest, index })),
    );
    const cases = runs.flatMap((run) => run.cases.map((test) => named(test, guest)));
    const how = `${machine.accelerator.name}, guests at once: ${hands.length}`;
    console.log(`vm ${guest}: ran ${cases.length} tests in ${secondsSince(start)} (${how})`);
    const problem = runs.flatMap((run) => run.problem ?? []).join("; ");
    return { cases, ...problem === "" ? {} : { problem: `vm ${guest}: ${problem}` } };
  } finally {
    await Deno.remove(image).catch(() => {});
  }
}

/** Runs the tests that belong into guests. */
export async function runVmTests(
  root: string,
  { words = [], echo = false }: { words?: readonly string[]; echo?: boolean } = {},
): Promise<VmRun[]> {
  const files = await projectFiles(root);
  const rounds = ROUNDS.map((kinds) =>
    kinds
      .map((kind): Job => ({ kind, tests: guestTests(files, { guest: kind.name, words }) }))
      .filter(({ tests }) => tests.length > 0)
  );
  const folder = `${root}/.tools/vm`;
  let accelerator: Accelerator;
  try {
    const { image: kernel } = await prepareKernel(folder);
    accelerator = await chooseAccelerator(folder, { kernel });
  } catch (error) {
    return rounds.flat().map(({ kind, tests }) => allSkipped(tests, { guest: kind.name, error }));
  }
  const machine = { root, folder, accelerator, echo };
  const runs: VmRun[] = [];
  for (const jobs of rounds) {
    runs.push(...await Promise.all(jobs.map((job) => runKind(machine, job).catch(broken))));
  }
  await rememberTimes(folder, runs.map(({ cases }) => timesOf(cases)));
  return runs;
}
