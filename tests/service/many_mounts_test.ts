/** On a host with thousands of mounts a run through the service is as fast as on any other. */

import { assert, assertEquals } from "@std/assert";
import { compileC } from "../support/c_program.ts";
import { CLIENT, sh, start, withScratch } from "../support/isolate.ts";
import { startService, type TestService } from "../support/service.ts";

const MOUNTS = 2000;
const RUNS = 40;
/** Whatever else the machine does in the meantime makes a turn slower, never faster. */
const TURNS_MIN = 3;
const TURNS_MAX = 12;
const RATIO_MAX = 1.5;

/** Adds mounts to a mount namespace of its own, and then starts what it is given there. */
const WITH_MOUNTS = `
import ctypes, os, sys
mount, place = ctypes.CDLL(None).mount, sys.argv[1].encode()
assert mount(b"none", place, b"tmpfs", 0, None) == 0
for i in range(${MOUNTS}):
    path = place + b"/%d" % i
    os.mkdir(path)
    assert mount(path, path, None, 4096, None) == 0 # MS_BIND
os.execvp(sys.argv[2], sys.argv[2:])`;

/** What is run: in a box that is ready, and in one that must be made because nothing else will do. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  "a ready box": [],
  "a box that is made for the run": ["--inherit-fds"],
};

Deno.test("runs take as long with thousands of mounts as without", async (t) => {
  const spawn = await compileC(
    await Deno.readTextFile(new URL("../../bench/spawn.c", import.meta.url)),
  );
  await withScratch(async (scratch) => {
    const through = ["unshare", "--mount", "/usr/bin/python3", "-c", WITH_MOUNTS, scratch];
    await using small = await startService([], { firstUser: 73000 });
    await using big = await startService([], { firstUser: 73100, through });
    const mounts = await Deno.readTextFile(`/proc/${big.pid}/mountinfo`);
    assert(mounts.split("\n").length > MOUNTS);
    const medianUs = async ({ socket, pid }: TestService, options: readonly string[]) => {
      // A caller with the same mounts: others cost the service a comparison.
      const through = ["nsenter", `--mount=/proc/${pid}/ns/mnt`];
      const args = [CLIENT, "-s", ...options, "--run", "--", "/bin/true"];
      const env = { ISOLATE_SERVICE: socket };
      const timed = start([spawn, `${RUNS}`, ...args], { env, through });
      const { code, stdout, stderr } = await timed.result;
      assertEquals(code, 0, stderr);
      return JSON.parse(stdout).medianUs as number;
    };
    for (const { socket } of [small, big]) {
      await sh(`${CLIENT} --init`, { env: { ISOLATE_SERVICE: socket } });
    }
    for (const [name, options] of Object.entries(COMMANDS)) {
      await t.step(name, async () => {
        const [least, most] = [[], []] as [number[], number[]];
        let ratio = Infinity;
        // A host with many mounts is as fast as the other if it ever is.
        for (let turn = 0; turn < TURNS_MIN || ratio >= RATIO_MAX && turn < TURNS_MAX; turn++) {
          least.push(await medianUs(small, options));
          most.push(await medianUs(big, options));
          ratio = Math.min(...most) / Math.min(...least);
        }
        assert(ratio < RATIO_MAX, `${ratio.toFixed(2)} times as long`);
      });
    }
    for (const { socket } of [small, big]) {
      await sh(`${CLIENT} --cleanup`, { env: { ISOLATE_SERVICE: socket } });
    }
  });
});
