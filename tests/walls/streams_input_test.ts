/** A program that attacks the file of the host which is its standard input. */

import { assertEquals } from "@std/assert";
import { Plan } from "isolate/ffi/plan.ts";
import { Box, Capture } from "isolate/mod.ts";
import { withFolder } from "isolate/tests/support/folder.ts";

const BOX_ID = 926;

const PROGRAM = `
import fcntl, os, struct, sys
def attempt(name, work):
    try:
        print(f"{name}: GOT THROUGH {work()!r}")
    except OSError as error:
        print(f"{name}: denied ({error.strerror})")
for mode in ("O_RDWR", "O_WRONLY"):
    attempt(mode, lambda: os.open("/proc/self/fd/0", getattr(os, mode)))
attempt("O_TRUNC", lambda: os.open("/proc/self/fd/0", os.O_TRUNC))
attempt("chmod", lambda: os.fchmod(0, 0o777))
attempt("chmod by name", lambda: os.chmod("/proc/self/fd/0", 0o777))
attempt("chown", lambda: os.fchown(0, os.getuid(), -1))
attempt("utime", lambda: os.utime(0))
attempt("truncate", lambda: os.truncate("/proc/self/fd/0", 0))
attempt("flags", lambda: fcntl.ioctl(0, 0x40086602, struct.pack("l", 0x10)))
attempt("attribute", lambda: os.setxattr(0, "user.mark", b"1"))
attempt("link", lambda: os.link("/proc/self/fd/0", "/box/input", follow_symlinks=True))
attempt("lock", lambda: fcntl.flock(0, fcntl.LOCK_EX | fcntl.LOCK_NB))
attempt("lease", lambda: fcntl.fcntl(0, fcntl.F_SETLEASE, fcntl.F_RDLCK))
attempt("above", lambda: os.open("..", os.O_RDONLY, dir_fd=0))
attempt("execute", lambda: os.execv("/proc/self/fd/0", ["input"]))
print(os.readlink("/proc/self/fd/0"))
print(sys.stdin.read(), os.lseek(0, 0, 0), os.read(0, 3))
`;

Deno.test("a program can only read the file that is its input", async () => {
  await withFolder(async (folder) => {
    await using box = await Box.init({ boxId: BOX_ID });
    await box.files.write("attack.py", PROGRAM);
    const file = `${folder}/secret-name`;
    // Careless in every way: it even belongs to the user of the box.
    await Deno.writeTextFile(file, "#!/bin/sh\n");
    await Deno.chmod(file, 0o777);
    await Deno.chown(file, 60000 + BOX_ID, 60000 + BOX_ID);
    const before = await Deno.stat(file);
    const stdout = new Capture({ limitBytes: 10_000 });
    const outcome = await box.run(["/usr/bin/python3", "attack.py"], {
      stdin: { file },
      stdout,
      stderr: "stdout",
    });
    const lines = stdout.text().trimEnd().split("\n");
    assertEquals(outcome.kind === "exit" && outcome.exitCode, 0, stdout.text());
    const attempts = lines.filter((line) => / (GOT THROUGH|denied)/.test(line));
    assertEquals(attempts.length, 15, stdout.text());
    assertEquals(attempts.filter((line) => line.includes("GOT THROUGH")), []);
    assertEquals(lines.slice(-3), ["/", "#!/bin/sh", " 0 b'#!/'"]);
    const after = await Deno.stat(file);
    for (const key of ["mode", "uid", "size", "nlink"] as const) {
      assertEquals(after[key], before[key], key);
    }
    assertEquals(after.ctime, before.ctime);
    assertEquals(await Deno.readTextFile(file), "#!/bin/sh\n");
  });
});

Deno.test("a file that is emptied while it is the input harms only its reader", async () => {
  await withFolder(async (folder) => {
    await using box = await Box.init({ boxId: BOX_ID });
    const file = `${folder}/input`;
    await Deno.writeTextFile(file, "x".repeat(100_000));
    const running = box.run(["/bin/sh", "-c", "sleep 0.3; cat | wc -c"], {
      limits: { processes: 5, wallTimeMs: 10_000 },
      stdin: { file },
      stdout: "none",
    });
    await Deno.truncate(file, 0);
    assertEquals((await running).kind, "exit");
  });
});

Deno.test("a file of which no mount can be made is an input all the same", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const { system } = box.sandbox;
  const plan = new Plan();
  const memory = plan.slot("memory");
  plan.step("memfd_create", [plan.string("input"), 0], { into: memory });
  plan.step("write", [memory, plan.bytes(new Uint8Array([104, 105])), 2]);
  system.run(plan, "a file on no mount of ours");
  try {
    const files = [`/proc/self/fd/${plan.result(memory)}`, "/proc/version", "/dev/null"];
    const texts: string[] = [];
    for (const file of files) {
      const stdout = new Capture({ limitBytes: 1000 });
      await box.run(["/bin/cat"], { stdin: { file }, stdout });
      texts.push(stdout.text());
    }
    assertEquals(texts, ["hi", await Deno.readTextFile("/proc/version"), ""]);
  } finally {
    system.close(plan.result(memory));
  }
});
