/** Compiling and running small programs in the languages of the table, as a judge does. */

import { Box, callerEnvironment, Capture, type Outcome, sharedSandbox } from "isolate/mod.ts";
import { Compiler } from "isolate/judge/compile/compile.ts";
import type { Compiled, CompileLimits } from "isolate/judge/compile/compile_options.ts";
import type { Program } from "isolate/judge/compile/program.ts";
import { HostFiles } from "isolate/host/files.ts";
import {
  type Language,
  LanguageTable,
  type RecogniseOptions,
} from "isolate/judge/languages/language_table.ts";
import { loadLanguages } from "isolate/judge/languages/languages.ts";
import type { ProgramSource } from "isolate/judge/types.ts";
import { needsControlGroup } from "./control_group.ts";
import { type Missing, needs } from "./skip.ts";

/** How a program ended, and what it wrote. */
export interface Ran {
  outcome: Outcome;
  stdout: string;
  stderr: string;
}

/** What tests change in a compilation. */
export interface CompileChanges extends RecogniseOptions {
  limits?: Partial<CompileLimits>;
  signal?: AbortSignal;
}

const LIMITS: CompileLimits = { timeMs: 60_000, memoryKib: 2 << 20, codeKib: 128 };

/** The table of languages, and why a language cannot be tested here. */
export interface Languages {
  table: LanguageTable;
  needs(id: string): Missing;
}

/** Reads the table; without root rights nothing can be tested. */
export async function languages(): Promise<Languages> {
  if (Deno.uid() !== 0) {
    const nothing = new LanguageTable(undefined as never, []);
    return { table: nothing, needs: () => needs.root() };
  }
  const host = new HostFiles(await sharedSandbox());
  const table = await loadLanguages(host, { environment: await callerEnvironment() });
  return {
    table,
    needs(id) {
      const language = table.find(id);
      if (language === undefined) return `needs the language ${id}`;
      if (language.missing !== undefined) return `needs ${language.name}: ${language.missing}`;
      const { compile, run } = language.definition;
      const isGroupNeeded = [compile, run].some((step) => step?.memory === "control-group");
      return isGroupNeeded ? needsControlGroup.any() : undefined;
    },
  };
}

/** A folder of sources, a compiler and a box, for one test. */
export class Workbench implements AsyncDisposable {
  readonly box: Box;
  readonly compiler: Compiler;
  readonly table: LanguageTable;
  readonly #folder: string;
  #count = 0;

  private constructor(options: {
    box: Box;
    compiler: Compiler;
    table: LanguageTable;
    folder: string;
  }) {
    this.box = options.box;
    this.compiler = options.compiler;
    this.table = options.table;
    this.#folder = options.folder;
  }

  static async open(boxId: number, options: {
    table: LanguageTable;
    cacheDirectory?: string;
    controlGroup?: boolean;
  }): Promise<Workbench> {
    const { table, cacheDirectory } = options;
    const sandbox = await sharedSandbox();
    const host = new HostFiles(sandbox);
    const controlGroup = options.controlGroup ?? needsControlGroup.any() === undefined;
    const box = await Box.init({ boxId, controlGroup });
    const folder = await Deno.makeTempDir({ prefix: "isolate-sources-" });
    const compiler = new Compiler({ sandbox, host, cacheDirectory });
    return new Workbench({ box, compiler, table, folder });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.compiler[Symbol.asyncDispose]();
    await this.box.cleanup();
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** Writes a program to the disk. */
  async source(files: Readonly<Record<string, string | Uint8Array>>): Promise<ProgramSource> {
    const folder = `${this.#folder}/${++this.#count}`;
    const names = Object.keys(files).sort();
    for (const name of names) {
      const path = `${folder}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      const content = files[name]!;
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(path, bytes);
    }
    return {
      name: names.length === 1 ? names[0]! : "submission",
      files: names.map((name) => {
        const hostFile = `${folder}/${name}`;
        return { name, hostFile, sizeBytes: Deno.statSync(hostFile).size };
      }),
    };
  }

  /** Compiles a program, which may fail. */
  async compile(
    files: Readonly<Record<string, string | Uint8Array>>,
    changes: CompileChanges = {},
  ): Promise<Compiled> {
    const { limits, signal, ...recognise } = changes;
    const source = await this.source(files);
    const language: Language = this.table.recognise(source, recognise);
    const { box } = this;
    const options = { language, box, signal, limits: { ...LIMITS, ...limits } };
    return await this.compiler.compile(source, options);
  }

  /** Compiles a program that must compile. */
  async program(
    files: Readonly<Record<string, string | Uint8Array>>,
    changes: CompileChanges = {},
  ): Promise<Program> {
    const { program, result } = await this.compile(files, changes);
    if (program === undefined) throw new Error(`${result.message}\n${result.output}`);
    return program;
  }

  /** Runs a program in a fresh box. */
  async run(program: Program, options: {
    stdin?: string;
    timeLimitMs?: number;
    memoryMib?: number;
    args?: readonly string[];
  } = {}): Promise<Ran> {
    const { stdin = "", timeLimitMs = 10_000, memoryMib = 256, args = [] } = options;
    const { box } = this;
    await box.clear();
    const allowance = {
      timeLimitMs,
      memoryKib: memoryMib << 10,
      controlGroup: box.hasControlGroup,
    };
    const { command, limits, ...others } = program.invocation(allowance);
    const [stdout, stderr] = [1 << 20, 1 << 16].map((limitBytes) =>
      new Capture({ limitBytes, overflow: "discard" })
    ) as [Capture, Capture];
    const outcome = await box.run([...command, ...args], {
      ...others,
      limits: { ...limits, wallTimeMs: 60_000 },
      stdin: { text: stdin },
      stdout,
      stderr,
    });
    return { outcome, stdout: stdout.text(), stderr: stderr.text() };
  }
}
