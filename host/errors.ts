/** The errors of the sandbox itself. What a program does is never an error, it is an outcome. */

import { ShimError } from "../ffi/library.ts";
import { errnoName, errnoText } from "../ffi/errno.ts";
import { SystemError } from "../ffi/system.ts";
import { ExpectedError } from "../text/errors.ts";
import { explainRefusal } from "./refusals.ts";

/** What kind of trouble the sandbox has; stable, for callers that react to it. */
export type SandboxErrorKind =
  | "missing-rights"
  | "missing-kernel-feature"
  | "missing-shim"
  | "control-group"
  | "bad-option"
  | "box-in-use"
  | "foreign-box"
  | "incompatible-box"
  | "uninitialised-box"
  | "no-box"
  | "restricted"
  | "no-free-box"
  | "pool-closed"
  | "hostile-path"
  | "stream"
  | "no-file"
  | "too-large"
  | "system"
  | "internal";

/** More about a {@linkcode SandboxError}. */
export interface SandboxErrorOptions extends ErrorOptions {
  /** The system call that failed, such as `open_tree`. */
  step?: string;
  /** Its error number, positive. */
  errno?: number;
}

/**
 * The sandbox could not do its work. The message is one sentence that names the option or rule, the
 * path, and the reason.
 *
 * @example
 * ```ts
 * import { SandboxError } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new SandboxError("box-in-use", "This box is currently in use by another process");
 * assertEquals(error.kind, "box-in-use");
 * ```
 */
export class SandboxError extends ExpectedError {
  /** Always `"SandboxError"`. */
  override readonly name = "SandboxError";
  /** What kind of trouble it is. */
  readonly kind: SandboxErrorKind;
  /** The system call that failed, such as `open_tree`; undefined if none did. */
  readonly step: string | undefined;
  /** Its error number, positive; undefined if no call failed. */
  readonly errno: number | undefined;

  /** The name of the error number, such as `ENOENT`; undefined if no call failed. */
  get code(): string | undefined {
    return this.errno === undefined ? undefined : errnoName(this.errno);
  }

  /** The error number in words, such as `No such file or directory`; undefined if no call failed. */
  get reason(): string | undefined {
    return this.errno === undefined ? undefined : errnoText(this.errno);
  }

  /**
   * Makes an error.
   *
   * @param kind what kind of trouble it is
   * @param message one sentence for people
   * @param options the call that failed and the cause
   */
  constructor(kind: SandboxErrorKind, message: string, options: SandboxErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.step = options.step;
    this.errno = options.errno;
  }
}

/**
 * Turns what the lower layers throw into a {@linkcode SandboxError}; anything else stays as it is.
 */
export function toSandboxError(error: unknown): unknown {
  if (error instanceof SystemError) {
    const options: SandboxErrorOptions = { cause: error, errno: error.errno };
    if (error.step) options.step = error.step.operation;
    const why = explainRefusal(error);
    const message = why === undefined ? error.message : `${error.message}: ${why}`;
    return new SandboxError(error.step ? "system" : "internal", message, options);
  }
  if (error instanceof ShimError) {
    return new SandboxError("missing-shim", error.message, { cause: error });
  }
  return error;
}

/** Does something for a caller of the library, who gets errors of the sandbox's own kind. */
export function translatedSync<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toSandboxError(error);
  }
}

/** Does the same for work that takes time. */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toSandboxError(error);
  }
}
