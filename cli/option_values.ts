import type { OptionSpec } from "./getopt.ts";
import { parseSeconds, parseUnsigned } from "./numbers.ts";
import type { FixedSize, PartialRequest, Quota } from "./request.ts";
import { UsageError } from "./complain.ts";

/** What is needed to read an option's value. */
export interface GivenValue {
  /** The entry of the table. */
  readonly option: ClassicOption;
  /** The value as typed; empty where there is none. */
  readonly text: string;
  /** Whether there is a value (an optional one may be missing). */
  readonly isGiven: boolean;
}

/** One entry of the option table. */
export interface ClassicOption extends OptionSpec {
  /** The heading under which help texts show it. */
  readonly group: string;
  /** What the option does, in one line without a final period. */
  readonly summary: string;
  /** What holds without the option, for people. */
  readonly default?: string;
  /** A value for the example in a complaint. */
  readonly example?: string;
  /** Puts what was given into the request. */
  readonly apply: (request: PartialRequest, given: GivenValue) => void;
}

/** Makes the action of an option whose value goes into a field. The last one given wins. */
export function store<Field extends keyof PartialRequest>(
  field: Field,
  read: (given: GivenValue) => PartialRequest[Field],
): ClassicOption["apply"] {
  return (request, given) => {
    request[field] = read(given);
  };
}

/** The fields that are on or off. */
export type Switch = {
  [Field in keyof PartialRequest]: PartialRequest[Field] extends boolean ? Field : never;
}[keyof PartialRequest];

/** Makes the action of an option that switches something on or off. */
export function turn(field: Switch, on: boolean): ClassicOption["apply"] {
  return (request) => {
    request[field] = on;
  };
}

/** Makes the action of an option that can be given many times, each time with one more value. */
export function append(
  field: "metaFiles" | "environmentRules" | "directoryRules",
): ClassicOption["apply"] {
  return (request, { text }) => {
    request[field].push(text);
  };
}

/** Takes the value as it was typed. */
export function asTyped({ text }: GivenValue): string {
  return text;
}

/** Reads a whole number. */
export function whole({ option, text }: GivenValue): number {
  const unit = option.valueName === "KIB" ? " of KiB" : "";
  return parseUnsigned(text, { hint: takes(option, `a whole number${unit}`) });
}

/** Reads a whole number that limits something. */
export function limit(given: GivenValue): number | undefined {
  return whole(given) || undefined;
}

/** Reads a limit whose absence is not the default. */
export function limitOrUnlimited(given: GivenValue): number | "unlimited" {
  return given.isGiven ? limit(given) ?? "unlimited" : "unlimited";
}

/** Reads a time limit. */
export function duration({ option, text }: GivenValue): number | undefined {
  return parseSeconds(text, { hint: takes(option, "seconds") }) || undefined;
}

/** Reads a disk quota, `BLOCKS,INODES`. */
export function blocksAndInodes({ option, text }: GivenValue): Quota {
  const hint = takes(option, "two whole numbers, 1 KiB blocks and inodes");
  const [blocks, inodes, ...more] = text.split(",");
  if (blocks === undefined || inodes === undefined || more.length > 0) {
    throw new UsageError(`Invalid quota specified: ${text} (${hint})`);
  }
  return { blocks: parseUnsigned(blocks, { hint }), inodes: parseUnsigned(inodes, { hint }) };
}

/** Reads the fixed size of a box, `KIB[,INODES]`. */
export function fixedSize({ option, text }: GivenValue): FixedSize | undefined {
  const hint = takes(option, "one or two whole numbers, KiB and inodes");
  const [kib = "", inodes, ...more] = text.split(",");
  if (more.length > 0) throw new UsageError(`Invalid box size specified: ${text} (${hint})`);
  const size = {
    kib: parseUnsigned(kib, { hint }),
    inodes: inodes === undefined ? undefined : parseUnsigned(inodes, { hint }),
  };
  return size.kib === 0 ? undefined : size;
}

function takes({ long, example }: ClassicOption, what: string): string {
  return `--${long} takes ${what}, e.g. --${long}=${example}`;
}
