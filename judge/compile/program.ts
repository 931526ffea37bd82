/** Compiled programs, and how they run: their language and the limits of a test decide. */

import {
  type DirectoryRule,
  type FilesystemRule,
  type Limits,
  type Outcome,
  resolveDirectoryRules,
} from "../../mod.ts";
import { PLACEHOLDER, type StepDefinition } from "../languages/language_definition.ts";
import type { Language } from "../languages/language_table.ts";
import { placeInBox } from "../languages/tool_finder.ts";

/** The values of a program's placeholders; those of tools and memory are known anyway. */
export type Words = ReadonlyMap<string, string | readonly string[]>;

/** What a run is allowed. */
export interface Allowance {
  /** CPU time in milliseconds; undefined: not limited. */
  readonly timeLimitMs?: number | undefined;
  /** Memory in KiB. */
  readonly memoryKib: number;
  /** Whether the box has a control group. */
  readonly controlGroup: boolean;
  /**
   * Whether nobody needs what it leaves in `/box`. With a control group, `/box` is then a file system in
   * memory that counts as the program's: it cannot fill the disk. Default: false.
   */
  readonly leavesNothing?: boolean;
  /** Whether it cannot write into `/box`. Default: false. */
  readonly readOnly?: boolean;
}

/** A command and the options with which a box runs it; streams and wall time are the caller's. */
export interface Invocation {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** CPU time, memory, processes, stack, sizes of files. */
  readonly limits: Limits;
  /** The whole environment. */
  readonly environment: ReadonlyMap<string, string>;
  /** The complete list. */
  readonly directoryRules: readonly DirectoryRule[];
  /** Always `/box`. */
  readonly workingDirectory: "/box";
}

const FILE_SIZE_KIB = 256 << 10;
/**
 * Where no control group counts what lies in memory: together these bound what a program can fill, and
 * no disk is filled at all.
 */
const SIZES_ALONE = { box: 128 << 10, tmp: 128 << 10, shm: 64 << 10 };
/** Compilers put more there, such as what they have compiled of libraries. */
const COMPILER_TMP_KIB = 512 << 10;
const KIB_PER_MIB = 1024;

/** The environment of every program. */
const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ["PATH", "/usr/local/bin:/usr/bin:/bin"],
  ["HOME", "/tmp"],
  ["LANG", "C.UTF-8"],
  // glibc then reports a smashed heap on standard error, not on the terminal.
  ["LIBC_FATAL_STDERR_", "1"],
];

/** A step of a language, with everything that it needs. */
export interface StepContext {
  readonly language: Language;
  readonly step: StepDefinition;
  readonly words: Words;
  /** The directory of the host that is bound at `/program`. */
  readonly program?: string | undefined;
  /** The directory of the host that is bound at `/prepared`. */
  readonly prepared?: string | undefined;
}

/** Makes the command of a step and the options with which a box runs it. */
export function invocationOf(context: StepContext, allowance: Allowance): Invocation {
  const { language, step } = context;
  const words = new Map<string, string | readonly string[]>([
    ...[...language.tools].map(([name, tool]): [string, string] => [name, tool.path]),
    ...memoryWords(step, allowance.memoryKib),
    ...context.words,
  ]);
  const variables = [...language.definition.environment, ...step.environment];
  const { timeLimitMs, memoryKib, controlGroup, leavesNothing = false, readOnly = false } =
    allowance;
  return {
    command: step.command.flatMap((word) => expandWord(word, words)),
    limits: {
      cpuTimeMs: timeLimitMs,
      ...controlGroup ? { controlGroupMemoryKib: memoryKib } : { addressSpaceKib: memoryKib },
      processes: controlGroup ? step.processes : step.processesAlone,
      // Deep recursion may use as much memory as everything else.
      stackKib: undefined,
      fileSizeKib: FILE_SIZE_KIB,
    },
    environment: new Map([
      ...ENVIRONMENT,
      ...variables.map(([name, value]): [string, string] => [
        name,
        expandWord(value, words).join(" "),
      ]),
    ]),
    directoryRules: directoryRules(context, {
      inMemory: inMemory({ controlGroup, leavesNothing }),
      readOnly,
    }),
    workingDirectory: "/box",
  };
}

/** Tells why the memory of a step cannot be limited in a box, if so. */
export function cannotLimit(
  { name }: Language,
  { memory }: StepDefinition,
  { hasControlGroup }: { readonly hasControlGroup: boolean },
): string | undefined {
  if (hasControlGroup || memory === "any") return undefined;
  return `${name} needs boxes with control groups: its address space is far larger than the memory ` +
    "that it uses, so it cannot be limited";
}

function memoryWords(step: StepDefinition, memoryKib: number): [string, string][] {
  const memoryMib = Math.max(1, Math.floor(memoryKib / KIB_PER_MIB));
  // At least half: with a small limit, the runtime should run out of memory, not refuse to start.
  const heapMib = Math.max(memoryMib - step.overheadMib, Math.ceil(memoryMib / 2));
  return [["memory", `${memoryMib}`], ["heap", `${heapMib}`]];
}

