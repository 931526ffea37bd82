/** Programs that misuse the pipes of their standard streams. */

import { assert, assertEquals } from "@std/assert";
import { Box, Capture, type Outcome, runPair, Transcript } from "isolate/mod.ts";
import { withFolder } from "isolate/tests/support/folder.ts";

const BOX_ID = 926;
const LIMIT_BYTES = 100_000;

const HEAD = `
import ctypes, fcntl, os, signal, sys, threading, time
F_SETPIPE_SZ = 1031
def write(count, size=1000):
    for _ in range(count): os.write(1, b"x" * size)
`;

/** What a program does, and how its run ends. */
const PROGRAMS: readonly (readonly [what: string, program: string, kind: Outcome["kind"]])[] = [
  [
    "writes packets",
    "fcntl.fcntl(1, fcntl.F_SETFL, os.O_WRONLY | os.O_DIRECT)\nwrite(1000)",
    "output-limit",
  ],
  [
    "writes tiny packets",
    "fcntl.fcntl(1, fcntl.F_SETFL, os.O_WRONLY | os.O_DIRECT)\nwrite(200_000, 1)",
    "output-limit",
  ],
  ["makes the pipe tiny", "fcntl.fcntl(1, F_SETPIPE_SZ, 4096)\nwrite(1000)", "output-limit"],
  [
    "changes the size of the pipe all the time",
    `
def resize():
    while True:
        for size in (4096, 1 << 20, 1 << 16):
            try: fcntl.fcntl(1, F_SETPIPE_SZ, size)
            except OSError: pass
threading.Thread(target=resize, daemon=True).start()
write(1000)`,
    "output-limit",
  ],
  [
    "does not want to wait",
    `
fcntl.fcntl(1, fcntl.F_SETFL, os.O_WRONLY | os.O_NONBLOCK)
while True:
    try: write(1000)
    except BlockingIOError: pass`,
    "output-limit",
  ],
  [
    "gives pages away that it still changes",
    `
page = ctypes.create_string_buffer(1 << 16)
class Piece(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
libc = ctypes.CDLL(None)
while libc.vmsplice(1, ctypes.byref(Piece(ctypes.addressof(page), 1 << 16)), 1, 8) > 0:
    ctypes.memset(page, 65, 1 << 16)`,
    "output-limit",
  ],
  [
    "moves an endless device into the pipe",
    `
zero = os.open("/dev/zero", os.O_RDONLY)
while True: os.splice(zero, 1, 1 << 16)`,
    "output-limit",
  ],
  [
    "reads its own output",
    `
again = os.open("/dev/stdout", os.O_RDONLY | os.O_NONBLOCK)
for _ in range(1000):
    write(1)
    try: os.read(again, 1 << 20)
    except BlockingIOError: pass
write(1000)`,
    "output-limit",
  ],
  ["writes all that it may, and sleeps", "write(100)\ntime.sleep(100)", "time-limit"],
  ["writes all that it may, and ends", "write(100)", "exit"],
  ["writes one byte more, and sleeps", "write(100)\nwrite(1, 1)\ntime.sleep(100)", "output-limit"],
  ["writes one byte more, and ends", "write(100)\nwrite(1, 1)", "output-limit"],
  ["closes its output", "os.close(1)\ntime.sleep(0.2)", "exit"],
  ["stops itself", "write(1)\nos.kill(os.getpid(), signal.SIGSTOP)", "time-limit"],
];

for (const [what, program, kind] of PROGRAMS) {
  Deno.test(`a program that ${what} ends as it should, with as much as it may write`, async () => {
    await withFolder(async (folder) => {
      await using box = await Box.init({ boxId: BOX_ID });
      await box.files.write("attack.py", HEAD + program);
      const options = {
        limits: { processes: 10, wallTimeMs: kind === "time-limit" ? 700 : 20_000 },
        stderr: "none",
      } as const;
      const command = ["/usr/bin/python3", "attack.py"];
      const capture = new Capture({ limitBytes: LIMIT_BYTES });
      const file = `${folder}/out`;
      for (const stdout of [capture, { file, limitBytes: LIMIT_BYTES }]) {
        const outcome = await box.run(command, { ...options, stdout });
        assertEquals(outcome.kind, kind, JSON.stringify(outcome));
      }
      const sizes = [capture.bytes.length, Deno.statSync(file).size];
      for (const size of sizes) {
        assert(size <= LIMIT_BYTES, `${size}`);
        if (kind === "output-limit") assertEquals(size, LIMIT_BYTES);
      }
    });
  });
}

/** Each of two programs that are connected finds this out about its streams. */
const THIEF = `
import fcntl, os, sys, time
for fd, mode in ((0, os.O_WRONLY), (0, os.O_RDWR), (1, os.O_RDONLY), (1, os.O_RDWR)):
    try:
        os.open(f"/proc/self/fd/{fd}", mode | os.O_NONBLOCK)
        sys.exit(f"opened {fd} again")
    except OSError: pass
assert len(os.listdir("/proc/self/fd")) == 4, os.listdir("/proc/self/fd")
for fd in (0, 1):
    fcntl.fcntl(fd, 1031, 4096)
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK | os.O_DIRECT)
os.write(1, b"hello")
for _ in range(1000):
    try: heard = os.read(0, 100)
    except BlockingIOError: time.sleep(0.005); continue
    sys.exit(0 if heard == b"hello" else "heard " + repr(heard))
sys.exit("heard nothing")
`;

for (const transcript of [undefined, new Transcript({ limitBytes: 1000 })]) {
  const how = transcript ? "with a transcript" : "without a transcript";
  Deno.test(`neither of two programs can take what is meant for the other one, ${how}`, async () => {
    await using first = await Box.init({ boxId: BOX_ID });
    await using second = await Box.init({ boxId: BOX_ID + 1 });
    const side = (box: Box, stderr: Capture) => ({
      box,
      command: ["/usr/bin/python3", "-c", THIEF],
      options: { limits: { wallTimeMs: 10_000 }, stderr },
    });
    const errors = [1, 2].map(() => new Capture({ limitBytes: 1000 })) as [Capture, Capture];
    const pair = await runPair({
      first: side(first, errors[0]),
      second: side(second, errors[1]),
      ...transcript && { transcript },
    });
    for (const [i, which] of (["first", "second"] as const).entries()) {
      const outcome = pair[which];
      assertEquals(outcome.kind === "exit" && outcome.exitCode, 0, errors[i]!.text());
    }
    if (transcript) assertEquals(transcript.pieces.map(({ bytes }) => bytes.length), [5, 5]);
  });
}
