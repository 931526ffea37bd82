/** Hostile clients for a short time; `./dev fuzz service` takes longer. */

import { assert, assertEquals } from "@std/assert";
import { CLIENT, start } from "../support/isolate.ts";
import { fuzzProtocol } from "../support/protocol_fuzz.ts";
import { startService } from "../support/service.ts";
import { needs, testWith } from "../support/skip.ts";

const BOX_ID = 944;
const SECONDS = 6;
const SEED = Number(Deno.env.get("ISOLATE_FUZZ_SEED") ?? 1);

testWith(
  [needs.root(), needs.command("setpriv")],
  "what hostile clients send changes nothing, and nothing of it stays",
  async () => {
    const report = await fuzzProtocol({ seconds: SECONDS, seed: SEED });
    assertEquals(report.harm, []);
    // It would prove little if nothing had come through.
    const { sessions, packets, damaged, descriptors } = report;
    assert(sessions >= 10 && packets > sessions && damaged > 0 && descriptors > 0, `${packets}`);
  },
);

testWith(
  [needs.root()],
  "a client may have more descriptors than a program can inherit",
  async () => {
    await using service = await startService();
    const call = (open: number, ...args: string[]) =>
      start(["/bin/bash", "-c", OPEN, `${open}`, CLIENT, `-b${BOX_ID}`, ...args], {
        env: { ISOLATE_SERVICE: service.socket },
      }).result;
    await call(0, "--init");
    const run = ["--run", "--", "/bin/echo", "ran"];
    const [without, few, many] = [
      await call(1500, "-s", ...run),
      await call(600, "-s", "--inherit-fds", ...run),
      await call(1500, "--inherit-fds", ...run),
    ];
    assertEquals([without.code, without.stdout, without.stderr], [0, "ran\n", ""]);
    assertEquals([few.code, few.stdout, few.stderr], [0, "ran\n", ""]);
    assertEquals([many.code, many.stderr], [
      2,
      "Option --inherit-fds passes on at most 1024 descriptors\n",
    ]);
    await call(0, "--cleanup");
  },
);

/** Opens so many descriptors, then executes the rest of the arguments. */
const OPEN = `for ((i = 10; i < 10 + $0; i++)); do eval "exec $i</dev/null"; done; exec "$@"`;
