/**
 * Directory rules: what a program sees where in its box.
 *
 * The text of a rule is that of the option `--dir`; a rule here is plain data that a person can
 * read and the mounting code can carry out. Nothing in this module touches a file.
 */

/** A file system that a rule may mount; see filesystems(5). */
export type RuleFilesystem = "proc" | "sysfs" | "tmpfs" | "devpts";

/** No other has a use in a box that is worth its risk. */
const RULE_FILESYSTEMS: readonly RuleFilesystem[] = ["proc", "sysfs", "tmpfs", "devpts"];

/** What all directory rules have in common. */
export interface DirectoryRuleBase {
  /** The mount point, relative to the root of the box, normalised: `dev/shm`, never `/dev//shm/`. */
  inside: string;
  /** Whether programs on it cannot be executed (`noexec`). */
  noExec: boolean;
  /** Whether device files on it work (`dev`). */
  devices: boolean;
}

/** A rule that shows a file or a directory of the host in the box. */
export interface BindRule extends DirectoryRuleBase {
  /** The kind of rule. */
  kind: "bind";
  /** What is bound: an absolute path, or `./…` relative to the directory of the box. */
  outside: string;
  /** Whether the program may write to it (`rw`). */
  readWrite: boolean;
  /** Whether the rule is skipped when `outside` does not exist (`maybe`). */
  optional: boolean;
  /** Whether what is mounted below `outside` comes along (not with `norec`). */
  recursive: boolean;
  /**
   * Whether symbolic links on the way to an absolute `outside` are followed. Default: yes. The text
   * form of a rule has no word for it.
   */
  followLinks?: boolean;
}

/** A rule that mounts a new file system (`fs`). */
export interface FilesystemRule extends DirectoryRuleBase {
  /** The kind of rule. */
  kind: "filesystem";
  /** The type of the file system. */
  filesystem: RuleFilesystem;
  /** Whether the program may write to it (`rw`). */
  readWrite: boolean;
  /**
   * How much fits into a `tmpfs`, in KiB (`size=KIB`), with one file for every 4 KiB and at least
   * 1024. Default: half of the machine's memory, and what the control group allows.
   */
  sizeKib?: number;
}

/** A rule that gives the box a writable directory of its own, kept until cleanup (`tmp`). */
export interface TemporaryRule extends DirectoryRuleBase {
  /** The kind of rule. */
  kind: "temporary";
}

/** A directory rule. */
export type DirectoryRule = BindRule | FilesystemRule | TemporaryRule;

/** The instruction to drop the rule for a mount point (`IN=`). */
export interface RemoveDirectoryRule {
  /** The kind of rule. */
  kind: "remove";
  /** The mount point whose rule is dropped. */
  inside: string;
}

const OPTIONS = ["rw", "noexec", "maybe", "dev", "norec", "fs", "tmp"] as const;
type RuleOption = typeof OPTIONS[number];
/** More than any machine has. */
const SIZE_KIB_MAX = 2 ** 40;

/**
 * Reads a directory rule in the text form of the option `--dir`.
 *
 * The forms are `IN=OUT[:OPTION…]`, `IN[:OPTION…]` (which binds `/IN`) and `IN=` (which removes the
 * rule for `IN`). A colon always separates options: a path with a colon cannot be written.
 *
 * @param text the rule as the user wrote it
 * @returns the rule, or the instruction to remove one
 * @throws {SyntaxError} `Invalid directory rule 'RULE': REASON` if it has none of these forms
 *
 * @example A read-only directory of the host
 * ```ts
 * import { parseDirectoryRule } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseDirectoryRule("/etc:noexec"), {
 *   kind: "bind",
 *   inside: "etc",
 *   outside: "/etc",
 *   readWrite: false,
 *   noExec: true,
 *   devices: false,
 *   optional: false,
 *   recursive: true,
 * });
 * ```
 */
