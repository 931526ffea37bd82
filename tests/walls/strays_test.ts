/** Processes of the host that became the user of a box: they do not outlive it. */

import { assert, assertEquals } from "@std/assert";
import { FIRST_UID } from "../support/attack.ts";
import { eventually, type RunningCommand, start, succeed, withBox } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

const BOX_ID = 259;
const UID = FIRST_UID + BOX_ID;

const user = (...ids: string[]) => ["setpriv", ...ids, "--clear-groups"];
const BOX_USER = user(`--reuid=${UID}`, `--regid=${UID}`);

/** A process of another user that could become the box's user again. */
const SAVED = `import os, time; os.setresuid(7001, 7001, ${UID}); time.sleep(600)`;

/** Who must die, and how each is started. */
const STRAYS: Record<string, readonly string[]> = {
  "all its ids": BOX_USER,
  "its effective id": user(`--euid=${UID}`),
  "its real id": user(`--ruid=${UID}`),
  "its saved id": ["python3", "-c", SAVED],
};

const nested = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"];

/** Starts a command of the host and waits until it sleeps. */
async function asleep(
  command: readonly string[],
  test: (running: RunningCommand) => Promise<void>,
): Promise<void> {
  await using running = start(command.includes(SAVED) ? command : [...command, "sleep", "600"]);
  const children = async () =>
    (await start(["pgrep", "-P", `${running.pid}`]).result).stdout.trim();
  const name = async (pid: string | number) =>
    (await Deno.readTextFile(`/proc/${pid}/comm`).catch(() => "")).trim();
  await eventually("the process sleeps", async () => {
    const child = await children();
    if (command.includes(SAVED)) {
      const status = await Deno.readTextFile(`/proc/${running.pid}/status`).catch(() => "");
      return new RegExp(`^Uid:\\s7001\\s7001\\s${UID}\\s`, "m").test(status);
    }
    return await name(running.pid) === "sleep" || child !== "" && await name(child) === "sleep";
  });
  try {
    await test(running);
  } finally {
    // Who has changed ids does not die with a parent.
    for (const pid of (await children()).split("\n").filter(Boolean)) {
      await start(["kill", "-9", pid]).result;
    }
  }
}

for (const [what, command] of Object.entries(STRAYS)) {
  for (const action of ["--init", "--cleanup"]) {
    testWith(
      [needs.root(), needs.command("setpriv")],
      `a process of the host with ${what} of a box's user dies with ${action}`,
      async () => {
        await withBox(BOX_ID, async () => {
          await asleep(command, async (running) => {
            await succeed([`--box-id=${BOX_ID}`, action]);
            assertEquals((await running.result).code, 128 + 9);
          });
        });
      },
    );
  }
}

testWith(
  [needs.root(), needs.command("setpriv"), needs.command("unshare")],
  "a process that became the box's user and hid in namespaces of its own dies, too",
  async () => {
    const possible = await start([...BOX_USER, ...nested, "true"]).result;
    if (possible.code !== 0) return; // this machine lets no user make a user namespace
    await withBox(BOX_ID, async () => {
      await asleep([...BOX_USER, ...nested], async (running) => {
        await succeed([`--box-id=${BOX_ID}`, "--cleanup"]);
        assert((await running.result).code !== 0);
      });
    });
  },
);

testWith(
  [needs.root(), needs.command("setpriv"), needs.command("unshare")],
  "what root has put into a namespace of processes, such as a box in a container, stays",
  async () => {
    await withBox(BOX_ID, async () => {
      const container = ["unshare", "--pid", "--fork", "--kill-child", ...BOX_USER];
      await asleep(container, async (running) => {
        await succeed([`--box-id=${BOX_ID}`, "--init"]);
        const ended = await Promise.race([
          running.result,
          new Promise((resolve) => setTimeout(() => resolve("alive"), 300)),
        ]);
        assertEquals(ended, "alive");
      });
    });
  },
);
