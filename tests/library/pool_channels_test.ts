/** What one lease of a pool leaves for the next one, whose box is ready before it comes: nothing. */

import { assert, assertEquals } from "@std/assert";
import { type Box, BoxPool, Capture, Sandbox } from "isolate/mod.ts";

const PYTHON = "/usr/bin/python3";
const BOX_ID = 795;

/** Everything by which a program could learn of one that was there before it. */
const LOOK = `
import os, glob, fcntl, re, struct, time, ctypes
def show(title, value): print(title, value)
def number(fd, call, size):
    try: return fcntl.ioctl(fd, call, bytes(size)).hex()
    except OSError as error: return error.errno
for path in "/box", "/tmp":
    fd = os.open(path, os.O_RDONLY)
    s = os.fstat(fd)
    show(path, (oct(s.st_mode), s.st_uid, s.st_gid, s.st_size, s.st_nlink, s.st_blocks))
    show("new", [abs(time.time() - t) < 30 for t in (s.st_atime, s.st_mtime, s.st_ctime)])
    show("attributes", [(n, os.getxattr(fd, n)) for n in os.listxattr(fd)])
    show("flags", (number(fd, 0x80086601, 8), number(fd, 0x801c581f, 28)))
    show("mark", number(fd, 0x80087601, 8)[:8] == struct.pack("<I", 0x5eed5eed).hex())
    show("files", os.listdir(fd))
    try: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB); show("lock", "free")
    except OSError as error: show("lock", error.errno)
    open(path + "/file", "w"); show("mode", oct(os.stat(path + "/file").st_mode)); show("acl", os.listxattr(path + "/file")); os.unlink(path + "/file")
show("shm", os.listdir("/dev/shm")); show("processes", sorted(p for p in os.listdir("/proc") if p.isdigit()))
show("ipc", [open(f).read() for f in sorted(glob.glob("/proc/sysvipc/*"))])
for f in "tcp", "udp", "sockstat", "snmp", "dev": # memory and allocations are those of the whole machine
    show(f, re.sub("(mem|alloc) [0-9]+", "", open("/proc/self/net/" + f).read()))
show("unix", len(open("/proc/self/net/unix").readlines()))
libc = ctypes.CDLL(None)
show("key", libc.syscall(249, b"user", b"left-behind", 0, -4))
queue = libc.mq_open(b"/left", 0); show("queue", queue)
show("name", os.uname().nodename); show("umask", os.umask(0)); show("fds", sorted(os.listdir("/proc/self/fd")))
`;

/** What an earlier program does, by the channel that it tries. */
const LEAVINGS: Readonly<Record<string, string>> = {
  "files": `for d in "/box", "/tmp":
    for i in range(3): open(f"{d}/{i}", "w").write("x")
    os.mkdir(d + "/d"); os.chmod(d + "/d", 0)`,
  "hard links and odd names": `open(b"/box/\\xff\\n", "w"); os.link(b"/box/\\xff\\n", "/box/-rf")`,
  "many files that are gone": `for d in "/box", "/tmp":
    for i in range(3000): open(f"{d}/{i:0100}", "w").close()
    for i in range(3000): os.unlink(f"{d}/{i:0100}")`,
  "modes": `os.chmod("/box", 0o7777); os.chmod("/tmp", 0o7123)`,
  "times": `for d in "/box", "/tmp": os.utime(d, (4e9, 4e9))`,
  "access lists": `import struct
acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in [(1, 7, 0xffffffff), (2, 7, 4711), (4, 7, 0xffffffff), (16, 7, 0xffffffff), (32, 7, 0xffffffff)])
for d in "/box", "/tmp":
    for n in "access", "default":
        try: os.setxattr(d, "system.posix_acl_" + n, acl)
        except OSError as error: print(error)`,
  "attributes": `for d in "/box", "/tmp":
    try: os.setxattr(d, "user.left", b"x")
    except OSError as error: print(error)`,
  "flags": `for d in "/box", "/tmp": ioctl(d, 0x40086602, 0x80 | 0x40 | 0x8)`,
  "a project": `for d in "/box", "/tmp":
    ioctl(d, 0x401c5820, 0, 0, 0, 4711, 0, 0, 0)`,
  "a generation": `for d in "/box", "/tmp": ioctl(d, 0x40087602, 0x5eed5eed)`,
  "System V IPC": `libc.shmget(7, 4096, 0o1777); libc.semget(7, 1, 0o1777); libc.msgget(7, 0o1777)`,
  "message queues": `print(libc.mq_open(b"/left", 66, 0o777, None))`,
  "shared memory": `open("/dev/shm/left", "w").write("x")`,
  "keys":
    `print(libc.syscall(248, b"user", b"left-behind", b"x", 1, -4), libc.syscall(248, b"user", b"left-behind", b"x", 1, -5))`,
  "processes, locks, sockets": `import socket
for i in range(3):
    if os.fork() == 0:
        os.setsid(); fd = os.open("/box", 0); fcntl.flock(fd, fcntl.LOCK_EX if i == 0 else fcntl.LOCK_EX | fcntl.LOCK_NB)
        s = socket.socket(socket.AF_UNIX); s.bind("\\0left%d" % i); s.listen()
        time.sleep(100)
time.sleep(0.2)`,
  "network": `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try: s.sendto(b"x" * 999, ("127.0.0.1", 9))
except OSError as error: print(error)
s = socket.socket(); s.bind(("127.0.0.1", 4711)); s.listen()`,
};