export function parseDirectoryRule(text: string): DirectoryRule | RemoveDirectoryRule {
  const [head = "", ...names] = text.split(":");
  const equals = head.indexOf("=");
  const inside = checkInside(text, equals < 0 ? head : head.slice(0, equals));
  const rightHandSide = equals < 0 ? undefined : head.slice(equals + 1);
  const sizeKib = readSize(text, names.findLast((name) => name.startsWith(SIZE)));
  const options = readOptions(text, names.filter((name) => !name.startsWith(SIZE)));
  const noExec = options.has("noexec");
  const devices = options.has("dev");
  const readWrite = options.has("rw");

  if (options.has("fs") && options.has("tmp")) {
    throw ruleError(text, "Flags 'fs' and 'tmp' are mutually exclusive");
  }
  if (options.has("fs")) {
    if (!rightHandSide) {
      throw ruleError(text, "Missing filesystem name", `e.g. --dir=${inside}=tmpfs:fs`);
    }
    const filesystem = checkFilesystem(text, rightHandSide);
    checkSize(text, filesystem, sizeKib);
    const size = sizeKib === undefined ? {} : { sizeKib };
    return { kind: "filesystem", inside, filesystem, readWrite, noExec, devices, ...size };
  }
  checkSize(text, undefined, sizeKib);
  if (options.has("tmp")) {
    if (rightHandSide) {
      throw ruleError(text, "Temporary directory mounts do not have a right-hand side");
    }
    return { kind: "temporary", inside, noExec, devices };
  }
  if (rightHandSide === "") return { kind: "remove", inside };
  const outside = checkOutside(text, rightHandSide ?? `/${inside}`);
  const optional = options.has("maybe");
  const recursive = !options.has("norec");
  return { kind: "bind", inside, outside, readWrite, noExec, devices, optional, recursive };
}

const SIZE = "size=";

function readSize(text: string, option: string | undefined): number | undefined {
  if (option === undefined) return undefined;
  const digits = option.slice(SIZE.length);
  const sizeKib = /^\d{1,15}$/.test(digits) ? Number(digits) : 0;
  if (sizeKib >= 1 && sizeKib <= SIZE_KIB_MAX) return sizeKib;
  throw ruleError(text, `Invalid option '${option}'`, "a size is a number of KiB, e.g. size=65536");
}

function checkSize(
  text: string,
  filesystem: RuleFilesystem | undefined,
  sizeKib: number | undefined,
): void {
  if (sizeKib === undefined || filesystem === "tmpfs") return;
  throw ruleError(text, "Only a new tmpfs has a size", "e.g. --dir=tmp=tmpfs:fs:rw:size=65536");
}

function readOptions(text: string, names: readonly string[]): ReadonlySet<RuleOption> {
  const options = new Set<RuleOption>();
  for (const name of names) {
    const option = OPTIONS.find((known) => known === name);
    if (option === undefined) {
      throw ruleError(
        text,
        `Unknown option '${name}'`,
        `known options: ${OPTIONS.join(", ")}, size=KIB`,
      );
    }
    options.add(option);
  }
  return options;
}

/**
 * Checks a rule that a program has made, and normalises its mount point, so that `/tmp/` and `tmp` are
 * the same rule.
 */
export function checkDirectoryRule<Rule extends DirectoryRule | RemoveDirectoryRule>(
  rule: Rule,
): Rule {
  const text = describeDirectoryRule(rule);
  const inside = checkInside(text, rule.inside);
  if (rule.kind === "bind") checkOutside(text, rule.outside);
  if (rule.kind === "filesystem") {
    checkSize(text, checkFilesystem(text, rule.filesystem), rule.sizeKib);
    if (rule.sizeKib !== undefined) readSize(text, `${SIZE}${rule.sizeKib}`);
  }
  return { ...rule, inside };
}

/**
 * Writes a rule in the text form of the option `--dir`, in one spelling for all equal rules.
 *
 * @param rule the rule
 * @returns the text, which {@linkcode parseDirectoryRule} reads back unless a path holds a colon
 *
 * @example
 * ```ts
 * import { describeDirectoryRule, parseDirectoryRule } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(describeDirectoryRule(parseDirectoryRule("/usr/=/usr:rw")), "usr:rw");
 * ```
 */
export function describeDirectoryRule(rule: DirectoryRule | RemoveDirectoryRule): string {
  if (rule.kind === "remove") return `${rule.inside}=`;
  const words: RuleOption[] = [];
  let head = rule.inside;
  if (rule.kind === "bind") {
    if (rule.outside !== `/${rule.inside}`) head += `=${rule.outside}`;
    if (rule.readWrite) words.push("rw");
    if (rule.optional) words.push("maybe");
    if (!rule.recursive) words.push("norec");
  } else if (rule.kind === "filesystem") {
    head += `=${rule.filesystem}`;
    words.push("fs");
    if (rule.readWrite) words.push("rw");
  } else {
    words.push("tmp");
  }
  if (rule.noExec) words.push("noexec");
  if (rule.devices) words.push("dev");
  const size = rule.kind === "filesystem" && rule.sizeKib !== undefined
    ? [`${SIZE}${rule.sizeKib}`]
    : [];
  return [head, ...words, ...size].join(":");
}

