/** Runs tests in guests, and makes one list of their reports, as if they had run here. */

import { projectFiles } from "../files.ts";
import { type CaseResult, parseJunit, type TestRun } from "../junit.ts";
import { ROOT } from "../process.ts";
import { chooseAccelerator } from "./accelerator.ts";
import { type Accelerator, runGuest, withoutRepeat } from "./guest.ts";
import type { Image } from "./image.ts";
import {
  type ImageOptions,
  makeCgroup2Image,
  makePlainImage,
  makeSystemdImage,
  prepareSystemd,
} from "./images.ts";
import { type Kernel, type KernelName, prepareKernel } from "./kernel.ts";
import {
  deal,
  type GuestName,
  guestTests,
  isServed,
  readTimes,
  rememberTimes,
  timesOf,
} from "./suite.ts";

/** Where everything about guests is kept. */
const FOLDER = `${ROOT}/.tools/vm`;

/** A kind of guest. Each guest has two processors, but its tests run one at a time. */
interface Kind {
  guest: GuestName;
  kernel: KernelName;
  /** How many at once share the tests. */
  guests: number;
  prepare?: (folder: string) => Promise<void>;
  makeImage: (options: ImageOptions) => Promise<Image>;
}

const CGROUP2: Kind = {
  guest: "cgroup2",
  kernel: "stable",
  guests: 2,
  makeImage: makeCgroup2Image,
};
const SYSTEMD: Kind = {
  guest: "systemd",
  kernel: "stable",
  guests: 1,
  prepare: prepareSystemd,
  makeImage: makeSystemdImage,
};
const NEWER: Kind = { guest: "newer", kernel: "newer", guests: 1, makeImage: makePlainImage };

/** The one that takes longest comes first. */
const KINDS: readonly Kind[] = [SYSTEMD, CGROUP2, NEWER];

/** Guests that run at the same time; the next one begins when one has ended. */
const GUESTS_AT_ONCE = 2;

/** Several times what it takes on two cores that do nothing else. */
const TIME_LIMIT_MS = 2_700_000;

/** Lines of the console that are shown when a guest did not get as far as its report. */
const CONSOLE_TAIL_LINES = 60;

/** How guests run on this machine. */
interface Emulation {
  accelerator: Accelerator;
  places: Places;
  /** Whether their consoles are shown while they run. */
  echo: boolean;
}

