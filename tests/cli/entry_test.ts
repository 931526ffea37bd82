/** `isolate.ts` where no service takes the command: it goes on as `direct.ts`, in the same process. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type CommandOptions,
  DIRECT,
  ENTRY,
  eventually,
  processesOf,
  start,
  succeed,
  withScratch,
} from "../support/isolate.ts";

const BOX_ID = 128;
const OFF = { ISOLATE_SERVICE: "off" };
const run = (...program: string[]) => [`-b${BOX_ID}`, "-s", "--run", "--", ...program];

async function withEntryBox(work: () => Promise<void>): Promise<void> {
  await succeed([`-b${BOX_ID}`, "--init"]);
  try {
    await work();
  } finally {
    await succeed([`-b${BOX_ID}`, "--cleanup"]);
  }
}

/** What a command wrote and returned, by either entry. */
async function outcomes(args: readonly string[], options: CommandOptions = {}) {
  const env = { ...options.env, ...OFF };
  const direct = await start([...DIRECT, ...args], { ...options, env }).result;
  const again = await start([...ENTRY, ...args], { ...options, env }).result;
  return { direct, again };
}

async function assertSame(args: readonly string[], options?: CommandOptions): Promise<void> {
  const { direct, again } = await outcomes(args, options);
  assertEquals(again, direct);
}

/** What a process has from whoever started it. */
async function inheritance(pid: number): Promise<Record<string, unknown>> {
  const read = (name: string) => Deno.readTextFile(`/proc/${pid}/${name}`);
  const status = await read("status");
  const descriptors: string[] = [];
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    const flags = parseInt(/^flags:\s+(\d+)/m.exec(await read(`fdinfo/${name}`))?.[1] ?? "0", 8);
    if ((flags & 0o2000000) === 0) descriptors.push(name);
  }
  return {
    name: await read("comm"),
    arguments: (await read("cmdline")).replace(/file:\/\/|\/\S*(?=direct\.ts)/g, ""),
    environment: await read("environ"),
    limits: await read("limits"),
    directory: await Deno.readLink(`/proc/${pid}/cwd`),
    descriptors: descriptors.sort(),
    ...Object.fromEntries(
      [...status.matchAll(/^(Umask|SigBlk|SigIgn|SigCgt|CapInh|CapEff|NoNewPrivs|PPid):\s+(.*)$/gm)]
        .map(([, key, value]) => [key, value]),
    ),
  };
}

Deno.test("isolate.ts goes on as direct.ts in the same process, and keeps what it was given", async () => {
  await withEntryBox(async () => {
    const seen: Record<string, unknown>[] = [];
    for (const command of [DIRECT, ENTRY]) {
      // An open descriptor, a signal that is blocked and one that is ignored, a limit.
      const through = [
        "/usr/bin/python3",
        "-c",
        "import os, signal, sys; os.umask(0o27); os.dup2(0, 77); signal.signal(signal.SIGHUP, signal.SIG_IGN); " +
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGURG]); os.execv(sys.argv[1], sys.argv[1:])",
      ];
      const options = { through, cwd: "/tmp", clearEnv: true, env: { ...OFF, A: "x y" } };
      await using running = start([...command, ...run("/bin/sleep", "60")], options);
      await eventually(
        "the program runs",
        async () => (await processesOf(60_000 + BOX_ID)).length > 0,
      );
      seen.push(await inheritance(running.pid));
      running.kill("SIGTERM");
      await running.result;
    }
    assertEquals(seen[1], seen[0]);
    assertEquals(seen[0]?.["Umask"], "0027");
    assert((seen[0]?.["descriptors"] as string[]).includes("77"));
  });
});

