/** Visitors of boxes: programs that enter one, in which another may run. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { assertRefused, CLIENT, eventually, start } from "../support/isolate.ts";
import { as, OTHER, runsSoon, steeringTest, USER } from "../support/steering.ts";

const LOOK_AROUND = `
uname -n; id -u; pwd; kill -0 2 && echo meets the program
grep -E "^(Cap(Prm|Eff|Bnd|Amb)|Seccomp|NoNewPrivs):" /proc/self/status | tr -d "[:blank:]"
ls /proc/self/fd | tr "\\n" " "
for kind in mnt pid net ipc uts cgroup user; do
  [ $(readlink /proc/self/ns/$kind) = $(readlink /proc/2/ns/$kind) ] || echo other $kind
done
unshare -U true 2>/dev/null && echo makes a user namespace
ls / >names; exit 9`;

steeringTest(
  "what enters a box is in it in every way, with no more rights than the program",
  async (steered) => {
    const { client, begin } = steered;
    await using _run = begin(
      ["-b1", "-p9", "--mem=300000", "--hostname=inside", "--run", "--", "/bin/sleep", "20"],
      USER,
    );
    await runsSoon(steered, "sleep");
    const { code, stdout } = await client(["enter", "1", "--", "/bin/sh", "-c", LOOK_AROUND], USER);
    const none = "0".repeat(16);
    assertEquals([code, stdout.trim().split("\n")], [9, [
      "inside",
      "72001",
      "/box",
      "meets the program",
      `CapPrm:${none}`,
      `CapEff:${none}`,
      `CapBnd:${none}`,
      `CapAmb:${none}`,
      "NoNewPrivs:1",
      "Seccomp:2",
      // A namespace of its own, by which everything that it starts is known.
      "0 1 2 3 other cgroup",
    ]]);
    const roots = await Deno.readTextFile("/var/local/lib/isolate-steering/1/box/names");
    assert(roots.split("\n").includes("box"));
    const limit = await client(["enter", "1", "--", "/bin/sh", "-c", "ulimit -v"], USER);
    assertEquals(limit.stdout, "300000\n");
    assertRefused(await client(["enter", "1"], OTHER), `There is no box 1 of user ${OTHER}`);
    assertEquals(
      (await client(["enter", "1", "/no/such"], USER)).stderr,
      'execve("/no/such"): No such file or directory\n',
    );
  },
);

steeringTest(
  "what has entered a box dies with it, with its client, and leaves nothing",
  async (steered) => {
    const { client, begin, status } = steered;
    const run = begin(["-b1", "-p9", "--run", "--", "/bin/sh", "-c", "sleep 20 & wait"], USER);
    await runsSoon(steered, "sleep");
    const count = async () => (await status(1)).processes.length;
    const visitor = [
      "enter",
      "1",
      "--",
      "/bin/sh",
      "-c",
      "trap '' TERM HUP INT; sleep 30 & sleep 30; :",
    ];
    for (const signal of ["SIGKILL", "SIGTERM", "SIGHUP"] as const) {
      const visit = begin(visitor, USER);
      await eventually("it has entered", async () => (await count()) >= 4);
      visit.kill(signal);
      await visit.result;
      await eventually("it is gone", async () => (await count()) === 2);
    }
    const visit = begin(["enter", "1", "--", "/bin/sleep", "30"], USER);
    await eventually("it has entered", async () => (await count()) === 3);
    await client(["kill", "1"], USER);
    assertEquals((await run.result).code, 1);
    assertEquals((await visit.result).code, 137);
    assertEquals(await count(), 0);
    assertEquals((await client(["-b1", "--run", "--", "/bin/true"], USER)).code, 0);
  },
);

steeringTest("an idle box is entered by a run of its own", async ({ client }) => {
  const shell = ["enter", "1", "--", "/bin/sh", "-c"];
  const { code, stdout } = await client([...shell, "id -u; pwd; (exit 4)"], USER);
  assertEquals([code, stdout], [4, "72001\n/box\n"]);
  assertEquals((await client([...shell, "kill -9 $$"], USER)).code, 137);
  assertRefused(await client(["enter"], USER), "ID is missing");
  assertRefused(await client(["enter", "2"], USER), "There is no box 2");
});

/** Runs a command on a new terminal; then types and waits for what is expected, in turns. */
const ON_TERMINAL = `
import fcntl, json, os, pty, select, struct, sys, termios, time
turns = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[2], sys.argv[2:])
output = b""
for typed, expected in turns:
    if typed.startswith("rows "): fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", int(typed[5:]), 80, 0, 0))
    elif typed == "pause": time.sleep(.15)
    else: os.write(fd, typed.encode())
    seen = b""
    while expected.encode() not in seen:
        ready, _, _ = select.select([fd], [], [], 5)
        try: data = os.read(fd, 4096) if ready else b""
        except OSError: data = b""
        if not data: print(output.decode(), "NOTHING AFTER", repr(typed), "BUT", seen.decode()); os._exit(99)
        seen += data
    output += seen
while True:
    try: data = os.read(fd, 4096)
    except OSError: break
    if not data: break
    output += data
_, status = os.waitpid(pid, 0)
print(output.decode().replace("\\r\\n", "\\n"))
print("status", os.waitstatus_to_exitcode(status))
`;

