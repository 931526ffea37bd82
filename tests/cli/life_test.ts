/** The life of a box: init, run, cleanup; locks, owners, and keepers that are killed. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  assertRefused,
  eventually,
  isolate,
  keeperPid,
  processesOf,
  type RunningCommand,
  startIsolate,
  succeed,
  USES_SERVICE,
  withBox,
  withScratch,
} from "../support/isolate.ts";

const OTHER = ["--as-uid=1234", "--as-gid=4321"];
const LOCK = "/run/isolate/locks";

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** Starts a program that runs until there is a file `stop` in its box; goes on when it runs. */
async function startSleeper(id: number) {
  const script = "sleep 60 & echo ready > ready; while ! test -e stop; do sleep .05; done; rm stop";
  const running = startIsolate([`-b${id}`, "-p", "--run", "--", "/bin/sh", "-c", script]);
  const file = `/var/local/lib/isolate/${id}/box/ready`;
  await eventually("the sleeper runs", async () => {
    return (await Deno.readTextFile(file).catch(() => "")) === "ready\n";
  });
  return running;
}

Deno.test("--init prints exactly the path of the box and makes box/ with mode 0700 for the caller", async () => {
  await withBox(102, async (box) => {
    assertEquals(await succeed(["-b102", "-vvv", "--init"]), "/var/local/lib/isolate/102\n");
    assertEquals((await Deno.stat(box.directory)).mode! & 0o7777, 0o755);
    const { mode, uid, gid } = await Deno.lstat(box.path());
    assertEquals([mode! & 0o7777, uid, gid], [0o700, 0, 0]);
  });
});

Deno.test("--init gives the box its modes whatever the caller's umask is", async () => {
  const through = ["sh", "-c", 'umask 0777; exec "$0" "$@"'];
  await withBox(102, async (box) => {
    await succeed(["-b102", "--init"], { through });
    assertEquals((await Deno.stat(box.directory)).mode! & 0o777, 0o755);
    assertEquals((await Deno.stat(box.path())).mode! & 0o777, 0o700);
    const seen = await box.run(["--dir=a/b=/usr"], [
      "/bin/sh",
      "-c",
      "umask; test -d /a/b/bin && echo x > /tmp/x && echo seen",
    ], { through });
    assertEquals(seen.stdout, "0022\nseen\n", seen.stderr);
  });
});

Deno.test("new directories of boxes and locks are open to all whatever the umask is", async () => {
  await withScratch(async (scratch) => {
    const config = `${scratch}/config`;
    const text = `box_root = ${scratch}/new/boxes\nlock_root = ${scratch}/new/locks\n`;
    await Deno.writeTextFile(config, text);
    const through = ["sh", "-c", 'umask 077; exec "$0" "$@"'];
    const own = [`--config=${config}`, "-b1"];
    await succeed([...own, "--init"], { through });
    for (const path of ["new", "new/boxes", "new/locks", "new/boxes/1"]) {
      assertEquals((await Deno.stat(`${scratch}/${path}`)).mode! & 0o777, 0o755, path);
    }
    assertEquals((await Deno.stat(`${scratch}/new/locks/1`)).mode! & 0o777, 0o600);
    assertEquals((await isolate([...own, "--run", "--", "/bin/true"])).code, 0);
  });
});

Deno.test("--init resets a box that exists, temporary directories included", async () => {
  await withBox(102, async (box) => {
    await box.sh("echo x > file; echo y > /tmp/file; mkdir -p a/b/c");
    await succeed(["-b102", "--init"]);
    assertEquals(await box.sh("ls -A /box /tmp"), "/box:\n\n/tmp:\n");
  });
});

Deno.test("--run does not reset: files stay from run to run, in /tmp too", async () => {
  await withBox(102, async (box) => {
    await box.sh("echo x > file; echo y > /tmp/file; echo z > /dev/shm/file");
    assertEquals(await box.sh("cat file /tmp/file; ls /dev/shm"), "x\ny\n");
    const { mode, uid } = await Deno.stat(`${box.directory}/tmp/tmp`);
    assertEquals([mode! & 0o777, uid], [0o700, 60102]);
  });
});

Deno.test("--cleanup prints nothing, removes the box and empties the lock file", async () => {
  await withBox(102, async (box) => {
    await box.sh("mkdir -p deep/er; echo x > deep/er/file");
    const { code, stdout, stderr } = await isolate(["-b102", "--cleanup"]);
    assertEquals([code, stdout, stderr], [0, "", ""]);
    assert(!await exists(box.directory));
    assertEquals((await Deno.stat(`${LOCK}/102`)).size, 0);
    assertRefused(await isolate(["-b102", "--run", "--", "/bin/true"]), "Box not found");
  });
});

