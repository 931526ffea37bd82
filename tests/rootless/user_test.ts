// Boxes of an ordinary user, in both kinds of user namespaces: with subordinate ids and without.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type CommandOptions, DIRECT, start } from "../support/isolate.ts";
import { assertRefused, eventually, parseMetaText, processesOf } from "../support/isolate.ts";
import { needsUser, OrdinaryUser, SUBORDINATE, type UserIds } from "../support/ordinary_user.ts";
import { testWith } from "../support/skip.ts";

const KINDS: readonly UserIds[] = ["subordinate", "one"];
const BOX = 530;

/** A user and a box of it. */
class UsersBox {
  constructor(readonly user: OrdinaryUser) {}

  start(command: readonly string[], options: CommandOptions = {}) {
    const { through, env } = this.user;
    return start(command, { through, ...options, env: { ...env, ...options.env } });
  }

  isolate(args: readonly string[], options: CommandOptions = {}) {
    return this.start([...DIRECT, `--box-id=${BOX}`, ...args], options).result;
  }

  run(options: readonly string[], command: readonly string[]) {
    return this.isolate(["--silent", ...options, "--run", "--", ...command]);
  }

  async sh(script: string, options: readonly string[] = ["-p"]): Promise<string> {
    const { code, stdout, stderr } = await this.run(options, ["/bin/sh", "-ec", script]);
    assertEquals(code, 0, `${script}: ${stderr}`);
    return stdout;
  }
}

/** Registers a test with an ordinary user of each kind, who has a box. */
function testAs(
  kinds: readonly UserIds[],
  name: string,
  body: (box: UsersBox, ids: UserIds) => Promise<void>,
): void {
  for (const ids of kinds) {
    testWith(
      needsUser(ids),
      `${name} (${ids === "one" ? "one id" : "subordinate ids"})`,
      async () => {
        using user = new OrdinaryUser(ids);
        const box = new UsersBox(user);
        const made = await box.isolate(["--init"]);
        assertEquals(made, {
          code: 0,
          stdout: `${user.home}/.local/state/isolate/boxes/${BOX}\n`,
          stderr: "",
        });
        try {
          await body(box, ids);
        } finally {
          assertEquals((await box.isolate(["--cleanup"])).code, 0);
        }
        const boxes = [...Deno.readDirSync(`${user.home}/.local/state/isolate/boxes`)];
        assertEquals(boxes, [], "the box is gone");
      },
    );
  }
}

testAs(KINDS, "an ordinary user runs a program as the user of a box", async (box) => {
  const user = 60000 + BOX;
  assertEquals(await box.sh("id -u; id -g; id -G"), `${user}\n${user}\n${user}\n`);
  assertEquals(
    await box.sh("echo kept > /box/file; echo x > /tmp/file; stat -c %u /box/file"),
    `${user}\n`,
  );
  assertEquals(await box.sh("cat /box/file"), "kept\n");
  const status = await box.sh("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status");
  assertMatch(status, /^(Cap\w+:\t0+\n){5}NoNewPrivs:\t1\nSeccomp:\t2\n$/);
  const file = `${box.user.home}/.local/state/isolate/boxes/${BOX}/box/file`;
  assertEquals(Deno.statSync(file).uid, box.user.uid, "files are the caller's between runs");
});

testAs(KINDS, "what the program is outside is as little as can be", async (box, ids) => {
  await using running = box.start([
    ...DIRECT,
    ...[`--box-id=${BOX}`, "--run", "--", "/bin/sleep", "1000"],
  ]);
  const outside = ids === "one" ? box.user.uid : SUBORDINATE.first + BOX;
  let program: string | undefined;
  await eventually("the program runs", async () => {
    program = (await processesOf(outside)).find((line) => line.endsWith(" sleep"))?.split(" ")[0];
    return program !== undefined;
  });
  const status = Deno.readTextFileSync(`/proc/${program}/status`);
  assertMatch(status, new RegExp(`^Uid:(\\t${outside}){4}$`, "m"));
  assertMatch(status, /^Groups:\s*$/m);
  const namespace = (pid: string | number) => Deno.readLinkSync(`/proc/${pid}/ns/user`);
  assert(namespace(program!) !== namespace("self"));
  if (ids === "one") assert(namespace(program!) !== namespace(running.pid), "it has its own");
  running.kill("SIGTERM");
  const { code, stderr } = await running.result;
  assertEquals([code, stderr], [1, "Interrupted\n"]);
});

