/** Runs leave nothing behind in the process or on the machine. */

import { assertEquals, assertLess } from "@std/assert";
import { Box, defaultSettings, type RunOptions } from "isolate/mod.ts";
import { descriptors } from "isolate/tests/support/descriptors.ts";
import { eventually, processesOf } from "isolate/tests/support/isolate.ts";

const BOX_ID = 428;
const BOX_UID = defaultSettings().firstUid + BOX_ID;

/** All mounts but those of other boxes, which other tests may use at the same time. */
function mounts(): number {
  const lines = Deno.readTextFileSync("/proc/self/mountinfo").split("\n");
  return lines.filter((line) => (/\/(\d+)\/box /.exec(line)?.[1] ?? `${BOX_ID}`) === `${BOX_ID}`)
    .length;
}

/** Children of this process that nobody has waited for; other tests may have left some. */
function zombies(): string[] {
  const { pid } = Deno;
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return state === "Z" && Number(parent) === pid ? [stat] : [];
    } catch {
      return [];
    }
  });
}

interface Case {
  command: readonly string[];
  options?: RunOptions;
  fails?: boolean;
}

const CASES: Readonly<Record<string, Case>> = {
  "that succeed": { command: ["/bin/true"] },
  "with redirections": {
    command: ["/bin/echo", "hello"],
    options: { stdin: { path: "/dev/null" }, stdout: { path: "out" }, stderr: "stdout" },
  },
  "that are killed at a limit": {
    command: ["/bin/sleep", "10"],
    options: { limits: { wallTimeMs: 1 } },
  },
  "that leave processes behind": {
    command: ["/bin/sh", "-c", "sleep 100 & sleep 100 &"],
    options: { limits: { processes: 10 } },
  },
  "whose program does not exist": {
    command: ["/no/such"],
    options: { stderr: { path: "err" } },
  },
  "that fail before the box is started": {
    command: ["/bin/true"],
    options: {
      directoryRules: [{
        kind: "bind",
        inside: "x",
        outside: "/no/such",
        readWrite: false,
        optional: false,
        recursive: true,
        noExec: false,
        devices: false,
      }],
    },
    fails: true,
  },
  "that fail in the box": {
    command: ["/bin/true"],
    options: { workingDirectory: "/nowhere" },
    fails: true,
  },
  "that are interrupted": {
    command: ["/bin/sleep", "10"],
    options: { signal: AbortSignal.abort() },
  },
};

for (const [what, { command, options = {}, fails = false }] of Object.entries(CASES)) {
  Deno.test(`50 runs ${what} leave no descriptor, process or mount`, async () => {
    await using box = await Box.init({ boxId: BOX_ID });
    const run = () => box.run(command, options).then(() => false, () => true);
    assertEquals(await run(), fails);
    const before = { descriptors: descriptors(), mounts: mounts(), zombies: zombies() };
    for (let i = 0; i < 50; i++) assertEquals(await run(), fails);
    assertEquals({ descriptors: descriptors(), mounts: mounts(), zombies: zombies() }, before);
    assertEquals(await processesOf(BOX_UID), []);
  });
}

Deno.test("100 boxes made and cleaned up leave no descriptor and hardly any memory", async () => {
  await (await Box.init({ boxId: BOX_ID })).cleanup();
  const before = descriptors();
  const rssBefore = Deno.memoryUsage().rss;
  for (let i = 0; i < 100; i++) {
    await using _box = await Box.init({ boxId: BOX_ID });
  }
  assertEquals(descriptors(), before);
  assertLess(Deno.memoryUsage().rss - rssBefore, 100 << 20);
});

Deno.test("a run that nobody waits for goes on, ends, and leaves nothing", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  await box.run(["/bin/true"]);
  const before = descriptors();
  const zombiesBefore = zombies();
  box.run(["/bin/sh", "-c", "sleep 0.2; echo done > out"], { limits: { processes: 2 } });
  await eventually("the box can run again", async () => {
    return await box.run(["/bin/true"]).then(() => true, () => false);
  });
  assertEquals(await Deno.readTextFile(`${box.directory}/box/out`), "done\n");
  assertEquals(descriptors(), before);
  assertEquals([await processesOf(BOX_UID), zombies()], [[], zombiesBefore]);
});

/** Runs a script under `--allow-ffi` alone. */
async function runScript(script: string): Promise<Deno.CommandOutput> {
  const header = `import { Box } from "${new URL("../../mod.ts", import.meta.url)}";`;
  const url = `data:text/javascript,${encodeURIComponent(header + script)}`;
  return await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-ffi", url],
    stdin: "null",
  }).output();
}

Deno.test("a process that ends with a box running ends everything in it", async () => {
  try {
    const { code } = await runScript(`
      const box = await Box.init({ boxId: ${BOX_ID} });
      box.run(["/bin/sh", "-c", "sleep 100 & exec sleep 100"], { limits: { processes: 5 } });
      setTimeout(() => Deno.exit(7), 300);`);
    assertEquals(code, 7);
    await eventually("the box is dead", async () => (await processesOf(BOX_UID)).length === 0);
  } finally {
    await eventually(
      "the box is free",
      () => Box.remove({ boxId: BOX_ID }).then(() => true, () => false),
    );
  }
});

Deno.test("a process ends by itself when its boxes are idle", async () => {
  const { code, stderr } = await runScript(`
    await using box = await Box.init({ boxId: ${BOX_ID} });
    await box.run(["/bin/true"]);`);
  assertEquals(code, 0, new TextDecoder().decode(stderr));
});
