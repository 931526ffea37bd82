/** What a client of `POST /run` is told. */

import type { Bytes, JobResult, StageResult } from "../engine/types.ts";

/** How a stage ended, in one word. */
export type StageStatus =
  /** It exited with 0, and its output was not judged. */
  | "ok"
  /** It exited with 0, and its output is right. */
  | "accepted"
  | "wrong-answer"
  /** The compiler found something. */
  | "compile-error"
  /** It exited with another status, or a signal ended it. */
  | "runtime-error"
  | "time-limit"
  | "memory-limit"
  | "output-limit"
  | "not-executed"
  /** The server is to blame, or a checker. */
  | "failed"
  | "cancelled";

/** A stage. */
export interface StageAnswer {
  readonly status: StageStatus;
  readonly message: string;
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly isStdoutTruncated: boolean;
  readonly isStderrTruncated: boolean;
  readonly cpuTimeMs: number;
  readonly wallTimeMs: number;
  readonly memoryKib: number;
}

/** A test. */
export interface TestAnswer extends StageAnswer {
  /** Its place in the request, from 0. */
  readonly index: number;
  readonly name?: string;
  /** How the output differs, or what the checker says. */
  readonly difference?: string;
}

/** The whole answer. */
export interface RunAnswer {
  readonly id: string;
  /** The first status that is not `ok` or `accepted`, or that of the tests. */
  readonly status: StageStatus;
  readonly version: string;
  readonly isCached: boolean;
  readonly compile: StageAnswer | null;
  readonly tests: readonly TestAnswer[];
}

/** How bytes are written. */
export interface AnswerOptions {
  readonly isBase64: boolean;
}

/** Describes a stage; `isCompiler`: what it finds is an error of compiling. */
export function stageAnswer(
  result: StageResult,
  { isBase64, isCompiler }: AnswerOptions & { readonly isCompiler: boolean },
): StageAnswer {
  const write = (bytes: Bytes) => writeBytes(bytes, { isBase64 });
  const { cpuTimeMs, wallTimeMs, memoryKib } = result;
  const { isStdoutTruncated, isStderrTruncated } = result;
  return {
    status: statusOf(result, { isCompiler }),
    message: result.message,
    exitCode: result.exitCode ?? null,
    signal: result.signal ?? null,
    stdout: write(result.stdout),
    stderr: write(result.stderr),
    isStdoutTruncated,
    isStderrTruncated,
    cpuTimeMs: rounded(cpuTimeMs),
    wallTimeMs: rounded(wallTimeMs),
    memoryKib,
  };
}

/** Describes a test. */
export function testAnswer(
  result: StageResult,
  { index, name, isBase64 }: AnswerOptions & { index: number; name: string | undefined },
): TestAnswer {
  const { difference } = result;
  return {
    index,
    ...name !== undefined && { name },
    ...stageAnswer(result, { isBase64, isCompiler: false }),
    ...difference !== undefined && { difference },
  };
}

/** Describes what became of a request. */
export function runAnswer(
  result: JobResult,
  { id, names, isBase64 }: AnswerOptions & {
    id: string;
    names: readonly (string | undefined)[];
  },
): RunAnswer {
  const compile = result.compile && stageAnswer(result.compile, { isBase64, isCompiler: true });
  const tests = result.runs.map((run, index) =>
    testAnswer(run, { index, name: names[index], isBase64 })
  );
  const all = [...compile ? [compile.status] : [], ...tests.map(({ status }) => status)];
  const bad = all.find((status) => status !== "ok" && status !== "accepted");
  const { version, isCached } = result;
  const status = bad ?? all.at(-1) ?? "failed";
  return { id, status, version, isCached, compile: compile ?? null, tests };
}

/** Writes bytes as the client wants them; what is no UTF-8 gets replacement characters. */
function writeBytes(bytes: Bytes, { isBase64 }: AnswerOptions): string {
  return isBase64 ? bytes.toBase64() : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function statusOf(
  { ending, isAccepted }: StageResult,
  { isCompiler }: { isCompiler: boolean },
): StageStatus {
  switch (ending.kind) {
    case "exited":
      if (ending.exitCode !== 0) return isCompiler ? "compile-error" : "runtime-error";
      if (isAccepted === undefined) return "ok";
      return isAccepted ? "accepted" : "wrong-answer";
    case "signal":
      return isCompiler ? "compile-error" : "runtime-error";
    default:
      return ending.kind;
  }
}

function rounded(timeMs: number): number {
  return Math.round(timeMs * 1000) / 1000;
}
