/** Bad input: a sentence on standard error, exit status 2, and nothing has changed. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  assertRefused,
  isolate,
  sh,
  succeed,
  type TestBox,
  USES_SERVICE,
  withBox,
} from "../support/isolate.ts";
import { WITHOUT_USER_NAMESPACES } from "../support/ordinary_user.ts";

/** Command lines (for box 100, which exists) and what they get. */
const REFUSED: readonly (readonly [string[], string | RegExp])[] = [
  [[], "Please specify an isolate command (e.g. --init, --run)."],
  [["-v", "--", "/bin/true"], "Please specify an isolate command (e.g. --init, --run)."],
  [["--init", "--cleanup"], "Only one command is allowed."],
  [["--run", "--init", "--", "/bin/true"], "Only one command is allowed."],
  [["--nonsense", "--init"], /nonsense/],
  [["-Z", "--init"], /Z/],
  [["--run", "/bin/ls", "-l"], /-l|'l'/],
  [["--st=x", "--run", "--", "/bin/true"], /--st.*(--stdin|--stack)/],
  [["--cg-", "--init"], /--cg-/],
  [["--mem"], /--mem/],
  [["--init=now"], /--init/],
  [["--silent=yes", "--run", "--", "/bin/true"], /--silent/],
  [["--init", "extra"], "--init mode takes no parameters"],
  [["--cleanup", "extra"], "--cleanup mode takes no parameters"],
  [["--run"], "--run mode requires a command to run"],
  [["--run", "--"], "--run mode requires a command to run"],
  [["--mem=12x", "--run", "--", "/bin/true"], "Invalid numeric parameter: 12x"],
  [["--mem=", "--run", "--", "/bin/true"], "Invalid numeric parameter: "],
  [["--mem=0x10", "--run", "--", "/bin/true"], "Invalid numeric parameter: 0x10"],
  [["--mem=-1", "--run", "--", "/bin/true"], "Numeric parameter out of range: -1"],
  [["--mem=2147483648", "--run", "--", "/bin/true"], "Numeric parameter out of range: 2147483648"],
  [["--mem=18446744073709551617", "--run", "--", "/bin/true"], "Numeric parameter out of range"],
  [["--processes=", "--run", "--", "/bin/true"], "Invalid numeric parameter: "],
  [["-p4v", "--run", "--", "/bin/true"], "Invalid numeric parameter: 4v"],
  [["-pv", "--run", "--", "/bin/true"], "Invalid numeric parameter: v"],
  [["--box-id=1000", "--init"], "Sandbox ID out of range (allowed: 0-999)"],
  [["--box-id=1000", "--cleanup", "extra"], "Sandbox ID out of range (allowed: 0-999)"],
  [["--box-id=one", "--init"], "Invalid numeric parameter: one"],
  ...["1,5", "abc", "inf", "nan", "0x1", "", "1s", "."].flatMap((time) =>
    ["--time", "--wall-time", "--extra-time"].map((option): [string[], string] => [
      [`${option}=${time}`, "--run", "--", "/bin/true"],
      `Invalid numeric parameter: ${time}`,
    ])
  ),
  [["--time=-1", "--run", "--", "/bin/true"], "Numeric parameter out of range: -1"],
  [["--quota=5", "--init"], /quota.*5/],
  [["--quota=x,5", "--init"], "Invalid numeric parameter: x"],
  [["--quota=1,2,3", "--run", "--", "/bin/true"], /quota/],
  [["--box-size=", "--init"], "Invalid numeric parameter"],
  [["--box-size=10,", "--init"], "Invalid numeric parameter"],
  [["--box-size=abc", "--run", "--", "/bin/true"], "Invalid numeric parameter: abc"],
  [["--box-size=10,5,3", "--init"], "Invalid box size specified: 10,5,3"],
  [["--box-size=-1", "--init"], "Numeric parameter out of range: -1"],
  [["--box-size=99999999999", "--init"], "Numeric parameter out of range: 99999999999"],
  [
    ["--cg-mem=1000", "--run", "--", "/bin/true"],
    "Options related to control groups require --cg to be set.",
  ],
  [["--as-uid=1000", "--init"], "--as-gid"],
  [["--as-uid=7000", "--as-gid=7000", "--as-uid=0", "--init"], "--as-uid can be given only once"],
  [["--as-uid=7000", "--as-gid=7000", "--as-gid=0", "--init"], "--as-gid can be given only once"],
  [["--as-uid=7000", "--as-gid=7000", "--config=/etc/isolate", "--init"], "--config and --as-uid"],
  [["--as-uid=nobody", "--config=/etc/isolate", "--init"], "--config and --as-uid"],
  [["--as-uid=nosuchuser", "--init"], "There is no user nosuchuser in /etc/passwd"],
  [["--as-gid=1000", "--cleanup"], "--as-uid"],
  [["-E", "", "--run", "--", "/bin/true"], "Invalid environment specified: "],
  [["-E", "=x", "--run", "--", "/bin/true"], "Invalid environment specified: =x"],
  ...([
    ["../x=/usr", "Invalid path"],
    ["x/../y=/usr", "Invalid path"],
    ["=/usr", "Invalid path"],
    ["/=/usr", "Invalid path"],
    ["x=/usr:sideways", "Unknown option 'sideways'"],
    ["x=/usr:", "Unknown option ''"],
    ["proc:fs", "Missing filesystem name"],
    ["x=ext4:fs", "This filesystem is not supported"],
    ["x=tmpfs:fs:tmp", "Flags 'fs' and 'tmp' are mutually exclusive"],
    ["x=/usr:tmp", "Temporary directory mounts do not have a right-hand side"],
    ["x=usr", "Right-hand side must start with '/' or './'"],
    ["x=../usr", "Right-hand side must start with '/' or './'"],
  ].map(([rule, reason]): [string[], string] => [
    [`--dir=${rule}`, "--run", "--", "/bin/true"],
    `Invalid directory rule '${rule}': ${reason}`,
  ])),
];

