/** Programs that prepare the files into which their next run is redirected. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Box, SandboxError } from "isolate/mod.ts";
import { assertNobodyLeft } from "../support/attack.ts";
import { type TestBox, withBox, withScratch } from "../support/isolate.ts";

const KEEP = ["--special-files", "--wall-time=1"];

/** A first run plants something, a second one is redirected to it. */
async function plant(box: TestBox, script: string): Promise<void> {
  await box.sh(script, KEEP);
}

Deno.test("a redirection to a planted link does not reach the host", async () => {
  await withScratch(async (scratch) => {
    const target = `${scratch}/target`;
    await Deno.writeTextFile(target, "untouched");
    await Deno.chmod(target, 0o666);
    await withBox(206, async (box) => {
      await plant(
        box,
        `ln -s ${target} a; ln -s ../../../../..${target} b; ln -s /proc/1/root${target} c`,
      );
      for (const name of ["a", "b", "c"]) {
        const run = await box.run([...KEEP, `--stdout=${name}`], ["/bin/echo", "evil"]);
        assertEquals(run.code, 2);
        assertEquals(run.meta.status, "XX");
        assertStringIncludes(run.stderr, name);
        const input = await box.run([...KEEP, `--stdin=${name}`], ["/bin/cat"]);
        assertEquals([input.code, input.stdout], [2, ""]);
      }
      assertEquals(await Deno.readTextFile(target), "untouched");
    });
  });
});

Deno.test("a redirection to a planted FIFO cannot hold the sandbox longer than its wall time", async () => {
  await withBox(206, async (box) => {
    await plant(box, "mkfifo fifo");
    for (const option of ["--stdin=fifo", "--stdout=fifo", "--stderr=fifo"]) {
      const { code, meta } = await box.run([...KEEP, option], ["/bin/true"]);
      assertEquals([code, meta.status], [1, "TO"]);
      await assertNobodyLeft(206);
    }
  });
});

Deno.test("a redirection to a planted directory or device is an error that names it", async () => {
  await withBox(206, async (box) => {
    await plant(box, "mkdir dir; ln -s /dev/full full; ln -s /dev/mem mem; ln -s loop loop");
    for (const name of ["dir", "mem", "loop"]) {
      const { code, stderr, meta } = await box.run([...KEEP, `--stdout=${name}`], ["/bin/true"]);
      assertEquals([code, meta.status], [2, "XX"]);
      assertStringIncludes(stderr, `open ${name} inside the box`);
    }
    const full = await box.run([...KEEP, "--stdout=full"], ["/bin/echo", "x"]);
    assertEquals(full.meta.status, "RE");
  });
});

Deno.test("a redirection to a descriptor of the sandbox shows nothing of it", async () => {
  const boxId = 207;
  await using box = await Box.init({ boxId });
  const output = `${box.directory}/box/out`;
  const input = `${box.directory}/box/in`;
  const seen = new Set<string>();
  for (let fd = 3; fd < 70; fd++) {
    await Deno.symlink(`/proc/self/fd/${fd}`, input);
    try {
      const { kind } = await box.run(["/bin/cat"], {
        keepSpecialFiles: true,
        limits: { wallTimeMs: 2000 },
        stdin: { path: "in" },
        stdout: { path: "out" },
        stderr: { path: "errors" },
      });
      seen.add(kind === "exit" ? (await Deno.readTextFile(output)).slice(0, 4) : kind);
    } catch (error) {
      assert(error instanceof SandboxError);
      seen.add(error.message.replace(/.*: /, ""));
    }
    await Deno.remove(input);
  }
  // What can be opened again is the box's own empty root, which cannot be read as a file.
  assert(!seen.has("ISPL"), "the plan of init");
  for (const what of seen) assert(/^$|^E(NOENT|NXIO|ACCES|ISDIR)\)$/.test(what), what);
});
