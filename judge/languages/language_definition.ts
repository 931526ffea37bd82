/** What the table of languages says of one language. */

import { ExpectedError } from "../../text/errors.ts";
import type { YamlNode } from "../../text/yaml_node.ts";

/** A command that a language needs. */
export interface ToolDefinition {
  /** Commands that can serve, the best first: names for PATH, or paths. */
  readonly commands: readonly string[];
  /** Whether the file works without the installation around it. */
  readonly alone: boolean;
}

/** A command that is run in a box: to prepare a language, to compile or to run a program. */
export interface StepDefinition {
  /** The words of the command. */
  readonly command: readonly string[];
  /** What can carry the memory limit: `any`, or only a control group. */
  readonly memory: "any" | "control-group";
  /** Memory in MiB that the runtime takes from the heap. */
  readonly overheadMib: number;
  /** The most processes and threads. */
  readonly processes: number;
  /** The same where the address space of each process carries the memory limit. */
  readonly processesAlone: number;
  /** Whether it may lock files, which the system call filter forbids otherwise. */
  readonly fileLocks: boolean;
  /** Whether it only looks for mistakes: programs run without it, too. */
  readonly onlyChecks: boolean;
  /** Variables for this step. */
  readonly environment: ReadonlyMap<string, string>;
}

/** A language of the table. Its words may hold placeholders such as `{main}`. */
export interface LanguageDefinition {
  /** Its key in the table. */
  readonly id: string;
  /** Its name for people. */
  readonly name: string;
  /** Endings of source files. */
  readonly extensions: readonly string[];
  /** Endings of source files whose first line names an interpreter in `shebangs`. */
  readonly extensionsWithShebang: readonly string[];
  /** Endings of files that belong to programs but do not make one, such as headers. */
  readonly companions: readonly string[];
  /** Interpreters in the first line `#!`. */
  readonly shebangs: readonly string[];
  /** Files that make a validator's folder one of this language. */
  readonly files: readonly string[];
  /** Names of the main file among several; `java`: its text tells; `none`: there is no such file. */
  readonly main: readonly string[] | "java" | "none";
  /** The commands that it needs. */
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  /** The command that prints the version. */
  readonly version: readonly string[];
  /** Patterns of other files and directories of the host that it needs. */
  readonly directories: readonly string[];
  /** Variables for all steps. */
  readonly environment: ReadonlyMap<string, string>;
  /** Run once for each version of the tools. */
  readonly prepare: StepDefinition | undefined;
  /** Compiles a program; undefined: nothing is compiled. */
  readonly compile: StepDefinition | undefined;
  /** Runs a program. */
  readonly run: StepDefinition;
  /** What the runtime writes on standard error when its heap is full. */
  readonly outOfMemory: readonly string[];
  /** What the compiler writes, and the sentence that tells its user what is meant. */
  readonly hints: ReadonlyMap<string, string>;
}

/** The language of a program is unknown, or the program does not fit it. */
export class LanguageError extends ExpectedError {
  /** Always `"LanguageError"`. */
  override readonly name = "LanguageError";
}

/** A placeholder in a word of a command; two braces do not make one. */
export const PLACEHOLDER = /(?<!\{)\{(\w+)\}(?!\})/g;

/** Placeholders besides those of tools. */
const PLACEHOLDERS = ["sources", "main", "class", "program", "heap", "memory"];

const KEYS = [
  ...["name", "extensions", "extensions_with_shebang", "companions", "shebangs", "files", "main"],
  ...["tools", "version", "directories", "environment"],
  ...["prepare", "compile", "run", "out_of_memory", "hints"],
];

const STEP_KEYS = [
  ...["command", "memory", "overhead", "processes", "processes_alone"],
  ...["file_locks", "only_checks", "environment"],
];

/** Compilers call other programs. */
const COMPILE_PROCESSES = 100;