/** Replaces placeholders; a word that is only the placeholder of a list becomes several words. */
function expandWord(word: string, words: Words): string[] {
  const whole = /^\{(\w+)\}$/.exec(word)?.[1];
  const list = whole === undefined ? undefined : words.get(whole);
  if (typeof list === "object") return [...list];
  return [word.replace(PLACEHOLDER, (placeholder, name) => {
    const value = words.get(name);
    return value === undefined ? placeholder : typeof value === "string" ? value : value.join(" ");
  })];
}

type InMemory = Pick<FilesystemRule, "inside"> & Partial<Pick<FilesystemRule, "sizeKib">>;

/**
 * Says which directories are file systems in memory: new for each run, and unable to fill the disk. A
 * control group counts them; without one they have sizes.
 */
function inMemory(
  { controlGroup, leavesNothing }: { controlGroup: boolean; leavesNothing: boolean },
): InMemory[] {
  const box = leavesNothing ? ["box"] : [];
  if (controlGroup) return [...box, "tmp"].map((inside) => ({ inside }));
  // What leaves something is a compiler or a validator, whose box is watched.
  const tmp = leavesNothing ? SIZES_ALONE.tmp : COMPILER_TMP_KIB;
  return [
    ...box.map((inside) => ({ inside, sizeKib: SIZES_ALONE.box })),
    { inside: "tmp", sizeKib: tmp },
    { inside: "dev/shm", sizeKib: SIZES_ALONE.shm },
  ];
}

function directoryRules(
  { language, program, prepared }: StepContext,
  { inMemory, readOnly }: { inMemory: readonly InMemory[]; readOnly: boolean },
): DirectoryRule[] {
  const host = new Set([
    ...[...language.tools.values()].flatMap(({ bind }) => bind ?? []),
    ...language.directories,
  ]);
  const rules = [...host].sort().map((path) => bindRule(placeInBox(path).slice(1), path));
  if (program !== undefined) rules.push(bindRule("program", program));
  if (prepared !== undefined) rules.push(bindRule("prepared", prepared));
  if (readOnly) rules.push(bindRule("box", "./box"));
  for (const where of inMemory) {
    rules.push({
      ...where,
      kind: "filesystem",
      filesystem: "tmpfs",
      readWrite: !(readOnly && where.inside === "box"),
      noExec: false,
      devices: false,
    });
  }
  return resolveDirectoryRules({ rules, defaults: true });
}

/** Makes a rule by which a box sees a path of the host, read-only. */
export function bindRule(inside: string, outside: string): DirectoryRule {
  return {
    kind: "bind",
    inside,
    outside,
    readWrite: false,
    noExec: false,
    devices: false,
    optional: false,
    recursive: true,
  };
}

/** A compiled program. */
export class Program {
  /** Its language's name. */
  readonly language: string;
  /** The directory of the host with the compiled program, which boxes see read-only at `/program`. */
  readonly directory: string;
  readonly #language: Language;
  readonly #words: Words;

  /** The id of its language. */
  get languageId(): string {
    return this.#language.id;
  }

  /** Its main class or file; empty where it has none, as in languages that are linked. */
  get entryPoint(): string {
    return String(this.#words.get("class") ?? this.#words.get("main") ?? "");
  }

  /**
   * Describes a compiled program; {@linkcode Compiler.compile} makes it.
   *
   * @internal
   */
  constructor(language: Language, directory: string, words: Words) {
    this.language = language.name;
    this.directory = directory;
    this.#language = language;
    this.#words = words;
  }

  /**
   * Makes the command and the options of a run: `box.run([...command, ...more], { ...options, stdin })`.
   *
   * The working directory is `/box`. The program is at `/program`, read-only, so that it cannot change
   * itself between tests. With a control group, `/tmp` is a new file system in memory, and so is `/box`
   * if nobody needs what it leaves there.
   *
   * @param allowance time, memory, and whether the box has a control group
   * @returns the command and the options
   */
  invocation(allowance: Allowance): Invocation {
    const language = this.#language;
    const step = language.definition.run;
    const context = { language, step, words: this.#words, program: this.directory };
    return invocationOf(context, allowance);
  }

  /**
   * Tells whether a run failed for lack of memory. Some runtimes give up before the memory limit of the
   * box is reached, and end as after any other error.
   *
   * @param outcome how the run ended
   * @param stderr the beginning of its standard error
   * @returns whether the memory limit was hit, or the runtime's heap was full
   */
  ranOutOfMemory(outcome: Outcome, stderr: string): boolean {
    if (outcome.kind === "memory-limit") return true;
    const hasFailed = outcome.kind === "signal" ||
      outcome.kind === "exit" && outcome.exitCode !== 0;
    return hasFailed &&
      this.#language.definition.outOfMemory.some((text) => stderr.includes(text));
  }
}
