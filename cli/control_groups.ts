/**
 * `isolate cg-setup` and `isolate cg-keeper`: making the place for control groups of boxes.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import {
  keepControlGroups,
  setUpControlGroups,
  type SetupOptions,
} from "../service/control_groups.ts";
import { tell, write } from "./complain.ts";
import { UsageError } from "./usage_error.ts";

/**
 * `isolate cg-setup [-v] [--config=FILE]`.
 *
 * @param args the arguments after the subcommand
 * @returns the exit status
 * @throws {SandboxError} if control groups cannot be used here, with the reason
 */
export async function setUpGroups(args: readonly string[]): Promise<number> {
  write(Deno.stdout, `${await setUpControlGroups(parse("cg-setup", args))}\n`);
  return 0;
}

/**
 * `isolate cg-keeper [-v] [--config=FILE]`.
 *
 * @param args the arguments after the subcommand
 * @returns the exit status, when it was told to stop
 * @throws {SandboxError} if control groups cannot be used here, with the reason
 */
export async function keepGroups(args: readonly string[]): Promise<number> {
  await keepControlGroups({ ...parse("cg-keeper", args), complain: tell });
  return 0;
}

function parse(name: string, args: readonly string[]): SetupOptions {
  let verbosity = 0;
  const { config, _: [extra] } = parseArgs(args, {
    string: ["config"],
    unknown: (arg, key) => {
      if (key === undefined) return true;
      if (arg !== "-v" && arg !== "--verbose") {
        throw new UsageError(`${name} does not know the option ${arg}`);
      }
      verbosity++;
      return false;
    },
  });
  if (extra !== undefined) throw new UsageError(`${name} takes no parameters, but got: ${extra}`);
  if (config === "") throw new UsageError("Option --config needs a value: --config=FILE");
  return {
    configFile: config,
    log: (level, message) => {
      if (verbosity >= level) tell(message());
    },
  };
}