Deno.test("isolate.ts hands every argument on as it is", async () => {
  await withEntryBox(async () => {
    const print = run("/bin/sh", "-c", 'printf "<%s>" "$@"', "sh");
    for (const args of [[""], ["", "", "x"], ["--", "-"], ["a\nb", "c d", "ü"], ["isolate.ts"]]) {
      const { again } = await outcomes([...print, ...args]);
      assertEquals(again.stdout, args.map((arg) => `<${arg}>`).join(""), again.stderr);
    }
    const through = ["/bin/bash", "-c", `"$0" "$@" $'\\xff\\xfe'`];
    await assertSame([...run("/bin/sh", "-c", 'printf "%s" "$1" | od -An -tx1', "sh")], {
      through,
    });
    await assertSame([...run("/bin/sh", "-c", "echo ${#1}", "sh"), "x".repeat(100_000)]);
    await assertSame(run("/bin/sh", "-c", "echo $#", "sh", ...Array(20_000).fill("y")));
    await assertSame([]);
  });
});

Deno.test("by isolate.ts statuses, streams and descriptors are those of direct.ts", async () => {
  await withEntryBox(async () => {
    await assertSame(run("/bin/sh", "-c", "exit 3"));
    await assertSame(run("/none"));
    await assertSame(["--nonsense"]);
    await assertSame(["--help"]);
    await assertSame(["--version"]);
    await assertSame(run("/bin/cat"), { stdin: "what it reads\n" });
    const list = [
      `-b${BOX_ID}`,
      "-s",
      "-p",
      "--inherit-fds",
      "--run",
      "--",
      "/bin/ls",
      "/proc/self/fd",
    ];
    const through = ["/bin/bash", "-c", 'exec 7</etc/passwd 9>/dev/null; exec "$@"', "bash"];
    await assertSame(list, { through });
    await assertSame(run("/bin/true"), {
      through: ["/bin/bash", "-c", 'exec "$@" <&- >&- 2>&-', "bash"],
    });
  });
});

Deno.test("SIGINT for the process group ends a run by isolate.ts, too", async () => {
  await withEntryBox(async () => {
    const ends: unknown[] = [];
    for (const command of [DIRECT, ENTRY]) {
      // The leader of a process group of its own.
      const options = { env: OFF, through: ["setsid"] };
      await using running = start([...command, ...run("/bin/sleep", "60")], options);
      await eventually(
        "the program runs",
        async () => (await processesOf(60_000 + BOX_ID)).some((process) => /sleep$/.test(process)),
      );
      Deno.kill(-running.pid, "SIGINT");
      ends.push(await running.result);
      assertEquals(await processesOf(60_000 + BOX_ID), []);
    }
    assertEquals(ends[1], ends[0]);
  });
});

Deno.test("isolate.ts takes the rest of the program from where it may", async () => {
  await withScratch(async (scratch) => {
    const [deno, , ...rest] = ENTRY;
    const script = rest.at(-1)!;
    await Deno.symlink(script.replace(/\/[^/]*$/, ""), `${scratch}/a b%20`);
    const elsewhere = `${scratch}/a b%20/isolate.ts`;
    for (
      const args of [
        ["run", "-A", script],
        ["run", "--allow-ffi", "--allow-read", script],
        ["run", "--no-prompt", "--allow-ffi", "--v8-flags=--max-old-space-size=200", script],
        ["run", "--no-prompt", "--allow-ffi", elsewhere],
        ["run", "--no-prompt", "--allow-ffi", "--no-config", `file://${script}`],
        ["-A", script],
      ]
    ) {
      const { code, stdout, stderr } = await start([deno!, ...args, "--version"], { env: OFF })
        .result;
      assertEquals([code, stderr], [0, ""], args.join(" "));
      assertStringIncludes(stdout, "The process isolator");
    }
  });
});

Deno.test("isolate.ts says why it cannot go on", async () => {
  const without = await start(
    ["unshare", "-m", "/bin/sh", "-c", 'umount -l /proc && exec "$@"', "sh", ...ENTRY, "--version"],
    { env: OFF },
  ).result;
  assertEquals([without.code, without.stdout], [2, ""]);
  assertEquals(
    without.stderr,
    "Cannot execute Deno again, as /proc does not say how it was started: mount it; " +
      "or run direct.ts instead of isolate.ts\n",
  );
  const [deno, ...rest] = ENTRY.filter((word) => word !== "--allow-ffi");
  const denied = await start([deno!, ...rest, "--version"], { env: OFF }).result;
  assertEquals([denied.code, denied.stdout], [2, ""]);
  assertStringIncludes(denied.stderr, "--allow-ffi");
});
