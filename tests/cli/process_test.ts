/** What the program sees of itself and of the machine. */

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { installC } from "../support/c_program.ts";
import { eventually, isolate, keeperPid, sh, start, withBox } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

const LOOK = `
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
  int ruid, euid, suid, rgid, egid, sgid;
  getresuid(&ruid, &euid, &suid);
  getresgid(&rgid, &egid, &sgid);
  printf("pid %d\\nppid %d\\npgid %d\\nsid %d\\n", getpid(), getppid(), getpgid(0), getsid(0));
  printf("uids %d %d %d\\ngids %d %d %d\\n", ruid, euid, suid, rgid, egid, sgid);
  printf("groups %d\\n", getgroups(0, 0));
  int mask = umask(0);
  printf("umask %03o\\n", mask);
  printf("no_new_privs %d\\ndumpable %d\\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
  int odd = 0;
  for (int i = 1; i < 65; i++) {
    struct sigaction action;
    if (sigaction(i, 0, &action) == 0 && action.sa_handler != SIG_DFL) odd++;
  }
  sigset_t set;
  sigprocmask(SIG_BLOCK, 0, &set);
  for (int i = 1; i < 65; i++) odd += sigismember(&set, i) == 1;
  printf("odd signals %d\\n", odd);
  int fds = 0;
  for (int i = 3; i < 4096; i++) fds += fcntl(i, 1) >= 0;
  printf("descriptors %d\\n", fds);
  struct ifreq request = {.ifr_name = "lo"};
  int s = socket(AF_INET, SOCK_DGRAM, 0);
  ioctl(s, 0x8913, &request);
  printf("lo up %d\\n", (request.ifr_flags & 1) != 0);
  printf("interfaces %d\\n", (int)({ struct if_nameindex *list = if_nameindex(); int n = 0; while (list && list[n].if_index) n++; n; }));
}
`;

testWith(
  [needs.command("gcc")],
  "the program's ids, group, session, signals, mask and descriptors",
  async () => {
    await withBox(110, async (box) => {
      await installC(
        box.path("look"),
        LOOK,
      );
      // Much of this could be inherited from a caller with other settings.
      const through = [
        "/bin/bash",
        "-c",
        `umask 077; trap '' PIPE HUP USR1; exec 9</etc/passwd; exec "$0" "$@"`,
      ];
      const { stdout } = await box.run([], ["look"], { through });
      assertEquals(
        stdout,
        [
          "pid 2",
          "ppid 1",
          "pgid 2",
          "sid 0", // a session outside
          "uids 60110 60110 60110",
          "gids 60110 60110 60110",
          "groups 0",
          "umask 022",
          "no_new_privs 1",
          "dumpable 1",
          "odd signals 0",
          "descriptors 0",
          "lo up 1",
          "interfaces 1",
          "",
        ].join("\n"),
      );
    });
  },
);

Deno.test("the program has no capability in any set", async () => {
  await withBox(110, async (box) => {
    const status = await box.sh("cat /proc/self/status");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
      assert(status.includes(`${set}:\t0000000000000000\n`), set);
    }
    assert(status.includes("Seccomp:\t2\n"), "the filter is on");
  });
});

Deno.test("PID, IPC, mount, network, UTS and cgroup namespaces are the box's own, user and time are not", async () => {
  await withBox(110, async (box) => {
    const script =
      "for i in pid ipc mnt net uts cgroup user time; do readlink /proc/self/ns/$i; done";
    const outside = (await sh(script)).split("\n");
    const inside = (await box.sh(script)).split("\n");
    outside.forEach((name, i) => {
      if (/^(user|time):/.test(name) || name === "") assertEquals(inside[i], name);
      else assertNotEquals(inside[i], name);
    });
    assertEquals(await box.sh("uname -n"), await sh("uname -n"));
    assertEquals(await box.sh("cat /proc/self/cgroup | cut -d: -f3 | sort -u"), "/\n");
  });
});

Deno.test("the box shows only its own processes", async () => {
  await withBox(110, async (box) => {
    const numbers = (await box.sh("cd /proc; ls -d [0-9]*")).trim().split("\n");
    // Those of the shell and ls; init belongs to the caller and hidepid=2 hides it.
    assertEquals(numbers.includes("1"), false);
    assert(numbers.includes("2") && numbers.length <= 3, numbers.join(" "));
  });
});

Deno.test("init is the caller's process and is called isolate-init", async () => {
  await withBox(110, async (box) => {
    await using running = box.start([], ["/bin/sleep", "60"]);
    await eventually("init belongs to the caller", async () => {
      // A service has it cloned by one of its stages.
      const keeper = keeperPid(running);
      const seen = await sh(
        `ps --ppid ${keeper},$(pgrep -d, -P ${keeper}) -o ruid,rgid,comm --no-headers || true`,
      );
      return /^ *1234 +4321 isolate-init$/m.test(seen);
    });
    running.kill("SIGTERM");
    await running.result;
  }, { options: ["--as-uid=1234", "--as-gid=4321"] });
});

