/** Directory rules: what the program sees of the file system, and what it can do there. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { installC } from "../support/c_program.ts";
import { assertRefused, sh, type TestBox, withBox, withScratch } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

/** The mounts of the box: for each path, `TYPE OPTIONS`. */
async function mounts(box: TestBox, options: string[] = []): Promise<Map<string, string>> {
  const { code, stdout, stderr } = await box.run(options, ["/bin/cat", "/proc/self/mountinfo"]);
  assertEquals(code, 0, stderr);
  return new Map(
    stdout.trim().split("\n").map((line) => {
      const [, , , , path, options] = line.split(" ");
      return [path!, `${line.split(" - ")[1]!.split(" ")[0]} ${options}`];
    }),
  );
}

Deno.test("the default rules and their restrictions", async () => {
  await withBox(114, async (box) => {
    const seen = await mounts(box);
    const lib64 = (await Deno.stat("/lib64").catch(() => undefined)) ? ["/lib64"] : [];
    assertEquals([...seen.keys()].filter((path) => path !== "/").sort(), [
      ...["/box", "/bin", "/dev", "/dev/shm", "/lib", ...lib64, "/proc", "/tmp", "/usr"].sort(),
    ]);
    const options = (path: string) =>
      seen.get(path)!.replace(/.* /, "").split(",").filter((word) => !word.endsWith("atime"));
    assertEquals(options("/box"), ["rw", "nosuid", "nodev"]);
    assertEquals(options("/bin"), ["ro", "nosuid", "nodev"]);
    assertEquals(options("/dev"), ["ro", "nosuid"]);
    assertEquals(options("/dev/shm"), ["rw", "nosuid", "nodev"]);
    assertEquals(options("/proc"), ["ro", "nosuid", "nodev"]);
    assertEquals(options("/tmp"), ["rw", "nosuid", "nodev"]);
    assertEquals(options("/usr"), ["ro", "nosuid", "nodev"]);
    assertMatch(seen.get("/dev/shm")!, /^tmpfs /);
    assertMatch(seen.get("/proc")!, /^proc /);
  });
});

Deno.test("the root is a tmpfs, mode 0755, owned by root, and holds nothing but mount points", async () => {
  await withBox(114, async (box) => {
    assertEquals(await box.sh("stat -f -c %T /; stat -c '%a %u %g' /"), "tmpfs\n755 0 0\n");
    const names = (await box.sh("ls -A /")).trim().split("\n").filter((name) => name !== "lib64");
    assertEquals(names, ["bin", "box", "dev", "lib", "proc", "tmp", "usr"]);
    assertEquals((await box.run([], ["/bin/sh", "-c", "echo > /file"])).code, 1);
  });
});

Deno.test("IN=OUT binds, IN binds /IN, both read-only", async () => {
  await withBox(114, async (box) => {
    await withScratch(async (scratch) => {
      await Deno.writeTextFile(`${scratch}/file`, "contents\n");
      await Deno.chmod(scratch, 0o777);
      const options = [`--dir=deep/er=${scratch}`, "-detc"];
      assertEquals(await box.sh("cat /deep/er/file; test -e /etc/passwd", options), "contents\n");
      const write = await box.run(options, ["/bin/sh", "-c", "echo > /deep/er/new"]);
      assertEquals(write.code, 1);
      assertStringIncludes(write.stderr, "Read-only");
      assertEquals(await box.sh("cat /x/file", [`--dir=/x/=${scratch}/`]), "contents\n");
      await box.sh("echo > /x/new", [`--dir=x=${scratch}:rw`]);
      assertEquals((await Deno.stat(`${scratch}/new`)).uid, 60114);
    });
  });
});

Deno.test("./OUT is relative to the box directory", async () => {
  await withBox(114, async (box) => {
    await Deno.mkdir(`${box.directory}/extra`);
    await Deno.writeTextFile(`${box.directory}/extra/file`, "extra\n");
    assertEquals(await box.sh("cat /x/file", ["--dir=x=./extra"]), "extra\n");
    await Deno.mkdir(box.path("sub"));
    assertEquals(await box.sh("echo y > /y/new; cat sub/new", ["--dir=y=./box/sub:rw"]), "y\n");
  });
});

