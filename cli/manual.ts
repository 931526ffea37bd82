/** `isolate manual`: the manual page, with the macros of `groff_man(7)`. */

import { CLASSIC_TABLE } from "./classic_options.ts";
import { COMMANDS } from "./commands.ts";
import { write } from "./complain.ts";
import { usageLine } from "./help.ts";
import { type ManualBlock, OPTION_DETAILS, SECTIONS } from "./manual_text.ts";
import { type Option, optionsOf } from "./option.ts";
import type { CommandFacts } from "./subcommand.ts";

/** Prints the manual page. */
export function printManual(version: string): number {
  write(Deno.stdout, manualPage({ version }));
  return 0;
}

/** Writes the manual page. */
export function manualPage(
  { version, commands = COMMANDS }: { version: string; commands?: readonly CommandFacts[] },
): string {
  const lines = [
    `.TH ISOLATE 1 "" "isolate ${escapeRoff(version)}" "User Commands"`,
    ".SH NAME",
    "isolate \\- run an untrusted program in a box",
    ".SH SYNOPSIS",
    ...["--init", "--run", "--cleanup"].map((command) => {
      const program = command === "--run" ? " `--` _PROGRAM_ [_ARGUMENT_...]" : "";
      return `${formatRoff(`\`isolate ${command}\` [_OPTION_...]${program}`)}\n.br`;
    }),
    ...commands.map((command) => `${formatRoff(formatUsage(command))}\n.br`),
    ".SH DESCRIPTION",
    formatRoff(
      "`isolate` runs an untrusted program in a box of its own: the program sees only the directories that " +
        "you name, has no network and no privileges, and is limited in time, memory, files and processes. " +
        "When it has ended, everything that it started is dead, and the meta-file holds the outcome.",
    ),
    ...paragraph(
      "`--init` makes a box, `--run` uses it as often as you like, and `--cleanup` removes it. " +
        "All three need root, or a running service (see THE SERVICE).",
    ),
    ...paragraph(
      "Options are read as by `getopt_long`(3): long names can be cut to an unambiguous prefix, letters can be " +
        "bundled, options and arguments can be mixed, and `--` ends the options. Sizes are in KiB (1024 bytes), " +
        "times in seconds with an optional fraction.",
    ),
    ...Object.entries(CLASSIC_TABLE).flatMap(([heading, options]) => [
      `.SS ${quote(heading)}`,
      ...options.flatMap((option) => optionEntry(option, OPTION_DETAILS[option.long])),
    ]),
    ".SH SUBCOMMANDS",
    ...commands.flatMap((command) => [
      `.SS ${quote(usageLine(command))}`,
      formatRoff(`${command.summary}.`),
      ...optionsOf(command.options)
        .filter(({ long }) => long !== "help")
        .flatMap((option) => optionEntry(option)),
    ]),
    ...SECTIONS.flatMap(({ title, blocks }) => [`.SH ${quote(title)}`, ...blocks.flatMap(block)]),
  ];
  return `${lines.join("\n")}\n`;
}

/** The words of a command in bold, the words that stand for others in italics. */
function formatUsage({ name, parameters = "" }: CommandFacts): string {
  const marked = parameters.replace(/[A-Z]+/g, "_$&_");
  return `\`isolate ${name}\` [_OPTION_...] ${marked}`.trimEnd();
}

function optionEntry(option: Option<never>, details?: string): string[] {
  const { long, short, value, valueName = "", summary, default: fallback } = option;
  const names = short === undefined ? `\`--${long}\`` : `\`-${short}\`, \`--${long}\``;
  const values = { none: "", required: `\`=\`_${valueName}_`, optional: `[\`=\`_${valueName}_]` };
  const sentences = [
    fallback === undefined ? `${summary}.` : `${summary} (default: ${fallback}).`,
    ...details === undefined ? [] : [details],
  ];
  return entry(names + values[value], sentences.join(" "));
}

function block(content: ManualBlock): string[] {
  if (typeof content === "string") return paragraph(content);
  if ("term" in content) return entry(content.term, content.meaning);
  const code = content.code.split("\n").map(escapeRoff);
  return [".PP", ".RS 4", ".nf", ...code, ".fi", ".RE"];
}

function paragraph(text: string): string[] {
  return [".PP", formatRoff(text)];
}

function entry(term: string, meaning: string): string[] {
  return [".TP", formatRoff(term), formatRoff(meaning)];
}

function quote(title: string): string {
  return `"${escapeRoff(title)}"`;
}

/**
 * Escapes a text for roff, so that it is shown as it is: no character of it is taken for a request or an
 * escape sequence, and none is replaced by a typographic one.
 */
export function escapeRoff(text: string): string {
  return text
    .replace(/[\\"'`^~-]/g, (character) => ESCAPES[character] ?? character)
    .replace(/^\./, "\\&.");
}

/** Formats a text for roff: `what is typed` in bold, _WORDS_ that stand for something else in italics. */
export function formatRoff(text: string): string {
  return text
    .split(/(`[^`]*`|\b_[A-Z][^_ ]*_\b)/)
    .map((part, index) => {
      // split() puts what was between two parts at the odd places.
      if (index % 2 === 0) return escapeRoff(part);
      return `\\f${part.startsWith("`") ? "B" : "I"}${escapeRoff(part.slice(1, -1))}\\fP`;
    })
    .join("");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\e",
  '"': "\\(dq",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
  "-": "\\-",
};
