/** A whole command against the start of the runtime. */

import { Box } from "isolate/mod.ts";
import {
  type Benchmark,
  BOX_IDS,
  median,
  type Row,
  succeed,
  timeMs,
  withFolder,
} from "./measure.ts";

const ROUNDS = 30;
const COMMAND = new URL("../isolate.ts", import.meta.url).pathname;

async function measure(): Promise<Row[]> {
  const boxId = BOX_IDS[0]!;
  const box = await Box.init({ boxId });
  box.release();
  try {
    return await withFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/empty.ts`, "");
      const isolate = ["run", "--allow-ffi", COMMAND, `--box-id=${boxId}`, "--silent"];
      const commands = {
        empty: ["run", `${folder}/empty.ts`],
        run: [...isolate, "--run", "--", "/bin/true"],
        init: [...isolate, "--init"],
      };
      const times = { empty: [] as number[], run: [] as number[], init: [] as number[] };
      for (let round = 0; round <= ROUNDS; round++) {
        for (const name of ["empty", "run", "init"] as const) {
          const ms = await timeMs(() => succeed(Deno.execPath(), commands[name]));
          if (round > 0) times[name].push(ms);
        }
      }
      const against = "deno run of an empty file";
      const reference = median(times.empty);
      return [
        { what: "isolate --run -- /bin/true", here: median(times.run), goal: 1.5 },
        { what: "isolate --init of an empty box", here: median(times.init) },
      ].map((row): Row => ({ ...row, against, unit: "ms", reference }));
    });
  } finally {
    await Box.remove({ boxId });
  }
}

/** The cost of a command. */
export const startupBenchmark: Benchmark = {
  name: "startup",
  summary: "whole commands against `deno run` of an empty file",
  measure,
};
