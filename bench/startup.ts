/** A whole command against the start of the runtime. */

import { Box } from "isolate/mod.ts";
import { directCommand, isolateCommand, output } from "../tools/process.ts";
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
      const args = [`--box-id=${boxId}`, "--silent"];
      const run = ["--run", "--", "/bin/true"];
      const noService = { env: { ISOLATE_SERVICE: "off" } };
      const ms = await mediansInTurns(ROUNDS, {
        empty: () => timeMs(() => output([Deno.execPath(), "run", `${folder}/empty.ts`])),
        run: () => timeMs(() => output(directCommand(...args, ...run))),
        init: () => timeMs(() => output(directCommand(...args, "--init"))),
        asking: () => timeMs(() => output(isolateCommand(...args, ...run), noService)),
      });
      return [
        { what: "direct.ts --run -- /bin/true", here: ms.run, goal: 1.5 },
        { what: "direct.ts --init of an empty box", here: ms.init },
        { what: "isolate.ts --run -- /bin/true, without a service", here: ms.asking },
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
