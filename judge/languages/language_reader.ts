/** Reads a language of the table, and says where something is wrong. */

import { nearest } from "../../text/suggest.ts";
import {
  type LanguageDefinition,
  PLACEHOLDER,
  type StepDefinition,
  type ToolDefinition,
} from "./language_definition.ts";

/** A mapping as it was parsed: with the failsafe schema, all values are texts. */
export type RawLanguage = { readonly [key: string]: unknown };

/** Placeholders besides those of tools. */
const PLACEHOLDERS = ["sources", "main", "class", "program", "heap", "memory"] as const;

const COMPILE_PROCESSES = 100;

const KEYS = [
  "name",
  "extensions",
  "extensions_with_shebang",
  "companions",
  "shebangs",
  "files",
  "main",
  "tools",
  "version",
  "directories",
  "environment",
  "prepare",
  "compile",
  "run",
  "out_of_memory",
] as const;

const STEP_KEYS = [
  "command",
  "memory",
  "overhead",
  "processes",
  "processes_alone",
  "file_locks",
  "environment",
] as const;

/** How something wrong in the table is told: with the path of keys to it. */
export type Complain = (path: readonly string[], reason: string) => Error;

/** Reads a language of the table. */
export function readLanguage(
  id: string,
  raw: RawLanguage,
  complain: Complain,
): LanguageDefinition {
  const reader = new Reader(complain);
  if (!/^[a-z][a-z0-9_+-]*$/.test(id)) {
    throw complain([id], "the key of a language must consist of small letters and digits");
  }
  reader.keys([id], raw, KEYS);
  const list = (key: string) => reader.list([id, key], raw[key]);
  const step = (key: string, processes: number) =>
    reader.step([id, key], { raw: raw[key], processes });
  const run = step("run", 1);
  const version = list("version");
  if (run === undefined) throw complain([id], "the key 'run' is missing");
  if (version.length === 0) throw complain([id], "the key 'version' is missing");
  const definition: LanguageDefinition = {
    id,
    name: reader.text([id, "name"], raw.name ?? id),
    extensions: reader.extensions([id, "extensions"], raw.extensions),
    extensionsWithShebang: reader.extensions(
      [id, "extensions_with_shebang"],
      raw.extensions_with_shebang,
    ),
    companions: reader.extensions([id, "companions"], raw.companions),
    shebangs: list("shebangs"),
    files: list("files"),
    main: raw.main === undefined ? "none" : raw.main === "java" ? "java" : list("main"),
    tools: reader.tools([id, "tools"], raw.tools),
    version,
    directories: list("directories"),
    environment: reader.variables([id, "environment"], raw.environment),
    prepare: step("prepare", COMPILE_PROCESSES),
    compile: step("compile", COMPILE_PROCESSES),
    run,
    outOfMemory: list("out_of_memory"),
  };
  for (const pattern of definition.directories) {
    if (/^\/[^*]+\/[^/]+$|^\/[^*/]+$/.test(pattern) && !/(^|\/)\.\.(\/|$)/.test(pattern)) continue;
    throw complain(
      [id, "directories"],
      `'${pattern}' must be an absolute path, with '*' at most in its last part`,
    );
  }
  checkPlaceholders(definition, complain);
  const ways = ["extensions", "extensionsWithShebang", "shebangs", "files"] as const;
  if (ways.every((way) => definition[way].length === 0)) {
    throw complain([id], "one of 'extensions', 'shebangs' and 'files' must say what is its source");
  }
  return definition;
}

function checkPlaceholders(definition: LanguageDefinition, complain: Complain): void {
  const { id, tools, version, environment } = definition;
  const known: readonly string[] = [...tools.keys(), ...PLACEHOLDERS];
  const check = (path: readonly string[], words: Iterable<string>) => {
    for (const [, name = ""] of [...words].flatMap((word) => [...word.matchAll(PLACEHOLDER)])) {
      if (known.includes(name)) continue;
      throw complain(path, `unknown placeholder '{${name}}' (known: ${known.join(", ")})`);
    }
  };
  check([id, "version"], version);
  check([id, "environment"], environment.values());
  for (const step of ["prepare", "compile", "run"] as const) {
    check([id, step, "command"], definition[step]?.command ?? []);
    check([id, step, "environment"], definition[step]?.environment.values() ?? []);
  }
}