/** What limits how many guests run at the same time: who comes first is served first. */
class Places {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

/** A kind of guest, and the tests for it. */
interface Job {
  kind: Kind;
  tests: readonly string[];
}

function secondsSince(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

/**
 * Marks a test as one of a guest's: the same test may have run here, too. Types were removed from its
 * module here, so that it may be named by its place here.
 */
function named(test: CaseResult, guest: GuestName): CaseResult {
  const file = test.file.replace(`../..${ROOT}/`, "./");
  return { ...test, file, name: `[vm ${guest}] ${test.name}` };
}

/** Skips whole files: without a guest that loads them, their tests are not known. */
function allSkipped({ kind, tests }: Job, error: unknown): TestRun {
  const reason = error instanceof Error ? error.message : `${error}`;
  const skipped = { name: "all tests", outcome: "skipped", reason, wallTimeS: 0 } as const;
  return { cases: tests.map((file) => named({ file, ...skipped }, kind.guest)) };
}

/** Fails: an image that cannot be made is our mistake, not the machine's. */
function broken(error: unknown): TestRun {
  console.error(error);
  return { cases: [], problem: `no guest: ${error}` };
}

/** One guest and its tests. */
interface Guest {
  kernel: Kernel;
  image: string;
  guest: GuestName;
  index: number;
  tests: readonly string[];
}

/**
 * Runs one guest, and once more if it was lost before it could tell anything: an emulated machine whose
 * ticks come late may panic while it boots. Tests that fail, or hang, get no such second try.
 */
async function runOne(machine: Emulation, guest: Guest): Promise<TestRun> {
  const first = await machine.places.use(() => bootOne(machine, guest));
  if (!first.isLost) return first;
  console.log(`vm ${guest.guest} ${guest.index}: lost (${first.problem}); it is booted once more`);
  return await machine.places.use(() => bootOne(machine, guest));
}

/** Runs one guest. Its console is kept in a file, and shown if something failed. */
async function bootOne(
  { accelerator, echo }: Emulation,
  { kernel, image, guest, index, tests }: Guest,
): Promise<TestRun & { isLost: boolean }> {
  const prefix = (line: string) => `${guest} ${index}| ${withoutRepeat(line)}`;
  const run = await runGuest({
    kernel: kernel.image,
    initialRoot: image,
    accelerator,
    kernelWords: ["quiet", `guest_index=${index}`],
    timeLimitMs: TIME_LIMIT_MS,
    ...echo ? { onLine: (line) => console.log(prefix(line)) } : {},
  });
  const log = `${FOLDER}/console-${guest}-${index}.log`;
  await Deno.writeTextFile(log, run.console);

  const reports = [...run.results.values()].map((report) => new TextDecoder().decode(report));
  const cases = reports.flatMap(parseJunit);
  const isComplete = reports.length === new Set(tests.map(isServed)).size;
  const problem = run.problem ?? (isComplete ? undefined : "the guest handed out no report");
  const failed = cases.some((test) => test.outcome === "failed");
  if (!echo && (problem !== undefined || failed)) {
    const lines = run.console.trimEnd().split(/\r?\n/);
    const shown = problem === undefined ? lines : lines.slice(-CONSOLE_TAIL_LINES);
    console.log(shown.map(prefix).join("\n"));
  }
  return {
    cases,
    isLost: problem !== undefined && !run.timedOut && reports.length === 0,
    ...problem === undefined ? {} : { problem: `${problem}, see ${log}` },
  };
}

/** Removes the images of runs that were killed: they are large. */
async function removeStaleImages(): Promise<void> {
  for await (const { name } of Deno.readDir(FOLDER)) {
    const pid = /^image-(\d+)-/.exec(name)?.[1];
    const isStale = pid !== undefined && !await Deno.stat(`/proc/${pid}`).catch(() => undefined);
    if (isStale) await Deno.remove(`${FOLDER}/${name}`).catch(() => {});
  }
}

/** A kind of guest that can be booted. */
interface Prepared {
  guest: GuestName;
  kernel: Kernel;
  /** The file that all guests of the kind boot from. */
  image: string;
  hands: readonly string[][];
}

/** Makes the image of a kind of guest, or skips its tests. */
async function prepareKind(job: Job): Promise<Prepared | TestRun> {
  const { guest, guests, makeImage, ...kind } = job.kind;
  let kernel: Kernel;
  try {
    kernel = await prepareKernel(FOLDER, { name: kind.kernel });
    await kind.prepare?.(FOLDER);
  } catch (error) {
    return allSkipped(job, error);
  }
  const start = performance.now();
  const times = await readTimes(FOLDER);
  const hands = deal(job.tests, { guests, weightOf: (file) => times.get(file) ?? 1 });
  const image = `${FOLDER}/image-${Deno.pid}-${guest}.cpio`;
  try {
    const sizeBytes = await (await makeImage({ kernel, hands })).write(image);
    const size = `${Math.round(sizeBytes / 2 ** 20)} MiB`;
    console.log(`vm ${guest}: made an image of ${size} in ${secondsSince(start)}`);
  } catch (error) {
    await Deno.remove(image).catch(() => {});
    throw error;
  }
  return { guest, kernel, image, hands };
}

/** Runs all guests of a kind. */
async function runKind(
  machine: Emulation,
  { guest, kernel, image, hands }: Prepared,
): Promise<TestRun> {
  const start = performance.now();
  try {
    const runs = await Promise.all(
      hands.map((tests, index) => runOne(machine, { kernel, image, guest, index, tests })),
    );
    const cases = runs.flatMap((run) => run.cases.map((test) => named(test, guest)));
    const how = `${machine.accelerator.name}, guests: ${hands.length}`;
    console.log(`vm ${guest}: ran ${cases.length} tests in ${secondsSince(start)} (${how})`);
    const problem = runs.flatMap((run) => run.problem ?? []).join("; ");
    return { cases, ...problem === "" ? {} : { problem: `vm ${guest}: ${problem}` } };
  } finally {
    await Deno.remove(image).catch(() => {});
  }
}

/** Runs the tests that need a guest; with words those whose files contain one of them. */
export async function runVmTests(
  { words = [], isShort = false, echo = false }: {
    words?: readonly string[];
    /** Leaves out what `LEFT_TO_VM_TEST` names. */
    isShort?: boolean;
    echo?: boolean;
  } = {},
): Promise<TestRun[]> {
  const files = await projectFiles();
  const jobs = KINDS
    .map((kind): Job => ({ kind, tests: guestTests(files, { guest: kind.guest, words, isShort }) }))
    .filter(({ tests }) => tests.length > 0);
  let accelerator: Accelerator;
  try {
    const { image: kernel } = await prepareKernel(FOLDER);
    accelerator = await chooseAccelerator(FOLDER, { kernel });
  } catch (error) {
    return jobs.map((job) => allSkipped(job, error));
  }
  const machine = { accelerator, echo, places: new Places(GUESTS_AT_ONCE) };
  await removeStaleImages();
  const running: Promise<TestRun>[] = [];
  for (const job of jobs) {
    // Images are made one after the other, so that guests begin in their order.
    const kind = await prepareKind(job).catch(broken);
    running.push("cases" in kind ? Promise.resolve(kind) : runKind(machine, kind).catch(broken));
  }
  const runs = await Promise.all(running);
  await rememberTimes(FOLDER, runs.map(({ cases }) => timesOf(cases)));
  return runs;
}
