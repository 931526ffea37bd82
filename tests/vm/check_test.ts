/**
 * `isolate check -e` against a real kernel: only in the guest, where nobody minds what it changes.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMAND, isolate, sh } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

const HUGE = "/sys/kernel/mm/transparent_hugepage";

/** Files of the kernel with a wrong value, and what they hold after the repair. */
const WRONG: readonly { path: string; value: string; check: string; repair: string }[] = [
  {
    path: "/proc/sys/fs/protected_hardlinks",
    value: "0",
    check: "hard-links",
    repair: "1",
  },
  {
    path: "/proc/sys/kernel/core_pattern",
    value: "|/bin/false %p",
    check: "core-pattern",
    repair: "core",
  },
  {
    path: "/proc/sys/kernel/randomize_va_space",
    value: "2",
    check: "addresses",
    repair: "0",
  },
  { path: `${HUGE}/enabled`, value: "always", check: "huge-pages", repair: "madvise" },
  { path: `${HUGE}/defrag`, value: "always", check: "huge-pages", repair: "madvise" },
  { path: `${HUGE}/khugepaged/defrag`, value: "1", check: "huge-pages", repair: "0" },
];

/** The value of a file, or of its words the one in brackets. */
function read(path: string): string {
  const text = Deno.readTextFileSync(path).trim();
  return /\[(.*?)\]/.exec(text)?.[1] ?? text;
}

/** All that is configured by the same folders, to see that nothing else changes. */
function settings(): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of ["/proc/sys/kernel", "/proc/sys/fs", "/proc/sys/vm", HUGE]) {
    for (const { name, isFile } of Deno.readDirSync(folder)) {
      // These count what goes on.
      if (!isFile || /^(ns_last_pid|.*-(nr|state)|compact_.*|drop_caches)$/.test(name)) continue;
      try {
        found.set(`${folder}/${name}`, Deno.readTextFileSync(`${folder}/${name}`));
      } catch {
        // Some can only be written.
      }
    }
  }
  return found;
}

async function withWrongSettings(test: () => Promise<void>): Promise<void> {
  const before = WRONG.map(({ path }) => read(path));
  try {
    for (const { path, value } of WRONG) Deno.writeTextFileSync(path, value);
    await test();
  } finally {
    WRONG.forEach(({ path }, i) => Deno.writeTextFileSync(path, before[i]!));
  }
}

const REQUIREMENTS = [needs.path("/vm/run", "a guest"), needs.path("/dev/loop0", "loop devices")];

testWith(
  REQUIREMENTS,
  "check finds what is wrong with a kernel and leaves it as it is",
  () =>
    withWrongSettings(async () => {
      const { code, stdout, stderr } = await isolate(["check"]);
      assertEquals(code, 1, stderr);
      for (const { path, check, repair } of WRONG) {
        assertStringIncludes(stderr, `FAIL    ${check}: `);
        assertStringIncludes(stdout, `echo ${repair} > ${path}\n`);
      }
      assertEquals(WRONG.map(({ path }) => read(path)), WRONG.map(({ value }) => value));
    }),
);

testWith(
  REQUIREMENTS,
  "check -e repairs what is wrong, and touches nothing else",
  () =>
    withWrongSettings(async () => {
      const expected = settings();
      const { code, stdout, stderr } = await isolate(["check", "-e"]);
      assertEquals(code, 0, stderr);
      assertEquals(WRONG.map(({ path }) => read(path)), WRONG.map(({ repair }) => repair));
      for (const { path, check, repair } of WRONG) {
        const line = `        echo ${repair} > ${path}\n`;
        const [before = "", after = ""] = stderr.split(line);
        assertStringIncludes(before, `FAIL    ${check}: `);
        assertStringIncludes(after, `PASS    ${check}: `);
      }
      // What is left is not for us to do.
      for (const line of stdout.split("\n").filter(Boolean)) assertEquals(line[0], "#", stdout);

      const changed = settings();
      for (const { path } of WRONG) {
        expected.delete(path);
        changed.delete(path);
      }
      assertEquals(changed, expected);

      const again = await isolate(["check", "-e", "-q"]);
      assertEquals([again.code, again.stdout, again.stderr], [0, stdout, ""]);
    }),
);

/** What `check --json` says of one check. */
interface Found {
  check: string;
  verdict: string;
  executed: string[];
}

async function swapAndLeftoverBox(): Promise<void> {
  const leftover = "/var/local/lib/isolate/777";
  await Deno.mkdir(`${leftover}/box`, { recursive: true });
  await sh("losetup /dev/loop0 /tmp/swap; mkswap /dev/loop0; swapon /dev/loop0");
  assertStringIncludes(await Deno.readTextFile("/proc/swaps"), "/dev/loop0");
  const { code, stdout, stderr } = await isolate(["check", "-e", "--json"]);
  assertEquals(code, 0, stdout + stderr);
  const found: Found[] = JSON.parse(stdout);
  for (
    const [name, command] of [
      ["swap", "swapoff -a"],
      ["leftovers", "isolate --box-id=777 --cleanup"],
    ] as const
  ) {
    const result = found.find(({ check }) => check === name);
    assertEquals([result?.verdict, result?.executed], ["pass", [command]]);
  }
  assert(!(await Deno.readTextFile("/proc/swaps")).includes("loop"));
  assert(!await Deno.stat(leftover).then(() => true, () => false), "the box is still there");
}

testWith(REQUIREMENTS, "check -e turns swap off and cleans up what nobody will", async () => {
  const command = "/usr/local/bin/isolate";
  try {
    await Deno.writeTextFile(command, `#!/bin/sh\nexec ${COMMAND.join(" ")} "$@"\n`);
    await Deno.chmod(command, 0o755);
    await sh("head -c 16777216 /dev/zero > /tmp/swap");
    await withWrongSettings(swapAndLeftoverBox);
  } finally {
    await sh("swapoff -a; losetup --detach /dev/loop0 || :; rm -f /tmp/swap");
    await Deno.remove(command);
  }
});

testWith(
  REQUIREMENTS,
  "check -e says what the kernel refuses, and goes on",
  () =>
    withWrongSettings(async () => {
      // Nobody can write below a mount that is read-only.
      const script =
        `mount --bind ${HUGE} ${HUGE} && mount -o remount,bind,ro ${HUGE} && exec "$@"`;
      const through = ["unshare", "--mount", "/bin/sh", "-c", script, "sh"];
      const { code, stderr } = await isolate(["check", "-e"], { through });
      assertEquals(code, 1, stderr);
      assertStringIncludes(stderr, "EROFS");
      for (const { path, value, repair } of WRONG) {
        assertEquals(read(path), path.startsWith(HUGE) ? value : repair);
      }
    }),
);