const HELP = `
import os, fcntl, time, ctypes, struct
libc = ctypes.CDLL(None)
def ioctl(path, call, *words):
    fd = os.open(path, os.O_RDONLY)
    try: fcntl.ioctl(fd, call, struct.pack("<%dI" % len(words), *words) + bytes(8))
    except OSError as error: print(path, hex(call), error)
`;

async function run(box: Box, script: string): Promise<string> {
  const stdout = new Capture({ limitBytes: 1 << 20 });
  const outcome = await box.run([PYTHON, "-c", script], {
    stdin: "none",
    stdout,
    stderr: "stdout",
    limits: { processes: 10, wallTimeMs: 20_000 },
    // The kernel's own walls between leases are looked at, not what the filter refuses on top.
    syscallFlags: 0,
  });
  assert(outcome.kind === "exit" && outcome.exitCode === 0, stdout.text());
  return stdout.text();
}

async function poolOf(sandbox: Sandbox, boxId: number): Promise<BoxPool> {
  return await BoxPool.create({ sandbox, firstBoxId: boxId, count: 1, size: 1 });
}

for (const [channel, script] of Object.entries(LEAVINGS)) {
  Deno.test(`the next lease of a box finds nothing of the earlier one: ${channel}`, async () => {
    const sandbox = await Sandbox.open();
    const first = await poolOf(sandbox, BOX_ID);
    const expected = await first.use((box) => run(box, LOOK));
    await first.close();

    await using pool = await poolOf(sandbox, BOX_ID);
    // All want it at once, so that it is handed over as it is.
    const [, , seen] = await Promise.all([
      pool.use((box) => run(box, "pass")),
      pool.use((box) => run(box, HELP + script)),
      pool.use((box) => run(box, LOOK)),
      pool.use((box) => run(box, "pass")),
    ]);
    assertEquals(seen, expected);
  });
}

Deno.test("leases that follow one another, and runs after clear(), find their box ready", async () => {
  const sandbox = await Sandbox.open();
  await using pool = await poolOf(sandbox, BOX_ID);
  const script = "open('/box/x', 'w'); open('/tmp/x', 'w')";
  await Promise.all(Array.from({ length: 6 }, () =>
    pool.use(async (box) => {
      await run(box, script);
      await box.clear();
      await run(box, script);
    })));
  assertEquals(sandbox.ready?.uses, { hits: 11, misses: 1 });
});

Deno.test("a pool makes nothing ready if it is told so", async () => {
  const sandbox = await Sandbox.open();
  await using pool = await BoxPool.create({
    sandbox,
    firstBoxId: BOX_ID,
    count: 1,
    size: 1,
    init: { ready: false },
  });
  await pool.use((box) => run(box, "pass"));
  assertEquals(sandbox.ready, undefined);
});
