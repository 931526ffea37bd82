import { groupedOptions, type Subcommand } from "./help.ts";
import { JUDGE_SECTION } from "./manual_judge.ts";
import { type ManualBlock, OPTION_DETAILS, SECTIONS } from "./manual_text.ts";
import type { ClassicOption } from "./option_values.ts";
import { escapeRoff, formatRoff } from "./roff.ts";

/** What {@linkcode manualPage} is made from, besides the option table. */
export interface ManualFacts {
  /** The version of this program, such as `0.1.0`. */
  readonly version: string;
  /** The commands for people. */
  readonly subcommands?: readonly Subcommand[];
}

/** Writes the manual page, with the macros of `groff_man(7)`. */
export function manualPage({ version, subcommands = [] }: ManualFacts): string {
  const lines = [
    `.TH ISOLATE 1 "" "isolate ${escapeRoff(version)}" "User Commands"`,
    ".SH NAME",
    "isolate \\- run an untrusted program in a box",
    ".SH SYNOPSIS",
    ...["--init", "--run", "--cleanup"].map((command) => {
      const program = command === "--run" ? " `--` _PROGRAM_ [_ARGUMENT_...]" : "";
      return `${formatRoff(`\`isolate ${command}\` [_OPTION_...]${program}`)}\n.br`;
    }),
    ...subcommands.map(({ name, usage = "" }) =>
      `${formatRoff(`\`isolate ${name}\` ${usage}`.trim())}\n.br`
    ),
    ".SH DESCRIPTION",
    formatRoff(
      "`isolate` runs a program that nobody trusts in a box of its own: it sees only the directories that " +
        "you name, has no network, no privileges, and limits on time, memory, files and processes. When it has " +
        "ended, everything that it started is dead, and a verdict can be read from the meta-file.",
    ),
    ...paragraph(
      "A box is made by `--init`, used by `--run` as often as you like, and removed by `--cleanup`. " +
        "All three must be started as root.",
    ),
    ...paragraph(
      "Options are read as by `getopt_long`(3): long names can be cut to an unambiguous prefix, letters can be " +
        "bundled, options and arguments can be mixed, and `--` ends the options. Sizes are in KiB (1024 bytes), " +
        "times in seconds with an optional fraction.",
    ),
  ];
  for (const [group, options] of groupedOptions()) {
    lines.push(`.SS ${quote(group)}`, ...options.flatMap(optionEntry));
  }
  if (subcommands.length > 0) {
    lines.push(".SH SUBCOMMANDS");
    for (const { name, usage = "", summary } of subcommands) {
      lines.push(...entry(`\`${name}\` ${usage}`.trim(), `${summary}.`));
    }
  }
  for (const { title, blocks } of [JUDGE_SECTION, ...SECTIONS]) {
    lines.push(`.SH ${quote(title)}`, ...blocks.flatMap(block));
  }
  return `${lines.join("\n")}\n`;
}

function optionEntry(option: ClassicOption): string[] {
  const { long, short, value, valueName = "VALUE", summary, default: fallback } = option;
  const names = short === undefined ? `\`--${long}\`` : `\`-${short}\`, \`--${long}\``;
  const values = { none: "", required: `\`=\`_${valueName}_`, optional: `[\`=\`_${valueName}_]` };
  const details = OPTION_DETAILS[long];
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
