/** Clients that die between any two packets: the box dies with them, and nothing stays in the service. */

import { assertEquals } from "@std/assert";
import { descriptorsOf } from "../support/service_descriptors.ts";
import { CLIENT, eventually, processesOf, start } from "../support/isolate.ts";
import { startService } from "../support/service.ts";
import { needs, testWith } from "../support/skip.ts";

const FIRST_USER = 73600;
const PACKETS_MAX = 12;

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  "a run that goes on": ["-p", "--run", "--", "/bin/sh", "-c", "/bin/sleep 60 & /bin/sleep 60"],
  "a run with all that is asked of the client": [
    ...[
      "-M/dev/null",
      "--dir=/x=/etc",
      "--inherit-fds",
      "-w0.05",
      "--run",
      "--",
      "/bin/sleep",
      "60",
    ],
  ],
  "making a box": ["--init"],
  "cleaning a box": ["--cleanup"],
};

testWith(
  [needs.root(), needs.command("strace")],
  "a client that is killed at any packet leaves nothing",
  async (t) => {
    await using service = await startService(["service_ready = 1"], { firstUser: FIRST_USER });
    const env = { ISOLATE_SERVICE: service.socket };
    const call = (...args: string[]) => start([CLIENT, "-b1", "--wait", ...args], { env }).result;
    const check = async () => {
      assertEquals((await call("--init")).code, 0);
      const { code, stderr } = await call("-s", "--run", "--", "/bin/true");
      assertEquals([code, stderr], [0, ""]);
    };
    await check();
    await check();
    const rest = async () => {
      await call("--cleanup");
      await eventually(
        "nobody is left",
        async () => (await processesOf(FIRST_USER + 1)).length === 0,
      );
      return descriptorsOf(service.pid).length;
    };
    const before = await rest();
    for (const [name, args] of Object.entries(COMMANDS)) {
      await t.step(name, async () => {
        for (const packet of ["recvfrom", "sendmsg"]) {
          for (let count = 1; count <= PACKETS_MAX; count++) {
            await check();
            const kill = [
              "-e",
              `trace=${packet}`,
              "-e",
              `inject=${packet}:signal=KILL:when=${count}`,
            ];
            // Some calls have fewer packets: then the client is killed while it waits.
            const limited = [
              "timeout",
              "-s",
              "KILL",
              "0.3",
              "strace",
              "-qq",
              "-o",
              "/dev/null",
              ...kill,
            ];
            await start([...limited, CLIENT, "-b1", ...args], { env }).result;
          }
        }
        await check();
        await eventually("the service has closed all", async () => await rest() <= before);
      });
    }
  },
);
