/** Every limit, hit by a real program. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { installC } from "../support/c_program.ts";
import {
  eventually,
  type RunResult,
  sh,
  type TestBox,
  USES_SERVICE,
  withBox,
} from "../support/isolate.ts";
import { type Missing, needs, testWith } from "../support/skip.ts";

const GREEDY = `
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int deep(int kib) {
  volatile char room[1024];
  memset((char *)room, kib, sizeof room);
  return kib ? deep(kib - 1) + room[7] : room[3];
}
static void *idle(void *arg) { pause(); return arg; }

int main(int argc, char **argv) {
  long n = atol(argv[2]);
  if (!strcmp(argv[1], "memory")) {
    char *p = malloc(n * 1024);
    if (!p) { puts("no memory"); return 3; }
    memset(p, 1, n * 1024);
    puts("enough memory");
  }
  if (!strcmp(argv[1], "stack")) { deep(n); puts("enough stack"); }
  if (!strcmp(argv[1], "files")) {
    long opened = 3;
    while (opened < n && open("/dev/null", O_RDONLY) >= 0) opened++;
    printf("%ld open, %s\\n", opened, strerror(errno));
  }
  if (!strcmp(argv[1], "write")) {
    signal(SIGXFSZ, SIG_DFL);
    char block[1024] = {0};
    int fd = open("big", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    for (long i = 0; i < n; i++) if (write(fd, block, 1024) != 1024) return 3;
    puts("written");
  }
  if (!strcmp(argv[1], "forks")) {
    long made = 1;
    while (made < n) {
      int pid = fork();
      if (pid < 0) break;
      if (pid == 0) { pause(); _exit(0); }
      made++;
    }
    printf("%ld processes\\n", made);
  }
  if (!strcmp(argv[1], "threads")) {
    long made = 1;
    pthread_t thread;
    while (made < n && pthread_create(&thread, 0, idle, 0) == 0) made++;
    printf("%ld threads\\n", made);
    fflush(stdout);
    _exit(0);
  }
  if (!strcmp(argv[1], "lock")) printf("mlock: %s\\n", mlock(&n, 1) ? strerror(errno) : "done");
  if (!strcmp(argv[1], "core")) abort();
}
`;

function limited(
  name: string,
  test: (box: TestBox) => Promise<void>,
  requirements: readonly Missing[] = [],
): void {
  testWith(
    [needs.root(), needs.command("gcc"), ...requirements],
    name,
    () =>
      withBox(113, async (box) => {
        await installC(box.path("greedy"), GREEDY, ["-pthread"]);
        await test(box);
      }),
  );
}

async function greedy(box: TestBox, options: string[], words: string): Promise<RunResult> {
  return await box.run(["-w20", ...options], ["greedy", ...words.split(" ")]);
}

async function says(box: TestBox, options: string[], words: string): Promise<string> {
  return (await greedy(box, options, words)).stdout;
}

limited("--mem limits the address space", async (box) => {
  assertEquals(await says(box, ["--mem=50000"], "memory 30000"), "enough memory\n");
  assertEquals(await says(box, ["--mem=50000"], "memory 60000"), "no memory\n");
  assertEquals(await says(box, ["-m", "0"], "memory 60000"), "enough memory\n");
});

limited("--stack limits the stack, whose default is unlimited", async (box) => {
  assertEquals(await says(box, [], "stack 60000"), "enough stack\n");
  assertEquals(await says(box, ["--stack=4096"], "stack 2000"), "enough stack\n");
  const { meta } = await greedy(box, ["-k4096"], "stack 60000");
  assertEquals([meta["status"], meta["exitsig"]], ["SG", "11"]);
});

limited("--open-files limits descriptors, by default to 1024", async (box) => {
  assertEquals(await says(box, ["-n33"], "files 100"), "33 open, Too many open files\n");
  assertEquals(await says(box, [], "files 2000"), "1024 open, Too many open files\n");
  assertEquals(await says(box, ["--open-files=5000"], "files 4000"), "4000 open, Success\n");
});

limited("--open-files may be too few for the sandbox itself", async (box) => {
  for (const limit of ["-n1", "-n3"]) {
    const { meta } = await box.run([limit, "-oout", "-i/dev/null"], ["/bin/true"]);
    assertEquals([meta["status"], meta["exitcode"]], ["RE", "127"], "the dynamic linker's failure");
  }
});

Deno.test("-n0 keeps the caller's limit, not what the runtime has made of it", async () => {
  await withBox(113, async (box) => {
    // The shell must live on: what the caller's own limit is shows in the parent process.
    const script = 'ulimit -Sn 777; ulimit -Hn 3000; "$0" "$@"; exit $?';
    const through = ["/bin/bash", "-c", script];
    const ulimit = ["/bin/sh", "-c", "ulimit -Sn; ulimit -Hn"];
    assertEquals((await box.run(["-n0"], ulimit, { through })).stdout, "777\n3000\n");
    assertEquals((await box.run([], ulimit, { through })).stdout, "1024\n1024\n");
  });
});

testWith(
  [needs.root(), needs.capability(24, "CAP_SYS_RESOURCE, the right to raise limits")],
  "--open-files may be more than the caller's hard limit",
  async () => {
    await withBox(113, async (box) => {
      const through = ["/bin/bash", "-c", 'ulimit -n 3000; exec "$0" "$@"'];
      const ulimit = ["/bin/sh", "-c", "ulimit -Sn; ulimit -Hn"];
      assertEquals((await box.run(["-n4000"], ulimit, { through })).stdout, "4000\n4000\n");
    });
  },
);

/** Takes the right to raise limits from a caller, and sets his limits. */
const withLimits = (ulimits: string) => [
  "setpriv",
  "--bounding-set=-sys_resource",
  ...["/bin/bash", "-c", `${ulimits}; exec "$0" "$@"`],
];

