/** A terminal that is lent to a program through the service, and how the caller gets it back. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { CLIENT, DIRECT, start } from "../support/isolate.ts";
import { startService } from "../support/service.ts";
import { needs, testWith } from "../support/skip.ts";

/**
 * Runs a command on a new terminal of 33 rows, which get 44 when the program is there; then kills what
 * the first argument says. Prints whether the terminal is set up as before.
 */
const ON_TERMINAL = `
import fcntl, os, pty, select, signal, struct, sys, termios, time
victim = sys.argv[1]
def resize(rows): fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", rows, 80, 0, 0))
pid, fd = pty.fork()
if pid == 0:
    time.sleep(.1)
    os.execv(sys.argv[2], sys.argv[2:])
resize(33)
before = termios.tcgetattr(fd)
output = b""
def read(until):
    global output
    while until not in output:
        ready, _, _ = select.select([fd], [], [], 10)
        try: data = os.read(fd, 4096) if ready else b""
        except OSError: data = b""
        if not data: return
        output += data
read(b"ready")
raw = termios.tcgetattr(fd) != before
resize(44)
if victim == "client": os.kill(pid, signal.SIGKILL)
elif victim != "none": os.kill(int(victim), signal.SIGKILL)
else: os.write(fd, b"\\n")
_, status = os.waitpid(pid, 0)
for _ in range(200):
    same = termios.tcgetattr(fd) == before
    if same: break
    time.sleep(.01)
read(b"nothing")
print(output.decode().replace("\\r\\n", "\\n"))
print("raw", raw, "same", same, "status", os.waitstatus_to_exitcode(status))
`;

const SCRIPT = "stty size; echo ready; read x; sleep .5; stty size";

testWith(
  [needs.command("python3")],
  "a lent terminal is restored, whoever is killed, and follows the size of the caller's",
  async () => {
    await using service = await startService();
    const env = { ISOLATE_SERVICE: service.socket };
    await start([CLIENT, "-b9", "--init"], { env }).result;
    const attempt = async (victim: string) => {
      const command = [CLIENT, "-b9", "-s", "-p", "-w9", "--tty-hack", "--run", "--"];
      const { stdout, stderr } = await start(
        ["python3", "-c", ON_TERMINAL, victim, ...command, "/bin/sh", "-c", SCRIPT],
        { env },
      ).result;
      assertEquals(stderr, "");
      return stdout;
    };
    const ended = await attempt("none");
    assertStringIncludes(ended, "33 80\nready\n");
    assertStringIncludes(ended, "\n44 80\n");
    assertStringIncludes(ended, "raw True same True status 0\n");
    assertStringIncludes(await attempt("client"), "raw True same True status -9\n");
    assertStringIncludes(await attempt("none"), "same True status 0\n");
    const orphan = await attempt(String(service.pid));
    assertStringIncludes(orphan, "has ended; what it ran is dead\n");
    assertStringIncludes(orphan, "raw True same True status 2\n");
    const { stderr } = await start([CLIENT, "-b9", "--cleanup"], { env }).result;
    assertStringIncludes(stderr, "No isolate service is running");
    assertEquals((await start([...DIRECT, "-b9", "--cleanup"]).result).code, 0);
  },
);