Deno.test("--cleanup of a box that never existed succeeds and leaves nothing behind", async () => {
  await withScratch(async (scratch) => {
    const config = `${scratch}/config`;
    await Deno.writeTextFile(config, `box_root = ${scratch}/b\nlock_root = ${scratch}/l\n`);
    const { code, stdout, stderr } = await isolate([`--config=${config}`, "-b7", "--cleanup"]);
    assertEquals([code, stdout, stderr], [0, "", ""]);
    assertEquals([...Deno.readDirSync(scratch)].map(({ name }) => name), ["config"]);
    const verbose = await isolate([`--config=${config}`, "-b7", "-v", "--cleanup"]);
    assertEquals(verbose.code, 0);
    assertStringIncludes(verbose.stderr, "does not exist");
    // The same where another box has been used.
    await succeed([`--config=${config}`, "-b8", "--init"]);
    await succeed([`--config=${config}`, "-b7", "--cleanup"]);
    assertEquals([...Deno.readDirSync(`${scratch}/l`)].map(({ name }) => name), ["8"]);
  });
});

Deno.test("a lock file is never unlinked: its inode stays through init and cleanup", async () => {
  await withBox(102, async () => {
    const { ino } = await Deno.stat(`${LOCK}/102`);
    await succeed(["-b102", "--cleanup"]);
    await succeed(["-b102", "--init"]);
    assertEquals((await Deno.stat(`${LOCK}/102`)).ino, ino);
  });
});

Deno.test("a box whose initialisation was interrupted cannot run until the next --init", async () => {
  await withBox(102, async (box) => {
    const lock = await Deno.readFile(`${LOCK}/102`);
    lock[8]! &= ~1; // the flag "initialised"
    await Deno.writeFile(`${LOCK}/102`, lock);
    assertRefused(
      await isolate(["-b102", "--run", "--", "/bin/true"]),
      "This box was not initialized properly",
    );
    await succeed(["-b102", "--init"]);
    assertEquals((await box.run([], ["/bin/true"])).code, 0);
  });
});

Deno.test("a box in use is refused to every other command, with --wait they wait", async () => {
  await withBox(103, async (box) => {
    await using sleeper = await startSleeper(103);
    for (const command of [["--init"], ["--cleanup"], ["--run", "--", "/bin/true"]]) {
      const result = await isolate(["-b103", ...command]);
      assertRefused(result, "This box is currently in use by another process (box 103, process ");
    }
    await using waiting = box.start(["--wait"], ["/bin/cat", "ready"]);
    await isWaiting(waiting, 103);
    await Deno.writeTextFile(box.path("stop"), "");
    assertEquals((await sleeper.result).code, 0);
    const { code, stdout } = await waiting.result;
    assertEquals([code, stdout], [0, "ready\n"]);
  });
});

Deno.test("two boxes run at the same time", async () => {
  await withBox(103, async (one) => {
    await withBox(104, async (other) => {
      await using sleeper = await startSleeper(103);
      assertEquals((await other.run([], ["/bin/true"])).code, 0);
      assert((await processesOf(60103)).length > 0);
      await Deno.writeTextFile(one.path("stop"), "");
      assertEquals((await sleeper.result).code, 0);
    });
  });
});

Deno.test("a waiting command gives up on a signal", async () => {
  await withBox(103, async (box) => {
    await using _sleeper = await startSleeper(103);
    await using waiting = box.start(["--wait"], ["/bin/true"]);
    await isWaiting(waiting, 103);
    waiting.kill("SIGTERM");
    assertEquals((await waiting.result).code, 2);
  });
});

