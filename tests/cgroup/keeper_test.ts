/**
 * `isolate cg-setup` and `isolate cg-keeper` as processes of this machine, without a service
 * manager: what they make, what they write, and what they report to the process that started them.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  assertRefused,
  eventually,
  isolate,
  type RunningCommand,
  start,
  startIsolate,
  succeed,
  withScratch,
} from "../support/isolate.ts";
import { groupsIn, needsControlGroup } from "../support/control_group.ts";
import { needs, testWith } from "../support/skip.ts";

const NEEDS_CG = [needsControlGroup.any()];
// With v1 no process is moved.
const NEEDS_V2 = [needsControlGroup.version(2)];
const NEEDS_SOCKET = [...NEEDS_CG, needs.command("python3")];
const ID = 620;

/** A configuration of the test's own; gives the option that names it. */
async function configure(folder: string, cgRoot: string): Promise<string> {
  const lines = [
    `box_root = ${folder}/boxes`,
    `lock_root = ${folder}/locks`,
    `cg_root = ${cgRoot}`,
    "",
  ];
  await Deno.writeTextFile(`${folder}/config`, lines.join("\n"), { mode: 0o644 });
  return `--config=${folder}/config`;
}

/** The place that is used if the configuration names none. */
async function ordinaryPlace(): Promise<string> {
  return (await succeed(["--print-cg-root"])).trim();
}

