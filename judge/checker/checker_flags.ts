/**
 * The flags of the default output validator; see "Default Output Validator Specification" of the
 * problem package format.
 */

/** How an output is compared with the answer. */
export interface CheckRules {
  /** Upper and lower case of A to Z differ. */
  readonly caseSensitive: boolean;
  /** White space must be the same, byte for byte. */
  readonly spaceSensitive: boolean;
  readonly absoluteTolerance: number | undefined;
  /** As a fraction of the number in the answer. */
  readonly relativeTolerance: number | undefined;
}

/** Flags with a number behind them, and which tolerances they set. */
const TOLERANCES: ReadonlyMap<string, { absolute: boolean; relative: boolean }> = new Map([
  ["float_tolerance", { absolute: true, relative: true }],
  ["float_absolute_tolerance", { absolute: true, relative: false }],
  ["float_relative_tolerance", { absolute: false, relative: true }],
]);

const SWITCHES = ["case_sensitive", "space_change_sensitive"];

const NUMBER = /^\+?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function tolerance(flag: string, word: string | undefined): number {
  if (word === undefined) {
    throw new SyntaxError(`The validator flag ${flag} needs a number after it, such as 1e-6`);
  }
  const value = NUMBER.test(word) ? Number(word) : NaN;
  if (!Number.isFinite(value)) {
    throw new SyntaxError(
      `The validator flag ${flag} needs a number >= 0 after it, such as 1e-6, not ` +
        JSON.stringify(word),
    );
  }
  return value;
}

/**
 * Parses flags. Of a flag that is repeated the last one counts: the older format appends the flags of a
 * test group to those of the problem.
 */
export function parseFlags(flags: readonly string[]): CheckRules {
  const rules: { -readonly [Key in keyof CheckRules]: CheckRules[Key] } = {
    caseSensitive: false,
    spaceSensitive: false,
    absoluteTolerance: undefined,
    relativeTolerance: undefined,
  };
  for (let i = 0; i < flags.length; i++) {
    const flag = flags[i]!;
    const kind = TOLERANCES.get(flag);
    if (kind) {
      const value = tolerance(flag, flags[++i]);
      if (kind.absolute) rules.absoluteTolerance = value;
      if (kind.relative) rules.relativeTolerance = value;
    } else if (flag === "case_sensitive") rules.caseSensitive = true;
    else if (flag === "space_change_sensitive") rules.spaceSensitive = true;
    else {
      const known = [...SWITCHES, ...TOLERANCES.keys()].join(", ");
      throw new SyntaxError(
        `Unknown validator flag ${JSON.stringify(flag)}; known flags: ${known}`,
      );
    }
  }
  return rules;
}