/** Goes on when a command has opened the lock file that another one holds. */
async function isWaiting(running: RunningCommand, id: number): Promise<void> {
  const pid = keeperPid(running);
  // A service is the keeper of both.
  const count = pid === running.pid ? 1 : 2;
  await eventually("the command waits", async () => {
    const fds = await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`));
    const targets = fds.map(({ name }) => Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => ""));
    const locks = (await Promise.all(targets)).filter((target) => target === `${LOCK}/${id}`);
    return locks.length === count;
  });
}

Deno.test("a box belongs to the user it was made for; only that user and root may use it", async () => {
  await withBox(103, async (box) => {
    const { uid, gid } = await Deno.lstat(box.path());
    assertEquals([uid, gid], [1234, 4321]);
    for (const command of [["--init"], ["--cleanup"], ["--run", "--", "/bin/true"]]) {
      const result = await isolate(["-b103", "--as-uid=77", "--as-gid=77", ...command]);
      assertRefused(result, "This box belongs to a different user (uid 1234)");
    }
    assertEquals((await isolate(["-b103", ...OTHER, "--run", "--", "/bin/true"])).code, 0);
    assertEquals((await isolate(["-b103", "--run", "--", "/bin/true"])).code, 0, "root is let in");
  }, { init: OTHER });
});

Deno.test("--as-uid: files of the box are the user's again after the run", async () => {
  await withBox(103, async (box) => {
    await succeed([...["-b103", ...OTHER], "--run", "--", "/bin/sh", "-c", "echo x > file"]);
    for (const path of [box.path(), box.path("file")]) {
      const { uid, gid } = await Deno.lstat(path);
      assertEquals([uid, gid], [1234, 4321], path);
    }
  }, { init: OTHER });
});

Deno.test("restricted_init lets only root make boxes", async () => {
  await withScratch(async (scratch) => {
    const config = `${scratch}/config`;
    await Deno.writeTextFile(
      config,
      `box_root = ${scratch}/b\nlock_root = ${scratch}/l\nrestricted_init = 1\n`,
    );
    const own = [`--config=${config}`, "-b1"];
    // A service has read its own configuration.
    if (!USES_SERVICE && await exists("/usr/local/etc")) {
      const script = `mount -t tmpfs none /usr/local/etc; cp ${config} /usr/local/etc/isolate`;
      const through = ["unshare", "--mount", "sh", "-ec", `${script}; exec "$0" "$@"`];
      const result = await isolate(["-b1", ...OTHER, "--init"], { through });
      assertRefused(result, "New sandboxes can be created only by root");
    }
    assert(!await exists(`${scratch}/b/1`));
    await succeed([...own, "--init"]);
    await succeed([...own, "--cleanup"]);
  });
});

for (const command of ["--init", "--cleanup"]) {
  Deno.test(`a keeper killed by SIGKILL takes its box with it, and ${command} works at once`, async () => {
    await withBox(105, async (box) => {
      await using sleeper = await startSleeper(105);
      assert((await processesOf(60105)).length >= 2, "the box runs");
      sleeper.kill("SIGKILL");
      await sleeper.result;
      const result = await isolate(["-b105", command]);
      assertEquals(result.code, 0, result.stderr);
      await eventually(
        "the box is dead",
        async () => (await processesOf(60105)).length === 0,
        3000,
      );
      assertEquals(await exists(box.directory), command === "--init");
      if (command === "--init") assertEquals(await box.sh("ls -A"), "");
    });
  });
}

Deno.test("after a keeper was killed the next run works too", async () => {
  await withBox(105, async (box) => {
    await using sleeper = await startSleeper(105);
    sleeper.kill("SIGKILL");
    await sleeper.result;
    await eventually("the box is dead", async () => (await processesOf(60105)).length === 0, 3000);
    assertEquals(await box.sh("cat ready; echo more > file; cat file"), "ready\nmore\n");
  });
});

Deno.test("--quota that cannot be set is refused with the reason, and leaves no box behind", async () => {
  // A tmpfs has none like this; where they work they are tested in the virtual machine.
  await withScratch(async (scratch) => {
    const config = `${scratch}/config`;
    const boxes = `${scratch}/boxes`;
    await Deno.writeTextFile(config, `box_root = ${boxes}\nlock_root = ${scratch}/locks\n`);
    const script = `mkdir ${boxes} && mount -t tmpfs -o mode=755 none ${boxes} && ` +
      `{ "$0" "$@"; code=$?; ls ${boxes}; exit $code; }`;
    const through = ["unshare", "--mount", "--propagation=private", "/bin/sh", "-c", script];
    const args = [`--config=${config}`, "-b1", "--quota=10,10", "--init"];
    assertRefused(await isolate(args, { through }), /--quota/);
    assertEquals((await Deno.stat(`${scratch}/locks/1`)).size, 0);
  });
});

Deno.test("a box replaced by a symbolic link is not followed", async () => {
  await withBox(105, async (box) => {
    await withScratch(async (scratch) => {
      await Deno.writeTextFile(`${scratch}/file`, "host");
      await Deno.remove(box.path());
      await Deno.symlink(scratch, box.path());
      const result = await box.run([], ["/bin/true"]);
      assertEquals(result.code, 2);
      assertStringIncludes(result.stderr, "must be a real directory");
      assertEquals(result.meta["status"], "XX");
      assertEquals((await Deno.stat(`${scratch}/file`)).uid, 0);
      assertEquals((await Deno.stat(scratch)).uid, 0);
      await succeed(["-b105", "--cleanup"]);
      assertEquals(await Deno.readTextFile(`${scratch}/file`), "host");
    });
  });
});

Deno.test("a box whose box/ was moved out and replaced by a new one works (ReCodEx, Piston)", async () => {
  await withBox(105, async (box) => {
    await withScratch(async (scratch) => {
      await box.sh("echo result > out");
      await Deno.mkdir(`${scratch}/new`);
      await Deno.writeTextFile(`${scratch}/new/in`, "fresh\n");
      // The box may lie on another file system.
      await succeedMove(box.path(), `${scratch}/old`);
      await succeedMove(`${scratch}/new`, box.path());
      assertEquals(await Deno.readTextFile(`${scratch}/old/out`), "result\n");
      assertEquals(await box.sh("cat in; echo again > out; ls"), "fresh\nin\nout\n");
    });
  });
});

async function succeedMove(from: string, to: string): Promise<void> {
  const { success } = await new Deno.Command("mv", { args: [from, to] }).output();
  assert(success);
}