testAs(KINDS, "a program cannot reach its caller's processes", async (box) => {
  await using bystander = box.start(["/bin/sleep", "1000"]);
  await eventually(
    "the bystander is there",
    async () => (await processesOf(box.user.uid)).some((line) => line.endsWith(" sleep")),
  );
  const seen = await box.sh(
    `for to in -1 1 ${bystander.pid}; do kill -9 $to 2>/dev/null || true; done; ` +
      "ls /proc | grep '^[0-9]' | wc -l",
    ["-p"],
  );
  assert(Number(seen) <= 5, `it sees ${seen} processes`);
  const alive = (await processesOf(box.user.uid)).filter((line) => line.endsWith(" sleep"));
  assertEquals(alive.length, 1);
  bystander.kill("SIGKILL");
});

testAs(KINDS, "a program cannot get more rights", async (box) => {
  const tries = [
    "unshare --user true",
    "unshare --mount true",
    "mount -t tmpfs none /tmp",
    "mount -o remount,rw /usr",
    "chroot / true",
    "cat /proc/1/environ",
    "chown 0 /box/file",
    "touch /usr/bin/x",
    "echo 1 > /proc/sys/kernel/core_pattern",
    "newuidmap $$ 0 0 1",
  ];
  const script = tries.map((line) => `(${line}) >/dev/null 2>&1 && echo "done: ${line}"`);
  assertEquals(await box.sh(`touch /box/file; ${script.join("; ")}; true`), "");
});

testAs(
  ["subordinate"],
  "files of the caller alone stay closed, even in a directory rule",
  async (box) => {
    const secret = `${box.user.home}/secret`;
    Deno.writeTextFileSync(secret, "secret\n", { mode: 0o600 });
    Deno.chownSync(secret, box.user.uid, box.user.uid);
    const { code, stdout } = await box.run([`--dir=home=${box.user.home}`], [
      "/bin/cat",
      "/home/secret",
    ]);
    assertEquals([code, stdout], [1, ""]);
  },
);

testAs(KINDS, "no file of the host that the caller cannot read is in the box", async (box) => {
  const closed = await Deno.makeTempDir({ prefix: "isolate-test-" });
  try {
    const { code, stderr } = await box.run([`--dir=closed=${closed}`], ["/bin/ls", "/closed"]);
    assertEquals(code, 1, stderr);
  } finally {
    await Deno.remove(closed);
  }
});

testAs(KINDS, "limits hold and are reported", async (box) => {
  const meta = `${box.user.home}/meta`;
  const measured = async (options: readonly string[], script: string) => {
    await box.run([`--meta=${meta}`, ...options], ["/bin/sh", "-c", script]);
    return parseMetaText(Deno.readTextFileSync(meta));
  };
  const slow = await measured(["--time=0.3"], "while :; do :; done");
  assertEquals(slow.status, "TO");
  assert(Number(slow.time) >= 0.3);
  assertEquals((await measured(["--wall-time=0.3"], "exec sleep 100")).status, "TO");
  const big = await measured(["--fsize=10"], "exec head -c 20000 /dev/zero > /box/big");
  assertEquals(
    Deno.statSync(`${box.user.home}/.local/state/isolate/boxes/${BOX}/box/big`).size,
    10240,
  );
  assertEquals(big.status, "SG");
  // Threads of the keeper, who is the same user outside where there is one id only, do not count.
  const three = "sleep 0.1 & sleep 0.1 & wait";
  assertEquals((await measured(["--processes=3"], three)).status, undefined);
  assertEquals((await measured(["--processes=2"], three)).status, "RE");
});

testAs(KINDS, "/dev has the devices that hold nothing, and the usual links", async (box) => {
  const names = await box.sh("cd /dev; echo *; echo hello | cat /dev/stdin; echo > /dev/null");
  assertEquals(names, "fd full null random shm stderr stdin stdout tty urandom zero\nhello\n");
});

testAs(KINDS, "--root-inside works, and is nobody outside", async (box) => {
  const { code, stdout, stderr } = await box.run(["--root-inside"], ["/usr/bin/id", "-u"]);
  assertEquals([code, stdout], [0, "0\n"], stderr);
});

