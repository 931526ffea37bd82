/** How sources are compiled and run. Compilers run in the box too: their input is not trusted. */

import type { DemoBox } from "./isolate.ts";

/** A program that is ready to run. */
export interface Runnable {
  command: readonly string[];
  /** What the language's runtime needs of the box. */
  options: readonly string[];
}

const COMPILER_OPTIONS = ["--processes", "--time=20", "--wall-time=40", "--env=PATH=/usr/bin:/bin"];

const COMPILERS: Readonly<Record<string, readonly string[]>> = {
  c: ["/usr/bin/gcc", "-O2", "-Wall", "-pthread"],
  cpp: ["/usr/bin/g++", "-O2", "-Wall"],
};

const INTERPRETERS: Readonly<Record<string, string>> = { sh: "/bin/sh", py: "/usr/bin/python3" };

function languageOf(source: string): string {
  return source.slice(source.lastIndexOf(".") + 1);
}

/** Compiles a source that lies in the box, or finds its interpreter. */
export async function prepare(box: DemoBox, source: string): Promise<Runnable> {
  const language = languageOf(source);
  const compiler = COMPILERS[language];
  if (compiler) {
    const command = [...compiler, "-o", "program", source];
    const { meta, errors } = await box.run(command, COMPILER_OPTIONS);
    if (meta.get("exitcode") !== "0") throw new Error(`Cannot compile ${source}: ${errors}`);
    return { command: ["./program"], options: [] };
  }
  const interpreter = INTERPRETERS[language];
  return interpreter ? { command: [interpreter, source], options: [] } : deno(source);
}

/** V8 has threads and reserves address space by the gigabyte: it cannot be limited that way. */
function deno(source: string): Runnable {
  const path = Deno.realPathSync(Deno.execPath());
  const slash = path.lastIndexOf("/");
  const options = [
    `--dir=deno=${path.slice(0, slash)}`,
    "--processes=64",
    "--mem=1073741824",
    "--open-files=1024",
    "--env=DENO_DIR=/tmp",
    "--env=DENO_NO_UPDATE_CHECK=1",
  ];
  const command = [`/deno/${path.slice(slash + 1)}`, "run", "--quiet", "--no-prompt", source];
  return { command, options };
}

/** Says why a source's language cannot be shown on this machine; undefined if it can. */
export function missingLanguage(source: string): string | undefined {
  const language = languageOf(source);
  const program = COMPILERS[language]?.[0] ?? INTERPRETERS[language];
  try {
    if (program !== undefined) Deno.statSync(program);
    return undefined;
  } catch {
    return `${program} is not installed`;
  }
}
