/** `--box-size`: a box of a fixed size, without disk quotas. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  assertRefused,
  COMMAND,
  DIRECT,
  eventually,
  isolate,
  sh,
  startIsolate,
  succeed,
  withBox,
  withScratch,
} from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

const COMMAND_LINE = COMMAND.join(" ");
const { code: CG_CODE } = await isolate(["--print-cg-root"]);
const NEEDS_CG = needs.that(CG_CODE === 0, "needs control groups");
const FILL = "head -c 10000000 /dev/zero > big";

/** The mounts on a directory, as /proc/self/mountinfo lists them: flags, tags, type. */
async function mountsOn(directory: string): Promise<string[]> {
  const lines = (await Deno.readTextFile("/proc/self/mountinfo")).split("\n");
  return lines.filter((line) => line.split(" ")[4] === directory);
}

/** A configuration with boxes and locks in a directory of the test's own. */
async function configure(folder: string): Promise<string> {
  const lines = [`box_root = ${folder}/boxes`, `lock_root = ${folder}/locks`, ""];
  await Deno.writeTextFile(`${folder}/config`, lines.join("\n"), { mode: 0o644 });
  return `--config=${folder}/config`;
}

Deno.test("--box-size makes box/ a file system of its own: nosuid, nodev, mode 0700, the caller's", async () => {
  await withBox(600, async (box) => {
    const [mount, ...more] = await mountsOn(box.path());
    assertEquals(more, []);
    const [flags, ...rest] = mount!.split(" ").slice(5);
    assertEquals(flags!.split(",").filter((flag) => flag !== "relatime"), [
      "rw",
      "nosuid",
      "nodev",
    ]);
    assertStringIncludes(rest.join(" "), "- tmpfs isolate rw,size=1024k,nr_inodes=1024,mode=700");
    const { mode, uid, gid } = await Deno.stat(box.path());
    assertEquals([mode! & 0o7777, uid, gid], [0o700, 0, 0]);
  }, { init: ["--box-size=1024"] });
});

Deno.test("--box-size gives box/ to the user that the sandbox acts for", async () => {
  const options = ["--as-uid=1234", "--as-gid=4321"];
  await withBox(601, async (box) => {
    await box.sh("echo hello > file");
    for (const path of [box.path(), box.path("file")]) {
      const { uid, gid } = await Deno.stat(path);
      assertEquals([uid, gid], [1234, 4321], path);
    }
  }, { options, init: ["--box-size=1024"] });
});

Deno.test("--box-size stops a program that writes more, with ENOSPC", async () => {
  await withBox(602, async (box) => {
    const { code, stderr, meta } = await box.run(["-p"], ["/bin/sh", "-c", FILL]);
    assertEquals([code, meta.status, meta.exitcode], [1, "RE", "1"]);
    assertStringIncludes(stderr, "No space left on device");
    assertEquals((await Deno.stat(box.path("big"))).size, 256 * 1024);
  }, { init: ["--box-size=256"] });
});

Deno.test("--box-size stops a program that makes too many files", async () => {
  await withBox(602, async (box) => {
    const script = "for i in 1 2 3 4 5 6 7 8 9 10; do : > file$i || exit 3; done";
    const { code, stderr, meta } = await box.run(["-p"], ["/bin/sh", "-c", script]);
    assertEquals([code, meta.exitcode], [1, "2"], stderr);
    assertStringIncludes(stderr, "No space left on device");
    // The fifth inode is box/ itself.
    assertEquals([...Deno.readDirSync(box.path())].length, 4);
  }, { init: ["--box-size=1024,5"] });
});

Deno.test("--box-size holds for all runs together, and the caller has to empty it", async () => {
  await withBox(603, async (box) => {
    const write150 = (name: string) =>
      box.run(["-p"], ["/bin/sh", "-c", `head -c 150000 /dev/zero > ${name}`]);
    assertEquals((await write150("first")).code, 0);
    assertStringIncludes((await write150("second")).stderr, "No space left");
    await Deno.remove(box.path("first"));
    await Deno.remove(box.path("second"));
    assertEquals((await write150("third")).code, 0);
  }, { init: ["--box-size=256"] });
});

Deno.test("--box-size does not change what --run does with files", async () => {
  await withBox(604, async (box) => {
    await Deno.writeTextFile(box.path("input"), "from the caller\n");
    await Deno.mkdir(box.path("deep/er"), { recursive: true });
    assertEquals(
      await box.sh("cat input; stat -c %u . input deep/er"),
      "from the caller\n60604\n60604\n60604\n",
    );
    await box.sh("echo out > deep/er/out; ln -s /etc link; mkfifo fifo; chmod 777 .");
    assertEquals(await Deno.readTextFile(box.path("deep/er/out")), "out\n");
    assertEquals([...Deno.readDirSync(box.path())].map(({ name }) => name).sort(), [
      "deep",
      "input",
    ]);
    for (const path of [box.path(), box.path("deep/er/out")]) {
      const { uid } = await Deno.stat(path);
      assertEquals(uid, 0, path);
    }
    assertEquals((await Deno.stat(box.path())).mode! & 0o777, 0o700);
    const redirected = await box.run(["-i", "input", "-o", "copy"], ["/bin/cat"]);
    assertEquals(redirected.code, 0, redirected.stderr);
    assertEquals(await Deno.readTextFile(box.path("copy")), "from the caller\n");
  }, { init: ["--box-size=1024"] });
});

