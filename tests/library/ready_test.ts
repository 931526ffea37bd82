/** Boxes that are ready before they are asked for: faster, and otherwise like all others. */

import { assert, assertEquals, assertLess, assertNotEquals } from "@std/assert";
import {
  Box,
  Capture,
  type DirectoryRule,
  parseDirectoryRule,
  resolveDirectoryRules,
  type RunOptions,
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

/** What waits for a program, as a process of this one. */
function waitingInits(): number[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return /\(isolate-init\)/.test(stat) && state !== "Z" && Number(parent) === Deno.pid
        ? [Number(name)]
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
    if os.path.isfile(path) and os.path.basename(path) not in ("netlink", "unix", "packet", "ptype"):
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
    text.replaceAll(String(60000 + BOX_ID + 1), String(60000 + BOX_ID));
  const expected = await output(fresh, [PYTHON, "-c", LOOK]);
  const networks = new Set<string>();
  for (let i = 0; i < 5; i++) {
    networks.add(await networkOf(ready));
    assertEquals(same(await output(ready, [PYTHON, "-c", LOOK])), expected);
  }
  assertLess(networks.size, 5);
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
  const [waiting, ...others] = waitingInits().filter((pid) => !before.inits.includes(pid));
  assert(waiting !== undefined && others.length === 0);
  const status = Deno.readTextFileSync(`/proc/${waiting}/status`);
  const rssKib = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  assert(rssKib > 0 && rssKib < 1024, `${rssKib} KiB`);
  Deno.kill(waiting, "SIGKILL");
  await eventually("it dies", () => !waitingInits().includes(waiting));
  assertEquals(await output(box, ["/bin/echo", "hello"]), "hello\n");
  await box.cleanup();
  await eventually("it ends", () => waitingInits().length === before.inits.length);
  // Besides what the runtime has opened meanwhile.
  assertEquals(descriptors().filter((name) => /pidfd|net:|mountinfo/.test(name)), []);
});
