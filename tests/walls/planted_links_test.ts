/** Links and swaps in a box, by which the keeper could give away, read or remove the host's files. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { attackProgram, FIRST_UID } from "../support/attack.ts";
import { isolate, sh, succeed, type TestBox, withBox } from "../support/isolate.ts";

const CALLER = 7250;
const AS_CALLER = [`--as-uid=${CALLER}`, `--as-gid=${CALLER}`];
const THROUGH_CALLER = ["setpriv", `--reuid=${CALLER}`, `--regid=${CALLER}`, "--clear-groups"];

/** What must stay as it is: owners, modes, kinds, link targets, contents. */
async function photograph(directory: string): Promise<string> {
  return await sh(
    `cd ${directory}; find . -printf '%p %y %m %u:%g %s %l\\n' | sort; cat target/file target/sub/file`,
  );
}

/** A directory of root's beside the boxes, on their file system. */
async function withHostFiles(test: (host: string) => Promise<void>): Promise<void> {
  const host = await Deno.makeTempDir({ dir: "/var/local/lib", prefix: "isolate-test-" });
  try {
    await sh(`chmod 755 ${host}; mkdir -p ${host}/target/sub; chmod 755 ${host}/target
      echo content >${host}/target/file; echo content >${host}/target/sub/file
      chmod 644 ${host}/target/file; chmod 600 ${host}/target/sub/file`);
    const before = await photograph(host);
    await test(host);
    assertEquals(await photograph(host), before, "the host's files have changed");
  } finally {
    await Deno.remove(host, { recursive: true });
  }
}

/** Everything that walks through a box. */
async function walkThrough(box: TestBox, options: readonly string[] = []): Promise<void> {
  const all = [`--box-id=${box.id}`, ...options];
  for (const more of [["--special-files"], []]) {
    const run = await isolate([...all, ...more, "-p", "--run", "--", "/bin/true"]);
    assertEquals(run.code, 0, run.stderr);
  }
  await succeed([...all, "--init"]);
  await succeed([...all, "--cleanup"]);
}

Deno.test("the keeper follows no symbolic link that a program has planted", async () => {
  await withHostFiles(async (host) => {
    await withBox(250, async (box) => {
      await box.sh(
        `ln -s ${host}/target dir; ln -s ${host}/target/file file; mkdir -p sub/sub
         ln -s ../../../../../../../..${host}/target sub/up; ln -s ${host}/target/sub sub/sub/x
         ln -s . loop; ln -s /proc/self/root/ root`,
        ["--special-files"],
      );
      assert((await Deno.lstat(box.path("dir"))).isSymlink);
      await walkThrough(box);
    });
  });
});

Deno.test("a box of which a part was replaced by a link is refused", async () => {
  await withHostFiles(async (host) => {
    await withBox(250, async (box) => {
      await Deno.remove(box.path(), { recursive: true });
      await Deno.symlink(`${host}/target`, box.path());
      const run = await isolate(["--box-id=250", "--run", "--", "/bin/true"]);
      assertEquals(run.code, 2);
      assertStringIncludes(run.stderr, "must be a real directory");
      await succeed(["--box-id=250", "--init"]);
    });
  });
});

/** Hard links to others' files: fs.protected_hardlinks forbids them, unless it is off. */
async function withUnprotectedLinks(test: () => Promise<void>): Promise<void> {
  const setting = "/proc/sys/fs/protected_hardlinks";
  const before = await Deno.readTextFile(setting);
  try {
    await Deno.writeTextFile(setting, "0");
    await test();
  } finally {
    await Deno.writeTextFile(setting, before);
  }
}