const MAY_RAISE = needs.capability(24, "") === undefined;

testWith(
  [needs.root(), needs.command("setpriv")],
  "a caller's hard limit below a default holds, unless the sandbox may raise it",
  async () => {
    await withBox(113, async (box) => {
      const command = ["/bin/sh", "-c", "ulimit -Sc; ulimit -Hc; ulimit -Hn; ulimit -Hs"];
      // A service on a machine with that right has it, whoever calls.
      const stack = USES_SERVICE && MAY_RAISE ? "unlimited" : "8192";
      // For open files the limit of the process that makes the box counts.
      const files = USES_SERVICE ? "1024" : "512";
      for (
        const [ulimits, expected] of [
          ["ulimit -c 0", `0\n0\n1024\nunlimited\n`],
          ["ulimit -n 512", `0\n0\n${files}\nunlimited\n`],
          ["ulimit -s 8192", `0\n0\n1024\n${stack}\n`],
          ["ulimit -c 0; ulimit -n 512; ulimit -s 8192", `0\n0\n${files}\n${stack}\n`],
        ] as const
      ) {
        const { stdout, stderr } = await box.run([], command, { through: withLimits(ulimits) });
        assertEquals(stdout, expected, stderr);
      }
    });
  },
);

testWith(
  [
    needs.root(),
    needs.command("setpriv"),
    needs.that(!USES_SERVICE || !MAY_RAISE, "the service may raise limits"),
  ],
  "a limit that the caller's hard limit makes impossible names the missing capability",
  async () => {
    await withBox(113, async (box) => {
      const all = "ulimit -c 0; ulimit -n 512; ulimit -s 8192; ulimit -f 100";
      for (
        const [option, limit, hard] of [
          ["--core=1", "core limit", 0],
          ...USES_SERVICE ? [] : [["--open-files=513", "open files limit", 512]] as const,
          ["--stack=8193", "stack limit", 8192 * 1024],
          ["--fsize=101", "file size limit", 100 * 1024],
        ] as const
      ) {
        const result = await box.run([option], ["/bin/true"], { through: withLimits(all) });
        assertEquals(result.code, 2);
        const complaint = `${limit}: cannot raise the caller's hard limit of ${hard}: `;
        assertEquals(result.stderr.slice(0, complaint.length), complaint);
        assertMatch(result.stderr, /EPERM.*CAP_SYS_RESOURCE.*\n$/);
        assertEquals(result.meta["status"], "XX");
      }
      const lower = ["--core=0", "--open-files=512", "--stack=8192", "--fsize=100"];
      assertEquals((await box.run(lower, ["/bin/true"], { through: withLimits(all) })).code, 0);
    });
  },
);

limited("--fsize limits the size of a file", async (box) => {
  assertEquals(await says(box, ["--fsize=100"], "write 100"), "written\n");
  const { meta } = await greedy(box, ["-f100"], "write 101");
  assertEquals([meta["status"], meta["exitsig"]], ["SG", "25"]);
  assertEquals((await Deno.stat(box.path("big"))).size, 100 * 1024);
});

