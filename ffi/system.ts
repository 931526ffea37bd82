/**
 * Executes plans and turns failures into errors for people; and the few typed calls that several
 * parts need.
 */

import { joinBytes } from "../text/bytes.ts";
import { ExpectedError } from "../text/errors.ts";
import { ERRNO, errnoName, errnoText } from "./errno.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  CLOCK_MONOTONIC,
  O_CLOEXEC,
  O_NONBLOCK,
  STATX_BASIC_STATS,
} from "./linux.ts";
import { type Library, library } from "./library.ts";
import { decodeOsString } from "../text/os_string.ts";
import { type Data, Plan, type Step } from "./plan.ts";

/** A step of a plan has failed. */
export class SystemError extends Error {
  /** Always `"SystemError"`. */
  override readonly name = "SystemError";
  /** The step that failed; undefined if the plan itself was refused. */
  readonly step: Step | undefined;
  /** The error number, such as 2. */
  readonly errno: number;
  /** Its name, such as `ENOENT`. */
  readonly code: string;

  /** Describes a failure. */
  constructor(step: Step | undefined, errno: number) {
    super(describeFailure(step, errno));
    this.step = step;
    this.errno = errno;
    this.code = errnoName(errno);
  }
}

function describeFailure(step: Step | undefined, errno: number): string {
  if (step === undefined) return "The shim refused a malformed plan (a bug in isolate)";
  const path = step.args.find((arg) => typeof arg === "object" && "text" in arg && arg.text);
  const what = step.options.what ??
    (path ? `${step.operation} ${(path as Data).text}` : step.operation);
  const detail = `${errnoText(errno)} (${step.operation}: ${errnoName(errno)})`;
  const reason = step.reason === "" ? "" : `${step.reason}: `;
  return `${reason}${step.reason === "" ? "Cannot" : "cannot"} ${what}: ${detail}`;
}

/** What a statx(2) tells. */
export interface FileStatus {
  /** Type and permission bits. */
  readonly mode: number;
  /** Owner. */
  readonly uid: number;
  /** Group. */
  readonly gid: number;
  /** Number of hard links. */
  readonly links: number;
  /** Inode and device as one comparable text. */
  readonly identity: string;
  /** Size in bytes. */
  readonly sizeBytes: number;
}

/** The size of the kernel's `struct statx`. */
export const STATX_SIZE = 256;

/** Reads the kernel's `struct statx`; see statx(2). */
export function readStatx(view: DataView): FileStatus {
  return {
    links: view.getUint32(16, true),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    mode: view.getUint16(28, true),
    identity: `${view.getUint32(136, true)}:${view.getUint32(140, true)}:${
      view.getBigUint64(32, true)
    }`,
    sizeBytes: Number(view.getBigUint64(40, true)),
  };
}

/** The kernel, through the shim. */
export class System {
  /** The loaded shim. */
  readonly library: Library;
  /** Called with every plan before it is executed, for tracing. */
  readonly trace: ((plan: Plan, title: string) => void) | undefined;

  /** Reaches the kernel through a shim. */
  constructor(library: Library, trace?: (plan: Plan, title: string) => void) {
    this.library = library;
    this.trace = trace;
  }

  /** Loads the shim. */
  static async load(trace?: (plan: Plan, title: string) => void): Promise<System> {
    return new System(await library(), trace);
  }

  /** Executes a plan. */
  run(plan: Plan, title: string): void {
    const failure = this.attempt(plan, title);
    if (failure) throw failure;
  }

  /** Executes a plan. */
  attempt(plan: Plan, title: string): SystemError | undefined {
    return this.prepare(plan, title)();
  }

  /** Encodes a plan that is to be executed many times. */
  prepare(plan: Plan, title: string): () => SystemError | undefined {
    this.trace?.(plan, title);
    const image = plan.encode();
    return () => this.#execute(plan, image);
  }

