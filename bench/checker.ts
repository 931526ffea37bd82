/** The default output validator on large outputs, against `cmp` of the same files. */

import { O } from "isolate/ffi/abi.ts";
import { Plan } from "isolate/ffi/plan.ts";
import { AT_FDCWD, System } from "isolate/ffi/system.ts";
import { checkOutput } from "isolate/judge/checker/checker.ts";
import { type Benchmark, median, type Row, succeed, timeMs, withFolder } from "./measure.ts";

const BYTES = 100e6;
const ROUNDS = 5;

interface Case {
  what: string;
  flags: readonly string[];
  /** Makes the output from the answer; undefined: the same. */
  change?: (answer: Uint8Array) => Uint8Array;
  /** The most times of what `cmp` takes for the answer and a copy of it. */
  goal?: number;
}

/** Lines of numbers, each another one. */
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

const CASES: readonly Case[] = [
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

function open(system: System, path: string): number {
  const plan = new Plan();
  const fd = plan.slot("file");
  plan.step("openat", [AT_FDCWD, plan.string(path), O.O_CLOEXEC, 0], { into: fd });
  system.run(plan, "open a file");
  return plan.result(fd);
}

/** The most memory that this process had, in MiB. */
async function peakMib(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status");
  return Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1]) / 1024;
}

/** The memory of this process now, in MiB, from which {@linkcode peakMib} counts from now on. */
async function restartPeak(): Promise<number> {
  await Deno.writeTextFile("/proc/self/clear_refs", "5");
  return await peakMib();
}

async function measure(): Promise<Row[]> {
  const system = await System.load();
  return await withFolder(async (folder) => {
    const files = CASES.map((_, i) => `${folder}/${i}.out`);
    {
      const answer = makeAnswer();
      await Deno.writeFile(`${folder}/answer`, answer);
      for (const [i, { change }] of CASES.entries()) {
        await Deno.writeFile(files[i]!, change?.(answer) ?? answer);
      }
    }
    const references: number[] = [];
    const heres = CASES.map((): number[] => []);
    let growthMib = 0;
    for (let round = 0; round <= ROUNDS; round++) {
      const reference = await timeMs(() => succeed("cmp", [`${folder}/answer`, files[0]!]));
      if (round > 0) references.push(reference);
      for (const [i, { flags }] of CASES.entries()) {
        const options = {
          outputFd: open(system, files[i]!),
          answerFd: open(system, `${folder}/answer`),
          flags,
        };
        const before = await restartPeak();
        const time = await timeMs(async () => {
          const { accepted } = await checkOutput(system, options);
          if (!accepted) throw new Error(`${CASES[i]!.what}: not accepted`);
        });
        growthMib = Math.max(growthMib, await peakMib() - before);
        system.close(options.outputFd, options.answerFd);
        if (round > 0) heres[i]!.push(time);
      }
    }
    const rows = CASES.map(({ what, goal }, i): Row => ({
      what: `default validator, 100 MB, ${what}`,
      against: "cmp of equal files",
      unit: "ms",
      reference: median(references),
      here: median(heres[i]!),
      ...(goal === undefined ? {} : { goal }),
    }));
    return [...rows, {
      what: "default validator, growth of memory",
      unit: "MiB",
      here: growthMib,
      goal: 32,
    }];
  }, "/dev/shm");
}

/** The default output validator. */
export const checkerBenchmark: Benchmark = {
  name: "checker",
  summary: "the default output validator on 100 MB against cmp",
  measure,
};