/** What is typed, and what must come then. A mark is written so that its echo does not look like it. */
const JOBS: readonly (readonly [typed: string, expected: string])[] = [
  ["rows 40", ""],
  ["PS1=; tty; stty size; echo A''1\n", "A1"],
  ["echo R''1; sleep 50\n", "R1"],
  ["pause", ""],
  ["\x03", "^C"],
  ["echo B''$?\n", "B130"],
  ["echo R''2; sleep 51\n", "R2"],
  ["pause", ""],
  ["\x1a", "Stopped"],
  ["jobs; bg; echo C''1\n", "C1"],
  ["echo R''3; fg\n", "R3"],
  ["pause", ""],
  ["\x03", "^C"],
  ["trap 'stty size; echo D''1' WINCH; echo E''1\n", "E1"],
  ["rows 41", ""],
  ["sleep .4; stty size; echo F''1\n", "41 80"],
  ["sleep 52 & setsid sleep 53 & echo G''1\n", "G1"],
  ["exit 7\n", ""],
];

for (const kind of ["running", "idle"] as const) {
  steeringTest(
    `a shell in a box that is ${kind} has a terminal with job control`,
    async (steered) => {
      const { begin, client, environment } = steered;
      await using _run = kind === "running"
        ? begin(["-b1", "-p9", "--run", "--", "/bin/sleep", "30"], USER)
        : undefined;
      if (kind === "running") await runsSoon(steered, "sleep");
      const { stdout, stderr } = await start(
        ["python3", "-c", ON_TERMINAL, JSON.stringify(JOBS), ...as(USER), CLIENT, "enter", "1"],
        { env: environment },
      ).result;
      assertEquals(stderr, "");
      assertStringIncludes(stdout, "\nstatus 7\n");
      assertStringIncludes(stdout, "\n40 80\n");
      const { stdout: list } = await client(["list"]);
      assertMatch(
        list,
        kind === "running" ? /^1 +7100 +running .* 1 +processes 9 /m : /^1 +7100 +ready/m,
      );
    },
  );
}

steeringTest("whatever a visitor has started ends with it, and nothing else", async (steered) => {
  const { begin, client, status } = steered;
  await using _run = begin(
    ["-b1", "-p60", "--run", "--", "/bin/sh", "-c", "sleep 30 & wait"],
    USER,
  );
  await runsSoon(steered, "sleep");
  const script =
    "setsid sleep 40 & (setsid sh -c 'trap \"\" TERM HUP; sleep 41 & sleep 42; :') & " +
    "i=0; while [ $i -lt 20 ]; do sleep 43 & i=$((i+1)); done; sleep .1; exit 3";
  assertEquals((await client(["enter", "1", "--", "/bin/sh", "-c", script], USER)).code, 3);
  assertEquals((await status(1)).processes.map(({ name }) => name), ["sh", "sleep"]);
  // One that starts others all the time.
  const bomb = "while :; do /bin/true; done & while :; do /bin/true; done & sleep .1; exit 4";
  assertEquals((await client(["enter", "1", "--", "/bin/sh", "-c", bomb], USER)).code, 4);
  assertEquals((await status(1)).processes.length, 2);
});

const ROOT_LOOKS = `
id -u; grep CapEff /proc/self/status; echo mended > /box/file; chown 72001 /box/file
mount -t tmpfs none /tmp 2>/dev/null && echo mounts
[ -r /proc/2/environ ] && echo sees the program; kill -0 2 && echo signals it; exit 5`;

steeringTest(
  "root enters as root if root asks for that, with few capabilities",
  async (steered) => {
    const { begin, client } = steered;
    const look = ["enter", "1", "--root", "--", "/bin/sh", "-c", ROOT_LOOKS];
    assertRefused(await client(look, USER), "Option --root can be used only by root");
    const idle = await client(look);
    assertEquals([idle.code, idle.stdout.split("\n")[0]], [5, "0"]);
    {
      await using _run = begin(["-b1", "--run", "--", "/bin/sleep", "20"], USER);
      await runsSoon(steered, "sleep");
      const { code, stdout } = await client(look);
      assertEquals([code, stdout], [
        5,
        "0\nCapEff:\t00000000000800ff\nsees the program\nsignals it\n",
      ]);
    }
    await eventually("the file is the caller's", async () => {
      return (await Deno.stat("/var/local/lib/isolate-steering/1/box/file")).uid === USER;
    });
  },
);
