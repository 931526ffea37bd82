/**
 * What a keeper holds while its program sleeps: memory, threads.
 *
 * usage: keeper.ts BOX_ID…   sleeps in many boxes at once; the benchmark looks at this process, too
 */

import { Box } from "isolate/mod.ts";
import { directCommand } from "../tools/process.ts";
import { BOX_IDS, type Row } from "./measure.ts";

const SLEEP = ["/bin/sleep", "1.5"];
/** Long enough to settle, shorter than the programs sleep. */
const SETTLED_MS = 1000;

interface Held {
  /** Resident memory, pages of files that others may share included. */
  rssMib: number;
  threads: number;
}

/** Starts a command that goes on for some seconds, and looks at it in between. */
async function look([program = "", ...args]: readonly string[]): Promise<Held> {
  const options = { stdin: "null", stdout: "null", stderr: "inherit" } as const;
  const child = new Deno.Command(program, { args, ...options }).spawn();
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  const status = await Deno.readTextFile(`/proc/${child.pid}/status`);
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  if (!(await child.status).success) throw new Error(`${program} ${args.join(" ")} failed`);
  return { rssMib: field("VmRSS") / 1024, threads: field("Threads") };
}

/** Measures the keeper's own appetite. */
export async function measureKeeper(): Promise<Row[]> {
  const boxId = BOX_IDS[0]!;
  const box = await Box.init({ boxId });
  box.release();
  try {
    const deno = (...args: string[]) => [Deno.execPath(), "run", "--no-prompt", ...args];
    const idle = await look(deno("data:text/javascript,await new Promise(f=>setTimeout(f,1500))"));
    const isolate = directCommand(`--box-id=${boxId}`, "--silent", "--run", "--", ...SLEEP);
    const script = new URL(import.meta.url).pathname;
    const many = deno("--allow-ffi", script, ...BOX_IDS.map(String));
    return [
      { what: "of the command while a box runs", held: await look(isolate) },
      { what: `of a library process with ${BOX_IDS.length} boxes`, held: await look(many) },
    ].flatMap(({ what, held }): Row[] => {
      const row = (name: string, unit: Row["unit"], quantity: keyof Held): Row => ({
        what: `${name} ${what}`,
        against: "an idle deno",
        unit,
        reference: idle[quantity],
        here: held[quantity],
      });
      return [row("memory", "MiB", "rssMib"), row("threads", "", "threads")];
    });
  } finally {
    await Box.remove({ boxId });
  }
}

if (import.meta.main) {
  await Promise.all(Deno.args.map(async (id) => {
    await using box = await Box.init({ boxId: Number(id) });
    await box.run(SLEEP);
  }));
}
