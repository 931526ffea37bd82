/** Pools of several processes that share a range of boxes, and processes that are killed. */

import { assert, assertEquals, assertGreater } from "@std/assert";
import { Box, BoxPool, defaultSettings } from "isolate/mod.ts";
import { eventually, isolate, processesOf, succeed } from "isolate/tests/support/isolate.ts";

const FIRST = 876;
const COUNT = 2;
const BOX_IDS = [FIRST, FIRST + 1];

const HEADER = `
  import { BoxPool } from "${new URL("../../mod.ts", import.meta.url)}";
  const pool = await BoxPool.create({ firstBoxId: ${FIRST}, count: ${COUNT}, size: 2 });
  const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
`;

/** Starts a script with `--allow-ffi` alone, as another process. */
function startScript(script: string): Deno.ChildProcess {
  const url = `data:text/javascript,${encodeURIComponent(HEADER + script)}`;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-ffi", url],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

async function cleanUp(): Promise<void> {
  for (const boxId of BOX_IDS) {
    await eventually("the box is free", () => Box.remove({ boxId }).then(() => true, () => false));
  }
}

Deno.test("processes that share a range never have the same box, and each gets its turn", async () => {
  // A process that finds another's file in its box, or loses its own, says so.
  const script = `
    const ids = [];
    await Promise.all(Array.from({ length: 25 }, (_, i) => pool.use(async (box) => {
      const mine = Deno.pid + " " + i;
      if ((await box.files.list()).length > 0) console.log("not empty");
      await box.files.write("mine", mine);
      await box.run(["/bin/sh", "-c", "echo >> mine"]);
      await delay(i % 3);
      const found = await box.files.readText("mine", { limitBytes: 1000 });
      if (found.trim() !== mine) console.log("shared: " + found + " is not " + mine);
      ids.push(box.boxId);
    })));
    await pool.close();
    console.log("done " + ids.length);
  `;
  try {
    const outputs = await Promise.all([1, 2, 3].map(() => startScript(script).output()));
    for (const { code, stdout } of outputs) {
      assertEquals([code, new TextDecoder().decode(stdout)], [0, "done 25\n"]);
    }
    const left = [...Deno.readDirSync(defaultSettings().boxRoot)].map(({ name }) => Number(name));
    assertEquals(left.filter((id) => BOX_IDS.includes(id)), []);
  } finally {
    await cleanUp();
  }
});

/** Starts a process that leases both boxes and runs something in one, and waits until it does. */
async function startHolder(): Promise<Deno.ChildProcess> {
  const child = startScript(`
    const leases = [await pool.lease(), await pool.lease()];
    await leases[0].box.files.write("secret", "42");
    leases[0].box.run(["/bin/sh", "-c", "sleep 1000 & sleep 1000"], { limits: { processes: 5 } });
    await delay(50);
    console.log("leased");
  `);
  const { value } = await child.stdout[Symbol.asyncIterator]().next();
  assertEquals(new TextDecoder().decode(value), "leased\n");
  return child;
}

Deno.test("the boxes of a process that was killed are free again, and clean", async () => {
  const child = await startHolder();
  try {
    await using pool = await BoxPool.create({ firstBoxId: FIRST, count: COUNT, size: 2 });
    const early = pool.lease();
    const none = new Promise((resolve) => setTimeout(resolve, 100));
    assertEquals(await Promise.race([early, none]), undefined);
    child.kill("SIGKILL");
    await child.status;
    await using first = await early;
    await using second = await pool.lease();
    assertEquals([first.box.boxId, second.box.boxId].sort(), BOX_IDS);
    for (const { box } of [first, second]) {
      assertEquals(await box.files.list(), []);
      const outcome = await box.run(["/bin/true"]);
      assert(outcome.kind === "exit" && outcome.exitCode === 0);
    }
    await eventually("everything in the old box is dead", async () => {
      return (await processesOf(defaultSettings().firstUid + FIRST)).length === 0;
    });
  } finally {
    await cleanUp();
  }
});

Deno.test("a classic --init takes the box of a killed pool, and then it alone owns it", async () => {
  const child = await startHolder();
  try {
    const held = await isolate([`--box-id=${FIRST}`, "--init"]);
    assertEquals(held.code, 2);
    assert(held.stderr.includes("in use by another process"), held.stderr);
    child.kill("SIGKILL");
    await child.status;
    const directory = (await succeed([`--box-id=${FIRST}`, "--init"])).trim();
    assertEquals([...Deno.readDirSync(`${directory}/box`)], []);
    await using pool = await BoxPool.create({ firstBoxId: FIRST, count: COUNT, size: 2 });
    await using lease = await pool.lease();
    assertEquals(lease.box.boxId, FIRST + 1);
    const { code, stderr } = await isolate([`--box-id=${FIRST}`, "--run", "--", "/bin/true"]);
    assertEquals(code, 0, stderr);
  } finally {
    await cleanUp();
  }
});

Deno.test("a process with a pool ends by itself, also if it forgets a lease", async () => {
  const startMs = performance.now();
  try {
    const { code } = await startScript("await pool.lease(); pool.lease();").output();
    assertEquals(code, 0);
    assertGreater(60_000, performance.now() - startMs);
    await using pool = await BoxPool.create({ firstBoxId: FIRST, count: COUNT, size: 2 });
    assertEquals(await pool.use((box) => box.files.list()), []);
  } finally {
    await cleanUp();
  }
});
