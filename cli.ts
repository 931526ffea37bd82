/**
 * From arguments to an exit status. A first argument that names a subcommand for people is one;
 * anything else with an option in it is the classic command line.
 *
 * @module
 */

import type { Subcommand } from "./cli/help.ts";
import type { TextFacts } from "./cli/texts.ts";

/** The version of the command and the library. */
export const VERSION = "0.1.0";

/** What a subcommand does with its arguments; gives the exit status. */
type Runner = (args: readonly string[], facts: TextFacts) => Promise<number>;

const SUBCOMMANDS: readonly (Subcommand & { load: () => Promise<Runner> })[] = [
  {
    name: "judge",
    usage: "[OPTION...] PACKAGE [SUBMISSION...]",
    summary: "judge submissions by a problem package, or verify the package; see judge --help",
    load: async () => (await import("./cli/judge.ts")).judgePackage,
  },
  {
    name: "check",
    usage: "[-q] [-e] [--json] [--config=FILE]",
    summary: "check whether this machine is a good place for boxes; -e puts right what it can",
    load: async () => (await import("./cli/check.ts")).checkMachine,
  },
  {
    name: "cg-setup",
    usage: "[-v] [--config=FILE]",
    summary: "make the place for control groups of boxes, and print it",
    load: async () => (await import("./cli/control_groups.ts")).setUpGroups,
  },
  {
    name: "cg-keeper",
    usage: "[-v] [--config=FILE]",
    summary: "the service that keeps control groups under systemd, see systemd/isolate.service",
    load: async () => (await import("./cli/control_groups.ts")).keepGroups,
  },
  {
    name: "completions",
    usage: "bash|zsh|fish",
    summary: "print the shell's completion script",
    load: async () => (await import("./cli/texts.ts")).printCompletions,
  },
  {
    name: "manual",
    summary: "print the manual page (roff)",
    load: async () => (await import("./cli/texts.ts")).printManual,
  },
];

/**
 * Runs the command.
 *
 * @param args the arguments after the program's name
 * @returns the exit status: 0, 1 if the program failed, 2 if the sandbox did
 *
 * @example
 * ```ts
 * import { main } from "isolate/cli.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await main(["--version"]), 0);
 * ```
 */
export async function main(args: readonly string[]): Promise<number> {
  const [first] = args;
  const found = SUBCOMMANDS.find(({ name }) => name === first);
  // Classic options may also follow the program: `isolate prog --run`.
  if (first === undefined || (!found && args.some((arg) => arg.startsWith("-")))) {
    const { runClassic } = await import("./cli/classic.ts");
    return await runClassic(args, { version: VERSION, subcommands: SUBCOMMANDS });
  }
  const { complain, UsageError } = await import("./cli/complain.ts");
  if (!found) {
    const names = SUBCOMMANDS.map(({ name }) => name).join(", ");
    return complain(
      new UsageError(
        `Unknown command: ${first} (commands: ${names}; the classic command line begins with an option, ` +
          "e.g. --init)",
      ),
    );
  }
  try {
    const run = await found.load();
    return await run(args.slice(1), { version: VERSION, subcommands: SUBCOMMANDS });
  } catch (error) {
    return complain(error);
  }
}
