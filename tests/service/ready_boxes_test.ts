/** Boxes that the service keeps ready are given up: after a while, and when memory is scarce. */

import { assertEquals } from "@std/assert";
import { CLIENT, eventually, processesOf, sh, start } from "../support/isolate.ts";
import { startService, type TestService } from "../support/service.ts";

const FIRST_USER = 73400;
const RUN = `${CLIENT} -b1 -s --run -- /bin/true`;

/** How many boxes wait for their next run. */
async function waiting(service: TestService): Promise<number> {
  const env = { ISOLATE_SERVICE: service.socket };
  const text = await sh(`${CLIENT} metrics`, { env });
  return Number(/^isolate_boxes\{state="ready"\} (\d+)$/m.exec(text)?.[1]);
}

async function withBox(
  lines: readonly string[],
  test: (service: TestService, shell: (script: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  await using service = await startService(lines, { firstUser: FIRST_USER });
  const shell = (script: string) => sh(script, { env: { ISOLATE_SERVICE: service.socket } });
  await shell(`${CLIENT} -b1 --init`);
  try {
    await test(service, shell);
  } finally {
    await shell(`${CLIENT} -b1 --cleanup`);
  }
  assertEquals(await processesOf(FIRST_USER + 1), []);
}

Deno.test("a box is kept ready for as long as is configured", async () => {
  // Long enough for two commands on a machine that is busy.
  await withBox(["service_ready = 2"], async (service, shell) => {
    await shell(RUN);
    assertEquals(await waiting(service), 1);
    await eventually("it is given up", async () => await waiting(service) === 0, 10_000);
    await shell(RUN);
    assertEquals(await waiting(service), 1);
  });
});

Deno.test("a new box is ready before its first run, if others like it were run before", async () => {
  await withBox([], async (service, shell) => {
    const hits = async () => {
      const text = await shell(`${CLIENT} metrics`);
      return Number(/^isolate_ready_hits_total (\d+)$/m.exec(text)?.[1]);
    };
    const life = `${CLIENT} -b2 --init >&2; ${RUN.replace("-b1", "-b2")}; ${CLIENT} -b2 --cleanup`;
    await shell(RUN);
    await shell(RUN);
    const before = await hits();
    // Others may mount something on this host meanwhile.
    await eventually("the first run finds a box ready", async () => {
      await shell(life);
      return await hits() > before;
    });
    assertEquals(await waiting(service), 1);
  });
});

Deno.test("no box is kept ready with service_ready = 0", async () => {
  await withBox(["service_ready = 0"], async (service, shell) => {
    await shell(RUN);
    assertEquals(await waiting(service), 0);
  });
});

const availableMb = () => Deno.systemMemoryInfo().available / 2 ** 20;

Deno.test({
  name: "boxes that are ready are given up when memory is scarce, and kept again when it is not",
  ignore: availableMb() < 6000,
  async fn() {
    const lines = [`service_ready_memory = ${Math.floor(availableMb() - 1500)}`];
    await withBox(lines, async (service, shell) => {
      await shell(RUN);
      assertEquals(await waiting(service), 1);
      const hungry = "import time; x = bytearray(b'x') * (3000 << 20); time.sleep(60)";
      {
        await using _ = start(["/usr/bin/python3", "-c", hungry]);
        await eventually("it is given up", async () => await waiting(service) === 0, 10_000);
        await shell(RUN);
        assertEquals(await waiting(service), 0);
      }
      await eventually("boxes are kept again", async () => {
        await shell(RUN);
        return await waiting(service) === 1;
      }, 10_000);
    });
  },
});
