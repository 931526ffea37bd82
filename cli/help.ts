import { CLASSIC_OPTIONS } from "./option_table.ts";
import type { ClassicOption } from "./option_values.ts";

/** A command for people: a first argument that does not start with a dash. */
export interface Subcommand {
  /** What is typed, such as `judge`. */
  readonly name: string;
  /** Its arguments, such as `bash|zsh|fish`. */
  readonly usage?: string;
  /** What it does, in one line without a final period. */
  readonly summary: string;
}

/** The facts of {@linkcode versionText}. */
export interface VersionFacts {
  /** The version of this program, such as `0.1.0`. */
  readonly version: string;
  /** The version of the runtime, such as `2.9.6`. */
  readonly denoVersion: string;
  /** More lines, label and value, such as `["Architecture", "x86_64"]`. */
  readonly details?: readonly (readonly [label: string, value: string])[];
}

const WIDTH = 96;
const NAME_WIDTH = 30;

/** Writes how an option is typed, with its letter in front and its value behind. */
export function spellOption(option: ClassicOption): string {
  const letter = option.short === undefined ? "    " : `-${option.short}, `;
  return `${letter}--${option.long}${spellValue(option)}`;
}

function spellValue({ value, valueName = "VALUE" }: ClassicOption): string {
  if (value === "none") return "";
  return value === "optional" ? `[=${valueName}]` : `=${valueName}`;
}

/** Writes the text of `--help`, at most 96 columns wide. */
export function usageText(subcommands: readonly Subcommand[] = []): string {
  const lines = [
    "Usage: isolate COMMAND [OPTION...] [-- PROGRAM ARGUMENT...]",
    ...subcommands.length === 0 ? [] : ["       isolate SUBCOMMAND [ARGUMENT...]"],
    "",
    ...wrap(
      "Runs a program that nobody trusts in a box of its own: with limits on time, memory, files and " +
        "processes, without a network, and with nothing of this machine in sight but what you allow.",
      WIDTH,
    ),
  ];
  for (const [group, options] of groupedOptions()) {
    lines.push(
      "",
      `${group}:`,
      ...options.flatMap((option) => entry(spellOption(option), describe(option))),
    );
  }
  if (subcommands.length > 0) {
    const typed = ({ name, usage }: Subcommand) => usage === undefined ? name : `${name} ${usage}`;
    lines.push("", "Subcommands:");
    lines.push(...subcommands.flatMap((sub) => entry(typed(sub), sub.summary)));
  }
  lines.push(
    "",
    "Long options can be cut to an unambiguous prefix, letters can be bundled (-sv).",
    "",
    "Exit status: 0 if the program succeeded, 1 if it failed or hit a limit, 2 for everything else.",
    "",
    "Example:",
    "  isolate --init",
    "  isolate --run --time=1 --mem=65536 --meta=meta.txt -- /usr/bin/python3 -c 'print(6 * 7)'",
    "  isolate --cleanup",
    "",
    "'isolate manual | man -l -' shows the whole manual.",
    "",
  );
  return lines.join("\n");
}

/** Sorts the option table into its groups. */
export function groupedOptions(): Map<string, ClassicOption[]> {
  return Map.groupBy(CLASSIC_OPTIONS, ({ group }) => group);
}

/**
 * Writes the text of `--version`. Its first line contains the words that other systems look for.
 */
export function versionText({ version, denoVersion, details = [] }: VersionFacts): string {
  const lines = [["Deno", denoVersion] as const, ...details].map(([label, text]) =>
    `${label}: ${text}`
  );
  return [`The process isolator ${version} (isolate for Deno)`, ...lines, ""].join("\n");
}

function describe({ summary, default: fallback }: ClassicOption): string {
  return fallback === undefined || fallback === "none"
    ? summary
    : `${summary} (default: ${fallback})`;
}

/** A name with its description beside it, below it where the name is too long. */
function entry(name: string, description: string): string[] {
  const [first = "", ...more] = wrap(description, WIDTH - NAME_WIDTH);
  const left = `  ${name}`;
  const head = left.length < NAME_WIDTH
    ? [left.padEnd(NAME_WIDTH) + first]
    : [left, " ".repeat(NAME_WIDTH) + first];
  return [...head, ...more.map((line) => " ".repeat(NAME_WIDTH) + line)];
}

/** Breaks a text at blanks into lines. */
export function wrap(text: string, width: number): string[] {
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
