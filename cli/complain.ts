/** How the command says what is wrong: one sentence on standard error. */

import { USAGE_HINT, UsageError } from "./usage_error.ts";

/** The exit status of everything that is not the program's fault. */
export const FAILURE_STATUS = 2;

/** Writes a line to standard error. */
export function tell(text: string): void {
  write(Deno.stderr, text + "\n");
}

/** Writes text to a standard stream; a reader that has gone away is no reason to fail. */
export function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Says what is wrong. */
export function complain(error: unknown): number {
  tell(error instanceof Error ? describe(error) : String(error));
  if (error instanceof UsageError) tell(USAGE_HINT);
  return FAILURE_STATUS;
}

/** Expected errors are their message; a bug shows where it is. */
function describe(error: Error): string {
  const isExpected = [
    "UsageError",
    "SandboxError",
    "ConfigError",
    "PackageError",
    "RangeError",
    "SyntaxError",
  ]
    .includes(error.name);
  return isExpected ? error.message : `Internal error: ${error.stack ?? error.message}`;
}
