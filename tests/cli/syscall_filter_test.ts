/** The system call filter, tried by a real program. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { compileC } from "../support/c_program.ts";
import { type TestBox, withBox, withScratch } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

/** Tries a call in a child of its own and prints the result. */
const ASK = `
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long call(long number, long a, long b, long c) {
  errno = 0;
  long result = syscall(number, a, b, c, 0, 0, 0);
  return result < 0 ? -errno : 0;
}

static void say(const char *what, long result) {
  const char *name = result == 0 ? "ok" : strerrorname_np(-result);
  printf("%s %s\\n", what, name ? name : "?");
  fflush(stdout);
}

#ifdef __x86_64__
static long call32(long number, long a, long b, long c) {
  long result;
  asm volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
  return (int)result < 0 ? (int)result : 0;
}
#endif

/* What kills is tried in a child. */
#define TRY(what, expression) do { \\
    fflush(stdout); \\
    int status, pid = fork(); \\
    if (pid == 0) { say(what, expression); _exit(0); } \\
    waitpid(pid, &status, 0); \\
    if (WIFSIGNALED(status)) printf("%s signal %d\\n", what, WTERMSIG(status)); \\
  } while (0)

int main(void) {
  long junk = 1L << 32;
  int fd = open("file", O_RDWR | O_CREAT, 0600);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  long l = (long)&lock;
  TRY("getpid", call(SYS_getpid, 0, 0, 0));
  TRY("keyctl", call(SYS_keyctl, 0, -3, 0));
  TRY("vsock", call(SYS_socket, AF_VSOCK, SOCK_STREAM, 0));
  TRY("vsock-junk", call(SYS_socket, AF_VSOCK | junk, SOCK_STREAM, 0));
  TRY("unix", call(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
  TRY("flock", call(SYS_flock, fd, 2, 0));
  TRY("setlk", call(SYS_fcntl, fd, F_SETLK, l));
  TRY("setlk-junk", call(SYS_fcntl, fd, F_SETLK | junk, l));
  TRY("setlkw", call(SYS_fcntl, fd, F_SETLKW, l));
  TRY("ofd-setlk", call(SYS_fcntl, fd, F_OFD_SETLK, l));
  TRY("ofd-setlkw", call(SYS_fcntl, fd, F_OFD_SETLKW, l));
  TRY("setlease", call(SYS_fcntl, fd, F_SETLEASE, F_WRLCK));
  TRY("notify", call(SYS_fcntl, open("/tmp", O_RDONLY | O_DIRECTORY), F_NOTIFY, 0));
  TRY("getlk", call(SYS_fcntl, fd, F_GETLK, l));
  TRY("getfd", call(SYS_fcntl, fd, F_GETFD, 0));
  char params[256] = {0};
  TRY("io_uring", call(SYS_io_uring_setup, 1, (long)params, 0));
#ifdef __x86_64__
  TRY("x32-getpid", call(0x40000000 + SYS_getpid, 0, 0, 0));
  TRY("getpid32", call32(20, 0, 0, 0));
  TRY("keyctl32", call32(288, 0, -3, 0));
  TRY("vsock32", call32(359, AF_VSOCK, SOCK_STREAM, 0));
  TRY("flock32", call32(143, fd, 2, 0));
#endif
}
`;

async function answers(box: TestBox, options: string[]): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await box.run(["-p", ...options], ["ask"]);
  assertEquals(code, 0, stderr);
  return Object.fromEntries(
    stdout.trim().split("\n").map((line) => {
      const [what, ...answer] = line.split(" ");
      return [what, answer.join(" ")];
    }),
  );
}

/** What flag makes a call fail, and how. */
const RULES: readonly (readonly [number, Record<string, string>])[] = [
  [1, { keyctl: "ENOSYS" }],
  [2, { "vsock": "EAFNOSUPPORT", "vsock-junk": "EAFNOSUPPORT" }],
  [4, {
    "flock": "ENOSYS",
    "setlk": "EPERM",
    "setlk-junk": "EPERM",
    "setlkw": "EPERM",
    "ofd-setlk": "EPERM",
    "ofd-setlkw": "EPERM",
    "setlease": "EPERM",
    "notify": "EPERM",
  }],
  [8, { io_uring: "ENOSYS" }],
];

const isX86 = Deno.build.arch === "x86_64";

