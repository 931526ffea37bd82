/** Callers who are not root, for whom a service that is root works: they gain nothing by it. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertNobodyLeft } from "../support/attack.ts";
import {
  assertRefused,
  type CommandOptions,
  type CommandResult,
  isolate,
  keeperPid,
  sh,
  start,
  startIsolate,
  withScratch,
} from "../support/isolate.ts";

const as = (uid: number) => [`--as-uid=${uid}`, `--as-gid=${uid}`];

/** A caller with a box. */
interface Caller {
  /** Runs the command for him, in his box. */
  isolate(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Runs a program in his box. */
  run(
    args: readonly string[],
    command: readonly string[],
    options?: CommandOptions,
  ): Promise<CommandResult>;
  directory: string;
  uid: number;
}

async function withCaller(boxId: number, test: (caller: Caller) => Promise<void>): Promise<void> {
  // A user of this test's own: it signals all that he has.
  const uid = 7000 + boxId;
  const own = [`--box-id=${boxId}`, ...as(uid)];
  const command = (args: readonly string[], options?: CommandOptions) =>
    isolate([...own, ...args], options);
  try {
    const { code, stdout, stderr } = await command(["--init"]);
    assertEquals(code, 0, stderr);
    await test({
      isolate: command,
      run: (args, program, options) => command([...args, "--run", "--", ...program], options),
      directory: stdout.trim(),
      uid,
    });
  } finally {
    await isolate([`--box-id=${boxId}`, "--cleanup"]);
  }
}

Deno.test("a caller cannot have a meta-file written that only root or root's groups may write", async () => {
  await withScratch(async (scratch) => {
    const files = { root: "0:0 600", group: "0:0 660", other: "0:4 660", readable: "0:7280 644" };
    for (const [name, what] of Object.entries(files)) {
      const [owner, mode] = what.split(" ");
      await sh(
        `echo kept >${scratch}/${name}; chown ${owner} ${scratch}/${name}; chmod ${mode} ${scratch}/${name}`,
      );
      await Deno.symlink(`${scratch}/${name}`, `${scratch}/link-${name}`);
    }
    await Deno.mkdir(`${scratch}/closed`, { mode: 0o700 });
    await sh(`touch ${scratch}/closed/open; chmod 666 ${scratch}/closed/open`);
    // The service itself is in the group that may write one of them.
    const through = ["setpriv", "--groups=0,4"];
    await withCaller(280, async (caller) => {
      const paths = Object.keys(files).flatMap((name) => [name, `link-${name}`]);
      for (const name of [...paths, "new", "closed/new", "closed/open", "closed/../root"]) {
        for (const command of [["--run", "--", "/bin/true"], ["--init"]]) {
          const args = [`--meta=${scratch}/${name}`, ...command];
          const result = await caller.isolate(args, { through });
          assertRefused(result, /option --meta: cannot open .*Permission denied/);
        }
      }
      for (const name of Object.keys(files)) {
        assertEquals(await Deno.readTextFile(`${scratch}/${name}`), "kept\n");
      }
      assertRefused(await caller.isolate(["--meta=/run/isolate/locks/280", "--init"]), "--meta");
      // Nor by an option that is wrong, or that comes late.
      const wrong = await isolate([`--meta=${scratch}/root`, ...as(7280), "--no-such-option"]);
      assertEquals([wrong.code, await Deno.readTextFile(`${scratch}/root`)], [2, "kept\n"]);
      const late = await isolate(["-b280", `-M${scratch}/root`, "--init", ...as(7280)]);
      assertEquals([late.code, await Deno.readTextFile(`${scratch}/root`)], [2, "kept\n"]);
    });
  });
});

Deno.test("a meta-file that a caller may write belongs to him", async () => {
  await withScratch(async (scratch) => {
    await Deno.chmod(scratch, 0o777);
    await withCaller(280, async (caller) => {
      assertEquals((await caller.run([`--meta=${scratch}/meta`], ["/bin/true"])).code, 0);
      const { uid, gid } = await Deno.stat(`${scratch}/meta`);
      assertEquals([uid, gid], [caller.uid, caller.uid]);
    });
  });
});

/** A directory of root's that nobody else may enter, with something that everybody could read. */
async function withClosedDirectory(
  test: (places: { scratch: string; closed: string }) => Promise<void>,
): Promise<void> {
  await withScratch(async (scratch) => {
    const closed = `${scratch}/closed`;
    await sh(`mkdir -p ${closed}/open; chmod 700 ${closed}; chmod 755 ${closed}/open
      echo secret >${closed}/open/file; ln -s ${closed}/open ${scratch}/link`);
    await test({ scratch, closed });
  });
}

Deno.test("a caller cannot bind what he cannot reach", async () => {
  await withClosedDirectory(async ({ scratch, closed }) => {
    await withCaller(281, async (caller) => {
      const paths = [`${closed}/open`, `${closed}/open/file`, `${closed}/no`, `${scratch}/link`];
      for (const source of [...paths, `/proc/1/root${closed}/open`]) {
        for (const option of ["", ":rw", ":maybe", ":norec"]) {
          const run = await caller.run([`--dir=x=${source}${option}`], ["/bin/true"]);
          assertEquals(run.code, 2, `${source}${option}`);
          assertStringIncludes(run.stderr, `directory rule 'x=${source}`);
        }
      }
    });
  });
});

Deno.test("a caller cannot bind anything through what the sandbox itself has open", async () => {
  await withClosedDirectory(async ({ scratch, closed }) => {
    await sh(`for fd in 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        ln -s /proc/self/fd/$fd ${scratch}/fd$fd; done; ln -s /proc/self/cwd ${scratch}/cwd`);
    await withCaller(281, async (caller) => {
      const links = ["/proc/self/cwd", "/proc/thread-self/cwd", "/proc/self/fd/3", "/dev/fd/3"];
      for (const source of [...links, `${scratch}/cwd`, `${scratch}/fd3`, `${scratch}/fd12`]) {
        const through = ["sh", "-c", `cd ${closed}/open && exec "$@" 3<. 8<. 9<.`, "sh"];
        const run = await caller.run([`--dir=x=${source}`], ["/bin/cat", "/x/file"], { through });
        assertEquals([run.code, run.stdout], [2, ""], source);
      }
    });
  });
});

Deno.test("a caller cannot find out by 'maybe' what there is where he cannot look", async () => {
  await withClosedDirectory(async ({ scratch, closed }) => {
    await withCaller(282, async (caller) => {
      const answer = async (source: string) => {
        const run = await caller.run([`--dir=x=${source}:maybe`], ["/bin/true"]);
        return [run.code, run.stderr.replaceAll(source, "SOURCE").replace(/\d+\.\d+/g, "T")];
      };
      const there = await answer(`${closed}/open`);
      assertEquals(there[0], 2);
      for (const name of [`${closed}/missing`, `${closed}/open/missing`, `${closed}/open/file`]) {
        assertEquals(await answer(name), there, name);
      }
      // Where he can look, the message says more.
      assertEquals((await answer(`${scratch}/missing`))[0], 0);
    });
  });
});

Deno.test("links in a box cannot make its own directories mean others", async () => {
  await withClosedDirectory(async ({ closed }) => {
    await withCaller(283, async (caller) => {
      await sh(`cd ${caller.directory}/box; ln -s ${closed}/open absolute
        ln -s ../../../../../../../..${closed}/open relative; ln -s /proc/self/cwd magic
        ln -s ../../../283/box/sub inside; mkdir sub; ln -s sub near; echo own >sub/file`);
      for (const name of ["absolute", "relative", "magic", "inside"]) {
        for (const option of ["", ":rw", ":maybe"]) {
          const rule = `--dir=x=./box/${name}${option}`;
          const run = await caller.run(["--special-files", rule], ["/bin/cat", "/x/file"]);
          assertEquals([run.code, run.stdout], [2, ""], rule);
        }
      }
      for (const name of ["sub", "near"]) {
        const run = await caller.run(["--special-files", `--dir=x=./box/${name}`], [
          "/bin/cat",
          "/x/file",
        ]);
        assertEquals([run.code, run.stdout], [0, "own\n"], run.stderr);
      }
    });
  });
});

Deno.test("a rule cannot be mounted on a link that a program has planted", async () => {
  await withCaller(283, async (caller) => {
    await sh(`ln -s /usr ${caller.directory}/box/usr; ln -s .. ${caller.directory}/box/up`);
    for (const inside of ["box/usr", "box/up", "box/usr/share", "box/up/usr"]) {
      const rule = `--dir=${inside}=/bin`;
      const run = await caller.run(["--special-files", rule], ["/bin/true"]);
      assertEquals(run.code, 2);
      assertStringIncludes(run.stderr, "find the mount point");
    }
  });
});

Deno.test("another user's box can be neither run, initialised nor cleaned up", async () => {
  await withCaller(284, async (caller) => {
    await Deno.writeTextFile(`${caller.directory}/box/file`, "mine");
    for (const command of [["--init"], ["--cleanup"], ["--run", "--", "/bin/true"]]) {
      for (const wait of [[], ["--wait"]]) {
        const result = await isolate(["--box-id=284", ...as(7001), ...wait, ...command]);
        assertRefused(result, "This box belongs to a different user (uid 7284)");
      }
    }
    assertEquals(await Deno.readTextFile(`${caller.directory}/box/file`), "mine");
    assertEquals((await Deno.stat(`${caller.directory}/box/file`)).uid, 0);
    assertEquals((await caller.run([], ["/bin/cat", "file"])).stdout, "mine");
  });
});

Deno.test("a caller can neither read, write, lock nor bind the lock file of his box", async () => {
  await withCaller(285, async (caller) => {
    const lock = "/run/isolate/locks/285";
    const user = [
      "setpriv",
      `--reuid=${caller.uid}`,
      `--regid=${caller.uid}`,
      "--clear-groups",
      "sh",
      "-c",
    ];
    for (const script of [`<${lock}`, `>>${lock}`, `flock -n ${lock} true`, `rm ${lock}`]) {
      const { code } = await start([...user, `${script} && touch /tmp/never`]).result;
      assert(code !== 0, script);
    }
    const rules = [`--dir=locks=/run/isolate/locks:rw`];
    const inside =
      "cat /locks/285 || echo x >>/locks/285 || rm /locks/285 || flock -n /locks/285 true";
    const run = await caller.run(["-p", "--syscalls=0", ...rules], ["/bin/sh", "-c", inside]);
    assertEquals([run.code, run.stdout], [1, ""]);
    assertEquals((await Deno.stat(lock)).size, 16);
  });
});

Deno.test("a caller cannot end, stop or trace the sandbox that works for him", async () => {
  await withCaller(286, async (caller) => {
    const running = startIsolate(
      [
        "--box-id=286",
        ...as(caller.uid),
        "--wall-time=1.5",
        "-p",
        "--run",
        "--",
        "/bin/sh",
        "-c",
        "echo up; sleep 30",
      ],
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    const keeper = keeperPid(running);
    const user = [
      "setpriv",
      `--reuid=${caller.uid}`,
      `--regid=${caller.uid}`,
      "--clear-groups",
      "sh",
      "-c",
    ];
    for (
      const script of [`kill -9 ${keeper}`, `kill -STOP ${keeper}`, `cat /proc/${keeper}/environ`]
    ) {
      assert((await start([...user, script]).result).code !== 0, script);
    }
    // He may stop his own init, which runs as he does: the wall time ends the run all the same.
    await start([...user, "kill -STOP -- -1"]).result;
    const { code, stderr } = await running.result;
    await assertNobodyLeft(286);
    assertEquals([code, stderr], [1, "Time limit exceeded (wall clock)\n"]);
    assertEquals((await caller.isolate(["--init"])).code, 0);
  });
});
