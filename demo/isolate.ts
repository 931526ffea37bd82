/** The command as other programs call it, and a box of its own. */

import { parseMeta } from "isolate/box/outcome/meta.ts";
import { directCommand, execute, output } from "../tools/process.ts";

/** What became of a run in a box. */
export interface RunResult {
  meta: Map<string, string>;
  /** The first part of what the program printed; it can print a lot. */
  output: string;
  errors: string;
}

const OUTPUT_MAX_BYTES = 4096;

/** A box of the command's, with files in it. */
export class DemoBox {
  readonly #option: string;
  readonly #directory: string;

  private constructor(option: string, directory: string) {
    this.#option = option;
    this.#directory = directory;
  }

  static async init(id: number): Promise<DemoBox> {
    const option = `--box-id=${id}`;
    const path = await output(directCommand(option, "--init"));
    return new DemoBox(option, `${path.trimEnd()}/box`);
  }

  async write(name: string, content: string): Promise<void> {
    await Deno.writeTextFile(`${this.#directory}/${name}`, content);
  }

  /** Runs a program; `in.txt` in the box is its input. */
  async run(command: readonly string[], options: readonly string[]): Promise<RunResult> {
    const meta = await Deno.makeTempFile({ prefix: "isolate-demo-" });
    try {
      const streams = ["--stdin=in.txt", "--stdout=out.txt", "--stderr=err.txt"];
      const all = [this.#option, `--meta=${meta}`, ...streams, ...options, "--run", "--"];
      const { code, stderr } = await execute(directCommand(...all, ...command));
      if (code === 2) throw new Error(`The sandbox failed: ${stderr}`);
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
    await output(directCommand(this.#option, "--cleanup"));
  }

  /** Does not trust what a program has left there: follows no link, and reads only the beginning. */
  async #read(name: string): Promise<string> {
    const path = `${this.#directory}/${name}`;
    if (!(await Deno.lstat(path)).isFile) throw new Error(`${path} is not a file any more`);
    using file = await Deno.open(path);
    const bytes = new Uint8Array(OUTPUT_MAX_BYTES);
    const length = await file.read(bytes) ?? 0;
    return new TextDecoder().decode(bytes.subarray(0, length));
  }
}
