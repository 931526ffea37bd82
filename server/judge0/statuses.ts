/** What becomes of submissions, in Judge0's words and numbers. */

import type { StageResult } from "../engine/types.ts";

/** A status as clients see it. */
export interface SubmissionStatus {
  readonly id: number;
  readonly description: string;
}

/** The numbers of statuses by name. */
export const STATUS = {
  inQueue: 1,
  processing: 2,
  accepted: 3,
  wrongAnswer: 4,
  timeLimit: 5,
  compilationError: 6,
  sigsegv: 7,
  sigxfsz: 8,
  sigfpe: 9,
  sigabrt: 10,
  nonZeroExit: 11,
  otherRuntimeError: 12,
  internalError: 13,
  execFormatError: 14,
} as const;

/** All statuses in order. */
export const STATUSES: readonly SubmissionStatus[] = [
  { id: STATUS.inQueue, description: "In Queue" },
  { id: STATUS.processing, description: "Processing" },
  { id: STATUS.accepted, description: "Accepted" },
  { id: STATUS.wrongAnswer, description: "Wrong Answer" },
  { id: STATUS.timeLimit, description: "Time Limit Exceeded" },
  { id: STATUS.compilationError, description: "Compilation Error" },
  { id: STATUS.sigsegv, description: "Runtime Error (SIGSEGV)" },
  { id: STATUS.sigxfsz, description: "Runtime Error (SIGXFSZ)" },
  { id: STATUS.sigfpe, description: "Runtime Error (SIGFPE)" },
  { id: STATUS.sigabrt, description: "Runtime Error (SIGABRT)" },
  { id: STATUS.nonZeroExit, description: "Runtime Error (NZEC)" },
  { id: STATUS.otherRuntimeError, description: "Runtime Error (Other)" },
  { id: STATUS.internalError, description: "Internal Error" },
  { id: STATUS.execFormatError, description: "Exec Format Error" },
];

/** The numbers of signals on Linux, whichever machine it runs on. */
const SIGNAL_STATUS: Readonly<Record<number, number>> = {
  6: STATUS.sigabrt,
  8: STATUS.sigfpe,
  11: STATUS.sigsegv,
  25: STATUS.sigxfsz,
};

/** Finds the status that a number means. */
export function statusOf(id: number): SubmissionStatus {
  return STATUSES[id - 1]!;
}

/** Tells the status of a run. */
export function runStatus({ ending, isAccepted }: StageResult): number {
  switch (ending.kind) {
    case "exited":
      if (ending.exitCode !== 0) return STATUS.nonZeroExit;
      return isAccepted === false ? STATUS.wrongAnswer : STATUS.accepted;
    case "signal":
      return SIGNAL_STATUS[ending.signal] ?? STATUS.otherRuntimeError;
    case "time-limit":
      return STATUS.timeLimit;
    case "memory-limit":
      return STATUS.otherRuntimeError;
    case "output-limit":
      // There, the limit of file sizes ends a program that writes too much.
      return STATUS.sigxfsz;
    case "not-executed":
      return STATUS.execFormatError;
    case "failed":
    case "cancelled":
      return STATUS.internalError;
  }
}
