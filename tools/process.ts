/** What the tools, the demo and the benchmarks share: processes, and folders for a while. */

/** The project's folder, without a slash at the end. */
export const ROOT: string = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** Spells a call of `isolate` as a user makes it: a process with no permission but `--allow-ffi`. */
export function isolateCommand(...args: readonly string[]): string[] {
  return scriptCommand("isolate.ts", args);
}

/** Spells a call that asks no service. */
export function directCommand(...args: readonly string[]): string[] {
  return scriptCommand("direct.ts", args);
}

function scriptCommand(script: string, args: readonly string[]): string[] {
  const run = ["run", "--quiet", "--no-prompt", "--allow-ffi"];
  return [Deno.execPath(), ...run, `${ROOT}/${script}`, ...args];
}

/** How a process ended. */
export interface Ended {
  code: number;
  success: boolean;
  stdout: string;
  stderr: string;
}

/** Options of a process. */
export interface ProcessOptions {
  cwd?: string;
  env?: Record<string, string>;
}

/** Runs a program to its end. */
export async function execute(
  [program = "", ...args]: readonly string[],
  options: ProcessOptions = {},
): Promise<Ended> {
  const command = new Deno.Command(program, { args, ...options, stdin: "null" });
  const { code, success, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, success, stdout: text(stdout), stderr: text(stderr) };
}

/** Runs a program and returns what it printed; throws with its complaint if it fails. */
export async function output(
  command: readonly string[],
  options: ProcessOptions = {},
): Promise<string> {
  const { success, stdout, stderr } = await execute(command, options);
  if (success) return stdout;
  throw new Error(`${command.join(" ")}: ${stderr.trim().split("\n").at(-1) || "failed"}`);
}

/** Gives `work` a folder, and removes it afterwards. */
export async function withFolder<T>(
  work: (folder: string) => T | Promise<T>,
  { parent }: { parent?: string } = {},
): Promise<T> {
  const where = parent === undefined ? {} : { dir: parent };
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "isolate-dev-", ...where }));
  try {
    return await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
