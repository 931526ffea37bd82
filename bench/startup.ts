/** A whole command against the start of the runtime. */

import { Box } from "isolate/mod.ts";
import { isolateCommand, output } from "../tools/process.ts";
import { BOX_IDS, mediansInTurns, type Row, timeMs, withFolder } from "./measure.ts";

const ROUNDS = 30;

/** Measures the cost of a command. */
export async function measureStartup(): Promise<Row[]> {
  const boxId = BOX_IDS[0]!;
  const box = await Box.init({ boxId });
  box.release();
  try {
    return await withFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/empty.ts`, "");
      const isolate = isolateCommand(`--box-id=${boxId}`, "--silent");
      const ms = await mediansInTurns(ROUNDS, {
        empty: () => timeMs(() => output([Deno.execPath(), "run", `${folder}/empty.ts`])),
        run: () => timeMs(() => output([...isolate, "--run", "--", "/bin/true"])),
        init: () => timeMs(() => output([...isolate, "--init"])),
      });
      return [
        { what: "isolate --run -- /bin/true", here: ms.run, goal: 1.5 },
        { what: "isolate --init of an empty box", here: ms.init },
      ].map((row): Row => ({
        ...row,
        against: "deno run of an empty file",
        unit: "ms",
        reference: ms.empty,
      }));
    });
  } finally {
    await Box.remove({ boxId });
  }
}
