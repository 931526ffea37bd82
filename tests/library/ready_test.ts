/** Boxes that are ready before they are asked for: faster, and otherwise like all others. */

import { assert, assertEquals, assertLess, assertNotEquals } from "@std/assert";
import {
  Box,
  Capture,
  type DirectoryRule,
  parseDirectoryRule,
  resolveDirectoryRules,
  type RunOptions,
  Sandbox,
} from "isolate/mod.ts";
import { descriptors } from "isolate/tests/support/descriptors.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { eventually, sh } from "isolate/tests/support/isolate.ts";

const BOX_ID = 790;
const PYTHON = "/usr/bin/python3";

async function output(
  box: Box,
  command: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const stdout = new Capture({ limitBytes: 1 << 20 });
  const outcome = await box.run(command, { ...options, stdout, stderr: "stdout" });
  assertEquals(outcome.kind, "exit", stdout.text());
  return stdout.text();
}

/** The processes of this name whose parent is one of these. */
function childrenOf(parents: readonly number[], command: string): number[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return stat.includes(`(${command})`) && state !== "Z" && parents.includes(Number(parent))
        ? [Number(name)]
        : [];
    } catch {
      return [];
    }
  });
}

/** What waits for a program, as a process of a stage of this one. */
const waitingInits = () => childrenOf(childrenOf([Deno.pid], "isolate-stage"), "isolate-init");

/** The processes of a user that are not dead. */
function processesOf(uid: number): string[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    try {
      const status = Deno.readTextFileSync(`/proc/${name}/status`);
      return new RegExp(`^Uid:\\s+${uid}\\s`, "m").test(status) && !/^State:\s+[ZX]/m.test(status)
        ? [status]
        : [];
    } catch {
      return [];
    }
  });
}

/** The default rules, and one more. */
function rules(rule: string): DirectoryRule[] {
  return resolveDirectoryRules({ rules: [parseDirectoryRule(rule)], defaults: true });
}

const networkOf = (box: Box) => output(box, ["/bin/readlink", "/proc/self/ns/net"]);

/** All that a program can read about where it is; numbers of mounts and inodes are new each time. */
const LOOK = `
import os, resource, glob
def show(title, value): print(title, value)
show("ids", (os.getuid(), os.geteuid(), os.getgid(), os.getgroups(), os.getpid(), os.getppid(), os.getpgid(0)))
show("fds", sorted(os.listdir("/proc/self/fd")))
show("umask", os.umask(0)); show("cwd", os.getcwd()); show("env", sorted(os.environ.items()))
for r in range(16): show(r, resource.getrlimit(r))
for line in open("/proc/self/status"):
    if line.split(":")[0] in ("Seccomp", "NoNewPrivs", "CapEff", "CapBnd", "CapPrm", "SigBlk", "SigIgn", "SigCgt", "NSpid", "TracerPid", "Cpus_allowed"): show("status", line.strip())
# The kernel lists them in the order in which they were made.
for line in sorted(open("/proc/self/mountinfo"), key=lambda line: line.split()[4]):
    words = line.split(); show("mount", words[4:6] + [w for w in words if w in ("tmpfs", "proc", "devtmpfs", "ext4")])
show("root", sorted(os.listdir("/"))); show("shm", os.listdir("/dev/shm")); show("tmp", os.listdir("/tmp"))
show("ipc", [open(f).read().count(chr(10)) for f in sorted(glob.glob("/proc/sysvipc/*"))])
for path in sorted(glob.glob("/proc/self/net/**", recursive=True)):
    if os.path.isfile(path) and os.path.basename(path) not in ("netlink", "unix", "packet", "ptype", "softnet_stat"):
        try: show(path.split("/", 3)[3], open(path).read())
        except OSError as error: show(path, error)
for path in sorted(glob.glob("/proc/sys/net/**", recursive=True)):
    try:
        if os.path.isfile(path): show(path, open(path).read())
    except OSError as error: show(path, error.errno)
`;