limited("--fsize does not limit the meta-file and the status line", async (box) => {
  const { meta, stderr } = await box.run(["--fsize=0"], ["/bin/true"]);
  assertEquals(meta["exitcode"], "0");
  assertMatch(stderr, /^OK/);
});

limited("--processes limits processes and threads; by default there is one", async (box) => {
  assertEquals(await says(box, [], "forks 5"), "1 processes\n");
  assertEquals(await says(box, [], "threads 5"), "1 threads\n");
  assertEquals(await says(box, ["-p4"], "forks 9"), "4 processes\n");
  assertEquals(await says(box, ["--processes=4"], "threads 9"), "4 threads\n");
  assertEquals(await says(box, ["-p"], "forks 50"), "50 processes\n");
  assertEquals(await says(box, ["--processes"], "threads 50"), "50 threads\n");
  assertEquals(await says(box, ["-p0"], "forks 50"), "50 processes\n");
});

limited("without a limit of processes the caller's holds", async (box) => {
  const through = ["/bin/bash", "-c", 'ulimit -u 5000; exec "$0" "$@"'];
  const command = ["/bin/bash", "-c", "ulimit -u"];
  assertEquals((await box.run(["-p"], command, { through })).stdout, "5000\n");
});

limited("no memory can be locked", async (box) => {
  assertMatch(await says(box, [], "lock 1"), /mlock: (Cannot allocate|Operation not permitted)/);
});

limited("--core allows a core file of that size, by default there is none", async (box) => {
  const pattern = (await Deno.readTextFile("/proc/sys/kernel/core_pattern")).trim();
  const limits = async (options: string[]) =>
    /Max core file size +(\d+)/.exec(await box.sh("cat /proc/self/limits", options))?.[1];
  // One byte, and not 0: the kernel's way to say that not even a core handler is wanted.
  assertEquals(await limits([]), "1");
  assertEquals(await limits(["--core=100"]), String(100 * 1024));
  const cores = () => sh(`cd ${box.path()}; ls | grep -c core || true`);
  assertEquals((await greedy(box, [], "core 0")).meta["exitsig"], "6");
  assertEquals((await cores()).trim(), "0");
  assertEquals((await greedy(box, ["--core=100000"], "core 0")).meta["exitsig"], "6");
  // Elsewhere cores go to a program or into a directory of the host.
  if (pattern === "core") assertEquals((await cores()).trim(), "1");
});

limited(
  "a crash does not start the host's core handler, unless --core asks for it",
  async (box) => {
    const setting = "/proc/sys/kernel/core_pattern";
    const pattern = await Deno.readTextFile(setting);
    const folder = await Deno.makeTempDir();
    const handler = `${folder}/handler`;
    await Deno.writeTextFile(handler, `#!/bin/sh\ncat > ${folder}/core\n`, { mode: 0o700 });
    const wasStarted = () => Deno.stat(`${folder}/core`).then(() => true, () => false);
    try {
      await Deno.writeTextFile(setting, `|${handler}`);
      assertEquals((await greedy(box, [], "core 0")).meta["exitsig"], "6");
      assertEquals(await wasStarted(), false);
      assertEquals((await greedy(box, ["--core=100000"], "core 0")).meta["exitsig"], "6");
      await eventually("the core handler is started", wasStarted);
    } finally {
      await Deno.writeTextFile(setting, pattern);
      await Deno.remove(folder, { recursive: true });
    }
  },
  // It changes a setting of the whole machine, which stays if the test is killed.
  [needs.path("/vm/run", "a guest")],
);

Deno.test("limits that are not set are inherited from the caller", async () => {
  await withBox(113, async (box) => {
    const through = [
      "/bin/bash",
      "-c",
      'ulimit -f 123; ulimit -d 999999; ulimit -t 77; exec "$0" "$@"',
    ];
    const command = ["/bin/bash", "-c", "ulimit -f; ulimit -d; ulimit -t"];
    const { stdout, stderr } = await box.run(["-p"], command, { through });
    assertEquals(stdout, "123\n999999\n77\n", stderr);
    const set = await box.run(["-p", "-f50"], command, { through });
    assert(set.stdout.startsWith("50\n"));
  });
});

limited("a program cannot raise its limits", async (box) => {
  const script = "for limit in '-n 2000' '-u 50' '-c 9' '-l 9'; do " +
    "ulimit -H $limit 2>/dev/null && echo raised $limit; ulimit -S $limit 2>/dev/null && echo raised $limit; done";
  const { stdout } = await box.run([], ["/bin/bash", "-c", `${script}; echo end`]);
  assertEquals(stdout, "end\n");
});
