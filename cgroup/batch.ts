/** Several files of control groups read, written and opened in one call of the shim. */

import { ERRNO, errnoName, errnoText } from "../ffi/errno.ts";
import { AT_FDCWD, O_CLOEXEC, O_NOFOLLOW, O_RDONLY, O_WRONLY } from "../ffi/linux.ts";
import { type Data, Plan, type Slot } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { ControlGroupError } from "./types.ts";

/** Writes down what is done with control groups: 1, in general; 2, each file. */
export type ControlGroupLog = (level: 1 | 2, message: () => string) => void;

/** The kernel hands out at most a page of such a file at once. */
const READ_BYTES = 4096;

/** How a file is used. */
export interface AccessOptions {
  /** Errors that are no failure; {@linkcode Access.errno} has them. */
  readonly tolerate?: readonly number[];
}

/** What came of reading, writing or opening a file. */
export class Access {
  /** What was tried, as the rest of a sentence that begins with "cannot". */
  readonly what: string;
  /** The number of the error; 0: none. */
  errno = 0 as number;
  /** What was read, without the last newline; undefined if nothing could be. */
  text: string | undefined;
  /** The descriptor that was opened; -1: none. */
  fd = -1 as number;

  constructor(what: string) {
    this.what = what;
  }

  /** The error as a sentence. */
  get complaint(): string {
    const reason = this.errno === ERRNO.ENOENT
      ? "there is no such file or control group"
      : `${errnoText(this.errno)} (${errnoName(this.errno)})`;
    return `Cannot ${this.what}: ${reason}`;
  }
}

interface Planned {
  readonly access: Access;
  readonly file: Slot;
  readonly tolerate: readonly number[];
  /** How many bytes were read or written, unless the file is only opened. */
  readonly transfer?: Slot;
  /** What was read. */
  readonly buffer?: Data;
}

/** Reads, writes and openings that are carried out in order. */
export class Batch {
  readonly #system: System;
  readonly #log: ControlGroupLog;
  readonly #plan = new Plan();
  readonly #planned: Planned[] = [];

  constructor(system: System, log: ControlGroupLog) {
    this.#system = system;
    this.#log = log;
  }

  /** Reads a small file, or of a larger one the complete lines of the first page. */
  read(path: string, options: AccessOptions = {}): Access {
    const planned = this.#open(`read ${path}`, path, { flags: O_RDONLY, ...options });
    const buffer = this.#plan.alloc(READ_BYTES);
    return this.#transfer({ ...planned, buffer }, "read", [buffer, READ_BYTES]);
  }

  /** Writes a value in one call, as the kernel wants it. */
  write(path: string, value: string, options: AccessOptions = {}): Access {
    const what = `write ${JSON.stringify(value)} to ${path}`;
    const planned = this.#open(what, path, { flags: O_WRONLY, ...options });
    const text = this.#plan.string(value);
    return this.#transfer(planned, "write", [text, text.length - 1]);
  }

  /** Opens a file or directory, to be kept open. */
  open(path: string, options: AccessOptions & { flags: number }): Access {
    const planned = this.#open(`open ${path}`, path, options);
    this.#planned.push(planned);
    return planned.access;
  }

  /** Carries everything out. */
  run(title: string): void {
    this.#system.run(this.#plan, title);
    for (const planned of this.#planned) this.#finish(planned);
    const failed = this.#planned.find(({ access, tolerate }) =>
      access.errno !== 0 && !tolerate.includes(access.errno)
    );
    if (!failed) return;
    this.#system.close(...this.#planned.map(({ access }) => access.fd));
    throw new ControlGroupError(failed.access.complaint);
  }

  #open(
    what: string,
    path: string,
    { flags, tolerate = [] }: AccessOptions & { flags: number },
  ): Planned {
    const file = this.#plan.slot("file");
    const args = [AT_FDCWD, this.#plan.string(path), flags | O_CLOEXEC | O_NOFOLLOW, 0];
    this.#plan.step("openat", args, { into: file, ignore: "all" });
    return { access: new Access(what), file, tolerate };
  }

  #transfer(planned: Planned, operation: "read" | "write", [data, length]: [Data, number]): Access {
    const { access, file } = planned;
    const transfer = this.#plan.slot("length");
    this.#plan.step(operation, [file, data, length], { into: transfer, ignore: "all" });
    this.#plan.step("close", [file], { ignore: "all" });
    this.#planned.push({ ...planned, transfer });
    return access;
  }

  #finish({ access, file, transfer, buffer }: Planned): void {
    const opened = this.#plan.result(file);
    const transferred = transfer === undefined ? 0 : this.#plan.result(transfer);
    access.errno = Math.max(0, opened < 0 ? -opened : -transferred);
    if (transfer === undefined) access.fd = opened < 0 ? -1 : opened;
    if (buffer && access.errno === 0) {
      const text = new TextDecoder().decode(this.#plan.content(buffer, transferred));
      access.text = completeLines(text, transferred === READ_BYTES).trimEnd();
    }
    if (transfer === undefined) return;
    this.#log(2, () => {
      if (access.errno !== 0) return `Control group: ${access.complaint}`;
      const value = access.text === undefined ? "" : `: ${JSON.stringify(access.text)}`;
      return `Control group: ${access.what}${value}`;
    });
  }
}

/** A process id that was cut in two is the id of another process. */
function completeLines(text: string, isFull: boolean): string {
  return isFull ? text.slice(0, text.lastIndexOf("\n") + 1) : text;
}
