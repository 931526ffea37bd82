import { groupName } from "../box/control_groups.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ControlGroupError } from "../cgroup/types.ts";
import { defaultSettings, type Settings } from "../config/settings.ts";
import { System } from "../ffi/system.ts";
import { ExpectedError } from "../text/errors.ts";
import { withFolder } from "../tests/support/folder.ts";
import { CHECKS, type Finding, Machine, type MachineOptions, shellLine } from "./mod.ts";

const system = await System.load();
const MOUNT = "/sys/fs/cgroup";
const V1 = ["memory", "cpuset", "pids", "cpuacct"].map((name, i) =>
  `${30 + i} 24 0:${30 + i} / ${MOUNT}/${name} rw - cgroup cgroup rw,${name}`
).join("\n");
const V2 = `30 24 0:26 / ${MOUNT} rw - cgroup2 cgroup2 rw`;

/** The tree of a machine: paths and what the files say. */
type Tree = Readonly<Record<string, string>>;

/** Makes a machine of files, lets a test look at it, and removes it. */
function withMachine(
  tree: Tree,
  test: (machine: Machine, root: string) => void,
  options: Partial<MachineOptions> = {},
): Promise<void> {
  return withFolder((root) => {
    for (const [path, text] of Object.entries(tree)) {
      Deno.mkdirSync(root + path.slice(0, path.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(root + path, `${text}\n`);
    }
    const machine = new Machine({
      system,
      settings: defaultSettings(),
      environment: new Map(),
      controlGroups: () => ({ version: 2, directory: `${MOUNT}/isolate`, reason: "so" }),
      run: runNothing,
      root,
      ...options,
    });
    test(machine, root);
  });
}

/** Looking at a machine runs no commands. */
function runNothing(command: string): number {
  throw new Error(`nothing may run ${command}`);
}

/** What the check of that name finds. */
function look(machine: Machine, name: string): Finding & { lines: string[] } {
  const check = CHECKS.find((check) => check.name === name);
  assert(check, `there is no check ${name}`);
  const finding = check.examine(machine);
  return { ...finding, lines: (finding.repairs ?? []).map(shellLine) };
}

/** A row: the check, the machine, the verdict, words of the text, and the lines of the repair. */
type Row = readonly [name: string, tree: Tree, verdict: string, words: string, lines?: string[]];

const CPU = "/sys/devices/system/cpu";
const HUGE = "/sys/kernel/mm/transparent_hugepage";
const KERNEL = "/proc/sys/kernel";
const SWAPS = "Filename Type Size Used Priority\n/swapfile file 1 0 -2";

const ROWS: readonly Row[] = [
  ["kernel", {}, "skip", "no version"],
  ["kernel", { [`${KERNEL}/osrelease`]: "5.13.19-2-pve" }, "fail", "5.14 or later"],
  ["kernel", { [`${KERNEL}/osrelease`]: "5.14.0" }, "pass", "6.12"],
  ["kernel", { [`${KERNEL}/osrelease`]: "4.19.0" }, "fail", "too old"],
  ["kernel", { [`${KERNEL}/osrelease`]: "6.12.1-amd64" }, "pass", "everything that isolate uses"],
  ["user-namespace", { "/proc/self/uid_map": "0 0 4294967295" }, "pass", "initial"],
  ["user-namespace", { "/proc/self/uid_map": "0 100000 65536" }, "pass", "container"],
  ["user-namespace", { "/proc/self/uid_map": "0 100000 1000" }, "fail", "without the user 60000"],
  ["user-namespace", {}, "skip", "no user namespaces"],
  ["root-inside", {}, "skip", "no user namespaces"],
  ["root-inside", { "/proc/sys/user/max_user_namespaces": "5000" }, "pass", "can be root"],
  ["root-inside", { "/proc/sys/user/max_user_namespaces": "0" }, "caution", "turned off", [
    "echo 1000 > /proc/sys/user/max_user_namespaces",
  ]],
  ["bridge", {}, "skip", "gives boxes no addresses"],

  [
    "control-groups",
    {
      "/proc/self/mountinfo": V2,
      [`${MOUNT}/cgroup.controllers`]: "cpuset cpu io memory pids",
    },
    "pass",
    "cgroup v2",
  ],
  [
    "control-groups",
    {
      "/proc/self/mountinfo": V2,
      [`${MOUNT}/cgroup.controllers`]: "memory pids",
    },
    "caution",
    "cpuset",
  ],
  ["swap", {}, "pass", "no swap"],
  ["swap", { "/proc/swaps": SWAPS.split("\n")[0]! }, "pass", "no swap"],
  ["swap", { "/proc/swaps": SWAPS, "/proc/self/mountinfo": V1 }, "fail", "/swapfile", [
    "swapoff -a",
    "# or add swapaccount=1 to the kernel's command line and reboot",
  ]],
  [
    "swap",
    {
      "/proc/swaps": SWAPS,
      "/proc/self/mountinfo": V1,
      [`${MOUNT}/memory/memory.memsw.limit_in_bytes`]: "9",
    },
    "caution",
    "/swapfile",
    ["swapoff -a"],
  ],
  [
    "swap",
    {
      "/proc/swaps": SWAPS,
      "/proc/self/mountinfo": V2,
      [`${MOUNT}/init.scope/memory.swap.max`]: "max",
    },
    "caution",
    "limits count it",
    ["swapoff -a"],
  ],

  ["hard-links", { "/proc/sys/fs/protected_hardlinks": "1" }, "pass", "nobody"],
  ["hard-links", { "/proc/sys/fs/protected_hardlinks": "0" }, "fail", "everybody", [
    "echo 1 > /proc/sys/fs/protected_hardlinks",
  ]],
  ["core-pattern", { [`${KERNEL}/core_pattern`]: "core" }, "pass", "crash"],
  ["core-pattern", { [`${KERNEL}/core_pattern`]: "|/usr/lib/apport %p" }, "fail", "|/usr/lib", [
    `echo core > ${KERNEL}/core_pattern`,
  ]],
  ["core-pattern", { [`${KERNEL}/core_pattern`]: "/var/crash/%e" }, "caution", "/var/crash/%e"],

  ["threads", {}, "skip", "does not say"],
  ["threads", { [`${CPU}/smt/active`]: "0" }, "pass", "one thread"],
  ["threads", { [`${CPU}/smt/active`]: "1" }, "fail", "two threads", [
    `echo off > ${CPU}/smt/control`,
  ]],
  ["governor", { [`${CPU}/cpu0/online`]: "1" }, "skip", "clock"],
  [
    "governor",
    {
      [`${CPU}/cpu0/cpufreq/scaling_governor`]: "performance",
      [`${CPU}/cpu10/cpufreq/scaling_governor`]: "powersave",
      [`${CPU}/cpu2/cpufreq/scaling_governor`]: "powersave",
      [`${CPU}/cpufreq/policy0/scaling_governor`]: "powersave",
    },
    "fail",
    "2 of 3 CPUs",
    [
      `echo performance > ${CPU}/cpu2/cpufreq/scaling_governor`,
      `echo performance > ${CPU}/cpu10/cpufreq/scaling_governor`,
    ],
  ],
  [
    "governor",
    {
      [`${CPU}/cpu0/cpufreq/scaling_governor`]: "performance",
      [`${CPU}/cpu1/cpufreq/scaling_governor`]: "performance",
    },
    "pass",
    "full clock",
  ],
  ["turbo", {}, "skip", "no switch"],
  ["turbo", { [`${CPU}/intel_pstate/no_turbo`]: "1" }, "pass", "off"],
  ["turbo", { [`${CPU}/intel_pstate/no_turbo`]: "0" }, "fail", "on", [
    `echo 1 > ${CPU}/intel_pstate/no_turbo`,
  ]],
  ["turbo", { [`${CPU}/cpufreq/boost`]: "1" }, "fail", "on", [`echo 0 > ${CPU}/cpufreq/boost`]],
  ["turbo", { [`${CPU}/cpufreq/boost`]: "0" }, "pass", "off"],
  ["cores", { [`${CPU}/cpu0/cpu_capacity`]: "1024" }, "pass", "one kind"],
  [
    "cores",
    {
      [`${CPU}/cpu0/cpu_capacity`]: "1024",
      [`${CPU}/cpu1/cpu_capacity`]: "446",
    },
    "caution",
    "faster and slower",
  ],
  [
    "cores",
    {
      "/sys/devices/cpu_core/cpus": "0-7",
      "/sys/devices/cpu_atom/cpus": "8-15",
    },
    "caution",
    "8-15 (atom), 0-7 (core)",
  ],

  ["addresses", { [`${KERNEL}/randomize_va_space`]: "0" }, "pass", "same addresses"],
  ["addresses", { [`${KERNEL}/randomize_va_space`]: "2" }, "fail", "ASLR", [
    `echo 0 > ${KERNEL}/randomize_va_space`,
  ]],
  ["huge-pages", {}, "skip", "no transparent"],
  [
    "huge-pages",
    {
      [`${HUGE}/enabled`]: "[always] madvise never",
      [`${HUGE}/defrag`]: "always defer defer+madvise [madvise] never",
      [`${HUGE}/khugepaged/defrag`]: "1",
    },
    "fail",
    "enabled: always, khugepaged/defrag: 1",
    [
      `echo madvise > ${HUGE}/enabled`,
      `echo 0 > ${HUGE}/khugepaged/defrag`,
    ],
  ],
  [
    "huge-pages",
    {
      [`${HUGE}/enabled`]: "always madvise [never]",
      [`${HUGE}/defrag`]: "[always] defer defer+madvise madvise never",
      [`${HUGE}/khugepaged/defrag`]: "1",
    },
    "pass",
    "only on request",
  ],
  ["box-mount", { "/proc/sys/vm/memfd_noexec": "2" }, "caution", "memfd_noexec", [
    "echo 0 > /proc/sys/vm/memfd_noexec",
  ]],
  ["leftovers", {}, "pass", "0 boxes"],
];

for (const [name, tree, verdict, words, lines = []] of ROWS) {
  const what = Object.entries(tree).map(([path, text]) => `${path} ${text.split("\n")[0]}`);
  Deno.test(`check ${name}: ${verdict} with ${what.join(", ") || "nothing to see"}`, () =>
    withMachine(tree, (machine) => {
      const found = look(machine, name);
      assertEquals(found.verdict, verdict, found.text);
      assertStringIncludes(found.text, words);
      if (verdict === "fail" && lines.length > 0) assertEquals(found.lines, lines);
      if (verdict === "pass" || verdict === "skip") assertEquals(found.lines, []);
      for (const line of lines) assert(found.lines.includes(line), found.lines.join("\n"));
    }));
}

Deno.test("check control-groups fails with the reason why they cannot be used", () =>
  withMachine({}, (machine) => {
    const found = look(machine, "control-groups");
    assertEquals([found.verdict, found.text, found.lines], ["fail", "the reason", []]);
  }, {
    controlGroups: () => {
      throw new ControlGroupError("the reason");
    },
  }));

Deno.test("check control-groups says how to start the service or how to boot, if that is the reason", () => {
  const broken = {
    controlGroups: () => {
      throw new ControlGroupError("the reason");
    },
  };
  const settings: Settings = {
    ...defaultSettings(),
    cgRoot: { kind: "fromFile", file: "/run/isolate/cgroup" },
  };
  return Promise.all([
    withMachine({}, (machine) => {
      assertEquals(look(machine, "control-groups").lines, [
        "systemctl enable --now isolate.service",
      ]);
    }, { ...broken, settings }),
    withMachine({ "/proc/cgroups": "#subsys_name\nmemory\t0\t1\t0" }, (machine) => {
      assertStringIncludes(look(machine, "control-groups").lines.join(), "cgroup_enable=memory");
    }, broken),
  ]).then(() => {});
});

const BOXES = "/var/local/lib/isolate";
const LOCKS = "/run/isolate/locks";

/** A lock file with these flags. */
function lockFile(flags: number): Uint8Array {
  return new Uint8Array(new Uint32Array([0x6b6c7369, 0, flags, 0]).buffer);
}

Deno.test("check leftovers tells boxes and groups that nobody will clean up from those in use", () =>
  withMachine({
    [`${BOXES}/1/box/file`]: "a box between two commands",
    [`${BOXES}/2/box/file`]: "whose lock file is gone",
    [`${BOXES}/3/box/file`]: "whose keeper died while it made the box",
    [`${BOXES}/README`]: "no box",
    [`${MOUNT}/isolate/box-8-0.1.2/cgroup.procs`]: "4711",
    [`${BOXES}/7/box/file`]: "somebody works on it",
    [`${LOCKS}/9`]: "no lock file",
    "/proc/locks": "",
  }, (machine, root) => {
    Deno.writeFileSync(`${root}${LOCKS}/1`, lockFile(1));
    Deno.writeFileSync(`${root}${LOCKS}/3`, lockFile(0));
    Deno.writeFileSync(`${root}${LOCKS}/4`, lockFile(3));
    Deno.writeFileSync(`${root}${LOCKS}/6`, lockFile(3));
    Deno.writeFileSync(`${root}${LOCKS}/7`, lockFile(3));
    const { dev, ino } = Deno.statSync(`${root}${LOCKS}/7`);
    const major = (dev >> 8) & 0xfff;
    const minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);
    const identity = `${major}:${minor}:${Deno.statSync(`${root}${LOCKS}`).ino}`;
    for (const [boxId, processes] of [[4, "4711"], [5, ""], [6, ""], [7, "4711"]] as const) {
      const group = `${root}${MOUNT}/isolate/${groupName(boxId, identity)}`;
      Deno.mkdirSync(group);
      Deno.writeTextFileSync(`${group}/cgroup.procs`, processes);
    }
    const hex = (number: number) => number.toString(16).padStart(2, "0");
    Deno.writeTextFileSync(
      `${root}/proc/locks`,
      `1: FLOCK  ADVISORY  WRITE 99 ${hex(major)}:${hex(minor)}:${ino} 0 EOF\n`,
    );
    const found = look(machine, "leftovers");
    assertEquals(found.verdict, "caution");
    assertEquals(found.lines, [
      "isolate --box-id=2 --cleanup",
      "isolate --box-id=3 --cleanup",
      "isolate --box-id=4 --cg --cleanup",
      "isolate --box-id=5 --cg --cleanup",
    ]);
  }));

Deno.test("check box-mount fails where boxes lie on a noexec or read-only file system", async () => {
  const settings = { ...defaultSettings(), boxRoot: "/proc/isolate/boxes" };
  const machine = (boxRoot: string) =>
    new Machine({
      system,
      settings: { ...settings, boxRoot },
      environment: new Map([["TMPDIR", "/proc"]]),
      controlGroups: () => {
        throw new ControlGroupError("none");
      },
      run: runNothing,
    });
  // The kernel mounts /proc noexec itself, or init does.
  const isNoExec = (await Deno.readTextFile("/proc/self/mountinfo")).split("\n")
    .some((line) => / \/proc [^ ]*noexec/.test(line));
  const found = look(machine("/proc/isolate/boxes"), "box-mount");
  assertEquals(found.verdict, isNoExec ? "fail" : "pass");
  assertEquals(look(machine("/var/local/lib/isolate"), "box-mount").verdict, "pass");
});

Deno.test("Machine.write() writes what a repair says", () =>
  withMachine({ [`${KERNEL}/randomize_va_space`]: "2" }, (machine, root) => {
    machine.write(`${KERNEL}/randomize_va_space`, "0");
    assertEquals(Deno.readTextFileSync(`${root}${KERNEL}/randomize_va_space`), "0\n");
    assertEquals(look(machine, "addresses").verdict, "pass");
  }));

Deno.test("Machine.write() says in a sentence why it cannot", () =>
  withMachine({}, (machine) => {
    const path = `${KERNEL}/randomize_va_space`;
    const error = assertThrows(() => machine.write(path, "0"), ExpectedError);
    assertStringIncludes(error.message, `Cannot write 0 to ${path}: No such file`);
  }));

Deno.test("Machine.list() and Machine.read() give nothing for what is not there", () =>
  withMachine({ "/b/c": " x \n", "/b/a": "" }, (machine) => {
    assertEquals(machine.list("/b"), ["a", "c"]);
    assertEquals(machine.list("/no"), []);
    assertEquals(machine.read("/b/c"), "x");
    assertEquals(machine.read("/b"), undefined);
    assertEquals([machine.exists("/b"), machine.exists("/no")], [true, false]);
  }));
