/** Reads command lines as GNU `getopt_long(3)` does. */

import { nearest } from "../text/suggest.ts";
import { UsageError } from "./complain.ts";

/** One option of a command line, as far as {@linkcode getopt} has to know it. */
export interface OptionSpec {
  /** The long name without dashes, such as `box-id`. */
  readonly long: string;
  /** The letter, such as `b`. */
  readonly short?: string;
  /** Whether a value follows; an optional one must be attached (`-p4`, `--processes=4`). */
  readonly value: "none" | "required" | "optional";
  /** What the value is called in complaints, such as `ID`. */
  readonly valueName?: string;
  /**
   * The original does not have it, or no longer: a prefix that another option has too means that one.
   */
  readonly addition?: boolean;
}

/** One option as it was met on the command line. */
export interface ParsedOption<Option extends OptionSpec> {
  /** The entry of the table. */
  readonly option: Option;
  /** The value; `undefined` where the option takes none or an optional one was not given. */
  readonly value: string | undefined;
  /** The option as it was typed, without its value: `--box-id`, `--box`, `-b`. */
  readonly spelled: string;
}

/** What {@linkcode getopt} found. */
export interface ParsedArguments<Option extends OptionSpec> {
  /** The options in the order in which they were given. */
  readonly options: readonly ParsedOption<Option>[];
  /** Everything else, in order. */
  readonly positionals: readonly string[];
}

/** How {@linkcode getopt} reads a command line. */
export interface GetoptOptions<Option extends OptionSpec> {
  /** The option table. */
  readonly options: readonly Option[];
  /** Whether the first positional argument ends the options (`POSIXLY_CORRECT`). */
  readonly posixlyCorrect?: boolean;
  /** Which positional argument is a program, whose options belong behind `--`: 0 for the first. */
  readonly programAt?: number;
  /**
   * Called for each option at the moment it is met, before the next argument is looked at: what it does has
   * been done when a later argument turns out to be wrong.
   */
  readonly onOption?: (parsed: ParsedOption<Option>) => void;
}

/**
 * Reads a command line by the rules of GNU `getopt_long(3)`.
 *
 * - A long name may be cut to a prefix that only one option has; an exact name beats a longer one,
 *   and any name that of an addition.
 * - `--name=value` and `--name value`; `-n5` and `-n 5`; letters can be bundled (`-sv`).
 * - A required value is the next argument, whatever it looks like.
 * - Options and positional arguments may be mixed, unless `posixlyCorrect` is set.
 * - The first `--` disappears and ends the options. `-` alone is a positional argument.
 */
export function getopt<Option extends OptionSpec>(
  args: readonly string[],
  settings: GetoptOptions<Option>,
): ParsedArguments<Option> {
  const found: ParsedOption<Option>[] = [];
  const positionals: string[] = [];
  const rest = args.values();
  const unknown = (spelled: string): UsageError =>
    unknownOption(spelled, settings.options, positionals[settings.programAt ?? -1]);
  const meet = (option: Option, spelled: string, attached: string | undefined): void => {
    const parsed = { option, value: takeValue(option, { spelled, attached, rest }), spelled };
    found.push(parsed);
    settings.onOption?.(parsed);
  };

  for (const argument of rest) {
    if (argument === "--") break;
    if (argument.startsWith("--")) {
      const equals = argument.indexOf("=");
      const spelled = equals < 0 ? argument : argument.slice(0, equals);
      const attached = equals < 0 ? undefined : argument.slice(equals + 1);
      meet(findLong(spelled, settings.options, unknown), spelled, attached);
    } else if (argument.startsWith("-") && argument !== "-") {
      let letters = argument.slice(1);
      while (letters !== "") {
        const letter = String.fromCodePoint(letters.codePointAt(0) ?? 0);
        const option = findShort(letter, settings.options, { argument, unknown });
        const behind = letters.slice(letter.length);
        letters = option.value === "none" ? behind : "";
        const attached = option.value === "none" || behind === "" ? undefined : behind;
        meet(option, `-${letter}`, attached);
      }
    } else {
      positionals.push(argument);
      if (settings.posixlyCorrect === true) break;
    }
  }
  // Whatever ended the options, the iterator is behind it.
  return { options: found, positionals: [...positionals, ...rest] };
}

function takeValue(
  option: OptionSpec,
  { spelled, attached, rest }: {
    spelled: string;
    attached: string | undefined;
    rest: Iterator<string>;
  },
): string | undefined {
  if (option.value === "none" && attached !== undefined) {
    throw new UsageError(
      `Option --${option.long} takes no value, but ${spelled}=${attached} gives one.`,
    );
  }
  if (attached !== undefined || option.value !== "required") return attached;
  const next = rest.next();
  if (next.done !== true) return next.value;
  const example = `--${option.long}=${option.valueName ?? "VALUE"}`;
  throw new UsageError(`Option ${spelled} needs a value: ${example}`);
}

function findLong<Option extends OptionSpec>(
  spelled: string,
  options: readonly Option[],
  unknown: (spelled: string) => UsageError,
): Option {
  const name = spelled.slice(2);
  const exact = options.find((option) => option.long === name);
  if (exact !== undefined) return exact;
  const all = name === "" ? [] : options.filter((option) => option.long.startsWith(name));
  const older = all.filter((option) => option.addition !== true);
  const candidates = older.length > 0 ? older : all;
  const [first, second] = candidates;
  if (first === undefined) throw unknown(spelled);
  if (second === undefined) return first;
  const names = candidates.map((option) => `--${option.long}`);
  const last = names.pop();
  throw new UsageError(`Ambiguous option ${spelled}: it could be ${names.join(", ")} or ${last}.`);
}

function findShort<Option extends OptionSpec>(
  letter: string,
  options: readonly Option[],
  { argument, unknown }: { argument: string; unknown: (spelled: string) => UsageError },
): Option {
  const option = options.find((candidate) => candidate.short === letter);
  if (option !== undefined) return option;
  // -help is a long name with one dash too few.
  const long = options.find((candidate) => candidate.long === argument.slice(1));
  if (long !== undefined) {
    throw new UsageError(`Unknown option ${argument}, did you mean --${long.long}?`);
  }
  throw unknown(`-${letter}`);
}

function unknownOption(
  spelled: string,
  options: readonly OptionSpec[],
  program: string | undefined,
): UsageError {
  const isLong = spelled.startsWith("--");
  const long = isLong ? nearest(spelled.slice(2), options.map((option) => option.long)) : undefined;
  if (long !== undefined) {
    return new UsageError(`Unknown option ${spelled}, did you mean --${long}?`);
  }
  if (program === undefined) return new UsageError(`Unknown option ${spelled}.`);
  return new UsageError(
    `Unknown option ${spelled}; if it is meant for ${program}, put -- before ${program}.`,
  );
}