/** Reads a language, whose key is its id. */
export function readLanguage(node: YamlNode): LanguageDefinition {
  const id = node.key!;
  if (!/^[a-z][a-z0-9_+-]*$/.test(id)) {
    throw node.error("the id of a language must consist of lower-case letters and digits");
  }
  const values = node.mapping(KEYS);
  const list = (key: string) => readList(values.get(key));
  const [main, version] = [values.get("main"), values.get("version")];
  const [prepare, compile, run] = [values.get("prepare"), values.get("compile"), values.get("run")];
  if (!run) throw node.error("needs run, a mapping with a command");
  if (!version) throw node.error("needs version, a command");
  const definition: LanguageDefinition = {
    id,
    name: values.get("name")?.text() ?? id,
    extensions: readExtensions(values.get("extensions")),
    extensionsWithShebang: readExtensions(values.get("extensions_with_shebang")),
    companions: readExtensions(values.get("companions")),
    shebangs: list("shebangs"),
    files: list("files"),
    main: main === undefined ? "none" : main.value === "java" ? "java" : readList(main),
    tools: readTools(values.get("tools")),
    version: readCommand(version),
    directories: readDirectories(values.get("directories")),
    environment: readVariables(values.get("environment")),
    prepare: prepare && readStep(prepare, { processes: COMPILE_PROCESSES }),
    compile: compile && readStep(compile, { processes: COMPILE_PROCESSES }),
    run: readStep(run, { processes: 1 }),
    outOfMemory: list("out_of_memory"),
    hints: readVariables(values.get("hints")),
  };
  const locks = run.entries().get("file_locks");
  // A lock on a file that several boxes see is a way to talk, and to stop others.
  if (definition.run.fileLocks) throw locks!.error("programs must not lock files when they run");
  for (const step of [prepare, run]) {
    const key = step?.entries().get("only_checks");
    if (key) throw key.error("only a compile step can only check programs");
  }
  const placeholders = [...definition.tools.keys(), ...PLACEHOLDERS];
  for (const key of ["version", "environment", "prepare", "compile", "run"]) {
    checkPlaceholders(values.get(key), placeholders);
  }
  const { extensions, extensionsWithShebang, shebangs, files } = definition;
  if ([extensions, extensionsWithShebang, shebangs, files].every((way) => way.length === 0)) {
    throw node.error("needs one of extensions, shebangs and files, which tell its sources");
  }
  return definition;
}

function checkPlaceholders(node: YamlNode | undefined, known: readonly string[]): void {
  if (!node) return;
  const below = node.isMapping ? [...node.entries().values()] : node.isList ? node.list() : [];
  for (const value of below) checkPlaceholders(value, known);
  if (typeof node.value !== "string") return;
  for (const [placeholder, name = ""] of node.value.matchAll(PLACEHOLDER)) {
    if (known.includes(name)) continue;
    throw node.error(`unknown placeholder ${placeholder}; known placeholders: ${known.join(", ")}`);
  }
}

function readList(node: YamlNode | undefined): string[] {
  return node?.list().map((word) => word.exactText()) ?? [];
}

function readCommand(node: YamlNode): string[] {
  const words = readList(node);
  if (words.length === 0) throw node.error("must name a command");
  return words;
}

function readExtensions(node: YamlNode | undefined): string[] {
  return (node?.list() ?? []).map((extension) => {
    if (/^\.[^./]+$/.test(extension.text())) return extension.text();
    throw extension.mustBe("an ending with a dot, such as .py");
  });
}

function readDirectories(node: YamlNode | undefined): string[] {
  return (node?.list() ?? []).map((directory) => {
    const pattern = directory.text();
    const isUnderneath = /^\/[^*]+\/[^/]+$|^\/[^*/]+$/.test(pattern);
    if (isUnderneath && !/(^|\/)\.\.(\/|$)/.test(pattern)) return pattern;
    throw directory.mustBe("an absolute path, with * at most in its last part");
  });
}

function readVariables(node: YamlNode | undefined): Map<string, string> {
  return new Map([...node?.entries() ?? []].map(([name, value]) => [name, value.exactText()]));
}

function readTools(node: YamlNode | undefined): Map<string, ToolDefinition> {
  const read = (tool: YamlNode): ToolDefinition => {
    if (!tool.isMapping) return { commands: readCommand(tool), alone: false };
    const values = tool.mapping(["commands", "alone"]);
    const commands = values.get("commands");
    if (!commands) throw tool.error("needs commands");
    return { commands: readCommand(commands), alone: values.get("alone")?.truth() ?? false };
  };
  return new Map([...node?.entries() ?? []].map(([name, tool]) => [name, read(tool)]));
}

function readStep(node: YamlNode, defaults: { processes: number }): StepDefinition {
  const values = node.mapping(STEP_KEYS);
  const command = values.get("command");
  if (!command) throw node.error("needs a command");
  const whole = (key: string) =>
    values.get(key)?.number({ min: 0, max: 999_999, isWhole: true, what: "a whole number" });
  const processes = whole("processes") ?? defaults.processes;
  return {
    command: readCommand(command),
    memory: values.get("memory")?.oneOf(["any", "control-group"]) ?? "any",
    overheadMib: whole("overhead") ?? 0,
    processes,
    processesAlone: whole("processes_alone") ?? (defaults.processes === 1 ? 1 : processes),
    fileLocks: values.get("file_locks")?.truth() ?? false,
    onlyChecks: values.get("only_checks")?.truth() ?? false,
    environment: readVariables(values.get("environment")),
  };
}