  #execute(plan: Plan, image: Uint8Array<ArrayBuffer>): SystemError | undefined {
    if (this.library.exec(image) === 0) return undefined;
    const view = new DataView(image.buffer);
    const errno = view.getInt32(36, true);
    if (errno === 0) return new SystemError(undefined, ERRNO.EINVAL);
    const index = view.getUint32(32, true);
    return new SystemError([...plan.steps, ...plan.childSteps()][index], errno);
  }

  /** Closes descriptors; one that is not open is no error. */
  close(...fds: number[]): void {
    const plan = new Plan();
    for (const fd of fds) if (fd >= 0) plan.step("close", [fd], { ignore: "all" });
    if (plan.steps.length > 0) this.attempt(plan, "close");
  }

  /** Reads a whole small file. */
  readFile(
    path: string,
    options: { limitBytes?: number } = {},
  ): { bytes: Uint8Array<ArrayBuffer>; status: FileStatus } | undefined {
    const limit = options.limitBytes ?? 1 << 20;
    const plan = new Plan();
    const fd = plan.slot("file");
    // Never wait for a writer, should somebody have put a FIFO there.
    plan.step("openat", [AT_FDCWD, plan.string(path), O_CLOEXEC | O_NONBLOCK, 0], {
      into: fd,
      what: `open ${path}`,
    });
    const status = plan.alloc(STATX_SIZE);
    plan.step("statx", [fd, plan.string(""), AT_EMPTY_PATH, STATX_BASIC_STATS, status]);
    const failure = this.attempt(plan, `open ${path}`);
    if (failure?.errno === ERRNO.ENOENT) return undefined;
    if (failure) throw failure;
    try {
      return {
        bytes: this.#readAll(plan.result(fd), limit, path),
        status: readStatx(plan.view(status)),
      };
    } finally {
      this.close(plan.result(fd));
    }
  }

  #readAll(fd: number, limit: number, path: string): Uint8Array<ArrayBuffer> {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let total = 0;
    for (;;) {
      const plan = new Plan();
      const buffer = plan.alloc(65536);
      const count = plan.slot("bytes");
      plan.step("read", [fd, buffer, buffer.length], { into: count, what: `read ${path}` });
      this.run(plan, `read ${path}`);
      const length = plan.result(count);
      if (length === 0) break;
      total += length;
      if (total > limit) throw new ExpectedError(`Cannot read ${path}: larger than ${limit} bytes`);
      pieces.push(plan.content(buffer, length));
    }
    return joinBytes(pieces, total);
  }

  /** Writes all bytes to a descriptor. */
  writeAll(fd: number, bytes: Uint8Array, what: string): void {
    for (let at = 0; at < bytes.length;) {
      const plan = new Plan();
      const rest = plan.bytes(bytes.subarray(at));
      const written = plan.slot("written");
      plan.step("write", [fd, rest, rest.length], { into: written, what: `write ${what}` });
      this.run(plan, `write ${what}`);
      at += plan.result(written);
    }
  }

  /** The environment with which this process was started; reading it so needs no permission. */
  environment(): Map<string, string> {
    const file = this.readFile("/proc/self/environ", { limitBytes: 1 << 26 });
    const variables = new Map<string, string>();
    for (const entry of file ? decodeOsString(file.bytes).split("\0") : []) {
      const equals = entry.indexOf("=");
      if (equals > 0) variables.set(entry.slice(0, equals), entry.slice(equals + 1));
    }
    return variables;
  }

  /**
   * The command line with which this process was started; reading it so needs no permission, and
   * keeps bytes that are no UTF-8.
   */
  commandLine(): string[] {
    const file = this.readFile("/proc/self/cmdline", { limitBytes: 1 << 26 });
    return file ? decodeOsString(file.bytes).split("\0").slice(0, -1) : [];
  }

  /** Now, on the clock that wall time is measured with. */
  nowMs(): number {
    return this.clockMs(CLOCK_MONOTONIC) ?? 0;
  }

  /** Reads a clock; see clock_gettime(2). */
  clockMs(clock: number): number | undefined {
    const plan = new Plan();
    const time = plan.alloc(16);
    plan.step("clock_gettime", [clock, time]);
    return this.attempt(plan, "clock") ? undefined : timespecMs(plan.view(time), 0);
  }
}

/** Reads the kernel's `struct timespec`. */
export function timespecMs(view: DataView, at: number): number {
  return Number(view.getBigInt64(at, true)) * 1e3 + Number(view.getBigInt64(at + 8, true)) / 1e6;
}
