/** The commands for people: a first argument that does not begin with a dash. */

import { describeError, FAILURE_STATUS, UsageError, write } from "./complain.ts";
import { getopt } from "./getopt.ts";
import { flag, optionsOf, type OptionTable } from "./option.ts";
import type { Origin } from "./origin.ts";

/** What help, manual and completions have to know of a command. */
export interface CommandFacts {
  /** What is typed, such as `judge`. */
  readonly name: string;
  /** Its arguments besides options, such as `PACKAGE [SUBMISSION...]`; undefined: it takes none. */
  readonly parameters?: string;
  /** What it does, in one line without a final period. */
  readonly summary: string;
  /** What its help says above the options: one paragraph. */
  readonly about?: string;
  /** What its help says below the options: lines of at most 80 columns. */
  readonly notes?: string;
  /** Its options; `--help` is added. */
  readonly options: OptionTable<never>;
}

/** A command: its table, and the function that carries it out. */
export interface Subcommand<Request> extends CommandFacts {
  readonly options: OptionTable<Request>;
  /** Makes the request of an empty command line. */
  readonly request: () => Request;
  /** Carries it out and gives the exit status. */
  readonly run: (request: Request, given: Given) => Promise<number>;
}

/** What a command is given besides its options. */
export interface Given {
  /** The arguments that are not options. */
  readonly parameters: readonly string[];
  /** The version of this program. */
  readonly version: string;
  /** Finds where the command comes from. */
  readonly origin: () => Promise<Origin>;
}

/** A command that can be run. */
export interface Command extends CommandFacts {
  /** Reads the arguments, carries the command out, and gives the exit status. Default: for this process. */
  main(args: readonly string[], version: string, origin?: Origin): Promise<number>;
}

/** Makes a command that can be run from its table and its function. */
export function subcommand<Request>(definition: Subcommand<Request>): Command {
  const { options, ...facts } = definition;
  const [heading, last] = Object.entries(options).at(-1) ?? ["Options", []];
  const command: Command = {
    ...facts,
    options: { ...options, [heading]: [...last, HELP] },
    async main(args, version, from) {
      const print = (stream: "stdout" | "stderr", text: string) =>
        from ? from.print(stream, text) : write(Deno[stream], text);
      try {
        // Most command lines are spared the modules that read what the runtime could not.
        const exact = !from && args.some((arg) => arg.includes("\ufffd"))
          ? await (await import("../core.ts")).exactArguments(args)
          : args;
        const parsed = parse(definition, exact);
        if (parsed !== "help") {
          const origin = async () => from ?? (await import("./origin.ts")).ownProcess(args);
          return await definition.run(parsed.request, { ...parsed, version, origin });
        }
        const { commandHelp } = await import("./help.ts");
        print("stdout", commandHelp(command));
        return 0;
      } catch (error) {
        if (error instanceof UsageError) error.command = `isolate ${definition.name}`;
        print("stderr", describeError(error) + "\n");
        return FAILURE_STATUS;
      }
    },
  };
  return command;
}

const HELP = flag("-h, --help", "Print this help", () => {});

/** Reads the arguments of a command; `--help` wins over all mistakes but unknown options. */
export function parse<Request>(
  { name, parameters, options, request: empty }: Subcommand<Request>,
  args: readonly string[],
): { request: Request; parameters: readonly string[] } | "help" {
  const programAt = parameters?.split(" ").indexOf("[COMMAND...]") ?? -1;
  const parsed = getopt(args, { options: [...optionsOf(options), HELP], programAt });
  if (parsed.options.some(({ option }) => option === HELP)) return "help";
  const [first] = parsed.positionals;
  if (parameters === undefined && first !== undefined) {
    throw new UsageError(`${name} takes no parameters, but got: ${first}`);
  }
  const request = empty();
  for (const { option, value } of parsed.options) option.apply(request, value);
  return { request, parameters: parsed.positionals };
}
