import { assertEquals, assertStringIncludes } from "@std/assert";
import { COMMAND, isolate, start, withScratch } from "../tests/support/isolate.ts";
import { needs, testWith } from "../tests/support/skip.ts";

/** A program that checks a machine of files, where `swapoff` ends with a status. */
function program(
  root: string,
  { request, swapoff }: { request: Record<string, boolean>; swapoff: number },
): string {
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  return `
    import { conclude, examineAll } from ${url("./check.ts")};
    import { Machine } from ${url("../check/mod.ts")};
    import { Sandbox } from ${url("../mod.ts")};
    const { system, settings } = await Sandbox.open();
    const controlGroups = () => ({ version: 2, directory: "/none", reason: "" });
    const environment = new Map();
    const root = ${JSON.stringify(root)};
    const run = (command) => {
      if (command !== "swapoff -a") return 127;
      if (${swapoff} === 0) machine.write("/proc/swaps", "Filename");
      return ${swapoff};
    };
    const machine = new Machine({ system, settings, environment, controlGroups, run, root });
    const request = ${JSON.stringify({ quiet: false, execute: false, json: false, ...request })};
    Deno.exit(conclude(examineAll(machine, request), request));
  `;
}

/** Checks a machine with two wrong files and, if it has swap space, a third fault. */
async function checkFiles(
  request: Record<string, boolean>,
  { hasSwap = false, swapoff = 0 }: { hasSwap?: boolean; swapoff?: number } = {},
) {
  let files: Record<string, string> = {};
  let result = { code: -1, stdout: "", stderr: "" };
  await withScratch(async (root) => {
    const [aslr, links] = ["kernel/randomize_va_space", "fs/protected_hardlinks"]
      .map((name) => `${root}/proc/sys/${name}`) as [string, string];
    for (const folder of ["kernel", "fs"]) {
      await Deno.mkdir(`${root}/proc/sys/${folder}`, { recursive: true });
    }
    await Deno.writeTextFile(aslr, "2\n");
    await Deno.writeTextFile(links, "0\n");
    if (hasSwap) await Deno.writeTextFile(`${root}/proc/swaps`, "Filename\n/swap x\n");
    await Deno.writeTextFile(`${root}/program.ts`, program(root, { request, swapoff }));
    const config = `--config=${new URL("../deno.json", import.meta.url).pathname}`;
    result = await start([...COMMAND.slice(0, -1), config, `${root}/program.ts`]).result;
    files = { aslr: await Deno.readTextFile(aslr), links: await Deno.readTextFile(links) };
  });
  return { ...result, files };
}

const FIXES = [
  "echo 1 > /proc/sys/fs/protected_hardlinks",
  "echo 0 > /proc/sys/kernel/randomize_va_space",
];