/**
 * Lists the rules that a box has unless its user gives others.
 *
 * @returns new rules each time, in the order in which they are mounted
 *
 * @example
 * ```ts
 * import { defaultDirectoryRules } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(defaultDirectoryRules()[0]?.inside, "box");
 * ```
 */
export function defaultDirectoryRules(): DirectoryRule[] {
  parsedDefaults ??= DEFAULT_RULES.map(parseDirectoryRule).filter((rule) => rule.kind !== "remove");
  return parsedDefaults.map((rule) => ({ ...rule }));
}

const DEFAULT_RULES = [
  "box=./box:rw",
  "bin",
  // Not recursive: the host's /dev/shm, /dev/mqueue and /dev/pts stay outside.
  "dev:dev:norec",
  "dev/shm=tmpfs:fs:rw",
  "lib",
  "lib64:maybe",
  "proc=proc:fs",
  "tmp:tmp",
  "usr",
];

let parsedDefaults: DirectoryRule[] | undefined;

/** Options of {@linkcode resolveDirectoryRules}. */
export interface ResolveDirectoryRulesOptions {
  /** The user's rules and removals in the order given. */
  rules: Iterable<DirectoryRule | RemoveDirectoryRule>;
  /** Whether to include the default rules (`false` is the option `--no-default-dirs`). */
  defaults: boolean;
}

/**
 * Joins the user's rules and the default rules.
 *
 * A later rule for a mount point replaces the earlier one but keeps its place in the order. So a rule
 * for the mount point of a default rule takes that rule's place, even if `defaults` is false.
 *
 * @param options the user's rules, and whether the default rules are wanted
 * @returns the rules in the order in which they are mounted, each mount point once
 * @throws {SyntaxError} if a rule is not allowed
 *
 * @example Replace one default rule and drop all others
 * ```ts
 * import { parseDirectoryRule, resolveDirectoryRules } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * const rules = [parseDirectoryRule("opt"), parseDirectoryRule("tmp=/srv/work:rw")];
 * const resolved = resolveDirectoryRules({ rules, defaults: false });
 * assertEquals(resolved.map((rule) => rule.inside), ["tmp", "opt"]);
 * ```
 */
export function resolveDirectoryRules(options: ResolveDirectoryRulesOptions): DirectoryRule[] {
  // A removed rule leaves its entry behind: a Map keeps the place of a key that is set again.
  const places = new Map<string, DirectoryRule | undefined>();
  for (const rule of defaultDirectoryRules()) {
    places.set(rule.inside, options.defaults ? rule : undefined);
  }
  for (const given of options.rules) {
    const rule = checkDirectoryRule(given);
    places.set(rule.inside, rule.kind === "remove" ? undefined : rule);
  }
  return [...places.values()].filter((rule) => rule !== undefined);
}

function checkInside(text: string, path: string): string {
  const components = path.split("/").filter((component) => component !== "" && component !== ".");
  if (components.length === 0 || components.includes("..") || path.includes("\0")) {
    throw ruleError(
      text,
      "Invalid path",
      "the path inside the box must name something below its root, without '..'",
    );
  }
  return components.join("/");
}

function checkOutside(text: string, path: string): string {
  if ((path.startsWith("/") || path.startsWith("./")) && !path.includes("\0")) return path;
  throw ruleError(
    text,
    "Right-hand side must start with '/' or './'",
    "'./' is the directory of the box",
  );
}

function checkFilesystem(text: string, name: string): RuleFilesystem {
  const filesystem = RULE_FILESYSTEMS.find((known) => known === name);
  if (filesystem !== undefined) return filesystem;
  const help = `supported: ${RULE_FILESYSTEMS.join(", ")}`;
  throw ruleError(text, "This filesystem is not supported", help);
}

function ruleError(text: string, reason: string, help?: string): SyntaxError {
  const more = help === undefined ? "" : ` (${help})`;
  return new SyntaxError(`Invalid directory rule '${text}': ${reason}${more}`);
}
