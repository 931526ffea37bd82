/** Environment rules: which variables a program in the box finds. */

/** One instruction about one variable, as the option `--env` gives it. */
export type EnvironmentRule =
  /** Takes the caller's value; removes the variable if the caller has none (`VAR`). */
  | { kind: "inherit"; name: string }
  /** Sets the variable (`VAR=VALUE`). */
  | { kind: "set"; name: string; value: string }
  /** Removes the variable (`VAR=`). */
  | { kind: "remove"; name: string };

/** Options of {@linkcode buildEnvironment}. */
export interface BuildEnvironmentOptions {
  /** The environment of the caller. */
  callerEnvironment: ReadonlyMap<string, string>;
  /** Whether to start from the whole of it (`--full-env`), before any rule. */
  inheritAll: boolean;
  /** The rules in the order given. */
  rules: Iterable<EnvironmentRule>;
}

/**
 * Reads an environment rule in the text form of the option `--env`.
 *
 * @param text `VAR`, `VAR=VALUE` or `VAR=`
 * @returns the rule
 * @throws {SyntaxError} `Invalid environment specified: …` if the name is empty or there is a NUL byte
 *
 * @example
 * ```ts
 * import { parseEnvironmentRule } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseEnvironmentRule("HOME=/tmp"), { kind: "set", name: "HOME", value: "/tmp" });
 * assertEquals(parseEnvironmentRule("LANG"), { kind: "inherit", name: "LANG" });
 * assertEquals(parseEnvironmentRule("TERM="), { kind: "remove", name: "TERM" });
 * ```
 */
export function parseEnvironmentRule(text: string): EnvironmentRule {
  const equals = text.indexOf("=");
  const name = equals < 0 ? text : text.slice(0, equals);
  const value = text.slice(equals + 1);
  if (name === "") {
    throw environmentError(text, "the name is empty; use VAR, VAR=VALUE or VAR=");
  }
  if (text.includes("\0")) throw environmentError(text, "it holds a NUL byte");
  if (equals < 0) return { kind: "inherit", name };
  if (value === "") return { kind: "remove", name };
  return { kind: "set", name, value };
}

/**
 * Builds the environment of the program: empty or the caller's, then the built-in rule
 * `LIBC_FATAL_STDERR_=1` (glibc then reports a smashed stack or heap on standard error instead of
 * the terminal), then the rules in their order.
 *
 * @param options the caller's environment and the rules
 * @returns the variables in a stable order: a variable that is set again keeps its place
 * @throws {SyntaxError} if a name in a rule is empty or holds `=`, or there is a NUL byte
 *
 * @example
 * ```ts
 * import { buildEnvironment } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * const environment = buildEnvironment({
 *   callerEnvironment: new Map([["LANG", "C"], ["SECRET", "x"]]),
 *   inheritAll: false,
 *   rules: [{ kind: "inherit", name: "LANG" }],
 * });
 * assertEquals([...environment], [["LIBC_FATAL_STDERR_", "1"], ["LANG", "C"]]);
 * ```
 */
export function buildEnvironment(options: BuildEnvironmentOptions): Map<string, string> {
  const { callerEnvironment, inheritAll, rules } = options;
  const environment = new Map(inheritAll ? callerEnvironment : []);
  environment.set("LIBC_FATAL_STDERR_", "1");
  for (const rule of rules) {
    checkRule(rule);
    const value = rule.kind === "set"
      ? rule.value
      : rule.kind === "inherit"
      ? callerEnvironment.get(rule.name)
      : undefined;
    if (value === undefined) environment.delete(rule.name);
    else environment.set(rule.name, value);
  }
  for (const [name, value] of environment) {
    if (`${name}${value}`.includes("\0")) {
      throw environmentError(`${name}=${value}`, "it holds a NUL byte");
    }
  }
  return environment;
}

/** Checks a rule that a program has made. */
function checkRule(rule: EnvironmentRule): void {
  const text = rule.kind === "set"
    ? `${rule.name}=${rule.value}`
    : rule.kind === "remove"
    ? `${rule.name}=`
    : rule.name;
  if (rule.name === "") throw environmentError(text, "the name is empty");
  if (rule.name.includes("=")) throw environmentError(text, "the name holds '='");
}

function environmentError(text: string, help: string): SyntaxError {
  return new SyntaxError(`Invalid environment specified: ${text} (${help})`);
}