testAs(["subordinate"], "what needs root is refused in one sentence", async (box) => {
  const cases = [
    [["--init", "--quota=100,100"], "Option --quota needs root"],
    [["--init", "--box-size=1000"], "Option --box-size needs root"],
    [["--as-uid=7", "--as-gid=7", "--init"], "Only root can act for another user"],
    [["--address=10.77.0.5/24", "--run", "--", "/bin/true"], "Option --address needs root"],
    [["--dir=dev=/dev:norec", "--run", "--", "/bin/true"], "what is mounted below it"],
  ] as const;
  for (const [args, message] of cases) assertRefused(await box.isolate(args), message);
});

testAs(
  ["subordinate"],
  "-vvv shows how the process becomes root of a user namespace",
  async (box) => {
    const { stderr } = await box.isolate(["-vvv", "--run", "--", "/bin/true"]);
    assertStringIncludes(stderr, "--- the process as root of a user namespace");
    assertMatch(stderr, /setns\(\d+, CLONE_NEWUSER\)/);
    assertMatch(stderr, /newuidmap/);
  },
);

testAs(["one"], "-v says what is weaker with one id", async (box) => {
  const { code, stderr } = await box.isolate(["-v", "--run", "--", "/bin/true"]);
  assertEquals(code, 0);
  assertMatch(stderr, /^Note: all boxes have one user[^\n]*\n/);
});

testAs(
  ["subordinate"],
  "a user's configuration is one that the user alone can write",
  async (box) => {
    const file = `${box.user.home}/.config/isolate.yaml`;
    Deno.mkdirSync(`${box.user.home}/.config`);
    Deno.writeTextFileSync(file, "num_boxes: 7\n");
    Deno.chownSync(file, box.user.uid, box.user.uid);
    assertRefused(await box.isolate(["--init"]), "out of range");
    Deno.chmodSync(file, 0o666);
    assertRefused(await box.isolate(["--init"]), "not be writable by others");
    Deno.removeSync(file);
  },
);

testAs(["subordinate"], "places that the user may not write are refused", async (box) => {
  const options = { env: { XDG_STATE_HOME: "/usr" } };
  assertRefused(await box.isolate(["--init"], options), "Cannot make the directory /usr/isolate/");
});

testWith(
  needsUser("subordinate"),
  "where newuidmap has no rights there is a sentence",
  async () => {
    using user = new OrdinaryUser("subordinate");
    const through = [...user.through, "setpriv", "--no-new-privs"];
    const result = await start([...DIRECT, "--init"], { through, env: user.env }).result;
    assertRefused(result, /^Must be started as root \(the effective user is \d+\), or .*newgidmap/);
  },
);

testAs(KINDS, "the library executes a program again as root of a user namespace", async (box) => {
  const script = `${box.user.home}/program.ts`;
  const library = new URL("../../mod.ts", import.meta.url).href;
  Deno.writeTextFileSync(
    script,
    `import { Box, Capture, Sandbox } from "${library}";
     const sandbox = await Sandbox.open({ userNamespace: true });
     await using box = await Box.init({ sandbox, boxId: ${BOX + 1} });
     const stdout = new Capture({ limitBytes: 1000 });
     const outcome = await box.run(["/bin/echo", ...Deno.args], { stdout });
     console.log(outcome.kind, stdout.text());
     await box.cleanup();`,
  );
  const command = [Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-ffi", "--no-check"];
  const { code, stdout, stderr } = await box.start([...command, script, "a b", "ü"]).result;
  assertEquals([code, stdout], [0, "exit a b ü\n\n"], stderr);
});

testAs(KINDS, "isolate judge works without root and without a service", async (box) => {
  const examples = new URL("../../examples/pairs", import.meta.url).pathname;
  const submission = `${examples}/submissions/accepted/pairs.py`;
  const { code, stdout, stderr } = await box.start([
    ...[...DIRECT, "judge", "--no-cache", examples, submission],
  ]).result;
  assertEquals(code, 0, stdout + stderr);
  assertMatch(stdout, /1 of 1 submission accepted/);
});

testAs(KINDS, "isolate check says what boxes an ordinary user has", async (box, ids) => {
  const { stderr } = await box.start([...DIRECT, "check"]).result;
  const line = ids === "one"
    ? /^CAUTION user-namespace: all boxes have one user, who is the caller outside/m
    : /^PASS {4}user-namespace: boxes of an ordinary user: each of 1000 has a user of its own$/m;
  assertMatch(stderr, line);
  assertMatch(stderr, /^PASS {4}box: \/bin\/true ran in box 999/m);
});