Deno.test("a program executes from a box with --box-size, but set-user-id means nothing there", async () => {
  await withBox(604, async (box) => {
    await Deno.copyFile("/usr/bin/id", box.path("id"));
    await Deno.chown(box.path("id"), 0, 0);
    await Deno.chmod(box.path("id"), 0o4755);
    assertEquals((await box.run([], ["./id", "-u"])).stdout, "60604\n");
    // Nor on the host, where only the flag of the mount prevents it.
    await Deno.chown(box.path("id"), 1234, 1234);
    await Deno.chmod(box.path("id"), 0o4755);
    assertEquals(await sh(`${box.path("id")} -u`), "0\n");
  }, { init: ["--box-size=1024"] });
});

Deno.test("--cleanup unmounts a full box with --box-size", async () => {
  await withBox(605, async (box) => {
    await box.run(["-p"], ["/bin/sh", "-c", FILL]);
    assertEquals(await succeed(["-b605", "--cleanup"]), "");
    assertEquals(await mountsOn(box.path()), []);
    assertEquals(await Deno.lstat(box.directory).catch(() => "gone"), "gone");
    assertEquals(await succeed(["-b605", "--cleanup"]), "");
  }, { init: ["--box-size=256"] });
});

Deno.test("--cleanup unmounts a box that is somebody's working directory", async () => {
  await withBox(605, async (box) => {
    const script = `cd ${box.path()}; ${COMMAND_LINE} -b605 --cleanup; pwd -P 2>&1 || true`;
    await sh(script);
    assertEquals(await mountsOn(box.path()), []);
    assertEquals(await Deno.lstat(box.directory).catch(() => "gone"), "gone");
  }, { init: ["--box-size=256"] });
});

Deno.test("--init twice with --box-size leaves one empty file system, of the new size", async () => {
  await withBox(606, async (box) => {
    await box.sh("echo x > file");
    await succeed(["-b606", "--box-size=512,20", "--init"]);
    const [mount, ...more] = await mountsOn(box.path());
    assertEquals(more, []);
    assertStringIncludes(mount!, "size=512k,nr_inodes=20,");
    assertEquals([...Deno.readDirSync(box.path())], []);
    await box.sh("echo y > file");
  }, { init: ["--box-size=1024"] });
});

Deno.test("--init without --box-size puts the box on the disk again", async () => {
  await withBox(606, async (box) => {
    await box.run(["-p"], ["/bin/sh", "-c", FILL]);
    await succeed(["-b606", "--init"]);
    assertEquals(await mountsOn(box.path()), []);
    assertEquals([...Deno.readDirSync(box.path())], []);
    await box.sh(`${FILL}; stat -c %s big`);
    await succeed(["-b606", "--box-size=0", "--init"]);
    assertEquals(await mountsOn(box.path()), []);
  }, { init: ["--box-size=256"] });
});

Deno.test("--init removes what killed keepers have left mounted, layer by layer", async () => {
  await withBox(607, async (box) => {
    // As if three of them had died between the mount and the record of it.
    for (let i = 0; i < 3; i++) await sh(`mount -t tmpfs leftover ${box.path()}`);
    await Deno.truncate("/run/isolate/locks/607");
    assertEquals((await mountsOn(box.path())).length, 4);
    await succeed(["-b607", "--box-size=256", "--init"]);
    assertEquals((await mountsOn(box.path())).length, 1);
    await sh(`mount -t tmpfs leftover ${box.path()}`);
    await Deno.truncate("/run/isolate/locks/607");
    await succeed(["-b607", "--cleanup"]);
    assertEquals(await mountsOn(box.path()), []);
    assertEquals(await Deno.lstat(box.directory).catch(() => "gone"), "gone");
  }, { init: ["--box-size=256"] });
});

Deno.test("a killed --run leaves a box with --box-size that can be used again", async () => {
  await withBox(608, async (box) => {
    const running = startIsolate(
      box.args(["-p", "-o", "ready"], ["/bin/sh", "-c", "echo ready; sleep 60"]),
    );
    await eventually("the program runs", async () => {
      return (await Deno.readTextFile(box.path("ready")).catch(() => "")) === "ready\n";
    });
    running.kill("SIGKILL");
    await running.result;
    await eventually("the box is free", async () => {
      return (await box.run([], ["/bin/true"])).code === 0;
    });
    assertEquals(await box.sh("cat ready; stat -c %u ready"), "ready\n60608\n");
  }, { init: ["--box-size=1024"] });
});

