/** Signals that mean faults, sent to the keeper while its runtime still has handlers of its own for them. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { DIRECT, start, withBox } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

const BOX_ID = 263;

/**
 * Sends a signal as soon as the process has any handler for it. Before it executes the command it is a copy of
 * this process, and has the handlers of this one.
 */
async function sendEarly(pid: number, signal: "SIGSEGV" | "SIGBUS"): Promise<void> {
  const bit = BigInt(signal === "SIGSEGV" ? 11 : 7) - 1n;
  for (const end = Date.now() + 60_000;;) {
    const isCommand = Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes("direct.ts");
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const caught = BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(status)![1]}`);
    if (isCommand && (caught >> bit & 1n) === 1n) break;
    assert(Date.now() < end, "the runtime has no handler");
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  Deno.kill(pid, signal);
}

for (const signal of ["SIGSEGV", "SIGBUS"] as const) {
  testWith(
    [needs.root()],
    `${signal} to a keeper that has just been started is not swallowed`,
    async () => {
      await withBox(BOX_ID, async (box) => {
        await using running = start([...DIRECT, ...box.args([], ["/bin/sleep", "9"])]);
        await sendEarly(running.pid, signal);
        const { code, stderr, meta } = await box.resultOf(running);
        assertEquals([code, meta.status], [2, "XX"], stderr);
        assertMatch(stderr, new RegExp(`received ${signal}`));
      });
    },
  );
}
