/** Outcomes and the classic meta-file: from one to the other and back. */

import { SIGXFSZ } from "../../ffi/linux.ts";
import { SandboxError } from "../../host/errors.ts";
import { type MetaRecord, readMeta } from "./meta.ts";
import {
  endedByItself,
  type Ending,
  endingOf,
  type Outcome,
  outcomeMessage,
  OUTPUT_LIMIT_MESSAGES,
  TIME_LIMIT_MESSAGES,
  type Usage,
} from "./outcome.ts";

/**
 * Translates an outcome into the classic meta-file.
 *
 * The classic statuses have no output limit: it is `SG` by signal 25 (SIGXFSZ) with `killed`, and the
 * message says so.
 *
 * @param outcome what became of the program
 * @returns the record; see `formatMeta()` for its text
 *
 * @example
 * ```ts
 * import { toMeta } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * const usage = {
 *   cpuTimeMs: 1,
 *   wallTimeMs: 2,
 *   maxRssKib: 1000,
 *   voluntaryContextSwitches: 0,
 *   forcedContextSwitches: 0,
 * };
 * assertEquals(toMeta({ kind: "signal", signal: 11, usage }).status, "SG");
 * ```
 */
export function toMeta(outcome: Outcome): MetaRecord {
  const { usage } = outcome;
  const record: MetaRecord = {
    timeMs: usage.cpuTimeMs,
    wallTimeMs: usage.wallTimeMs,
    maxRssKib: usage.maxRssKib,
    voluntaryContextSwitches: usage.voluntaryContextSwitches,
    forcedContextSwitches: usage.forcedContextSwitches,
  };
  if (usage.controlGroup) {
    record.cgEnabled = true;
    record.cgMemKib = usage.controlGroup.peakMemoryKib;
    record.cgOomKilled = usage.controlGroup.oomKills > 0;
  }
  const message = outcomeMessage(outcome);
  const killed = { ...record, killed: true, status: "SG", message } as const;
  switch (outcome.kind) {
    case "exit":
    case "signal":
    case "memory-limit":
      return { ...record, ...endingMeta(endingOf(outcome), message) };
    case "time-limit":
      return { ...record, killed: outcome.killed, status: "TO", message };
    case "output-limit":
      // The kernel sends it for too large a file: to clients the nearest case.
      return { ...killed, exitSignal: SIGXFSZ };
    case "interrupted":
      return { ...killed, exitSignal: outcome.signal };
  }
}

function endingMeta(ending: Ending, message: string): MetaRecord {
  if (ending.how === "signal") return { exitSignal: ending.signal, status: "SG", message };
  if (ending.exitCode === 0) return { exitCode: 0 };
  return { exitCode: ending.exitCode, status: "RE", message };
}

/**
 * Reads the outcome from a meta-file, of this program or of another that writes classic ones.
 *
 * `toMeta(fromMeta(meta))` is `meta` for every record that {@linkcode toMeta} makes. The other way,
 * `fromMeta(toMeta(outcome))` is `outcome` except for what a meta-file cannot express: how a program
 * ended that was over its time limit (`ending` is undefined), how many processes were killed for lack
 * of memory (`oomKills` is 1 if any), and in the text of a file fractions of a millisecond.
 *
 * @param meta the record, or the text of the file
 * @returns what became of the program; usage that is not in the file is 0
 * @throws {SyntaxError} if it is not a meta-file, or holds no outcome
 * @throws {SandboxError} `internal` with the message of the file, if the status is `XX`: the sandbox
 *   failed, and nothing is known of the program
 *
 * @example
 * ```ts
 * import { fromMeta } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * const outcome = fromMeta("status:TO\nmessage:Time limit exceeded\nkilled:1\ntime:1.050\n");
 * assertEquals([outcome.kind, outcome.usage.cpuTimeMs], ["time-limit", 1050]);
 * ```
 */
export function fromMeta(meta: MetaRecord | string): Outcome {
  const record = typeof meta === "string" ? readMeta(meta) : meta;
  const { status, message, exitCode, exitSignal: signal, killed = false } = record;
  const usage = usageOf(record);
  if (status === "XX") throw new SandboxError("internal", message ?? "The sandbox failed");
  if (status === "TO") {
    const limit = message === TIME_LIMIT_MESSAGES.wall ? "wall" : "cpu";
    const ending = killed ? undefined : recordedEnding(record);
    return { kind: "time-limit", limit, killed, ending, usage };
  }
  if (status === "SG" && killed) {
    for (const stream of ["stdout", "stderr"] as const) {
      if (message === OUTPUT_LIMIT_MESSAGES[stream]) return { kind: "output-limit", stream, usage };
    }
    return { kind: "interrupted", signal, usage };
  }
  const ending = recordedEnding(record);
  const isSignal = ending?.how === "signal";
  if (!ending || isSignal !== (status === "SG") || (status === "RE") !== (exitCode ?? 0) > 0) {
    const told = `status ${status ?? "none"}, exitcode ${exitCode ?? "none"}, exitsig ${
      signal ?? "none"
    }`;
    throw new SyntaxError(`Cannot read an outcome from the meta-file: it describes none (${told})`);
  }
  if (usage.controlGroup && usage.controlGroup.oomKills > 0) {
    return { kind: "memory-limit", ending, usage };
  }
  return endedByItself(ending, usage);
}

function recordedEnding({ exitCode, exitSignal }: MetaRecord): Ending | undefined {
  if (exitSignal !== undefined) return { how: "signal", signal: exitSignal };
  return exitCode === undefined ? undefined : { how: "exit", exitCode };
}

function usageOf(record: MetaRecord): Usage {
  const hasGroup = record.cgEnabled || record.cgMemKib !== undefined || record.cgOomKilled;
  return {
    cpuTimeMs: record.timeMs ?? 0,
    wallTimeMs: record.wallTimeMs ?? 0,
    maxRssKib: record.maxRssKib ?? 0,
    voluntaryContextSwitches: record.voluntaryContextSwitches ?? 0,
    forcedContextSwitches: record.forcedContextSwitches ?? 0,
    controlGroup: hasGroup
      ? { peakMemoryKib: record.cgMemKib, oomKills: record.cgOomKilled ? 1 : 0 }
      : undefined,
  };
}
