/** What a keeper holds while its program sleeps: memory, threads. */

import { Box } from "isolate/mod.ts";
import { type Benchmark, BOX_IDS, type Row } from "./measure.ts";

const COMMAND = new URL("../isolate.ts", import.meta.url).pathname;
const MANY = new URL("keeper_many.ts", import.meta.url).pathname;
/** Long enough to settle, shorter than the programs sleep. */
const SETTLED_MS = 1000;

interface Held {
  /** Resident memory; pages of files that others may use too are in it. */
  rssMib: number;
  threads: number;
}

async function held(pid: number): Promise<Held> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return { rssMib: field("VmRSS") / 1024, threads: field("Threads") };
}

/** Starts a script that goes on for some seconds, and looks at it in between. */
async function look(args: readonly string[]): Promise<Held> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  const seen = await held(child.pid);
  const { success } = await child.status;
  if (!success) throw new Error(`deno run ${args.join(" ")} failed`);
  return seen;
}

async function measure(): Promise<Row[]> {
  const boxId = BOX_IDS[0]!;
  const box = await Box.init({ boxId });
  box.release();
  try {
    const idle = await look([`data:text/javascript,await new Promise(f=>setTimeout(f,1500))`]);
    const command = ["--allow-ffi", COMMAND, `--box-id=${boxId}`, "--silent"];
    const one = await look([...command, "--run", "--", "/bin/sleep", "1.5"]);
    const many = await look(["--allow-ffi", MANY, ...BOX_IDS.map(String)]);
    const against = "an idle deno";
    const count = BOX_IDS.length;
    return [
      { what: "memory of the command while a box runs", rows: one },
      { what: `memory of a library process with ${count} boxes`, rows: many },
    ].flatMap(({ what, rows }): Row[] => [
      { what, against, unit: "MiB", reference: idle.rssMib, here: rows.rssMib },
      {
        what: what.replace("memory", "threads"),
        against,
        unit: "",
        reference: idle.threads,
        here: rows.threads,
      },
    ]);
  } finally {
    await Box.remove({ boxId });
  }
}

/** The keeper's own appetite. */
export const keeperBenchmark: Benchmark = {
  name: "keeper",
  summary: "memory and threads of the keeper",
  measure,
};
