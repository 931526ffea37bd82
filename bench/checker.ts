/** The default output validator on large outputs, against `cmp` of the same files. */

import { HostFiles, sharedSandbox } from "isolate/mod.ts";
import { checkOutput } from "isolate/judge/checker/checker.ts";
import { output } from "../tools/process.ts";
import { mediansInTurns, type Row, timeMs, withFolder } from "./measure.ts";

const BYTES = 100e6;
const ROUNDS = 5;

interface CheckerCase {
  what: string;
  flags: readonly string[];
  /** Makes the output from the answer; undefined: the same. */
  change?: (answer: Uint8Array) => Uint8Array;
  /** At most this many times as long as `cmp` takes for the answer and a copy of it. */
  goal?: number;
}

/** Makes lines of numbers, all different. */
function makeAnswer(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(BYTES);
  const encoder = new TextEncoder();
  let at = 0;
  for (let i = 1; at < BYTES; i++) {
    const separator = i % 8 === 0 ? "\n" : " ";
    const word = (Math.sin(i) * 1000).toFixed(6) + separator;
    at += encoder.encodeInto(word, bytes.subarray(at)).written || BYTES;
  }
  return bytes;
}

const SPACE = 0x20;
const LINE_FEED = 0x0a;
const TAB = 0x09;

const CASES: readonly CheckerCase[] = [
  { what: "the same", flags: [], goal: 3 },
  { what: "the same, float tolerance", flags: ["float_tolerance", "1e-4"] },
  {
    what: "all white space different",
    flags: [],
    change: (answer) => answer.map((byte) => byte === SPACE || byte === LINE_FEED ? TAB : byte),
  },
  {
    what: "all numbers different, float tolerance",
    flags: ["float_tolerance", "1e-4"],
    // The digit before each separator.
    change: (answer) => {
      const next = answer.subarray(1);
      return answer.map((byte, i) =>
        next[i] === SPACE || next[i] === LINE_FEED ? (byte === 0x30 ? 0x31 : byte ^ 1) : byte
      );
    },
  },
];

/** Reads the most memory that this process had, in MiB. */
async function peakMib(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status");
  return Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1]) / 1024;
}

/** Makes {@linkcode peakMib} count from the memory of this process now, which it returns. */
async function restartPeak(): Promise<number> {
  await Deno.writeTextFile("/proc/self/clear_refs", "5");
  return await peakMib();
}

/** Checks one output; returns how long that took and by how much memory grew. */
async function check(
  host: HostFiles,
  { flags, ...files }: { output: string; answer: string; flags: readonly string[] },
): Promise<{ timeMs: number; growthMib: number }> {
  using output = host.open(files.output);
  using answer = host.open(files.answer);
  const beforeMib = await restartPeak();
  const time = await timeMs(async () => {
    const { accepted } = await checkOutput({ output, answer, flags });
    if (!accepted) throw new Error(`${files.output} was not accepted`);
  });
  return { timeMs: time, growthMib: await peakMib() - beforeMib };
}

/** Writes the answer and the outputs, and leaves none of them in memory. */
async function writeFiles(answer: string, files: readonly string[]): Promise<void> {
  const bytes = makeAnswer();
  await Deno.writeFile(answer, bytes);
  for (const [i, { change }] of CASES.entries()) {
    await Deno.writeFile(files[i]!, change?.(bytes) ?? bytes);
  }
}

/** Measures the default output validator. */
export async function measureChecker(): Promise<Row[]> {
  const host = new HostFiles(await sharedSandbox());
  return await withFolder(async (folder) => {
    const answer = `${folder}/answer`;
    const files = CASES.map((_, i) => `${folder}/${i}.out`);
    await writeFiles(answer, files);
    let growthMib = 0;
    const measurements = CASES.map(({ what, flags }, i) => [what, async () => {
      const checked = await check(host, { output: files[i]!, answer, flags });
      growthMib = Math.max(growthMib, checked.growthMib);
      return checked.timeMs;
    }]);
    const ms = await mediansInTurns(ROUNDS, {
      cmp: () => timeMs(() => output(["cmp", answer, files[0]!])),
      ...Object.fromEntries(measurements),
    });
    const rows = CASES.map(({ what, goal }): Row => ({
      what: `default validator, 100 MB, ${what}`,
      against: "cmp of equal files",
      unit: "ms",
      reference: ms["cmp"]!,
      here: ms[what]!,
      ...(goal === undefined ? {} : { goal }),
    }));
    return [...rows, {
      what: "default validator, growth of memory",
      unit: "MiB",
      here: growthMib,
      goal: 32,
    }];
  }, { parent: "/dev/shm" });
}