/** Runs a service while a test uses it; it must end by itself on a signal. */
async function withKeeper(
  args: readonly string[],
  { env = {}, file }: { env?: Record<string, string>; file: string },
  test: (keeper: RunningCommand) => Promise<void>,
): Promise<void> {
  const keeper = startIsolate(["cg-keeper", ...args], { env });
  try {
    await eventually("the service has written its file", () => exists(file));
    await test(keeper);
    keeper.kill("SIGTERM");
    const { code, stderr } = await keeper.result;
    assertEquals([code, stderr], [0, ""]);
    assert(!exists(file), "the file is gone with the service");
  } finally {
    try {
      keeper.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await keeper.result;
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Receives datagrams like a service manager, and prints each as a line of JSON. */
const LISTENER = `
import json, socket, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind("\\0" + name[1:] if name[0] == "@" else name)
print(json.dumps("bound"), flush=True)
while True:
    message, control, flags, _ = s.recvmsg(4096, 4096)
    pid = int.from_bytes(control[0][2][:4], sys.byteorder)
    print(json.dumps([pid, message.decode()]), flush=True)
`;

/** Listens at a socket while a test runs; the test reads messages one by one. */
async function withListener(
  socket: string,
  test: (next: () => Promise<[pid: number, message: string]>) => Promise<void>,
): Promise<void> {
  const child = new Deno.Command("python3", {
    args: ["-c", LISTENER, socket],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  const nextLine = async () => {
    for (;;) {
      const end = buffer.indexOf("\n");
      if (end >= 0) {
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 1);
        return JSON.parse(line);
      }
      const { value, done } = await reader.read();
      assert(!done, "the listener has ended");
      buffer += value;
    }
  };
  try {
    assertEquals(await nextLine(), "bound");
    await test(nextLine);
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
  }
}

testWith(
  NEEDS_CG,
  "cg-setup makes the place where --cg makes its groups, and prints it",
  async () => {
    const place = await ordinaryPlace();
    for (let i = 0; i < 2; i++) {
      const { code, stdout, stderr } = await isolate(["cg-setup"]);
      assertEquals([code, stdout, stderr], [0, `${place}\n`, ""]);
      assert(exists(place));
    }
  },
);

testWith(NEEDS_CG, "cg-setup writes the file of cg_root = auto:FILE, for all to read", async () => {
  await withScratch(async (folder) => {
    const file = `${folder}/deep/er/cgroup`;
    const config = await configure(folder, `auto:${file}`);
    assertRefused(await isolate([config, "--cg", "--init"]), file);
    const place = await ordinaryPlace();
    const through = ["sh", "-c", 'umask 077; exec "$0" "$@"'];
    const { stdout } = await isolate(["cg-setup", config], { through });
    assertEquals(stdout, `${place}\n`);
    assertEquals(await Deno.readTextFile(file), `${place}\n`);
    assertEquals((await Deno.stat(file)).mode! & 0o777, 0o644);
    assertEquals(await succeed([config, "--print-cg-root"]), `${place}\n`);
    assertEquals([...Deno.readDirSync(`${folder}/deep/er`)].length, 1);
  });
});

testWith(NEEDS_CG, "cg-setup makes the directory that the configuration names", async () => {
  const outer = `${await ordinaryPlace()}/setup-${ID}`;
  const named = `${outer}/inner`;
  await withScratch(async (folder) => {
    const config = await configure(folder, named);
    try {
      assertEquals(await succeed(["cg-setup", config]), `${named}\n`);
      assert(exists(named));
      await succeed([config, "--cg", "--init"]);
      assertEquals(groupsIn(named, 0).length, 1);
      const { code, stderr } = await isolate([config, "--cg", "--run", "--", "/bin/true"]);
      assertEquals(code, 0, stderr);
      await succeed([config, "--cg", "--cleanup"]);
      assertEquals(groupsIn(named, 0), []);
    } finally {
      await isolate([config, "--cg", "--cleanup"]);
      await removeEverywhere(named);
      await removeEverywhere(outer);
    }
  });
});

/** With cgroup v1 a group has a directory in each hierarchy. */
async function removeEverywhere(path: string): Promise<void> {
  for (const name of ["memory", "cpuacct", "cpuset", "pids"]) {
    await Deno.remove(path.replace("/memory/", `/${name}/`)).catch(() => {});
  }
}

testWith(NEEDS_CG, "cg-setup and cg-keeper refuse what they do not know", async () => {
  for (const name of ["cg-setup", "cg-keeper"]) {
    assertRefused(await isolate([name, "-x"]), "Unknown option -x");
    assertRefused(await isolate([name, "now"]), `${name} takes no parameters, but got: now`);
    assertRefused(await isolate([name, "--config=/no/such"]), "/no/such");
  }
});

testWith(
  NEEDS_CG,
  "cg-keeper refuses a configuration in which there is nothing to keep",
  async () => {
    await withScratch(async (folder) => {
      const config = await configure(folder, "/sys/fs/cgroup/somewhere");
      assertRefused(await isolate(["cg-keeper", config]), "cg_root = /sys/fs/cgroup/somewhere");
    });
  },
);

testWith(NEEDS_CG, "cg-keeper writes the file, serves boxes, and ends on SIGTERM", async () => {
  await withScratch(async (folder) => {
    const file = `${folder}/cgroup`;
    const config = await configure(folder, `auto:${file}`);
    const own = [config, `-b${ID}`, "--cg"];
    await withKeeper([config], { file }, async () => {
      assertEquals(await Deno.readTextFile(file), `${await ordinaryPlace()}\n`);
      try {
        await succeed([...own, "--init"]);
        await succeed([...own, `--meta=${folder}/meta`, "--run", "--", "/bin/true"]);
        assertStringIncludes(await Deno.readTextFile(`${folder}/meta`), "\ncg-mem:");
      } finally {
        await succeed([...own, "--cleanup"]);
      }
    });
    assertRefused(await isolate([...own, "--init"]), "is the service that writes it running?");
  });
});

testWith(
  NEEDS_CG,
  "cg-keeper ends on SIGINT too, and leaves a file that is not its own",
  async () => {
    await withScratch(async (folder) => {
      const file = `${folder}/cgroup`;
      const config = await configure(folder, `auto:${file}`);
      const keeper = startIsolate(["cg-keeper", config]);
      await eventually("the service has written its file", () => exists(file));
      await Deno.writeTextFile(file, "/somewhere/else\n");
      keeper.kill("SIGINT");
      assertEquals((await keeper.result).code, 0);
      assertEquals(await Deno.readTextFile(file), "/somewhere/else\n");
    });
  },
);

for (const kind of ["path", "abstract name"] as const) {
  testWith(
    NEEDS_SOCKET,
    `cg-keeper reports its state to a service manager at a ${kind}`,
    async () => {
      await withScratch(async (folder) => {
        const file = `${folder}/cgroup`;
        const config = await configure(folder, `auto:${file}`);
        const socket = kind === "path" ? `${folder}/notify` : `@isolate-test-${Deno.pid}`;
        await withListener(socket, async (next) => {
          const env = { NOTIFY_SOCKET: socket };
          await withKeeper([config], { env, file }, async (keeper) => {
            const place = (await Deno.readTextFile(file)).trim();
            const ready = [keeper.pid, `READY=1\nSTATUS=Groups of boxes are made in ${place}`];
            assertEquals(await next(), ready);
            keeper.kill("SIGHUP");
            const [pid, reloading] = await next();
            assertEquals(pid, keeper.pid);
            assertMatch(reloading, /^RELOADING=1\nMONOTONIC_USEC=\d+$/);
            assertEquals(await next(), ready);
          });
          assertEquals((await next())[1], "STOPPING=1");
        });
      });
    },
  );
}

testWith(
  NEEDS_CG,
  "cg-keeper fails if nobody listens where it must report that it is ready",
  async () => {
    await withScratch(async (folder) => {
      const config = await configure(folder, `auto:${folder}/cgroup`);
      for (const socket of [`${folder}/nobody`, "@isolate-test-nobody", "vsock:2:1"]) {
        const result = await isolate(["cg-keeper", config], { env: { NOTIFY_SOCKET: socket } });
        assertRefused(result, socket);
      }
    });
  },
);

testWith(
  NEEDS_SOCKET,
  "cg-keeper reloads on SIGHUP: the file's name, and what was removed",
  async () => {
    await withScratch(async (folder) => {
      const [first, second] = [`${folder}/first`, `${folder}/second`];
      const config = await configure(folder, `auto:${first}`);
      const socket = `${folder}/notify`;
      await withListener(socket, async (next) => {
        const keeper = startIsolate(["cg-keeper", config], { env: { NOTIFY_SOCKET: socket } });
        const reload = async () => {
          keeper.kill("SIGHUP");
          assertStringIncludes((await next())[1], "RELOADING=1");
          assertStringIncludes((await next())[1], "READY=1");
        };
        assertStringIncludes((await next())[1], "READY=1");
        const place = await Deno.readTextFile(first);
        await Deno.remove(first);
        await reload();
        assertEquals(await Deno.readTextFile(first), place);
        await configure(folder, `auto:${second}`);
        await reload();
        assertEquals([exists(first), await Deno.readTextFile(second)], [false, place]);
        // A mistake changes nothing.
        await Deno.writeTextFile(`${folder}/config`, "no_such_key = 1\n");
        await reload();
        assertEquals(await Deno.readTextFile(second), place);
        keeper.kill("SIGTERM");
        const { code, stderr } = await keeper.result;
        assertEquals([code, exists(second)], [0, false]);
        assertStringIncludes(stderr, "Nothing was reloaded: ");
        assertStringIncludes(stderr, "no_such_key");
      });
    });
  },
);

testWith(NEEDS_V2, "cg-keeper refuses a group that it shares with others", async () => {
  const place = await ordinaryPlace();
  const group = `${place.slice(0, place.lastIndexOf("/"))}/shared-${ID}`;
  await Deno.mkdir(group);
  const other = start(["sleep", "60"]);
  try {
    await Deno.writeTextFile(`${group}/cgroup.procs`, `${other.pid}`);
    await withScratch(async (folder) => {
      const config = await configure(folder, `auto:${folder}/cgroup`);
      const through = ["sh", "-c", `echo $$ > ${group}/cgroup.procs; exec "$0" "$@"`];
      assertRefused(await isolate(["cg-keeper", config], { through }), "2 processes in it");
    });
  } finally {
    other.kill("SIGKILL");
    await other.result;
    await eventually("the group is empty", () => Deno.remove(group).then(() => true, () => false));
  }
});

testWith(
  NEEDS_V2,
  "cg-keeper takes over the group in which it is started, and makes boxes there",
  async () => {
    const place = await ordinaryPlace();
    const group = `${place.slice(0, place.lastIndexOf("/"))}/service-${ID}`;
    await Deno.mkdir(group);
    try {
      await withScratch(async (folder) => {
        const file = `${folder}/cgroup`;
        const config = await configure(folder, `auto:${file}`);
        const through = ["sh", "-c", `echo $$ > ${group}/cgroup.procs; exec "$0" "$@"`];
        const keeper = startIsolate(["cg-keeper", config], { through });
        await eventually("the service has written its file", () => exists(file));
        assertEquals(await Deno.readTextFile(file), `${group}\n`);
        assertEquals(await Deno.readTextFile(`${group}/daemon/cgroup.procs`), `${keeper.pid}\n`);
        assertStringIncludes(await Deno.readTextFile(`${group}/cgroup.subtree_control`), "memory");
        await succeed([config, "--cg", "--init"]);
        assertEquals(groupsIn(group, 0).length, 1);
        await succeed([config, "--cg", "--run", "--", "/bin/true"]);
        await succeed([config, "--cg", "--cleanup"]);
        // A service manager with DelegateSubgroup= does this.
        keeper.kill("SIGTERM");
        assertEquals((await keeper.result).code, 0);
        const again = startIsolate(["cg-keeper", config], {
          through: ["sh", "-c", `echo $$ > ${group}/daemon/cgroup.procs; exec "$0" "$@"`],
        });
        await eventually("the service has written its file", () => exists(file));
        assertEquals(await Deno.readTextFile(file), `${group}\n`);
        again.kill("SIGTERM");
        assertEquals((await again.result).code, 0);
      });
    } finally {
      for (const path of [...groupsIn(group, 0), `${group}/daemon`, group]) {
        await eventually(
          `${path} is gone`,
          () => Deno.remove(path).then(() => true, () => !exists(path)),
        );
      }
    }
  },
);