Deno.test("--run refuses a box whose file system has been unmounted", async () => {
  await withBox(608, async (box) => {
    await sh(`umount ${box.path()}`);
    assertRefused(await isolate(["-b608", "--run", "--", "/bin/true"]), "--box-size");
    await succeed(["-b608", "--box-size=1024", "--init"]);
    assertEquals((await box.run([], ["/bin/true"])).code, 0);
  }, { init: ["--box-size=1024"] });
});

Deno.test("--run refuses a box on which somebody else has mounted something", async () => {
  await withBox(609, async (box) => {
    await sh(`mount -t tmpfs other ${box.path()}`);
    assertRefused(await isolate(["-b609", "--run", "--", "/bin/true"]), `${box.directory}/box`);
    await sh(`umount ${box.path()}`);
    assertEquals((await box.run([], ["/bin/true"])).code, 0);
  });
});

Deno.test("--box-size is mounted private, also where the mount around it is shared", async () => {
  await withScratch(async (folder) => {
    const config = await configure(folder);
    const direct = DIRECT.join(" ");
    const show = `grep " ${folder}/boxes/0/box " /proc/self/mountinfo || echo none`;
    const output = await sh(
      `unshare --mount --propagation=shared /bin/bash -ec '
        mount --make-rshared /
        ${direct} ${config} --box-size=256 --init
        ${show}
        # What comes later is seen elsewhere or not, as the mount around it says.
        ${direct} ${config} --run -- /bin/true
        ${direct} ${config} --cleanup
        ${show}'`,
    );
    const [path, mount, last, ...more] = output.trimEnd().split("\n");
    assertEquals([path, last, more], [`${folder}/boxes/0`, "none", []]);
    assert(!mount!.includes("shared:"), mount);
    assert(!mount!.includes("master:"), mount);
  });
});

Deno.test("a box does not keep the file system of another one alive", async () => {
  await withBox(610, async (other) => {
    await withBox(611, async (box) => {
      const running = startIsolate(
        other.args(["-p", "-o", "ready"], ["/bin/sh", "-c", "echo ready; sleep 60"]),
      );
      await eventually("the other box runs", async () => {
        return (await Deno.readTextFile(other.path("ready")).catch(() => "")) === "ready\n";
      });
      await succeed(["-b611", "--cleanup"]);
      assertEquals(await Deno.lstat(box.directory).catch(() => "gone"), "gone");
      const pids = (await sh("pgrep -u 60610")).trim().split("\n");
      for (const pid of pids) {
        const mounts = await Deno.readTextFile(`/proc/${pid}/mountinfo`).catch(() => "");
        assert(!mounts.includes(box.path()), mounts);
      }
      running.kill("SIGTERM");
      await running.result;
    }, { init: ["--box-size=256"] });
  });
});

testWith(
  [NEEDS_CG],
  "--box-size is memory of the control group of the process that writes",
  async () => {
    await withBox(613, async (box) => {
      const peakKib = async (command: string) => {
        const { code, stderr, meta } = await box.run(["-p"], ["/bin/sh", "-c", command]);
        assertEquals(code, 0, stderr);
        return Number(meta["cg-mem"]);
      };
      // Larger than the memory that the kernel counts ahead.
      await Deno.writeFile(box.path("mine"), new Uint8Array(16 * 2 ** 20));
      const nothing = await peakKib("true");
      assert(nothing < 8000, `${nothing} KiB for what the caller wrote`);
      const reading = await peakKib("cat mine > /dev/null");
      assert(reading < 8000, `${reading} KiB for reading what the caller wrote`);
      const writing = await peakKib("head -c 16777216 /dev/zero > its");
      assert(writing >= 16384, `${writing} KiB for 16384 KiB that the program wrote`);
      const afterwards = await peakKib("true");
      assert(afterwards >= 16384, `${afterwards} KiB while what the program wrote is there`);
    }, { options: ["--cg"], init: ["--box-size=65536"] });
  },
);

testWith([NEEDS_CG], "--cg-mem stops a program that fills its box with --box-size", async () => {
  await withBox(613, async (box) => {
    const { code, meta } = await box.run(["-p", "--cg-mem=16384"], [
      "/bin/sh",
      "-c",
      "exec head -c 40000000 /dev/zero > big",
    ]);
    assertEquals([code, meta["cg-oom-killed"], meta.exitsig], [1, "1", "9"]);
  }, { options: ["--cg"], init: ["--box-size=65536"] });
});

Deno.test("--box-size at --run is checked and ignored, and --box is still --box-id", async () => {
  await withBox(612, async (box) => {
    const { code } = await box.run(["--box-size=1"], ["/bin/true"]);
    assertEquals(code, 0);
    assertEquals(await succeed(["--box=612", "--init"]), `${box.directory}\n`);
    assertEquals(await mountsOn(box.path()), []);
  });
});
