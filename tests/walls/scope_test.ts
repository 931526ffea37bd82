/** Signals and abstract sockets stay in the box, also where it shares the host's network. */

import { assertEquals } from "@std/assert";
import { Plan } from "isolate/ffi/plan.ts";
import { System } from "isolate/ffi/system.ts";
import { installC } from "../support/c_program.ts";
import { eventually, start, withBox } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

const BOX_ID = 265;
/** landlock_create_ruleset(2): tell the version. */
const VERSION = 1;

/** Connects to abstract sockets: one of the host, one of its own; signals its init and a child. */
const SCOPE = `
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static socklen_t name(struct sockaddr_un *address, const char *text) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  strcpy(address->sun_path + 1, text);
  return sizeof address->sun_family + 1 + strlen(text);
}

static void said(const char *what, int result) {
  printf("%s: %s\\n", what, result < 0 ? strerror(errno) : "ok");
}

int main(int argc, char **argv) {
  struct sockaddr_un address;
  int mine = socket(AF_UNIX, SOCK_STREAM, 0), there = socket(AF_UNIX, SOCK_STREAM, 0);
  said("the host's socket", connect(there, (void *)&address, name(&address, argv[1])));
  socklen_t size = name(&address, "isolate-test-inside");
  bind(mine, (void *)&address, size);
  listen(mine, 1);
  said("its own socket", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, size));
  pid_t child = fork();
  if (child == 0)
    pause();
  said("its child", kill(child, SIGKILL));
  waitpid(child, NULL, 0);
  said("its init", kill(1, SIGKILL));
}
`;

async function landlockVersion(): Promise<number> {
  const plan = new Plan();
  const version = plan.slot("version");
  plan.step("landlock_create_ruleset", [0, 0, VERSION], { into: version, ignore: "all" });
  (await System.load()).run(plan, "which version of Landlock is there");
  return plan.result(version);
}

const hasScopes = await landlockVersion() >= 6;

testWith(
  [
    needs.root(),
    needs.command("gcc"),
    needs.command("python3"),
    needs.that(hasScopes, "needs a kernel with scopes of Landlock (Linux 6.12)"),
  ],
  "a program on the host's network reaches its own abstract sockets, and none of the host",
  async () => {
    const name = `isolate-test-${crypto.randomUUID()}`;
    const script = `import socket, time
s = socket.socket(socket.AF_UNIX)
s.bind("\\0${name}")
s.listen(9)
time.sleep(600)`;
    await using _host = start(["python3", "-c", script]);
    await eventually(
      "the host has the socket",
      () => Deno.readTextFileSync("/proc/net/unix").includes(`@${name}`),
    );
    await withBox(BOX_ID, async (box) => {
      await installC(box.path("scope"), SCOPE);
      const { code, stdout } = await box.run(["--share-net", "-p"], ["scope", name]);
      assertEquals([code, stdout.trim().split("\n")], [0, [
        "the host's socket: Operation not permitted",
        "its own socket: ok",
        "its child: ok",
        "its init: Operation not permitted",
      ]]);
    });
  },
);