async function withAsker(test: (box: TestBox) => Promise<void>): Promise<void> {
  await withBox(117, async (box) => {
    await Deno.copyFile(await compileC(ASK), box.path("ask"));
    await test(box);
  });
}

testWith(
  [needs.command("gcc")],
  "each flag of --syscalls refuses its calls and no others",
  async () => {
    await withAsker(async (box) => {
      const free = await answers(box, ["--syscalls=0"]);
      assertEquals(free["getpid"], "ok");
      for (const [flag, refused] of RULES) {
        const seen = await answers(box, [`--syscalls=${flag}`]);
        for (const [call, answer] of Object.entries(free)) {
          // 32-bit calls and x32 numbers are looked at below.
          if (/32/.test(call)) continue;
          assertEquals(seen[call], refused[call] ?? answer, `${call} with flag ${flag}`);
        }
      }
      for (const call of ["flock", "setlk", "setlkw", "getlk", "unix", "notify"]) {
        assertEquals(free[call], "ok", call);
      }
    });
  },
);

testWith(
  [needs.command("gcc")],
  "without --syscalls all of it is refused, and the box still works",
  async () => {
    await withAsker(async (box) => {
      const seen = await answers(box, []);
      for (const [, refused] of RULES) {
        for (const [call, answer] of Object.entries(refused)) {
          assertEquals(seen[call], answer, call);
        }
      }
      for (const call of ["getpid", "unix", "getlk", "getfd"]) {
        assertEquals(seen[call], "ok", call);
      }
    });
  },
);

testWith(
  [needs.command("gcc"), needs.that(isX86, "32-bit calls of x86_64 only")],
  "flag 16 kills for a 32-bit call, without it the other rules cover those too",
  async () => {
    await withAsker(async (box) => {
      const all = await answers(box, []);
      for (const call of ["getpid32", "keyctl32", "vsock32", "flock32"]) {
        assertEquals(all[call], "signal 31", call);
      }
      const free = await answers(box, ["--syscalls=0"]);
      if (free["getpid32"] !== "ok") return; // a kernel without 32-bit calls
      const seen = await answers(box, ["--syscalls=15"]);
      assertEquals(seen["getpid32"], "ok");
      assertEquals(seen["keyctl32"], "ENOSYS");
      assertEquals(seen["vsock32"], "EAFNOSUPPORT");
      assertEquals(seen["flock32"], "ENOSYS");
    });
  },
);

testWith(
  [needs.command("gcc"), needs.that(isX86, "x32 numbers are x86_64's")],
  "x32 numbers kill under any flags but 0",
  async () => {
    await withAsker(async (box) => {
      for (const flags of [1, 2, 4, 8, 16, 31]) {
        const seen = await answers(box, [`--syscalls=${flags}`]);
        assertEquals(seen["x32-getpid"], "signal 31", `flags ${flags}`);
      }
      assert((await answers(box, ["--syscalls=0"]))["x32-getpid"] !== "signal 31");
    });
  },
);

Deno.test("--syscalls=0 installs no filter, anything else one", async () => {
  await withBox(117, async (box) => {
    assertStringIncludes(await box.sh("cat /proc/self/status", ["--syscalls=0"]), "Seccomp:\t0\n");
    assertStringIncludes(await box.sh("cat /proc/self/status", ["--syscalls=1"]), "Seccomp:\t2\n");
  });
});

Deno.test("the configured syscall_flags hold unless --syscalls overrides them", async () => {
  await withScratch(async (scratch) => {
    const config = `${scratch}/config`;
    await Deno.writeTextFile(
      config,
      `box_root = ${scratch}/boxes\nlock_root = ${scratch}/locks\nsyscall_flags = 0\n`,
    );
    await withBox(117, async (box) => {
      assertStringIncludes(await box.sh("cat /proc/self/status"), "Seccomp:\t0\n");
      assertStringIncludes(
        await box.sh("cat /proc/self/status", ["--syscalls=31"]),
        "Seccomp:\t2\n",
      );
    }, { options: [`--config=${config}`] });
  });
});

Deno.test("-vvv shows the filter", async () => {
  await withBox(117, async (box) => {
    const { stderr } = await box.run(["-vvv"], ["/bin/true"]);
    assertStringIncludes(stderr, "System call filter:");
    assertStringIncludes(stderr, "keyctl");
    const none = await box.run(["-vvv", "--syscalls=0"], ["/bin/true"]);
    assertStringIncludes(none.stderr, "No system call filter");
  });
});
