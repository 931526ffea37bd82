import { assertEquals } from "@std/assert";
import { System } from "../ffi/system.ts";
import { withFolder } from "../tests/support/folder.ts";
import { runCommand } from "./command.ts";

const system = await System.load();
const environment = new Map([["PATH", "/usr/bin:/bin"], ["WORD", "two words"]]);

Deno.test("runCommand() gives the exit status, or 128 and the signal", () => {
  const status = (command: string) => runCommand(system, command, environment);
  assertEquals(status("true"), 0);
  assertEquals(status("exit 42"), 42);
  assertEquals(status("kill -TERM $$"), 128 + 15);
  assertEquals(status("no-such-command 2> /dev/null"), 127);
});

Deno.test("runCommand() gives the environment, and no descriptor but the standard ones", async () => {
  await withFolder(async (folder) => {
    using _open = await Deno.open("/dev/null");
    const command = `{ echo "$WORD"; ls /proc/$$/fd; } > ${folder}/out`;
    assertEquals(runCommand(system, command, environment), 0);
    const [word, ...fds] = (await Deno.readTextFile(`${folder}/out`)).trimEnd().split("\n");
    assertEquals(word, "two words");
    // The shell keeps its own standard output while it is redirected.
    assertEquals(fds.filter((fd) => Number(fd) < 10), ["0", "1", "2"]);
  });
});

Deno.test("runCommand() leaves no process behind", () => {
  runCommand(system, "true", environment);
  const children = Deno.readTextFileSync("/proc/thread-self/children");
  assertEquals(children, "");
});