Deno.test("core files are limited to one byte, locked memory to none, the stack is not, by default", async () => {
  await withBox(110, async (box) => {
    const limits = await box.sh("cat /proc/self/limits");
    for (
      const [name, value] of [
        ["Max core file size", "1 +1"],
        ["Max locked memory", "0 +0"],
        ["Max stack size", "unlimited +unlimited"],
        ["Max open files", "1024 +1024"],
      ]
    ) assert(new RegExp(`^${name} +${value} `, "m").test(limits), `${name}: ${limits}`);
  });
});

Deno.test("without --share-net the network is the box's own, with it the caller's", async () => {
  await withBox(110, async (box) => {
    const outside = await sh("readlink /proc/self/ns/net");
    const namespace = async (options: string[]) =>
      (await box.run(options, ["/bin/readlink", "/proc/self/ns/net"])).stdout;
    assertNotEquals(await namespace([]), outside);
    assertEquals(await namespace(["--share-net"]), outside);
  });
});

Deno.test("with --share-net the program reaches a server of the host, without it does not", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = (async () => {
    for await (const connection of listener) {
      await connection.write(new TextEncoder().encode("hello\n"));
      connection.close();
    }
  })();
  try {
    await withBox(110, async (box) => {
      const { port } = listener.addr;
      const command = ["/bin/bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3`];
      const shared = await box.run(["--share-net", "-p"], command);
      assertEquals([shared.code, shared.stdout], [0, "hello\n"], shared.stderr);
      assertEquals((await box.run(["-p"], command)).code, 1);
    });
  } finally {
    listener.close();
    await served.catch(() => {});
  }
});

Deno.test("descriptors above 2 are closed, --inherit-fds keeps those of the caller", async () => {
  await withBox(110, async (box) => {
    const through = ["/bin/bash", "-c", `exec 7<<<seven; exec "$0" "$@"`];
    const command = ["/bin/sh", "-c", "cat <&7"];
    const kept = await box.run(["-p", "--inherit-fds"], command, { through });
    assertEquals([kept.code, kept.stdout], [0, "seven\n"], kept.stderr);
    const lost = await box.run(["-p"], command, { through });
    assertEquals(lost.stdout, "");
    assert(lost.code === 1);
  });
});

Deno.test("--inherit-fds passes on hundreds of descriptors under their numbers", async () => {
  await withBox(110, async (box) => {
    const open = 'for i in $(seq 10 2 630) 900; do eval "exec $i<<<$i"; done; exec "$0" "$@"';
    const options = ["-p", "--inherit-fds", "--open-files=1024"];
    const read =
      'for i in $(seq 10 2 630) 900; do eval "read -r x <&$i"; echo $i $x; done; ls /proc/self/fd | wc -l';
    const { code, stdout, stderr } = await box.run(options, ["/bin/bash", "-c", read], {
      through: ["/bin/bash", "-c", `ulimit -n 1024; ${open}`],
    });
    const lines = stdout.split("\n");
    assertEquals([code, lines.length], [0, 312 + 2], stderr);
    for (const line of lines.slice(0, 312)) assertMatch(line, /^([0-9]+) \1$/);
  });
});

testWith(
  [needs.command("gcc")],
  "--inherit-fds keeps the caller's descriptors and none of the sandbox's own",
  async () => {
    await withBox(110, async (box) => {
      const source = `
        #include <fcntl.h>
        #include <stdio.h>
        int main() { for (int i = 0; i < 4096; i++) if (fcntl(i, F_GETFD) >= 0) printf("%d ", i); }`;
      await installC(box.path("fds"), source);
      const through = ["/bin/bash", "-c", `exec 7</dev/null 300</dev/null; exec "$0" "$@"`];
      // What starts this test may have left some of its own.
      const outside = await start([box.path("fds")], { through }).result;
      const inside = await box.run(["--inherit-fds"], ["fds"], { through });
      assert(/\b7 .*\b300 /.test(inside.stdout), inside.stdout);
      assertEquals(inside.stdout, outside.stdout);
    });
  },
);

Deno.test("the command works when its own standard streams are closed", async () => {
  await withBox(110, async (box) => {
    for (const closed of ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"]) {
      const through = ["/bin/bash", "-c", `exec "$0" "$@" ${closed}`];
      await Deno.writeTextFile(box.path("in"), "input\n");
      const result = await box.run(["-iin", "-oout", "-rerr"], ["/bin/cat"], { through });
      assertEquals([result.code, result.meta["exitcode"]], [0, "0"], `${closed} ${result.stderr}`);
      assertEquals(await Deno.readTextFile(box.path("out")), "input\n");
      assertEquals(await Deno.readTextFile(box.path("err")), "");
      // And with what is closed left as it is.
      const bare = await box.run([], ["/bin/true"], { through });
      assertEquals([bare.code, bare.meta["exitcode"]], [0, "0"], `${closed} ${bare.stderr}`);
      const wrong = await box.run(["--chdir=/none"], ["/bin/true"], { through });
      assertEquals([wrong.code, wrong.meta["status"]], [2, "XX"]);
      assertEquals((await isolate(["-b110", "--nonsense"], { through })).code, 2);
    }
  });
});

Deno.test("arguments reach the program as they are", async () => {
  await withBox(110, async (box) => {
    const args = ["", " ", "a\nb", "--", "-v", "ü", "*", "x".repeat(100000)];
    const { stdout } = await box.run(["-s"], ["/usr/bin/printf", "%s\\0", ...args]);
    assertEquals(stdout.split("\0").slice(0, -1), args);
  });
});
