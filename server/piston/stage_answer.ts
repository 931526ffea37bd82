/** Tells clients of Piston how a stage ended. */

import { SIGNALS } from "../../mod.ts";
import type { StageEnding, StageResult } from "../engine/types.ts";

/** Ended by an error, a signal, a time limit, the limits of standard output and error; or the server failed. */
export type PistonStatus = "RE" | "SG" | "TO" | "OL" | "EL" | "XX";

/** How a stage ended. */
export interface PistonEnding {
  readonly code: number | null;
  readonly signal: string | null;
  readonly message: string | null;
  readonly status: PistonStatus | null;
  /** In milliseconds. */
  readonly cpu_time: number;
  /** In milliseconds. */
  readonly wall_time: number;
  /** In bytes. */
  readonly memory: number;
}

/** A stage with its output. */
export interface PistonStage extends PistonEnding {
  readonly stdout: string;
  readonly stderr: string;
  readonly output: string;
}

const SIGNAL_NAMES = new Map<number, string>(
  Object.entries(SIGNALS).map(([name, number]) => [number, name]),
);

/** Makes the answer about a stage. */
export function stageAnswer(result: StageResult): PistonStage {
  const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return {
    stdout: decode(result.stdout),
    stderr: decode(result.stderr),
    output: decode(result.output),
    ...endingAnswer(result),
  };
}

/** Makes the answer about the end of a stage. */
export function endingAnswer(result: StageResult): PistonEnding {
  const status = statusOf(result.ending);
  // What was killed for a limit may have ended in some other way before.
  const isKilled = status === "TO" || status === "OL" || status === "EL";
  const signal = isKilled ? SIGNALS.SIGKILL : result.signal;
  return {
    code: signal === undefined ? result.exitCode ?? null : null,
    signal: signal === undefined ? null : SIGNAL_NAMES.get(signal) ?? `SIG${signal}`,
    message: result.message === "" ? null : result.message,
    status,
    cpu_time: Math.round(result.cpuTimeMs),
    wall_time: Math.round(result.wallTimeMs),
    memory: result.memoryKib * 1024,
  };
}

function statusOf(ending: StageEnding): PistonStatus | null {
  switch (ending.kind) {
    case "exited":
      return ending.exitCode === 0 ? null : "RE";
    case "signal":
    case "memory-limit":
      return "SG";
    case "time-limit":
      return "TO";
    case "output-limit":
      return ending.stream === "stdout" ? "OL" : "EL";
    case "not-executed":
      return "RE";
    case "failed":
    case "cancelled":
      return "XX";
  }
}