/** The script on standard output without comments and what this machine's disks lack. */
function fixes(stdout: string): string[] {
  return stdout.trimEnd().split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

testWith(
  [needs.root()],
  "check says what is wrong, and prints a script that repairs it",
  async () => {
    const { code, stdout, stderr, files } = await checkFiles({});
    assertEquals(code, 1);
    assertEquals(fixes(stdout), FIXES);
    assertStringIncludes(stderr, "FAIL    hard-links: everybody");
    assertStringIncludes(stderr, "FAIL    addresses: ");
    assertStringIncludes(stderr, "SKIP    turbo: ");
    for (const line of stderr.trimEnd().split("\n")) {
      assertEquals(/^(PASS|CAUTION|FAIL|SKIP) +[a-z-]+: .+[^.]$/.test(line), true, line);
    }
    assertEquals(files, { aslr: "2\n", links: "0\n" });
  },
);

testWith([needs.root()], "check -q prints the script only", async () => {
  const { code, stdout, stderr } = await checkFiles({ quiet: true });
  assertEquals([code, fixes(stdout), stderr], [1, FIXES, ""]);
});

testWith(
  [needs.root()],
  "check -e writes what it can, says so first, and looks again",
  async () => {
    const { code, stdout, stderr, files } = await checkFiles({ execute: true });
    assertEquals(code, 0, stderr);
    assertEquals(fixes(stdout), []);
    assertEquals(files, { aslr: "0\n", links: "1\n" });
    const lines = stderr.split("\n").filter((line) => /hard-?links/.test(line));
    assertEquals(lines.map((line) => line.slice(0, 8).trim()), ["FAIL", "", "PASS"]);
    assertEquals(lines[1], `        ${FIXES[0]}`);
  },
);

testWith([needs.root()], "check -e runs commands too, and leaves remarks to people", async () => {
  const { code, stdout, stderr } = await checkFiles({ execute: true }, { hasSwap: true });
  assertEquals([code, fixes(stdout)], [0, []]);
  assertStringIncludes(stdout, "# or add swapaccount=1 ");
  const lines = stderr.split("\n").filter((line) => /swap/.test(line));
  assertEquals(lines.map((line) => line.slice(0, 8).trim()), ["FAIL", "", "PASS"]);
  assertEquals(lines[1], "        swapoff -a");
});

testWith(
  [needs.root()],
  "check -e says which command fails, goes on, and still fails",
  async () => {
    const { code, stderr, files } = await checkFiles({ execute: true }, {
      hasSwap: true,
      swapoff: 3,
    });
    assertEquals(code, 1);
    assertStringIncludes(stderr, "swapoff -a: failed with exit status 3\n");
    assertEquals(files, { aslr: "0\n", links: "1\n" });
  },
);

testWith([needs.root()], "check without -e runs nothing", async () => {
  const { code, stdout, stderr } = await checkFiles({}, { hasSwap: true });
  assertEquals([code, fixes(stdout)], [1, ["swapoff -a", ...FIXES]]);
  assertStringIncludes(stderr, "FAIL    swap: ");
});

testWith([needs.root()], "check -q -e says nothing if it could repair everything", async () => {
  const { code, stderr } = await checkFiles({ execute: true, quiet: true });
  assertEquals([code, stderr], [0, ""]);
});

testWith([needs.root()], "check --json prints one list, with -e what was done", async () => {
  const { code, stdout, stderr } = await checkFiles({ json: true, execute: true });
  assertEquals([code, stderr], [0, ""]);
  const list: { check: string; verdict: string; text: string; executed: string[] }[] = JSON.parse(
    stdout,
  );
  const addresses = list.find(({ check }) => check === "addresses");
  assertEquals(addresses?.verdict, "pass");
  assertEquals(addresses?.executed, [FIXES[1]]);
});

testWith(
  [needs.root()],
  "isolate check looks at this machine, changes nothing and ends with 0 or 1",
  async () => {
    const { code, stdout, stderr } = await isolate(["check", "--json"]);
    assertEquals(stderr, "");
    const list: { check: string; verdict: string; commands: string[] }[] = JSON.parse(stdout);
    assertEquals(code, list.some(({ verdict }) => verdict === "fail") ? 1 : 0);
    assertEquals(list.find(({ check }) => check === "kernel")?.verdict, "pass");
    assertEquals(list.find(({ check }) => check === "user-namespace")?.verdict, "pass");
    const script = await isolate(["check", "-q"]);
    // Boxes come and go meanwhile.
    const stable = (lines: string[]) =>
      lines.filter((line) => !line.startsWith("isolate --box-id"));
    assertEquals(
      stable(script.stdout.split("\n").filter((line) => line !== "")),
      stable(list.flatMap(({ commands }) => commands)),
    );
  },
);

testWith([needs.root()], "isolate check refuses what it does not know", async () => {
  for (
    const [args, complaint] of [
      [["-x"], "Unknown option -x"],
      [["--jsn"], "Unknown option --jsn"],
      [["now"], "check takes no parameters, but got: now"],
      [["--config=/no/such"], "/no/such"],
      [["--config="], "Option --config needs a value: --config=FILE"],
    ] as const
  ) {
    const { code, stdout, stderr } = await isolate(["check", ...args]);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, complaint);
  }
});

testWith([needs.root()], "isolate-check-environment is isolate check", async () => {
  await withScratch(async (folder) => {
    const wrapper = new URL("../bin/isolate-check-environment", import.meta.url).pathname;
    await Deno.copyFile(wrapper, `${folder}/isolate-check-environment`);
    await Deno.writeTextFile(`${folder}/isolate`, `#!/bin/sh\nexec ${COMMAND.join(" ")} "$@"\n`);
    await Deno.chmod(`${folder}/isolate`, 0o755);
    await Deno.mkdir(`${folder}/elsewhere`);
    await Deno.symlink(
      "../isolate-check-environment",
      `${folder}/elsewhere/isolate-check-environment`,
    );
    const ours = await isolate(["check", "-q"]);
    for (
      const command of [
        [`${folder}/elsewhere/isolate-check-environment`, "-q"],
        [wrapper, "--quiet"],
      ]
    ) {
      const env = { PATH: `${folder}:${Deno.env.get("PATH")}` };
      const { code, stderr } = await start(command, { env }).result;
      assertEquals([code, stderr], [ours.code, ""]);
    }
  });
});
