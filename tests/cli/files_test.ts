/** Who owns the files of a box, which are removed, and the redirections of the standard streams. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  assertRefused,
  isolate,
  sh,
  type TestBox,
  withBox,
  withScratch,
} from "../support/isolate.ts";

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** Owners of everything in box/. */
async function owners(box: TestBox): Promise<string> {
  return (await sh(`find ${box.path()} -printf '%U:%G\\n' | sort -u`)).trim();
}

/** Files of several owners, as a caller may leave them. */
async function fill(box: TestBox): Promise<void> {
  await sh(`cd ${box.path()}; mkdir -p a/b; touch mine a/other a/b/third
    chown 1234:4321 a/other a; chown 60111:60111 a/b/third`);
}

Deno.test("in the box everything belongs to the box's user, whoever owned it before", async () => {
  await withBox(111, async (box) => {
    await fill(box);
    assertEquals(await box.sh("find . -printf '%U:%G\\n' | sort -u"), "60111:60111\n");
  });
});

Deno.test("after exit status 0 or 1 everything in box/ is the caller's", async () => {
  await withBox(111, async (box) => {
    for (
      const [script, code] of [["touch new", 0], ["touch new; exit 1", 1], [
        "kill -9 $$",
        1,
      ]] as const
    ) {
      await fill(box);
      assertEquals((await box.run(["-p"], ["/bin/sh", "-c", script])).code, code);
      assertEquals(await owners(box), "0:0", script);
    }
    await fill(box);
    assertEquals((await box.run(["-t.1"], ["/bin/sh", "-c", "while :; do :; done"])).code, 1);
    assertEquals(await owners(box), "0:0");
  });
});

Deno.test("after an error of the sandbox everything in box/ is the caller's too", async () => {
  await withBox(111, async (box) => {
    for (const option of ["--chdir=/none", "--dir=x=/no/where", "--stdin=none"]) {
      await fill(box);
      assertEquals((await box.run([option], ["/bin/true"])).code, 2);
      assertEquals(await owners(box), "0:0", option);
    }
  });
});

Deno.test("the modes of files stay, setuid bits of the caller's files do not outlive the change of owner", async () => {
  await withBox(111, async (box) => {
    await sh(`cd ${box.path()}; touch a b; chmod 640 a; chmod 4755 b; mkdir d; chmod 0711 d`);
    const modes = await box.sh("stat -c %a a b d");
    assertEquals(modes, "640\n755\n711\n");
  });
});

Deno.test("special files are removed before a run, even the caller's own", async () => {
  await withBox(111, async (box) => {
    await sh(`cd ${box.path()}; mkdir d; ln -s /etc/passwd link; mkfifo d/fifo; mknod null c 1 3
      python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'; touch file`);
    assertEquals(await box.sh("find . | sort"), ".\n./d\n./file\n");
    assertEquals(await sh(`cd ${box.path()}; find . | sort`), ".\n./d\n./file\n");
  });
});

Deno.test("special files that the program made are removed after the run", async () => {
  await withBox(111, async (box) => {
    await box.sh("ln -s /etc/shadow link; mkdir d; mkfifo d/fifo; ln -s . d/self; echo x > file");
    assertEquals(await sh(`cd ${box.path()}; find . | sort`), ".\n./d\n./file\n");
  });
});

Deno.test("--special-files keeps them, and must be given each time", async () => {
  await withBox(111, async (box) => {
    await box.sh("ln -s /etc/shadow link; mkfifo fifo", ["--special-files"]);
    assertEquals(await box.sh("ls", ["--special-files"]), "fifo\nlink\n");
    const { uid } = await Deno.lstat(box.path("link"));
    assertEquals(uid, 0, "the link itself is the caller's");
    assertEquals((await Deno.stat("/etc/shadow")).uid, 0);
    assertEquals(await box.sh("ls"), "");
    assertEquals(await exists(box.path("link")), false);
  });
});

Deno.test("links in the box are never followed when owners change", async () => {
  await withBox(111, async (box) => {
    await withScratch(async (scratch) => {
      await Deno.mkdir(`${scratch}/directory`);
      await Deno.writeTextFile(`${scratch}/directory/file`, "host");
      await box.sh(`ln -s ${scratch}/directory d; ln -s ${scratch}/directory/file f`, [
        "--special-files",
      ]);
      await box.sh("true", ["--special-files"]);
      for (const path of ["directory", "directory/file"]) {
        assertEquals((await Deno.stat(`${scratch}/${path}`)).uid, 0, path);
      }
      assertEquals((await isolate(["-b111", "--cleanup"])).code, 0);
      assertEquals(await Deno.readTextFile(`${scratch}/directory/file`), "host");
    });
  });
});

