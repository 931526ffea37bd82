/** --tty-hack, on a real terminal. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { installC } from "../support/c_program.ts";
import { COMMAND, start, type TestBox, withBox } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

/** Runs a shell script on a new terminal; types something when the output says `ready`. */
const ON_TERMINAL = `
import os, pty, select, sys
keys = sys.argv[1].encode().decode("unicode_escape").encode()
pid, fd = pty.fork()
if pid == 0:
    os.execv("/bin/sh", ["/bin/sh", "-c"] + sys.argv[2:])
output = b""
while True:
    ready, _, _ = select.select([fd], [], [], 20)
    try:
        data = os.read(fd, 4096) if ready else b""
    except OSError:
        data = b""
    if not data:
        break
    output += data
    # What is typed is echoed at once: not before the end of the line.
    if keys and b"ready\\r\\n" in output:
        os.write(fd, keys)
        keys = b""
sys.stdout.write(output.decode().replace("\\r\\n", "\\n"))
_, status = os.waitpid(pid, 0)
sys.stdout.write("status %d\\n" % os.waitstatus_to_exitcode(status))
`;

const TTY = `
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *outcome(int result) { return result < 0 ? strerrorname_np(errno) : "ok"; }

int main(int argc, char **argv) {
  printf("terminals %d%d%d\\n", isatty(0), isatty(1), isatty(2));
  printf("foreground %s\\n", tcgetpgrp(1) == getpgrp() ? "yes" : "no");
  printf("/dev/tty %s\\n", outcome(open("/dev/tty", O_RDWR)));
  printf("push %s\\n", outcome(ioctl(0, TIOCSTI, "x")));
  fflush(stdout);
  if (argc > 1) {
    char line[64] = "";
    printf("ready\\n");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin)) printf("read %s", line);
  }
}
`;

const REQUIREMENTS = [needs.command("python3"), needs.command("gcc"), needs.command("ps")];

async function onTerminal(box: TestBox, { keys = "", silent = true, options = [], command }: {
  keys?: string;
  silent?: boolean;
  options?: string[];
  command: string[];
}): Promise<string> {
  // Afterwards the terminal must belong to the shell again.
  const script = "trap : INT; " +
    '"$0" "$@"; echo code $?; test $(ps -o tpgid= -p $$) = $(ps -o pgid= -p $$) && echo mine';
  const args = [...COMMAND, ...box.args(["-w20", ...silent ? ["-s"] : [], ...options], command)];
  const { code, stdout, stderr } = await start(
    ["python3", "-c", ON_TERMINAL, keys, script, ...args],
  ).result;
  assertEquals(code, 0, stderr);
  return stdout;
}

async function withTty(test: (box: TestBox) => Promise<void>): Promise<void> {
  await withBox(119, async (box) => {
    await installC(box.path("tty"), TTY);
    await test(box);
  });
}

testWith(
  REQUIREMENTS,
  "with --tty-hack the program is the terminal's foreground and reads what is typed",
  async () => {
    await withTty(async (box) => {
      const stdout = await onTerminal(box, {
        keys: "hello\\n",
        options: ["--tty-hack"],
        command: ["tty", "read"],
      });
      assertStringIncludes(
        stdout,
        "terminals 111\nforeground yes\n/dev/tty ok\npush EPERM\nready\n",
      );
      assertStringIncludes(stdout, "read hello\ncode 0\nmine\n");
    });
  },
);

testWith(
  REQUIREMENTS,
  "without --tty-hack the terminal is not the program's, and nothing can be pushed into it",
  async () => {
    await withTty(async (box) => {
      const stdout = await onTerminal(box, { command: ["tty"] });
      assertStringIncludes(stdout, "terminals 111\nforeground no\n/dev/tty ENXIO\n");
      assertMatch(stdout, /push E(PERM|IO)\n/);
      assertStringIncludes(stdout, "code 0\nmine\n");
    });
  },
);

testWith(
  REQUIREMENTS,
  "with --tty-hack Ctrl-C reaches the program, and the terminal is given back",
  async () => {
    await withTty(async (box) => {
      const options = ["--tty-hack"];
      const stdout = await onTerminal(box, { keys: "\\x03", options, command: ["tty", "read"] });
      assertStringIncludes(stdout, "code 1\nmine\n");
      const meta = await box.run([], ["/bin/true"]);
      assertEquals(meta.code, 0);
    });
  },
);

testWith(
  REQUIREMENTS,
  "with --tty-hack the terminal is given back after a time limit and a failing execve",
  async () => {
    await withTty(async (box) => {
      const late = await onTerminal(box, {
        options: ["--tty-hack", "-w.2"],
        command: ["/bin/sleep", "9"],
      });
      assertStringIncludes(late, "code 1\nmine\n");
      const missing = await onTerminal(box, { options: ["--tty-hack"], command: ["/none"] });
      assertStringIncludes(missing, 'execve("/none"): No such file or directory\n');
      assertStringIncludes(missing, "code 1\nmine\n");
    });
  },
);

testWith(REQUIREMENTS, "without --tty-hack Ctrl-C interrupts the command", async () => {
  await withTty(async (box) => {
    const stdout = await onTerminal(box, {
      keys: "\\x03",
      silent: false,
      command: ["tty", "read"],
    });
    assertStringIncludes(stdout, "Interrupted\ncode 1\n");
  });
});

Deno.test("--tty-hack without a terminal on stdout does nothing", async () => {
  await withBox(119, async (box) => {
    const { code, stderr, meta } = await box.run(["--tty-hack"], ["/bin/true"]);
    assertEquals([code, meta["status"]], [0, undefined], stderr);
  });
});
