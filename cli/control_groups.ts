/** `isolate cg-setup` and `isolate cg-keeper`: making the place for control groups of boxes. */

import {
  keepControlGroups,
  setUpControlGroups,
  type SetupOptions,
} from "../service/control_groups.ts";
import { tell, UsageError, write } from "./complain.ts";
import { getopt, type OptionSpec } from "./getopt.ts";

/** `isolate cg-setup [-v] [--config=FILE]`. */
export async function setUpGroups(args: readonly string[]): Promise<number> {
  write(Deno.stdout, `${await setUpControlGroups(parse("cg-setup", args))}\n`);
  return 0;
}

/** `isolate cg-keeper [-v] [--config=FILE]`. */
export async function keepGroups(args: readonly string[]): Promise<number> {
  await keepControlGroups({ ...parse("cg-keeper", args), complain: tell });
  return 0;
}

/** A service may start before there is a network or a cache: no package is needed to read this. */
const OPTIONS: readonly OptionSpec[] = [
  { long: "verbose", short: "v", value: "none" },
  { long: "config", value: "required", valueName: "FILE" },
];

function parse(name: string, args: readonly string[]): SetupOptions {
  let [verbosity, configFile] = [0, undefined as string | undefined];
  const { positionals: [extra] } = getopt(args, {
    options: OPTIONS,
    onOption: ({ option, value }) => {
      if (option.long === "verbose") verbosity++;
      else configFile = value;
    },
  });
  if (extra !== undefined) throw new UsageError(`${name} takes no parameters, but got: ${extra}`);
  return {
    configFile,
    log: (level, message) => {
      if (verbosity >= level) tell(message());
    },
  };
}
