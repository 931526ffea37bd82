/** How the command says what is wrong: one sentence on standard error. */

import { ExpectedError } from "../text/errors.ts";

/** The exit status of everything that is not the program's fault. */
export const FAILURE_STATUS = 2;

/** The command line is wrong. Everything in `cli/` that reads arguments throws this for what the user typed. */
export class UsageError extends ExpectedError {
  override readonly name = "UsageError";
  /** The command whose help lists what is right, such as `isolate judge`. */
  command = "isolate";
  /** What was typed is right, but not here: also said in the meta-file. */
  isFailure = false;
}

/** Writes a line to standard error. */
export function tell(text: string): void {
  write(Deno.stderr, text + "\n");
}

/** Writes text to a standard stream; ignores that a reader has gone away. */
export function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Says what is wrong, and gives the exit status. */
export function complain(error: unknown): number {
  tell(describeError(error));
  return FAILURE_STATUS;
}

/** Turns what was thrown into text for people: whatever nobody expected is a bug, and shows where it is. */
export function describeError(error: unknown): string {
  if (error instanceof UsageError) {
    return `${error.message}\nTry '${error.command} --help' for the list of options.`;
  }
  if (error instanceof ExpectedError) return error.message;
  const details = error instanceof Error ? error.stack ?? error.message : String(error);
  return `Internal error: this is a bug in isolate, please report it with these lines.\n${details}`;
}