Deno.test("an unreadable, deep and oddly named tree is given back and removed", async () => {
  await withBox(111, async (box) => {
    await box.sh(`mkdir -p locked/in "new
line" sp\\ ace; touch locked/in/file "new
line/x"; touch "$(printf '\\377bad')"; chmod 0 locked/in/file locked/in locked
      i=0; while [ $i -lt 200 ]; do mkdir d; cd -P d; i=$((i+1)); done; touch bottom`);
    assertEquals(await owners(box), "0:0");
    assertEquals((await isolate(["-b111", "--cleanup"])).code, 0);
    assertEquals(await exists(box.directory), false);
  });
});

Deno.test("without redirections the program has the caller's standard streams", async () => {
  await withBox(112, async (box) => {
    const script = "read x; echo out $x; echo err $x >&2";
    const result = await box.run(["-s"], ["/bin/sh", "-c", script], { stdin: "in\n" });
    assertEquals([result.stdout, result.stderr], ["out in\n", "err in\n"]);
  });
});

Deno.test("redirections are opened inside the box, relative to /box, before --chdir", async () => {
  await withBox(112, async (box) => {
    await Deno.mkdir(box.path("sub"));
    await Deno.writeTextFile(box.path("in"), "input\n");
    const script = "pwd; cat; echo error >&2";
    const result = await box.run(
      ["-p", "--chdir=sub", "--stdin=in", "--stdout=sub/out", "--stderr=/tmp/err"],
      ["/bin/sh", "-c", script],
    );
    assertEquals([result.code, result.stdout], [0, ""]);
    assertEquals(await Deno.readTextFile(box.path("sub/out")), "/box/sub\ninput\n");
    assertEquals(await Deno.readTextFile(`${box.directory}/tmp/tmp/err`), "error\n");
  });
});

Deno.test("outputs are made with mode 0666 less 022 and emptied where they exist", async () => {
  await withBox(112, async (box) => {
    await Deno.writeTextFile(box.path("err"), "a long old text");
    const through = ["sh", "-c", 'umask 077; exec "$0" "$@"'];
    await box.run(["-oout", "-rerr"], ["/bin/sh", "-c", "echo 1; echo 2 >&2"], { through });
    assertEquals((await Deno.stat(box.path("out"))).mode! & 0o777, 0o644);
    assertEquals(await Deno.readTextFile(box.path("err")), "2\n");
  });
});

Deno.test("redirections are opened by the box's user and not by root", async () => {
  await withBox(112, async (box) => {
    for (const option of ["--stdin=/etc/shadow", "--stdout=/etc/new", "--stderr=/etc/passwd"]) {
      const result = await box.run(["--dir=etc:rw", option], ["/bin/true"]);
      assertRefused(result, "Permission denied");
    }
    assertEquals(await exists("/etc/new"), false);
  });
});

Deno.test("of --stderr-to-stdout and -r the last one given wins", async () => {
  await withBox(112, async (box) => {
    const script = ["/bin/sh", "-c", "echo out; echo err >&2"];
    const joined = await box.run(["-s", "-rerr", "--stderr-to-stdout"], script);
    assertEquals([joined.stdout, joined.stderr], ["out\nerr\n", ""]);
    assertEquals(await exists(box.path("err")), false);
    const apart = await box.run(["-s", "--stderr-to-stdout", "-rerr"], script);
    assertEquals([apart.stdout, await Deno.readTextFile(box.path("err"))], ["out\n", "err\n"]);
    const both = await box.run(["-s", "-oout", "--stderr-to-stdout"], script);
    assertEquals([both.stdout, both.stderr], ["", ""]);
    assertEquals(await Deno.readTextFile(box.path("out")), "out\nerr\n");
  });
});

Deno.test("a stream that is redirected to a FIFO waits for the other side, under the wall clock limit", async () => {
  await withBox(112, async (box) => {
    await sh(`mkfifo ${box.path("fifo")}`);
    const result = await box.run(["--special-files", "-ififo", "-w.3"], ["/bin/cat"]);
    assertEquals([result.code, result.meta["status"]], [1, "TO"]);
    assertStringIncludes(result.stderr, "wall clock");
  });
});

Deno.test("input larger than a pipe passes through", async () => {
  await withBox(112, async (box) => {
    const text = "x".repeat(1_000_000);
    const { stdout } = await box.run(["-s"], ["/bin/cat"], { stdin: text });
    assert(stdout === text);
  });
});

Deno.test("the default working directory is /box, --chdir is relative to it", async () => {
  await withBox(112, async (box) => {
    await Deno.mkdir(box.path("sub"));
    const pwd = async (options: string[]) =>
      (await box.run(["-s", ...options], ["/bin/sh", "-c", "pwd -P"])).stdout;
    assertEquals(await pwd([]), "/box\n");
    assertEquals(await pwd(["-csub"]), "/box/sub\n");
    assertEquals(await pwd(["--chdir=/tmp"]), "/tmp\n");
    assertEquals(await pwd(["--chdir=../tmp"]), "/tmp\n");
  });
});
