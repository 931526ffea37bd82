/** A program that was just put into a box can be run at once, whatever else this process starts. */

import { assert, assertEquals, assertGreater } from "@std/assert";
import { Box, type FileContent } from "isolate/mod.ts";

const BOX_IDS = [870, 871, 872];
const ROUNDS = 12;

/** The same program in all forms in which it can be put. */
const CONTENTS: readonly [string, (bytes: Uint8Array) => FileContent][] = [
  ["bytes", (bytes) => bytes],
  ["small", () => "#!/bin/true\n"],
  ["stream", (bytes) =>
    ReadableStream.from((async function* () {
      for (let at = 0; at < bytes.length; at += 8192) {
        // Others run, and start processes, while the file is open.
        await new Promise((resolve) => setTimeout(resolve));
        yield bytes.slice(at, at + 8192);
      }
    })())],
  ["host file", () => ({ hostFile: Deno.realPathSync("/bin/true") })],
];

Deno.test("put and run at once never fails with ETXTBSY, beside boxes and processes that are started all the time", async () => {
  const bytes = Deno.readFileSync("/bin/true");
  let isOver = false;
  const startOthers = async () => {
    let count = 0;
    for (; !isOver; count++) {
      const child = new Deno.Command("/bin/true", { stdout: "null", stderr: "null" }).spawn();
      if (count % 2 === 0) await new Promise((resolve) => setTimeout(resolve));
      await child.status;
    }
    return count;
  };
  const others = Promise.all([startOthers(), startOthers()]);
  const wrong: string[] = [];
  try {
    await Promise.all(BOX_IDS.map(async (boxId) => {
      await using box = await Box.init({ boxId });
      for (let round = 0; round < ROUNDS; round++) {
        for (const [what, make] of CONTENTS) {
          await box.files.write("program", make(bytes), { mode: 0o755 });
          const outcome = await box.run(["/box/program"], { stderr: { path: "err" } });
          if (outcome.kind === "exit" && outcome.exitCode === 0) continue;
          wrong.push(`${what}: ${await box.files.readText("err", { limitBytes: 10_000 })}`);
        }
      }
    }));
  } finally {
    isOver = true;
  }
  const counts = await others;
  assertEquals(wrong, []);
  for (const count of counts) assertGreater(count, 0);
});

Deno.test("a program can be replaced while it is being executed in another process", async () => {
  await using box = await Box.init({ boxId: BOX_IDS[0]! });
  await box.files.write("program", { hostFile: Deno.realPathSync("/bin/sleep") }, { mode: 0o755 });
  const running = new Deno.Command(`${box.directory}/box/program`, { args: ["100"] }).spawn();
  try {
    await box.files.write("program", "#!/bin/true\n", { mode: 0o755 });
    const outcome = await box.run(["/box/program"]);
    assert(outcome.kind === "exit" && outcome.exitCode === 0);
  } finally {
    running.kill();
    await running.status;
  }
});