Deno.test("the keeper gives nobody a file of root's that a caller has linked into the box", async () => {
  await withUnprotectedLinks(async () => {
    await withHostFiles(async (host) => {
      await withBox(251, async (box) => {
        await sh(
          `setpriv --reuid=${CALLER} --regid=${CALLER} --clear-groups sh -ec '
            ln ${host}/target/file ${box.path()}/hard
            mkdir ${box.path()}/sub; ln ${host}/target/file ${box.path()}/sub/hard'`,
        );
        const seen = await isolate(
          ["--box-id=251", ...AS_CALLER, "-p", "--run", "--", "/bin/stat", "-c%u", "hard"],
        );
        assertEquals([seen.code, seen.stdout], [0, "0\n"]);
        const write = await isolate(
          ["--box-id=251", ...AS_CALLER, "-p", "--run", "--", "/bin/sh", "-c", "echo evil >hard"],
        );
        assertEquals(write.code, 1);
        assertEquals((await Deno.stat(box.path("hard"))).uid, 0);
        await walkThrough(box, AS_CALLER);
      }, { options: AS_CALLER });
    });
  });
});

Deno.test("a program cannot link what is outside of its directories", async () => {
  await withUnprotectedLinks(async () => {
    await withBox(252, async (box) => {
      const script = `for target in /usr/bin/su /bin/sh /tmp/x /dev/null /proc/self/status; do
          ln $target /box/hard 2>/dev/null && exit 1; ln -P /proc/self/fd/0 /box/hard 2>/dev/null && exit 1
        done; exit 0`;
      const run = await box.run(["-p"], ["/bin/sh", "-c", `touch /tmp/x; ${script}`]);
      assertEquals(run.code, 0, run.stderr);
    });
  });
});

Deno.test("a caller who swaps directories and links while the keeper works gains nothing", async () => {
  await withUnprotectedLinks(async () => {
    await withHostFiles(async (host) => {
      const options = ["--box-id=253", ...AS_CALLER];
      const racers: Deno.ChildProcess[] = [];
      const race = await attackProgram("race");
      try {
        for (let round = 0; round < 4; round++) {
          const directory = (await succeed([...options, "--init"])).trim();
          const open = `${directory}/box/open`;
          await sh(
            `mkdir ${open}; chmod 777 ${open}; cd ${open}
             for i in 1 2 3 4 5 6 7 8; do mkdir -m 777 d$i; touch d$i/f; done
             chown -R ${CALLER}:${CALLER} ${open}`,
          );
          const [program, ...args] = [...THROUGH_CALLER, race, open, `${host}/target`];
          const racer = new Deno.Command(program!, { args, stdout: "piped" }).spawn();
          racers.push(racer);
          const reader = racer.stdout.getReader();
          assertEquals(new TextDecoder().decode((await reader.read()).value), "racing\n");
          await reader.cancel();
          for (let i = 0; i < 2; i++) {
            const keep = i % 2 ? ["--special-files"] : [];
            // What cannot be worked on is an error; what must not happen is checked on the host.
            await isolate([...options, ...keep, "-p", "--run", "--", "/bin/true"]);
          }
          await isolate([...options, round % 2 ? "--init" : "--cleanup"]);
          racer.kill("SIGKILL");
          await racer.status;
        }
      } finally {
        for (const racer of racers) {
          try {
            racer.kill("SIGKILL");
          } catch { /* it is dead */ }
          await racer.status;
        }
        await isolate([...options, "--cleanup"]);
      }
      const owners = await sh(`find ${host} -printf '%u\\n' | sort -u`);
      assertEquals(owners, "root\n");
    });
  });
});

Deno.test("a program that swaps directories while its siblings die gains nothing", async () => {
  await withHostFiles(async (host) => {
    await withBox(254, async (box) => {
      await box.sh(
        `mkdir -m 777 a; (while :; do mv a b; ln -s ${host}/target a; rm a; mv b a; done) & sleep 0.3`,
      );
      const owner = (await Deno.stat(box.path("a")).catch(() => Deno.stat(box.path("b")))).uid;
      assertEquals(owner, 0);
      assert(owner !== FIRST_UID + 254);
      await walkThrough(box);
    });
  });
});
