/** The command as others call it: a process with no permission but `--allow-ffi`. */

import { parseMeta } from "isolate/box/outcome/meta.ts";

const COMMAND = new URL("../isolate.ts", import.meta.url).pathname;

/** How the command ended. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `isolate` with these arguments. */
export async function isolate(args: readonly string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-ffi", COMMAND, ...args],
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Runs it and insists on success. */
export async function isolateOrThrow(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await isolate(args);
  if (code !== 0) throw new Error(`isolate ${args.join(" ")} failed: ${stderr}`);
  return stdout;
}

/** What a run in a box came to. */
export interface RunResult {
  meta: Map<string, string>;
  /** The first part of what the program printed; it can print a lot. */
  output: string;
  errors: string;
}

const OUTPUT_MAX_BYTES = 4096;

/** A box of the command's, with files in it. */
export class DemoBox {
  readonly #id: number;
  readonly #directory: string;

  private constructor(id: number, directory: string) {
    this.#id = id;
    this.#directory = directory;
  }

  static async init(id: number): Promise<DemoBox> {
    const path = await isolateOrThrow([`--box-id=${id}`, "--init"]);
    return new DemoBox(id, path.trimEnd() + "/box");
  }

  async write(name: string, content: string): Promise<void> {
    await Deno.writeTextFile(`${this.#directory}/${name}`, content);
  }

  /** Runs a program; `in.txt` in the box is its input. */
  async run(command: readonly string[], options: readonly string[]): Promise<RunResult> {
    const meta = await Deno.makeTempFile({ prefix: "isolate-demo-" });
    try {
      const ended = await isolate([
        `--box-id=${this.#id}`,
        `--meta=${meta}`,
        ...["--stdin=in.txt", "--stdout=out.txt", "--stderr=err.txt"],
        ...options,
        "--run",
        "--",
        ...command,
      ]);
      if (ended.code === 2) throw new Error(`The sandbox failed: ${ended.stderr}`);
      return {
        meta: parseMeta(await Deno.readTextFile(meta)),
        output: await this.#read("out.txt"),
        errors: await this.#read("err.txt"),
      };
    } finally {
      await Deno.remove(meta);
    }
  }

  async cleanup(): Promise<void> {
    await isolateOrThrow([`--box-id=${this.#id}`, "--cleanup"]);
  }

  /** What a program has left there is not trusted: no link is followed, and not all is read. */
  async #read(name: string): Promise<string> {
    const path = `${this.#directory}/${name}`;
    if (!(await Deno.lstat(path)).isFile) throw new Error(`${path} is no file any more`);
    using file = await Deno.open(path);
    const bytes = new Uint8Array(OUTPUT_MAX_BYTES);
    const length = await file.read(bytes) ?? 0;
    return new TextDecoder().decode(bytes.subarray(0, length));
  }
}
