/** The subcommands that print texts made from the option table. */

import { completionScript, parseCompletionShell } from "./completions.ts";
import { UsageError, write } from "./complain.ts";
import type { Subcommand } from "./help.ts";
import { manualPage } from "./manual.ts";

/** What the texts are about. */
export interface TextFacts {
  /** The version of the command. */
  readonly version: string;
  /** The subcommands. */
  readonly subcommands: readonly Subcommand[];
}

/** `isolate completions SHELL`. */
export function printCompletions(args: readonly string[], facts: TextFacts): Promise<number> {
  if (args.length !== 1) {
    throw new UsageError("completions takes one shell: bash, zsh or fish");
  }
  write(Deno.stdout, completionScript(parseCompletionShell(args[0]!), facts.subcommands));
  return Promise.resolve(0);
}

/** `isolate manual`. */
export function printManual(args: readonly string[], facts: TextFacts): Promise<number> {
  if (args.length > 0) throw new UsageError(`manual takes no parameters, but got: ${args[0]}`);
  write(Deno.stdout, manualPage(facts));
  return Promise.resolve(0);
}