class Reader {
  readonly #complain: Complain;

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  keys(path: readonly string[], raw: RawLanguage, known: readonly string[]): void {
    for (const key of Object.keys(raw)) {
      if (known.includes(key)) continue;
      const similar = nearest(key, known);
      const help = similar ? `did you mean '${similar}'?` : `known keys: ${known.join(", ")}`;
      throw this.#complain([...path, key], `unknown key '${key}' (${help})`);
    }
  }

  mapping(path: readonly string[], raw: unknown): RawLanguage {
    if (isMapping(raw)) return raw;
    throw this.#complain(path, `'${path.at(-1)}' must be a mapping of keys to values`);
  }

  text(path: readonly string[], raw: unknown): string {
    if (typeof raw === "string") return raw;
    throw this.#complain(path, `'${path.at(-1)}' must be a single value`);
  }

  list(path: readonly string[], raw: unknown): string[] {
    if (raw === undefined) return [];
    if (!Array.isArray(raw)) {
      throw this.#complain(path, `'${path.at(-1)}' must be a list, such as [a, b]`);
    }
    return raw.map((item) => this.text(path, item));
  }

  extensions(path: readonly string[], raw: unknown): string[] {
    const list = this.list(path, raw);
    for (const extension of list) {
      if (/^\.[^./]+$/.test(extension)) continue;
      throw this.#complain(path, `'${extension}' must begin with a dot, such as .py`);
    }
    return list;
  }

  variables(path: readonly string[], raw: unknown): Map<string, string> {
    const mapping = raw === undefined ? {} : this.mapping(path, raw);
    return new Map(
      Object.entries(mapping).map(([name, value]) => [name, this.text([...path, name], value)]),
    );
  }

  tools(path: readonly string[], raw: unknown): Map<string, ToolDefinition> {
    const mapping = raw === undefined ? {} : this.mapping(path, raw);
    return new Map(
      Object.entries(mapping).map(([name, value]): [string, ToolDefinition] => {
        const place = [...path, name];
        if (!isMapping(value)) return [name, { commands: this.#some(place, value), alone: false }];
        this.keys(place, value, ["commands", "alone"]);
        const commands = this.#some([...place, "commands"], value.commands);
        return [name, { commands, alone: this.#flag([...place, "alone"], value.alone) }];
      }),
    );
  }

  #flag(path: readonly string[], raw: unknown): boolean {
    if (raw === undefined || raw === "false") return false;
    if (raw === "true") return true;
    throw this.#complain(path, `'${path.at(-1)}' must be true or false`);
  }

  #some(path: readonly string[], raw: unknown): string[] {
    const list = this.list(path, raw);
    if (list.length === 0) throw this.#complain(path, `'${path.at(-1)}' must name a command`);
    return list;
  }

  step(path: readonly string[], { raw, processes }: {
    raw: unknown;
    processes: number;
  }): StepDefinition | undefined {
    if (raw === undefined || raw === null || raw === "") return undefined;
    const step = this.mapping(path, raw);
    this.keys(path, step, STEP_KEYS);
    const memory = step.memory ?? "any";
    if (memory !== "any" && memory !== "control-group") {
      throw this.#complain([...path, "memory"], "'memory' must be any or control-group");
    }
    const number = (key: string, missing: number) => {
      if (step[key] === undefined) return missing;
      const text = this.text([...path, key], step[key]);
      if (/^\d{1,6}$/.test(text)) return Number(text);
      throw this.#complain([...path, key], `'${key}' must be a whole number, not '${text}'`);
    };
    const count = number("processes", processes);
    const fileLocks = this.#flag([...path, "file_locks"], step.file_locks);
    if (fileLocks && path.at(-1) === "run") {
      // A lock on a file that several boxes see is a way to talk, and to stop others.
      throw this.#complain(
        [...path, "file_locks"],
        "'file_locks' is not for programs that are run",
      );
    }
    return {
      command: this.#some([...path, "command"], step.command),
      memory,
      overheadMib: number("overhead", 0),
      processes: count,
      // Compilers call each other.
      processesAlone: number("processes_alone", processes === 1 ? 1 : count),
      fileLocks,
      environment: this.variables([...path, "environment"], step.environment),
    };
  }
}

/** Whether a value is a mapping of keys to values. */
export function isMapping(value: unknown): value is RawLanguage {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
