/** `--follow` and `--cpus`, additions to the classic options. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Plan } from "isolate/ffi/plan.ts";
import { System } from "isolate/ffi/system.ts";
import { CLOCK_MONOTONIC } from "isolate/ffi/linux.ts";
import { withFolder } from "../support/folder.ts";
import { eventually, isolate, succeed, withBox } from "../support/isolate.ts";

const system = await System.load();

function monotonicS(): number {
  const plan = new Plan();
  const time = plan.struct([0n, 0n]);
  plan.step("clock_gettime", [CLOCK_MONOTONIC, time]);
  system.run(plan, "what time is it");
  const view = plan.view(time);
  return Number(view.getBigInt64(0, true)) + Number(view.getBigInt64(8, true)) / 1e9;
}

Deno.test("--follow writes the times of the program while it runs, and when it ended", () =>
  withBox(563, async (box) => {
    await withFolder(async (folder) => {
      const path = `${folder}/follow`;
      // It may take long until it runs, and until somebody looks at it.
      const script = "until [ -e go ]; do sleep 0.1; done; exit 3";
      await using running = box.start([`--follow=${path}`, "-p"], ["/bin/sh", "-c", script]);
      await eventually("there is a line", async () => {
        return (await Deno.readTextFile(path).catch(() => "")).includes("\n");
      });
      const goS = monotonicS();
      await Deno.writeTextFile(box.path("go"), "");
      const { code, stderr } = await running.result;
      assertEquals(code, 1, stderr);
      const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
      const end = /^end:(\d+\.\d{6})$/.exec(lines.pop()!);
      assert(Number(end?.[1]) >= goS && Number(end?.[1]) <= monotonicS(), end?.[1]);
      let lastS = -1;
      for (const line of lines) {
        const found = /^time:(\d+\.\d{3}) time-wall:(\d+\.\d{3})(?: cg-mem:\d+)?$/.exec(line);
        assert(found && Number(found[2]) >= lastS + 0.2, line);
        lastS = Number(found[2]);
      }
    });
  }));

Deno.test("--follow to where nothing can be written fails before the program runs", () =>
  withBox(563, async (box) => {
    const { code, stderr } = await box.run(["--follow=/no/where"], ["/bin/touch", "ran"]);
    assertEquals(code, 2);
    assertMatch(stderr, /cannot open \/no\/where: No such file or directory/);
    assertEquals(await Deno.stat(box.path("ran")).catch(() => "missing"), "missing");
  }));

Deno.test("--cpus puts the program on CPUs", () =>
  withBox(563, async (box) => {
    const { stdout } = await box.run(["--cpus=0"], [
      "/bin/grep",
      "Cpus_allowed_list",
      "/proc/self/status",
    ]);
    assertEquals(stdout, "Cpus_allowed_list:\t0\n");
  }));

for (const list of ["", "x", "1-0", "0,", "-1", "99999", "0-8192"]) {
  Deno.test(`--cpus=${list} is refused in a sentence`, async () => {
    const { code, stderr } = await isolate([`--cpus=${list}`, "--run", "--", "/bin/true"]);
    assertEquals(code, 2);
    assertMatch(
      stderr,
      /^Invalid list of CPUs: .*\(--cpus takes numbers and ranges, e\.g\. --cpus=0,2-3\)\n/,
    );
  });
}

Deno.test("the help names both", async () => {
  const help = await succeed(["--help"]);
  assertMatch(help, /--follow=FILE/);
  assertMatch(help, /--cpus=LIST/);
});
