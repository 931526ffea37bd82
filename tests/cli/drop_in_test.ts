/** What scripts see that were written for the original: orders, abbreviations, failures in the meta-file. */

import { assertEquals, assertMatch } from "@std/assert";
import { isolate, withBox, withScratch } from "../support/isolate.ts";
import { needsControlGroup } from "../support/control_group.ts";
import { testWith } from "../support/skip.ts";

const BOX_ID = 127;
const FIGURES = ["time", "time-wall", "max-rss", "csw-voluntary", "csw-forced"];

async function keysOf(options: string[], script: string): Promise<string[]> {
  const keys: string[] = [];
  await withBox(BOX_ID, async (box) => {
    keys.push(...Object.keys((await box.run(options, ["/bin/sh", "-c", script])).meta));
  });
  return keys;
}

Deno.test("the meta-file of a program that ended by itself has the figures first", async () => {
  assertEquals(await keysOf([], "exit 0"), [...FIGURES, "exitcode"]);
  assertEquals(await keysOf([], "exit 3"), [...FIGURES, "exitcode", "status", "message"]);
  assertEquals(await keysOf([], "kill -9 $$"), [...FIGURES, "exitsig", "status", "message"]);
});

Deno.test("the meta-file of a program that the sandbox ended says so first", async () => {
  const keys = await keysOf(["--wall-time=0.2"], "while :; do :; done");
  assertEquals(keys, ["status", "message", "killed", ...FIGURES]);
});

Deno.test("the meta-file says which box is out of range, or not there", async () => {
  await withScratch(async (scratch) => {
    const meta = `${scratch}/meta`;
    const run = async (id: number) => {
      const args = [`--box-id=${id}`, `--meta=${meta}`, "--run", "--", "/bin/true"];
      assertEquals((await isolate(args)).code, 2);
      return await Deno.readTextFile(meta);
    };
    assertMatch(await run(1 << 30), /^status:XX\nmessage:Sandbox ID out of range .*\n$/);
    assertMatch(await run(BOX_ID), /^status:XX\nmessage:Box not found, .*\n$/);
    // A mistake in the command line leaves it empty, as ever.
    await isolate([`--meta=${meta}`, "--run", "--no-such-option"]);
    assertEquals(await Deno.readTextFile(meta), "");
  });
});

Deno.test("an abbreviation that the original knows means what it means there", async () => {
  await withBox(BOX_ID, async (box) => {
    const none = await box.run([
      "--no",
      "--dir=usr",
      "--dir=lib",
      "--dir=lib64:maybe",
      "--dir=box=./box",
    ], [
      "/usr/bin/ls",
      "/",
    ]);
    assertEquals(none.stdout, "box\nlib\nlib64\nusr\n", none.stderr);
    assertEquals(await box.sh("ulimit -c", ["--co=100"]), "200\n");
  });
});

Deno.test("--tty-hack without a terminal does nothing", async () => {
  await withBox(BOX_ID, async (box) => {
    const { code, stdout, stderr } = await box.run(["--tty-hack"], ["/bin/echo", "there"]);
    assertEquals([code, stdout], [0, "there\n"], stderr);
  });
});

testWith(
  [needsControlGroup.controller("pids")],
  "--processes sets the limit of processes that programs see, with a control group too",
  async () => {
    await withBox(BOX_ID, async (box) => {
      const ulimit = ["/bin/bash", "-c", "ulimit -u"];
      assertEquals((await box.run(["--processes=7"], ulimit)).stdout, "7\n");
      assertEquals((await box.run([], ulimit)).stdout, "1\n");
    }, { options: ["--cg"] });
  },
);
