/** A keeper with the highest priorities gives none of them to a program. */

import { assertEquals } from "@std/assert";
import { DIRECT, start, withBox } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

const ASK = "chrt -p $$; nice; ionice -p $$";

/** A control group of the first version's `cpu` has no real-time scheduling unless it is given some. */
function hasRealTime(): boolean {
  const command = new Deno.Command("chrt", { args: ["-r", "1", "true"], stderr: "null" });
  try {
    return command.outputSync().success;
  } catch {
    return false;
  }
}

testWith(
  [
    needs.root(),
    needs.command("chrt"),
    needs.command("ionice"),
    needs.that(hasRealTime(), "needs real-time scheduling, which this control group has not"),
  ],
  "a program has the usual scheduling, nice value and I/O priority, whatever the keeper has",
  async () => {
    await withBox(258, async (box) => {
      const program = ["/bin/sh", "-c", ASK];
      const through = ["chrt", "-r", "1", "ionice", "-c", "1", "nice", "-n", "7"];
      const run = [...DIRECT, ...box.args(["-p", "--wall-time=10"], program)];
      const { code, stdout, stderr } = await start(run, { through }).result;
      assertEquals(code, 0, stderr);
      const said = stdout.replaceAll(/pid \d+'s /g, "");
      assertEquals(
        said,
        "current scheduling policy: SCHED_OTHER\ncurrent scheduling priority: 0\n0\nnone: prio 0\n",
      );
    });
  },
);
