/** Runs generators: programs that write inputs. */

import { Capture } from "../../mod.ts";
import { cut, sizeText } from "../../text/quantities.ts";
import { visibleText } from "../../text/visible.ts";
import { PROGRAM_BYTES_MAX, TreeWatch } from "../compile/box_tree.ts";
import type { Program } from "../compile/program.ts";
import { describeEnding } from "../grading/outcome_verdict.ts";
import type { ProblemLimits } from "../types.ts";
import { wallTimeMs } from "./idle_watchdog.ts";
import type { Worker } from "./workers.ts";

const INPUT_BYTES = 64 << 20;
const STDERR_BYTES = 4096;
const SENTENCE_LENGTH = 200;
/** Generators may write their input here instead of to standard output. */
const FILE = "testcase.in";

/** The input that a generator writes, or why it writes none: the rest of a sentence about it. */
export type GeneratedInput =
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly failure: string };

/** Runs a generator. */
export async function generateInput(
  generator: Program,
  { worker, args, limits, signal }: {
    worker: Worker;
    args: readonly string[];
    limits: ProblemLimits;
    signal: AbortSignal;
  },
): Promise<GeneratedInput> {
  const { box, cpus } = worker;
  await box.clear();
  const { command, ...own } = generator.invocation({
    timeLimitMs: limits.validationTimeMs,
    memoryKib: limits.validationMemoryKib,
    controlGroup: box.hasControlGroup,
  });
  const said = new Capture({ limitBytes: INPUT_BYTES });
  const stderr = new Capture({ limitBytes: STDERR_BYTES, overflow: "discard" });
  await using tree = new TreeWatch(box.files);
  const outcome = await box.run([...command, ...args], {
    ...own,
    limits: { ...own.limits, wallTimeMs: wallTimeMs(limits.validationTimeMs) },
    stdin: "none",
    stdout: said,
    stderr,
    signal: AbortSignal.any([signal, tree.signal]),
    ...cpus && { cpus },
  });
  if (tree.isTooLarge) {
    return { failure: `writes more than ${PROGRAM_BYTES_MAX >> 20} MiB to files` };
  }
  if (outcome.kind === "output-limit") {
    return { failure: `writes more than ${sizeText(INPUT_BYTES >> 10)}` };
  }
  if (outcome.kind !== "exit" || outcome.exitCode !== 0) {
    const last = visibleText(stderr.text().trim().split("\n").at(-1) ?? "");
    const ending = describeEnding(outcome);
    return { failure: `fails: ${ending}${last && `: ${cut(last, SENTENCE_LENGTH)}`}` };
  }
  const entry = (await box.files.list(".")).find(({ name }) => name === FILE);
  if (entry?.kind !== "file") return { bytes: said.bytes.slice() };
  return { bytes: await box.files.read(FILE, { limitBytes: INPUT_BYTES }) };
}