Deno.test("a program cannot tell a ready box, and a network that others had, from new ones", async () => {
  await using fresh = await Box.init({ boxId: BOX_ID });
  await using ready = await Box.init({ boxId: BOX_ID + 1, ready: true });
  const same = (text: string) =>
    text.replaceAll(String(60000 + BOX_ID + 1), String(60000 + BOX_ID))
      // Of the sockets of all namespaces, which others open and close meanwhile.
      .replaceAll(/\b(orphan|alloc|mem) \d+/g, "$1");
  const expected = same(await output(fresh, [PYTHON, "-c", LOOK]));
  const networks = new Set<string>();
  for (let i = 0; i < 5; i++) {
    networks.add(await networkOf(ready));
    assertEquals(same(await output(ready, [PYTHON, "-c", LOOK])), expected);
  }
  assertLess(networks.size, 5);
});

/** Leaves all that a program can leave: IPC objects, files, keys, locks, names, and processes that go on. */
const LEAVE = `
import ctypes, fcntl, os, signal, socket, time
libc = ctypes.CDLL(None, use_errno=True)
done = [libc.shmget(7, 4096, 0o1666) >= 0, libc.semget(7, 1, 0o1666) >= 0, libc.msgget(7, 0o1666) >= 0]
done.append(libc.mq_open(b"/left", os.O_CREAT | os.O_RDWR, 0o666, None) >= 0)
done.append(libc.syscall(248 if os.uname().machine == "x86_64" else 217, b"user", b"left", b"x", 1, -3) >= 0)
open("/dev/shm/left", "w").write("x" * 100000)
lock = open("/usr"  "/bin/env"); fcntl.flock(lock, fcntl.LOCK_EX)
name = socket.socket(socket.AF_UNIX); name.bind("\\0left"); name.listen()
for s in range(1, 64):
    try: signal.signal(s, signal.SIG_IGN)
    except (OSError, ValueError): pass
for i in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork(): os._exit(0)
        while True: time.sleep(1)
print(done)
`;

/** Looks for each of those, and for how many processes there were before. */
const FIND = `
import ctypes, fcntl, os, socket
libc = ctypes.CDLL(None, use_errno=True)
print(os.getpid(), os.getppid(), sorted(int(n) for n in os.listdir("/proc") if n.isdigit()))
print([open("/proc/sysvipc/" + kind).read().count(chr(10)) for kind in ("shm", "sem", "msg")])
print([libc.shmget(7, 0, 0), libc.semget(7, 0, 0), libc.msgget(7, 0), libc.mq_open(b"/left", os.O_RDWR)])
print(libc.syscall(249 if os.uname().machine == "x86_64" else 218, b"user", b"left", None, 0), os.listdir("/dev/shm"), os.statvfs("/dev/shm").f_bfree)
fcntl.flock(open("/usr/bin/env"), fcntl.LOCK_EX | fcntl.LOCK_NB)
socket.socket(socket.AF_UNIX).bind("\\0left")
if os.fork() == 0: os._exit(0)
print(os.wait()[0])
`;

Deno.test("nothing that a program leaves is there in the next box, whatever goes on, and no process lives", async () => {
  const limits = { processes: 50 };
  await using fresh = await Box.init({ boxId: BOX_ID });
  const expected = await output(fresh, [PYTHON, "-c", FIND], { limits });
  await using box = await Box.init({ boxId: BOX_ID + 1, ready: true });
  const uses = box.sandbox.ready!.uses;
  await box.run(["/bin/true"]);
  for (let i = 0; i < 4; i++) {
    const left = await output(box, [PYTHON, "-c", LEAVE], { limits, syscallFlags: 0 });
    assertEquals(left.trim(), "[True, True, True, True, True]");
    assertEquals(processesOf(60000 + BOX_ID + 1), []);
    assertEquals(await output(box, [PYTHON, "-c", FIND], { limits }), expected);
  }
  // Not all of them: others may mount something on this host meanwhile.
  assert(uses.hits > 1);
});