Deno.test("./OUT never leads out of the box, whatever the program has made of it", async () => {
  await withBox(114, async (box) => {
    await box.sh("mkdir d; ln -s /etc link; ln -s ../../../.. d/up", ["--special-files"]);
    for (const target of ["./box/link", "./box/d/up", "./box/../../.."]) {
      const result = await box.run(["--special-files", `--dir=x=${target}`], ["/bin/true"]);
      assertRefused(result, /directory rule 'x=/);
    }
  });
});

Deno.test("maybe skips what does not exist, without it that is an error that names the rule", async () => {
  await withBox(114, async (box) => {
    assertEquals((await box.run(["--dir=x=/no/where:maybe"], ["/bin/true"])).code, 0);
    const result = await box.run(["--dir=x=/no/where"], ["/bin/true"]);
    assertRefused(result, /directory rule 'x=\/no\/where'.*\/no\/where.*No such file or directory/);
  });
});

Deno.test("a source is looked for with the rights of the user that is acted for, maybe included", async () => {
  await withScratch(async (scratch) => {
    await sh(
      `cd ${scratch}; mkdir -p private/there own; chmod 700 private; chown 1234 own; chmod 700 own`,
    );
    await withBox(114, async (box) => {
      const attempt = async (rule: string) =>
        (await box.run([`--dir=${rule}`], ["/bin/true"])).code;
      assertEquals(await attempt(`x=${scratch}/own`), 0);
      assertEquals(await attempt(`x=${scratch}/private/there`), 2);
      // Whether it exists must not show: both cases look the same.
      const [there, missing] = ["there", "missing"].map((name) =>
        `x=${scratch}/private/${name}:maybe`
      );
      assertEquals(await attempt(there!), await attempt(missing!));
    }, { options: ["--as-uid=1234", "--as-gid=4321"] });
  });
});

Deno.test("noexec forbids to execute", async () => {
  await withBox(114, async (box) => {
    const run = (rule: string) => box.run([`--dir=${rule}`], ["/x/true"]);
    assertEquals((await run("x=/usr/bin")).code, 0);
    const refused = await run("x=/usr/bin:noexec");
    assertStringIncludes(refused.stderr, 'execve("/x/true"): Permission denied');
  });
});

Deno.test("devices work only with dev", async () => {
  await withBox(114, async (box) => {
    await withScratch(async (scratch) => {
      await sh(`mknod -m 666 ${scratch}/null c 1 3`);
      const script = ["/bin/sh", "-c", "echo > /x/null"];
      assertEquals((await box.run([`-dx=${scratch}:rw:dev`], script)).code, 0);
      assertEquals((await box.run([`-dx=${scratch}:rw`], script)).code, 1);
      assertEquals((await box.run([], ["/bin/sh", "-c", "echo > /dev/null"])).code, 0);
    });
  });
});

Deno.test("IN= removes a rule, a later rule for the same IN replaces the earlier in its place", async () => {
  await withBox(114, async (box) => {
    assertEquals((await mounts(box, ["--dir=tmp="])).has("/tmp"), false);
    assertEquals((await mounts(box, ["--dir=x=/etc", "--dir=x="])).has("/x"), false);
    await withScratch(async (scratch) => {
      await sh(`cd ${scratch}; mkdir -p one/in two/in inner; echo found > inner/file`);
      const rules = [`-da=${scratch}/one`, `-da/in=${scratch}/inner`, `-d/a/=${scratch}/two`];
      assertEquals(await box.sh("cat /a/in/file", rules), "found\n");
      assertMatch((await mounts(box, ["--dir=/tmp/=/usr:noexec"])).get("/tmp")!, / ro.*noexec/);
    });
  });
});

Deno.test("-D drops all default rules, but not a user's override of one", async () => {
  await withBox(114, async (box) => {
    const own = [
      "-D",
      "-dbox=./box:rw",
      "-dbin",
      "-dlib",
      "-dlib64:maybe",
      "-dusr",
      "-dproc=proc:fs",
    ];
    const bare = [...(await mounts(box, own)).keys()];
    assertEquals(bare.includes("/tmp") || bare.includes("/dev"), false);
    assert((await mounts(box, ["-dtmp:tmp", ...own])).has("/tmp"));
    assert((await mounts(box, [...own, "-dtmp:tmp"])).has("/tmp"));
  });
});

Deno.test("-D without a rule for the box is an error of the sandbox", async () => {
  await withBox(114, async (box) => {
    const result = await box.run(["-D", "-dbin", "-dlib", "-dlib64:maybe", "-dusr"], ["/bin/true"]);
    assertRefused(result, "/box");
    assertEquals(result.meta["status"], "XX");
  });
});

Deno.test("tmp directories are the box's own and kept until the next --init", async () => {
  await withBox(114, async (box) => {
    await box.sh("echo kept > /my/scratch/file", ["--dir=my/scratch:tmp"]);
    assertEquals(await Deno.readTextFile(`${box.directory}/tmp/my/scratch/file`), "kept\n");
    assertEquals(
      await box.sh("cat /my/scratch/file; stat -c %a /my/scratch", ["-dmy/scratch:tmp"]),
      "kept\n700\n",
    );
    assertEquals(
      (await box.run(["-d/dev/shm:tmp"], ["/bin/sh", "-c", "echo x > /dev/shm/file"])).code,
      0,
    );
    assertEquals(await box.sh("cat /dev/shm/file", ["-d/dev/shm:tmp"]), "x\n");
  });
});

Deno.test("file systems: proc, sysfs, tmpfs and devpts, nosuid and nodev, read-only without rw", async () => {
  await withBox(114, async (box) => {
    const rules = [
      "-dp=proc:fs",
      "-ds=sysfs:fs",
      "-dt=tmpfs:fs",
      "-dw=tmpfs:fs:rw",
      "-dpts=devpts:fs:dev",
    ];
    const seen = await mounts(box, rules);
    assertMatch(seen.get("/p")!, /^proc ro,nosuid,nodev/);
    assertMatch(seen.get("/s")!, /^sysfs ro,nosuid,nodev/);
    assertMatch(seen.get("/t")!, /^tmpfs ro,nosuid,nodev/);
    assertMatch(seen.get("/w")!, /^tmpfs rw,nosuid,nodev/);
    assertMatch(seen.get("/pts")!, /^devpts ro,nosuid/);
  });
});

testWith([needs.command("gcc")], "a terminal can be made in a devpts of the box", async () => {
  await withBox(114, async (box) => {
    await installC(
      box.path("pty"),
      `
      #include <stdio.h>
      #include <stdlib.h>
      #include <fcntl.h>
      int main() {
        int fd = open("/dev/pts/ptmx", O_RDWR);
        if (fd < 0 || grantpt(fd) || unlockpt(fd)) { perror("pty"); return 1; }
        puts(ptsname(fd));
      }`,
    );
    const { stdout, stderr } = await box.run(["-ddev/pts=devpts:fs:rw:dev"], ["pty"]);
    assertEquals(stdout, "/dev/pts/0\n", stderr);
  });
});

Deno.test("a single file can be bound, over a file or where nothing is", async () => {
  await withBox(114, async (box) => {
    await withScratch(async (scratch) => {
      await Deno.writeTextFile(`${scratch}/file`, "one\n");
      await Deno.chmod(`${scratch}/file`, 0o666);
      const rules = [`--dir=some/name=${scratch}/file`, "--dir=etc/passwd:maybe"];
      assertEquals(await box.sh("cat /some/name; ls /etc", rules), "one\npasswd\n");
      assertEquals((await box.run(rules, ["/bin/sh", "-c", "echo > /some/name"])).code, 1);
      await box.sh("echo two > /w", [`--dir=w=${scratch}/file:rw`]);
      assertEquals(await Deno.readTextFile(`${scratch}/file`), "two\n");
    });
  });
});

Deno.test("mount points below each other work in their order", async () => {
  await withBox(114, async (box) => {
    await withScratch(async (scratch) => {
      await sh(`cd ${scratch}; mkdir -p outer/inner other; echo o > outer/o; echo i > other/i`);
      const rules = [`--dir=a=${scratch}/outer`, `--dir=a/inner=${scratch}/other`];
      assertEquals(await box.sh("cat /a/o /a/inner/i", rules), "o\ni\n");
      // In the other order the outer one covers the inner one.
      const reversed = await box.run(rules.toReversed(), ["/bin/cat", "/a/inner/i"]);
      assertEquals(reversed.code, 1);
    });
  });
});

Deno.test("a mount point inside a bound directory must exist there; under /tmp it does not", async () => {
  await withBox(114, async (box) => {
    const under = await box.run(["--dir=/tmp/x=/etc"], ["/bin/true"]);
    assertRefused(under, /directory rule 'tmp\/x=\/etc'.*\/tmp\/x/);
    assertEquals(under.stderr.includes("must exist"), true, under.stderr);
    const before = await sh("ls -A /usr");
    assertRefused(
      await box.run(["--dir=usr/no-such-point=/etc"], ["/bin/true"]),
      "/usr/no-such-point",
    );
    assertEquals(await sh("ls -A /usr"), before, "nothing was made on the host");
    await Deno.mkdir(box.path("point"));
    assertEquals(await box.sh("test -e /box/point/passwd", ["--dir=box/point=/etc"]), "");
  });
});

/** A private mount namespace with a tmpfs mounted below a directory, for one command. */
function withSubmount(scratch: string): string[] {
  const script = `mount -t tmpfs -o mode=777,dev,suid none ${scratch}/sub && ` +
    `cp ${scratch}/program ${scratch}/sub/suid && chmod 4755 ${scratch}/sub/suid && ` +
    `mknod -m 666 ${scratch}/sub/null c 1 3 && echo x > ${scratch}/sub/file && exec "$0" "$@"`;
  return ["unshare", "--mount", "--propagation=private", "/bin/sh", "-c", script];
}

Deno.test("read-only, nosuid and nodev reach nested mounts, norec leaves them out", async () => {
  await withBox(114, async (box) => {
    await withScratch(async (scratch) => {
      await sh(`cd ${scratch}; mkdir sub; cp /bin/true program`);
      const through = withSubmount(scratch);
      const attempt = async (rule: string, script: string) =>
        (await box.run([`--dir=x=${scratch}${rule}`], ["/bin/sh", "-c", script], { through })).code;
      assertEquals(await attempt("", "test -e /x/sub/file"), 0);
      assertEquals(await attempt("", "echo > /x/sub/new"), 1);
      assertEquals(await attempt("", "echo > /x/sub/null"), 1);
      assertEquals(await attempt(":rw", "echo > /x/sub/new"), 0);
      assertEquals(await attempt(":rw", "echo > /x/sub/null"), 1);
      assertEquals(await attempt(":rw:dev", "echo > /x/sub/null"), 0);
      assertEquals(await attempt(":norec", "test -e /x/sub/file"), 1);
      const { stdout } = await box.run(
        [`--dir=x=${scratch}`],
        ["/bin/cat", "/proc/self/mountinfo"],
        { through },
      );
      assertMatch(stdout, / \/x\/sub ro,nosuid,nodev/);
    });
  });
});

Deno.test("mounts that the host makes during a run do not reach the box, nor the other way round", async () => {
  await withBox(114, async (box) => {
    await withScratch(async (scratch) => {
      await Deno.mkdir(`${scratch}/sub`);
      const before = await sh("cut -d' ' -f5 /proc/self/mountinfo | sort");
      const script = `mount -t tmpfs none ${scratch} --make-shared && mkdir ${scratch}/sub && ` +
        `("$0" "$@"; echo code $?) & i=0; ` +
        `until [ -e ${box.path("ready")} ] || [ $((i=i+1)) -gt 600 ]; do sleep .05; done; ` +
        `mount -t tmpfs none ${scratch}/sub && touch ${scratch}/sub/seen ${box.path("go")}; wait`;
      const through = ["unshare", "--mount", "--propagation=private", "/bin/sh", "-c", script];
      const { stdout } = await box.run([`--dir=x=${scratch}`, "-p", "--wall-time=60"], [
        "/bin/sh",
        "-c",
        ": > ready; until [ -e go ]; do sleep .05; done; ls /x/sub",
      ], { through });
      assertEquals(stdout, "code 0\n");
      assertEquals(await sh("cut -d' ' -f5 /proc/self/mountinfo | sort"), before);
    });
  });
});

Deno.test("the old root is gone", async () => {
  await withBox(114, async (box) => {
    assertEquals(
      await box.sh("cd ..; cd ..; pwd -P; ls /proc/self/root/ | wc -l"),
      `/\n${(await box.sh("ls / | wc -l"))}`,
    );
    const seen = await mounts(box);
    assert([...seen.keys()].every((path) => !path.startsWith("/var") && !path.startsWith("/work")));
  });
});

Deno.test("two boxes at once share a bound directory with FIFOs (CMS)", async () => {
  await withScratch(async (scratch) => {
    await sh(`cd ${scratch}; mkfifo a b; chmod 666 a b; chmod 777 .`);
    await withBox(115, async (one) => {
      await withBox(116, async (other) => {
        const rule = `--dir=/fifos=${scratch}:rw`;
        const first = one.run([rule, "-w9"], [
          "/bin/sh",
          "-c",
          "echo ping > /fifos/a; read x < /fifos/b; echo got $x",
        ]);
        const second = other.run([rule, "-w9"], [
          "/bin/sh",
          "-c",
          "read x < /fifos/a; echo pong > /fifos/b; echo got $x",
        ]);
        assertEquals((await first).stdout, "got pong\n");
        assertEquals((await second).stdout, "got ping\n");
      });
    });
  });
});

Deno.test("-vvv prints the plan before it is executed, on stderr", async () => {
  await withBox(114, async (box) => {
    const { stdout, stderr } = await box.run(["-vvv", "--dir=x=/etc"], ["/bin/echo", "out"]);
    assertEquals(stdout, "out\n");
    for (const word of ["pivot_root", "mount_setattr", "execve", "seccomp"]) {
      assertStringIncludes(stderr, word);
    }
  });
});
