/** How a stage ended, told in the words of the engine. */

import { type Outcome, outcomeMessage, SIGNALS, type Usage } from "../../mod.ts";
import type { StageOutput } from "./stage_output.ts";
import type { Bytes, StageEnding, StageResult } from "./types.ts";

const NO_BYTES: Bytes = new Uint8Array();

/** Makes the result of a stage that was run. */
export function stageResult(
  outcome: Outcome,
  { output, isHeapFull = false }: {
    output: StageOutput;
    /** Whether its runtime gave up for lack of memory. */
    isHeapFull?: boolean;
  },
): StageResult {
  const ending = isHeapFull ? { kind: "memory-limit" } as const : endingOf(outcome);
  const isFine = ending.kind === "exited" && ending.exitCode === 0;
  return {
    ending,
    message: isFine
      ? ""
      : ending.kind === "memory-limit"
      ? "Memory limit exceeded"
      : outcomeMessage(outcome),
    ...statusOf(outcome),
    ...writtenTo(output),
    cpuTimeMs: outcome.usage.cpuTimeMs,
    wallTimeMs: outcome.usage.wallTimeMs,
    memoryKib: memoryKib(outcome.usage),
  };
}

/** Makes the result of a stage that did not take place, or whose result nobody waits for. */
export function unfinished(
  ending: Extract<StageEnding, { kind: "failed" | "cancelled" }>,
  output?: StageOutput,
): StageResult {
  return {
    ending,
    message: ending.kind === "failed" ? ending.reason : "Cancelled",
    ...writtenTo(output),
    cpuTimeMs: 0,
    wallTimeMs: 0,
    memoryKib: 0,
  };
}

/** Lists the streams of a result. */
export function writtenTo(output: StageOutput | undefined): Pick<
  StageResult,
  "stdout" | "stderr" | "output" | "isStdoutTruncated" | "isStderrTruncated"
> {
  return {
    stdout: output?.stdout.bytes ?? NO_BYTES,
    stderr: output?.stderr.bytes ?? NO_BYTES,
    output: output?.both ?? NO_BYTES,
    isStdoutTruncated: output?.stdout.truncated ?? false,
    isStderrTruncated: output?.stderr.truncated ?? false,
  };
}

function endingOf(outcome: Outcome): StageEnding {
  switch (outcome.kind) {
    case "exit":
      return outcome.notExecuted
        ? { kind: "not-executed", code: outcome.notExecuted.code }
        : { kind: "exited", exitCode: outcome.exitCode };
    case "signal":
      return { kind: "signal", signal: outcome.signal };
    case "time-limit":
      return { kind: "time-limit", limit: outcome.limit };
    case "memory-limit":
      return { kind: "memory-limit" };
    case "output-limit":
      return { kind: "output-limit", stream: outcome.stream };
    case "interrupted":
      return { kind: "cancelled" };
  }
}

/** What is known of the end of the main process; whatever the executor kills dies of SIGKILL. */
function statusOf(outcome: Outcome): Pick<StageResult, "exitCode" | "signal"> {
  const ending = outcome.kind === "exit"
    ? { how: "exit" as const, exitCode: outcome.exitCode }
    : outcome.kind === "signal"
    ? { how: "signal" as const, signal: outcome.signal }
    : "ending" in outcome
    ? outcome.ending
    : undefined;
  return ending?.how === "exit"
    ? { exitCode: ending.exitCode }
    : { signal: ending?.signal ?? SIGNALS.SIGKILL };
}

function memoryKib({ controlGroup, maxRssKib }: Usage): number {
  return controlGroup?.peakMemoryKib ?? maxRssKib;
}
