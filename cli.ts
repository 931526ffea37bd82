/**
 * From arguments to an exit status. A first argument that names a subcommand is one; anything else
 * with an option in it is the classic command line.
 *
 * @module
 */

/** The version of the command and the library. */
export const VERSION = "0.1.0";

/**
 * Runs the command.
 *
 * @param args the arguments after the program's name
 * @returns the exit status: 0, 1 if the program failed, 2 if the sandbox did
 *
 * @example
 * ```ts
 * import { main } from "@isolate/isolate/main";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await main(["--version"]), 0);
 * ```
 */
export async function main(args: readonly string[]): Promise<number> {
  const [first] = args;
  // A classic command must not wait for the tables of others to be loaded.
  if (first === undefined || first.startsWith("-")) return await runClassic(args);
  const { COMMANDS, unknownCommand } = await import("./cli/commands.ts");
  const command = COMMANDS.find(({ name }) => name === first);
  if (command) return await command.main(args.slice(1), VERSION);
  // Classic options may also follow the program: `isolate prog --run`.
  if (args.some((arg) => arg.startsWith("-"))) return await runClassic(args);
  const { complain, UsageError } = await import("./cli/complain.ts");
  return complain(new UsageError(unknownCommand(first)));
}

async function runClassic(args: readonly string[]): Promise<number> {
  const { runClassic } = await import("./cli/classic.ts");
  const { ownProcess } = await import("./cli/origin.ts");
  return await runClassic(ownProcess(args), VERSION);
}
