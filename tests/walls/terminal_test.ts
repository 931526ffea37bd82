/** Programs that type commands into the terminal of the user who started them. */

import { assert, assertEquals } from "@std/assert";
import { assertDenied, attackProgram, installAttack } from "../support/attack.ts";
import { COMMAND, start, type TestBox, withBox } from "../support/isolate.ts";

/** Runs an attack with the box's standard streams on a terminal of somebody's. */
async function onTerminal(
  box: TestBox,
  { terminal, options, args }: {
    terminal: "controlling" | "bare";
    options: readonly string[];
    args: readonly string[];
  },
) {
  const program = await installAttack(box, "terminal");
  const command = [...COMMAND, ...box.args(options, [program, ...args])];
  const result = await start([await attackProgram("pty"), terminal, ...command]).result;
  const queue = /^queue: (\d+)$/m.exec(result.stdout)?.[1];
  assert(queue !== undefined, result.stdout + result.stderr);
  return { ...result, queue: Number(queue) };
}

for (const terminal of ["controlling", "bare"] as const) {
  // A terminal without a session has no foreground.
  const hack = terminal === "bare" ? [] : [["--tty-hack"]];
  for (const options of [[], ...hack, ["--syscalls=0"]]) {
    // Only the filter keeps a foreground program from it: without the filter it succeeds.
    const given = `a ${terminal} terminal and ${options.join() || "no options"}`;
    Deno.test(`a program cannot push input into ${given}`, async () => {
      await withBox(240, async (box) => {
        const run = await onTerminal(box, { terminal, options, args: ["inject"] });
        assertEquals(run.queue, 0);
        assertDenied(run, 12);
      });
    });
  }

  for (const options of [[], ...hack]) {
    const given = `a ${terminal} terminal and ${options.join() || "no options"}`;
    Deno.test(`a program cannot take and then type into ${given}`, async () => {
      await withBox(241, async (box) => {
        const run = await onTerminal(box, {
          terminal,
          options: ["-p", ...options],
          args: ["steal"],
        });
        assertEquals(run.queue, 0);
        const through = [...run.stdout.matchAll(/(push|paste).*GOT THROUGH/g)];
        assertEquals(through.map(([line]) => line), []);
        assert(run.stdout.includes("make the terminal its own:"), run.stdout);
      });
    });
  }
}
