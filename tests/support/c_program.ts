/** Small C programs for boxes, compiled once in a test process. */

import { assert } from "@std/assert";

const compiled = new Map<string, Promise<string>>();
let folder: string | undefined;

function outputFolder(): string {
  if (folder === undefined) {
    const made = folder = Deno.makeTempDirSync({ prefix: "isolate-programs-" });
    globalThis.addEventListener("unload", () => Deno.removeSync(made, { recursive: true }));
  }
  return folder;
}

/**
 * Compiles a C program with gcc; gives the path of the executable on the host, which everybody may
 * read. The same source with the same flags is compiled once.
 *
 * @param source the text of the program
 * @param flags options of the compiler, such as `-pthread`
 */
export function compileC(source: string, flags: readonly string[] = []): Promise<string> {
  const key = JSON.stringify([source, flags]);
  const known = compiled.get(key) ?? compile(source, { flags, number: compiled.size });
  compiled.set(key, known);
  return known;
}

async function compile(
  source: string,
  { flags, number }: { flags: readonly string[]; number: number },
): Promise<string> {
  const output = `${outputFolder()}/program-${number}`;
  await Deno.writeTextFile(`${output}.c`, source);
  const { success, stderr } = await new Deno.Command("gcc", {
    args: ["-O1", "-w", "-D_GNU_SOURCE", "-o", output, `${output}.c`, ...flags],
    stdin: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return output;
}

/** Compiles a program and puts it into a directory (a box's) under a name. */
export async function installC(
  path: string,
  source: string,
  flags: readonly string[] = [],
): Promise<void> {
  await Deno.copyFile(await compileC(source, flags), path);
  await Deno.chmod(path, 0o755);
}
