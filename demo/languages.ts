/** How sources are compiled and run. Compilers are programs of strangers too: they run in the box. */

import type { DemoBox } from "./isolate.ts";

/** A program that is ready to run. */
export interface Runnable {
  command: readonly string[];
  /** What the language's runtime needs of the box. */
  options: readonly string[];
}

const COMPILER_OPTIONS = [
  "--processes",
  "--time=20",
  "--wall-time=40",
  "--env=PATH=/usr/bin:/bin",
];

const COMPILERS: Readonly<Record<string, readonly string[]>> = {
  c: ["/usr/bin/gcc", "-O2", "-Wall", "-pthread"],
  cpp: ["/usr/bin/g++", "-O2", "-Wall"],
};

/** Compiles a source that lies in the box, or finds its interpreter. */
export async function prepare(box: DemoBox, source: string): Promise<Runnable> {
  const language = source.split(".").at(-1)!;
  const compiler = COMPILERS[language];
  if (compiler) {
    const { meta, errors } = await box.run(
      [...compiler, "-o", "program", source],
      COMPILER_OPTIONS,
    );
    if (meta.get("exitcode") !== "0") throw new Error(`Cannot compile ${source}: ${errors}`);
    return { command: ["./program"], options: [] };
  }
  switch (language) {
    case "sh":
      return { command: ["/bin/sh", source], options: [] };
    case "py":
      return { command: ["/usr/bin/python3", source], options: [] };
    case "js":
      return deno(source);
    default:
      throw new Error(`${source} is in no language that the demo knows`);
  }
}

/** V8 has threads and reserves address space by the gigabyte: it cannot be limited that way. */
function deno(source: string): Runnable {
  const path = Deno.realPathSync(Deno.execPath());
  const options = [
    `--dir=deno=${path.slice(0, path.lastIndexOf("/"))}`,
    "--processes=64",
    "--mem=1073741824",
    "--open-files=1024",
    "--env=DENO_DIR=/tmp",
    "--env=DENO_NO_UPDATE_CHECK=1",
  ];
  const command = [`/deno/${path.split("/").at(-1)}`, "run", "--quiet", "--no-prompt", source];
  return { command, options };
}

/** Which of the languages cannot be shown here, and why. */
export function missingLanguage(source: string): string | undefined {
  const program = source.endsWith(".py") ? "/usr/bin/python3" : COMPILERS[
    source.split(".").at(-1)!
  ]?.[0];
  if (program === undefined) return undefined;
  try {
    Deno.statSync(program);
    return undefined;
  } catch {
    return `${program} is not installed`;
  }
}