Deno.test("a bomb of processes is gone before the next run, which is in a box like any other", async () => {
  await using box = await Box.init({ boxId: BOX_ID, ready: true });
  const bomb = ["/bin/sh", "-c", "b() { b | b & }; b; sleep 0.1"];
  for (let i = 0; i < 3; i++) {
    await box.run(bomb, { limits: { processes: 40, wallTimeMs: 1000 }, stderr: { path: "log" } });
    assertEquals(processesOf(60000 + BOX_ID), []);
    assertEquals(await output(box, ["/bin/sh", "-c", "echo $$"]), "2\n");
  }
});

Deno.test("a ready box gives the outcome that any other gives", async () => {
  await using fresh = await Box.init({ boxId: BOX_ID });
  await using ready = await Box.init({ boxId: BOX_ID + 1, ready: true });
  const commands = ["exit 3", "kill -11 $$", "while :; do :; done", "sleep 9", "/no/such/program"];
  const limits = { cpuTimeMs: 100, wallTimeMs: 300 };
  for (const command of commands) {
    const run = async (box: Box) => {
      const outcome = await box.run(["/bin/sh", "-c", command], { limits, stderr: { path: "e" } });
      const { usage: _, ...rest } = outcome as typeof outcome & { usage?: unknown };
      return rest;
    };
    await ready.run(["/bin/true"]);
    assertEquals(await run(ready), await run(fresh), command);
  }
});

Deno.test("a network that a program has used serves nobody else", async () => {
  await using box = await Box.init({ boxId: BOX_ID, ready: true });
  const uses = [
    `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"x", ("127.0.0.1", 9))`,
    `s = socket.socket()\ntry: s.connect(("127.0.0.1", 9))\nexcept OSError: pass`,
    `s = socket.socket()\ntry: s.connect(("10.1.2.3", 9))\nexcept OSError: pass`,
    `s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.sendto(b"x", ("::1", 9))`,
  ];
  for (const use of uses) {
    for (let i = 0; i < 3; i++) await box.run(["/bin/true"]);
    const used = await output(box, [
      PYTHON,
      "-c",
      `import os, socket\n${use}\nprint(os.readlink("/proc/self/ns/net"))`,
    ]);
    for (let i = 0; i < 4; i++) assertNotEquals(await networkOf(box), used, use);
  }
});

