/** Reads the body of an execute request, which the socket's first message has, too. */

import type { Job, JobFile, JobRun, StageLimits } from "../engine/types.ts";
import { fileNameComplaint } from "../engine/job_check.ts";
import { HttpError } from "../http/failure.ts";
import type { ServerSettings } from "../settings.ts";
import type { KnownRuntime } from "./runtimes.ts";

/** What a client wants, as far as it is right. */
export interface ExecuteRequest {
  readonly language: string;
  readonly version: string;
  /** The main file is the first one. */
  readonly files: readonly JobFile[];
  readonly args: readonly string[];
  readonly stdin: string;
  readonly compile: StageLimits;
  readonly run: StageLimits;
}

type Body = Readonly<Record<string, unknown>>;

/** Both stages have limits of these names, such as `run_timeout`. */
const STAGES = ["compile", "run"] as const;
const ARGUMENTS_MAX = 1024;
const KIB = 1024;
/** A process cannot be limited to less, and nothing runs in it either. */
const MEMORY_MIN_KIB = 1024;

/** Reads a request, or throws what is wrong with it. */
export function readExecuteRequest(value: unknown, settings: ServerSettings): ExecuteRequest {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong("the body of the request must be an object");
  }
  const body = value as Body;
  return {
    language: required(body, "language"),
    version: required(body, "version"),
    files: readFiles(body["files"], settings.filesMax),
    args: readArguments(body["args"]),
    stdin: optionalText(body, "stdin"),
    compile: readLimits(body, "compile", settings),
    run: readLimits(body, "run", settings),
  };
}

/** Makes the job of a request. */
export function jobOf(
  request: ExecuteRequest,
  { runtime, stdin }: { runtime: KnownRuntime; stdin: JobRun["stdin"] },
): Job {
  const { files, args, compile, run } = request;
  return {
    // Not the client's name for its request: a queue takes two jobs of one id for one job.
    id: crypto.randomUUID(),
    language: runtime.id,
    files,
    compile: { limits: compile },
    runs: [{ args, stdin, limits: run }],
  };
}

/** The input of a program ends with the end of a line, as clients are used to. */
export function wholeLines(text: string): JobRun["stdin"] {
  return new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`);
}

function readFiles(value: unknown, filesMax: number): JobFile[] {
  if (!Array.isArray(value)) throw wrong("files is required as an array");
  if (value.length > filesMax) throw wrong(`files must be at most ${filesMax}`);
  const files = value.map((file, i) => ({ ...readFile(file, i), isText: isText(file) }));
  const main = files.findIndex(({ isText }) => isText);
  if (main < 0) throw wrong("files must include at least one utf8 encoded file");
  const ordered = [files[main]!, ...files.filter((_, i) => i !== main)];
  return ordered.map(({ name, content }) => ({ name, content }));
}

function readFile(file: unknown, i: number): JobFile {
  const place = `files[${i}]`;
  if (typeof file !== "object" || file === null) throw wrong(`${place} must be an object`);
  const { name, content, encoding } = file as Body;
  if (typeof content !== "string") throw wrong(`${place}.content is required as a string`);
  if (name !== undefined && name !== null && typeof name !== "string") {
    throw wrong(`${place}.name must be a string`);
  }
  if (encoding !== undefined && encoding !== null && typeof encoding !== "string") {
    throw wrong(`${place}.encoding must be utf8, base64 or hex`);
  }
  const path = name || `file${i}.code`;
  const complaint = fileNameComplaint(path);
  if (complaint !== undefined) throw wrong(`${place}.name: ${complaint}`);
  return { name: path, content: decodeContent(content, { encoding, place }) };
}

/** An encoding that nobody knows is that of text, as clients may rely on. */
function isText(file: unknown): boolean {
  const { encoding } = file as Body;
  return encoding !== "base64" && encoding !== "hex";
}

function decodeContent(
  content: string,
  { encoding, place }: { encoding: unknown; place: string },
): JobFile["content"] {
  try {
    // Clients send both alphabets, and line feeds.
    if (encoding === "base64") {
      return Uint8Array.fromBase64(content.replaceAll("-", "+").replaceAll("_", "/"));
    }
    if (encoding === "hex") return Uint8Array.fromHex(content);
  } catch {
    throw wrong(`${place}.content must be valid ${encoding}`);
  }
  return new TextEncoder().encode(content);
}

function readArguments(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((word) => typeof word === "string")) {
    throw wrong("args must be an array of strings");
  }
  if (value.length > ARGUMENTS_MAX) throw wrong(`args must be at most ${ARGUMENTS_MAX}`);
  return value;
}

function readLimits(
  body: Body,
  stage: typeof STAGES[number],
  settings: ServerSettings,
): StageLimits {
  const configured = stage === "run" ? settings.runLimits : settings.compileLimits;
  const { memoryKib = Infinity } = configured;
  const memory = bounded(body, `${stage}_memory_limit`, memoryKib * KIB, { minusOne: true });
  return {
    ...configured,
    wallTimeMs: bounded(body, `${stage}_timeout`, configured.wallTimeMs) || configured.wallTimeMs,
    cpuTimeMs: bounded(body, `${stage}_cpu_time`, configured.cpuTimeMs) || configured.cpuTimeMs,
    ...memory > 0 && memory < Infinity &&
      { memoryKib: Math.max(MEMORY_MIN_KIB, Math.floor(memory / KIB)) },
  };
}

/** Reads a number up to what is configured; 0 and nothing are the configured one. */
function bounded(
  body: Body,
  name: string,
  most: number,
  { minusOne = false }: { minusOne?: boolean } = {},
): number {
  const value = body[name];
  if (value === undefined || value === null || value === 0) return most;
  if (typeof value !== "number") throw wrong(`If specified, ${name} must be a number`);
  if (minusOne && value === -1) return most;
  if (value < 0) throw wrong(`${name} must be non-negative`);
  if (value > most) throw wrong(`${name} cannot exceed the configured limit of ${most}`);
  return value;
}

function required(body: Body, name: string): string {
  const value = body[name];
  if (typeof value === "string" && value !== "") return value;
  throw wrong(`${name} is required as a string`);
}

function optionalText(body: Body, name: string): string {
  const value = body[name];
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  throw wrong(`${name} must be a string`);
}

function wrong(message: string): HttpError {
  return new HttpError(400, message);
}
