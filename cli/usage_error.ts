/** The line printed below every complaint about the command line. */
export const USAGE_HINT = "Try 'isolate --help' for the list of options.";

/**
 * The command line is wrong: the complaint is one sentence for the person who typed it.
 *
 * Everything in `cli/` that reads arguments throws this class and no other for what the user typed, so that
 * whoever called can print `message` and {@linkcode USAGE_HINT} and exit with status 2.
 */
export class UsageError extends Error {
  /** Always `UsageError`. */
  override readonly name = "UsageError";
}