Deno.test("a socket that a program has left with somebody outside takes its network with it", async () => {
  const names = "import os, socket, array\n";
  await using box = await Box.init({ boxId: BOX_ID, ready: true });
  await withFolder(async (folder) => {
    await Deno.chmod(folder, 0o777);
    const server = new Deno.Command(PYTHON, {
      args: [
        "-c",
        `${names}s = socket.socket(socket.AF_UNIX); s.bind("${folder}/s"); os.chmod("${folder}/s", 0o777)
s.listen(); print("up", flush=True); c, _ = s.accept(); c.recvmsg(1, 64); input()`,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    await server.stdout.getReader().read();
    for (let i = 0; i < 3; i++) await box.run(["/bin/true"]);
    const used = await output(box, [
      PYTHON,
      "-c",
      `${names}s = socket.socket()
c = socket.socket(socket.AF_UNIX); c.connect("/x/s")
c.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s.fileno()]))])
print(os.readlink("/proc/self/ns/net"))`,
    ], {
      directoryRules: rules(`x=${folder}:rw`),
    });
    for (let i = 0; i < 4; i++) assertNotEquals(await networkOf(box), used);
    await server.stdin.close();
    await server.status;
  });
});

Deno.test("a run of another kind gets the box that it asks for", async () => {
  await using box = await Box.init({ boxId: BOX_ID, ready: true });
  for (let i = 0; i < 2; i++) {
    await box.run(["/bin/true"]);
    const shared = await output(box, ["/bin/readlink", "/proc/self/ns/net"], {
      shareNetwork: true,
    });
    assertEquals(shared.trim(), Deno.readLinkSync("/proc/self/ns/net"));
    assertNotEquals((await networkOf(box)).trim(), Deno.readLinkSync("/proc/self/ns/net"));
  }
});

Deno.test("what was mounted, or put in the place of the box's files, meanwhile is there", async () => {
  await using box = await Box.init({ boxId: BOX_ID, ready: true });
  await withFolder(async (folder) => {
    await Deno.chmod(folder, 0o755);
    const directoryRules = rules(`x=${folder}`);
    const listing = () => output(box, ["/bin/ls", "/x/sub", "/box"], { directoryRules });
    await Deno.mkdir(`${folder}/sub`);
    assertEquals(await listing(), "/box:\n\n/x/sub:\n");
    await sh(`mount -t tmpfs none ${folder}/sub; touch ${folder}/sub/mounted; chmod 755 ${folder}`);
    try {
      assertEquals(await listing(), "/box:\n\n/x/sub:\nmounted\n");
    } finally {
      await sh(`umount ${folder}/sub`);
    }
    assertEquals(await listing(), "/box:\n\n/x/sub:\n");
    await sh(`cd ${box.directory}; mv box old; mkdir -m 700 box; touch box/new`);
    assertEquals(await listing(), "/box:\nnew\n\n/x/sub:\n");
    await sh(`rm -rf ${box.directory}/old`);
  });
});

Deno.test("a box that waits is small, ends with its box, and is no trouble when it is killed", async () => {
  const before = { inits: waitingInits(), fds: descriptors() };
  const box = await Box.init({ boxId: BOX_ID, ready: true });
  await box.run(["/bin/true"]);
  const news = () => waitingInits().filter((pid) => !before.inits.includes(pid));
  // It is made beside the run, and may be there a moment later.
  await eventually("one waits", () => news().length === 1);
  const waiting = news()[0]!;
  const status = Deno.readTextFileSync(`/proc/${waiting}/status`);
  const rssKib = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  assert(rssKib > 0 && rssKib < 1024, `${rssKib} KiB`);
  Deno.kill(waiting, "SIGKILL");
  await eventually("it dies", () => !waitingInits().includes(waiting));
  assertEquals(await output(box, ["/bin/echo", "hello"]), "hello\n");
  await box.cleanup();
  await eventually("it ends", () => waitingInits().length === before.inits.length);
  // Besides what the runtime has opened meanwhile.
  const ours = (names: string[]) => names.filter((name) => /pidfd|net:|mountinfo/.test(name));
  assertEquals(ours(descriptors()), ours(before.fds));
});

Deno.test("a run goes on when what has made its box is given up", async () => {
  const stages = () => childrenOf([Deno.pid], "isolate-stage").length;
  const before = stages();
  await using box = await Box.init({ boxId: BOX_ID, ready: true });
  await box.run(["/bin/true"]);
  const run = box.run(["/bin/sleep", "0.5"]);
  await eventually("it runs", () => processesOf(60000 + BOX_ID).length === 1);
  box.sandbox.ready!.closeIdle({ beforeMs: Infinity, boxesMax: 0 });
  assertEquals((await run).kind, "exit");
  assertEquals(stages(), before);
});

Deno.test("one stage serves boxes of several ids, and each has its own files", async () => {
  const stages = () => childrenOf([Deno.pid], "isolate-stage").length;
  const before = stages();
  await using first = await Box.init({ boxId: BOX_ID, ready: true });
  await using second = await Box.init({ boxId: BOX_ID + 1, ready: true });
  const script = 'ls /box /tmp; echo "$1" >/box/of-$1; echo "$1" >/tmp/of-$1';
  const options = { limits: { processes: 9 } };
  const run = (box: Box, name: string) =>
    output(box, ["/bin/sh", "-c", script, "sh", name], options);
  for (let i = 0; i < 3; i++) {
    const files = (name: string) => i === 0 ? "" : `of-${name}\n`;
    for (const [box, name] of [[first, "a"], [second, "b"]] as const) {
      assertEquals(await run(box, name), `/box:\n${files(name)}\n/tmp:\n${files(name)}`);
    }
  }
  assertEquals(stages(), before + 1);
  await first.cleanup();
  await using again = await Box.init({ boxId: BOX_ID, ready: true });
  assertEquals(await run(again, "c"), "/box:\n\n/tmp:\n");
  assertEquals(await run(second, "b"), "/box:\nof-b\n\n/tmp:\nof-b\n");
});

Deno.test("nobody waits for a stage that does not answer, and the run gets a box without it", async () => {
  const before = childrenOf([Deno.pid], "isolate-stage");
  await using box = await Box.init({ boxId: BOX_ID, ready: true });
  await box.run(["/bin/true"]);
  const [stage] = childrenOf([Deno.pid], "isolate-stage").filter((pid) => !before.includes(pid));
  Deno.kill(stage!, "SIGSTOP");
  // It orders one that will not be made, if not the one before has done so.
  await box.run(["/bin/true"]);
  let [lastMs, longestMs] = [performance.now(), 0];
  const beganMs = lastMs;
  const tick = () => {
    longestMs = Math.max(longestMs, performance.now() - lastMs);
    lastMs = performance.now();
  };
  const ticking = setInterval(tick, 5);
  const outcome = await box.run(["/bin/true"]);
  clearInterval(ticking);
  tick();
  assertEquals(outcome.kind, "exit");
  assertLess(longestMs, (performance.now() - beganMs) / 2);
});

Deno.test("boxes with mounts in their own files are made ready, too", async () => {
  await withFolder(async (folder) => {
    await Deno.chmod(folder, 0o755);
    await Deno.writeTextFile(`${folder}/file`, "text");
    for (const boxId of [BOX_ID, BOX_ID + 1]) {
      await using box = await Box.init({ boxId, ready: true });
      const { uses } = box.sandbox.ready!;
      await Deno.mkdir(`${box.directory}/box/data`);
      await Deno.writeTextFile(`${box.directory}/box/own`, `${boxId}`);
      const hits = uses.hits;
      for (let i = 0; i < 4; i++) {
        const text = await output(box, ["/bin/cat", "/box/data/file", "/box/own"], {
          directoryRules: rules(`box/data=${folder}`),
        });
        assertEquals(text, `text${boxId}`);
      }
      // Not all of them: others may mount something on this host meanwhile.
      assert(uses.hits > hits);
    }
  });
});

const LIMIT = { limitBytes: 100 };

Deno.test("each run in a ready box has its own command, environment, limits and streams, not those of the one before", async () => {
  await using box = await Box.init({ boxId: BOX_ID, ready: true });
  const script = 'echo "$1:$V:$(pwd):$(ulimit -n):$(ulimit -f):$(id -u)"';
  const show = (word: string) => ["/bin/sh", "-c", script, "sh", word];
  const of = (word: string, options: RunOptions) => output(box, show(word), options);
  const user = 60000 + BOX_ID;
  const [plain, other]: RunOptions[] = [
    { environment: new Map([["V", "1"]]), limits: { processes: 9 } },
    {
      environment: new Map([["V", "2"]]),
      limits: { processes: 9, openFiles: 77, fileSizeKib: 512 },
      workingDirectory: "/usr",
    },
  ];
  for (let round = 0; round < 3; round++) {
    assertEquals(await of("a", plain!), `a:1:/box:1024:unlimited:${user}\n`);
    assertEquals(await of("b", plain!), `b:1:/box:1024:unlimited:${user}\n`);
    assertEquals(await of("a", other!), `a:2:/usr:77:1024:${user}\n`);
    await box.run(show(`c${round}`), { ...plain, stdout: { path: "out" } });
    await box.run(show(`d${round}`), { ...plain, stdout: { path: "other" } });
    assertEquals(
      await box.files.readText("out", LIMIT),
      `c${round}:1:/box:1024:unlimited:${user}\n`,
    );
    assertEquals(
      await box.files.readText("other", LIMIT),
      `d${round}:1:/box:1024:unlimited:${user}\n`,
    );
  }
});

Deno.test("a run that has begun ends well if nothing is kept ready any more meanwhile", async () => {
  // Each time a little later, as the run waits for the box that was ordered.
  for (let turns = 0; turns < 30; turns++) {
    const sandbox = await Sandbox.open();
    await using box = await Box.init({ boxId: BOX_ID, sandbox, ready: true });
    await box.run(["/bin/true"]);
    const running = box.run(["/bin/true"]);
    for (let i = 0; i < turns; i++) await Promise.resolve();
    sandbox.ready!.close();
    assertEquals((await running).kind, "exit", `closed after ${turns} turns`);
  }
});
