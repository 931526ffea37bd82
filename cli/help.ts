/** The texts of `--help` and `--version`, at most 80 columns wide. */

import { CLASSIC_TABLE } from "./classic_options.ts";
import { COMMANDS } from "./commands.ts";
import type { Option, OptionTable } from "./option.ts";
import type { CommandFacts } from "./subcommand.ts";

const WIDTH = 80;
const NAME_WIDTH = 26;

/** Writes the text of `isolate --help`. */
export function usageText(commands: readonly CommandFacts[] = COMMANDS): string {
  return `\
Usage: isolate COMMAND [OPTION...] [-- PROGRAM ARGUMENT...]
       isolate SUBCOMMAND [ARGUMENT...]

${
    wrap(
      "Run an untrusted program in a box of its own: with limits on time, memory, files and " +
        "processes, without a network, and with only those directories in sight that you allow.",
      WIDTH,
    ).join("\n")
  }

${optionLines(CLASSIC_TABLE)}

Subcommands:
${commands.flatMap(({ name, summary }) => entry(`  ${name}`, summary)).join("\n")}

Long options can be cut to an unambiguous prefix, letters can be bundled (-sv).
'isolate SUBCOMMAND --help' lists the options of a subcommand.

Exit status: 0 if the program succeeded, 1 if it failed or hit a limit,
2 for everything else.

Example:
  isolate --init
  isolate --run --time=1 --mem=65536 --meta=meta.txt -- /bin/echo hello
  isolate --cleanup

'isolate manual | man -l -' shows the whole manual.
`;
}

/** Writes the text of `isolate SUBCOMMAND --help`. */
export function commandHelp(command: CommandFacts): string {
  const { summary, about = `${summary}.`, options, notes } = command;
  const parts = [
    `Usage: ${usageLine(command)}`,
    wrap(about, WIDTH).join("\n"),
    optionLines(options),
    ...notes === undefined ? [] : [notes.trimEnd()],
  ];
  return `${parts.join("\n\n")}\n`;
}

/** How a command is typed. */
export function usageLine({ name, parameters = "" }: CommandFacts): string {
  return `isolate ${name} [OPTION...] ${parameters}`.trimEnd();
}

/** Writes the text of `--version`. Its first line contains the words that other systems look for. */
export function versionText(version: string): string {
  return `The process isolator ${version} (isolate for Deno)
Deno: ${Deno.version.deno}
Architecture: ${Deno.build.arch}
`;
}

function optionLines(table: OptionTable<never>): string {
  return Object.entries(table).map(([heading, options]) => {
    const lines = options.flatMap((option) => entry(`  ${option.spelled}`, describe(option)));
    return [`${heading}:`, ...lines].join("\n");
  }).join("\n\n");
}

function describe({ summary, default: fallback }: Option<never>): string {
  return fallback === undefined ? summary : `${summary} (default: ${fallback})`;
}

/** A name with its description beside it, below it where the name is too long. */
function entry(name: string, description: string): string[] {
  const lines = wrap(description, WIDTH - NAME_WIDTH);
  if (name.length >= NAME_WIDTH) lines.unshift("");
  return lines.map((line, i) => ((i === 0 ? name : "").padEnd(NAME_WIDTH) + line).trimEnd());
}

/** Breaks a text at blanks into lines. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