/** All that a command could change, times included. */
async function traces({ id, directory }: TestBox): Promise<string> {
  const format = "%P %y %m %U:%G %s %T@ %C@\\n";
  return await sh(`find ${directory} -printf '${format}' | sort; od -c /run/isolate/locks/${id}`);
}

Deno.test("a usage error is a sentence and a hint on stderr, exit status 2, and changes nothing", async (t) => {
  await withBox(100, async (box) => {
    await Deno.writeTextFile(box.path("marker"), "kept");
    const before = await traces(box);
    for (const [args, message] of REFUSED) {
      await t.step(args.join(" ") || "(no arguments)", async () => {
        const result = await isolate(["--box-id=100", ...args]);
        assertRefused(result, message);
        assertStringIncludes(result.stderr, "--help");
        assertEquals(await traces(box), before);
      });
    }
  });
});

Deno.test("an unknown option near a known one is answered with that one", async () => {
  assertRefused(await isolate(["--wal-tim=3", "--run", "--", "/bin/true"]), "--wall-time");
});

Deno.test("a word in place of an option is answered with what there is", async () => {
  assertRefused(await isolate(["frobnicate"]), "Unknown command: frobnicate (commands: judge,");
  assertRefused(await isolate(["judgee"]), "Unknown command: judgee (did you mean judge?)");
  assertRefused(await isolate(["init"]), "Unknown command: init (did you mean --init?)");
  assertRefused(await isolate(["help", "lisst"]), "Unknown command: lisst (did you mean list?)");
});

Deno.test("isolate help is --help, of a subcommand too", async () => {
  assertEquals(await succeed(["help"]), await succeed(["--help"]));
  assertEquals(await succeed(["help", "judge"]), await succeed(["judge", "--help"]));
});

Deno.test("a run in a box that was never initialised says what to do", async () => {
  await succeed(["--box-id=101", "--cleanup"]);
  const result = await isolate(["--box-id=101", "--run", "--", "/bin/true"]);
  assertRefused(result, "Box not found, did you run `isolate --box-id=101 --init'?");
});

Deno.test("without root rights and user namespaces every command is refused with the reason", async () => {
  // A service is there for those who are not root.
  if (USES_SERVICE) return;
  for (const args of [["--init"], ["--cleanup"], ["--run", "--", "/bin/true"]]) {
    // The right to read everything: the project may lie where only root can go.
    const rights = "-all,+dac_read_search";
    const through = [
      ...WITHOUT_USER_NAMESPACES,
      ...["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"],
      ...[`--inh-caps=${rights}`, `--ambient-caps=${rights}`],
    ];
    const env = { HOME: "/nonexistent" };
    const result = await isolate(["--box-id=101", ...args], { through, env });
    assertRefused(result, /^Must be started as root .* user namespace: .* chroot/);
  }
});

Deno.test("options may follow the program and are the sandbox's own without --", async () => {
  await withBox(100, async (box) => {
    const { code, stderr } = await isolate(["--box-id=100", "--run", "/bin/true", "-s"]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals((await isolate(["/bin/true", "--run", "-b100", "-s"])).code, 0);
    assertEquals((await isolate(["-sb100", "/bin/sh", "--run", "--", "-c", "exit 3"])).code, 1);
    assertStringIncludes(
      await succeed(["--run", "-b", "100", "--", "/bin/echo", "a", "--", "-l"]),
      "a -- -l",
    );
    await box.sh("true");
  });
});

Deno.test("POSIXLY_CORRECT ends the options at the program's name", async () => {
  await withBox(100, async () => {
    const env = { POSIXLY_CORRECT: "1" };
    const args = ["-b100", "-s", "--run", "/bin/echo", "-l", "--silent"];
    assertEquals(await succeed(args, { env }), "-l --silent\n");
  });
});

Deno.test("-p 4 means unlimited processes and 4 is the program", async () => {
  await withBox(100, async (box) => {
    await Deno.writeTextFile(box.path("4"), "#!/bin/sh\n(exit 0)\nulimit -p\n", { mode: 0o755 });
    const { stdout } = await isolate(["-b100", "--run", "-p", "4"]);
    assert(stdout !== "" && stdout !== "4\n" && stdout !== "1\n", stdout);
  });
});

Deno.test("the same command given twice, prefixes and --init -- are fine", async () => {
  try {
    assertEquals(
      await succeed(["--box=100", "--ini", "--init", "--"]),
      "/var/local/lib/isolate/100\n",
    );
    assertEquals(await succeed(["--box-i", "100", "--ru", "--run", "--", "/bin/echo", "x"]), "x\n");
  } finally {
    await succeed(["-b100", "--cle", "--cleanup"]);
  }
});

Deno.test("numbers may have leading blanks and a plus sign", async () => {
  await withBox(100, async (box) => {
    assertEquals(await box.sh("ulimit -n", ["--open-files= +0033"]), "33\n");
  });
});

Deno.test("--quota at --run is checked and ignored", async () => {
  await withBox(100, async (box) => {
    assertEquals((await box.run(["--quota=1,1"], ["/bin/true"])).code, 0);
  });
});
