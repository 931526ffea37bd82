/** Programs that leave something for one that comes later, in this box or in another. */

import { assert, assertEquals } from "@std/assert";
import { assertDenied, assertNobodyLeft, attack, installAttack } from "../support/attack.ts";
import { sh, start, succeed, withBox, withScratch } from "../support/isolate.ts";

Deno.test("what a program leaves of System V and POSIX IPC is gone with its run", async () => {
  await withBox(230, async (box) => {
    assertEquals((await attack(box, ["traces", "leave"])).stdout, "");
    for (const kind of ["shm", "sem", "msg"]) {
      const list = await Deno.readTextFile(`/proc/sysvipc/${kind}`);
      assert(!list.includes("60230"), `the host has it: ${list}`);
    }
    assertEquals((await start(["test", "-e", "/dev/shm/isolate-trace"]).result).code, 1);
    assertDenied(await attack(box, ["traces", "look"]), 5);
    await withBox(231, async (other) => {
      assertDenied(await attack(other, ["traces", "look", "and in /tmp"]), 6);
    });
    // /tmp is kept from run to run, but not by init.
    await succeed(["--box-id=230", "--init"]);
    assertDenied(await attack(box, ["traces", "look", "and in /tmp"]), 6);
  });
});

Deno.test("two boxes at the same time share no IPC", async () => {
  await withBox(232, async (one) => {
    await withBox(233, async (other) => {
      const leave = await installAttack(one, "traces");
      const script = `./${leave} leave && echo done >marker && sleep 20`;
      const running = one.start(["-p", "--wall-time=30"], ["/bin/sh", "-c", script]);
      try {
        while (!await Deno.stat(one.path("marker")).catch(() => undefined)) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        assertDenied(await attack(other, ["traces", "look", "and in /tmp"]), 6);
      } finally {
        running.kill("SIGTERM");
        await running.result;
      }
    });
  });
});

Deno.test("a program cannot use the kernel's keyrings", async () => {
  await withBox(234, async (box) => {
    assertDenied(await attack(box, ["traces", "keys-forbidden"]), 4);
  });
});

Deno.test("without the filter, keys that a program leaves are gone for the next run and box", async () => {
  await withBox(234, async (box) => {
    const left = await attack(box, ["traces", "leave-keys"], ["--syscalls=0"]);
    assertEquals([left.code, left.stdout], [0, ""]);
    assertDenied(await attack(box, ["traces", "look-for-keys"], ["--syscalls=0"]), 6);
    await attack(box, ["traces", "leave-keys"], ["--syscalls=0"]);
    await withBox(235, async (other) => {
      assertDenied(await attack(other, ["traces", "look-for-keys"], ["--syscalls=0"]), 6);
    });
    await succeed(["--box-id=234", "--init"]);
    assertDenied(await attack(box, ["traces", "look-for-keys"], ["--syscalls=0"]), 6);
  });
});

Deno.test("a program sees no key of its caller's session", async () => {
  await withBox(235, async (box) => {
    const look = await installAttack(box, "traces");
    // keyctl(JOIN_SESSION_KEYRING), then a key of that name in it, then the command.
    const script = `
import ctypes, os, sys
libc = ctypes.CDLL(None)
assert libc.syscall(250 if os.uname().machine == "x86_64" else 219, 1, None) >= 0
add_key = 248 if os.uname().machine == "x86_64" else 217
assert libc.syscall(add_key, b"user", b"isolate-trace", b"x", ctypes.c_long(1), -3) >= 0
os.execvp(sys.argv[1], sys.argv[1:])
`;
    const through = ["python3", "-c", script];
    const run = await box.run(["--syscalls=0"], [look, "look-for-keys"], { through });
    assertDenied(run, 6);
  });
});

Deno.test("a program can lock nothing, not even what it inherited", async () => {
  await withScratch(async (scratch) => {
    await Deno.writeTextFile(`${scratch}/file`, "x");
    await withBox(236, async (box) => {
      const attackFile = await installAttack(box, "traces");
      const through = ["sh", "-c", `exec "$@" <${scratch}/file`, "sh"];
      const options = [`--dir=shared=${scratch}`];
      const run = await box.run(options, [attackFile, "locks", "/shared/file"], { through });
      assertDenied(run, 10);
    });
  });
});

Deno.test("without the filter, a lock on a shared file ends with the run", async () => {
  await withScratch(async (scratch) => {
    await Deno.writeTextFile(`${scratch}/file`, "x");
    await withBox(237, async (box) => {
      const options = [`--dir=shared=${scratch}`, "--syscalls=0", "-p"];
      const run = await attack(box, ["traces", "hold-lock", "/shared/file"], options);
      assertEquals([run.code, run.stdout], [0, "locked\n"]);
      await assertNobodyLeft(237);
      await sh(`flock --nonblock ${scratch}/file true`);
    });
  });
});
