/** The kernel and its settings. */

import type { Machine } from "./machine.ts";
import { caution, command, fail, type Finding, pass, skip, write } from "./types.ts";

/** What the sandbox cannot do without: quotactl_fd(2), cgroup.kill. */
const NEEDED = [5, 14] as const;

/** What it uses where it is there. */
const FEATURES = [
  { since: [5, 19], what: "peak memory with cgroup v2 (memory.peak)" },
  { since: [6, 12], what: "peak memory of each run alone with cgroup v2" },
] as const;

/** The version of the kernel. */
export function examineKernel(machine: Machine): Finding {
  const release = machine.read("/proc/sys/kernel/osrelease");
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release ?? "") ?? [];
  if (release === undefined || major === undefined) return skip("the kernel tells no version");
  const isSince = ([wantedMajor, wantedMinor]: readonly [number, number]) =>
    Number(major) > wantedMajor || (Number(major) === wantedMajor && Number(minor) >= wantedMinor);
  if (!isSince(NEEDED)) {
    return fail(`Linux ${release} is too old: ${NEEDED.join(".")} or later is needed`);
  }
  const missing = FEATURES.filter(({ since }) => !isSince(since));
  if (missing.length === 0) return pass(`Linux ${release} has all that is used`);
  const list = missing.map(({ what, since }) => `${what}: ${since.join(".")}`).join("; ");
  return pass(`Linux ${release} is new enough (later ones have more: ${list})`);
}

/** Inside a user namespace root is not root enough. */
export function examineUserNamespace(machine: Machine): Finding {
  const map = machine.read("/proc/self/uid_map");
  if (map === undefined) return skip("the kernel has no user namespaces");
  if (/^0\s+0\s+4294967295$/.test(map)) return pass("this is the first user namespace");
  return fail(
    "this is a user namespace of a container: boxes need the ids and mounts of the first one",
    command("# run the container as privileged, without a user namespace (no userns-remap)"),
  );
}

/** Random addresses make the same program a little faster or slower each time. */
export function examineAddresses(machine: Machine): Finding {
  const path = "/proc/sys/kernel/randomize_va_space";
  const value = machine.read(path);
  if (value === undefined) return skip("the kernel does not say whether addresses are random");
  if (value === "0") return pass("programs lie at the same addresses each time");
  return fail("addresses are random (ASLR): times vary from run to run", write(path, "0"));
}

/** The chosen word of `always [madvise] never`. */
function chosen(text: string): string {
  return /\[(.*?)\]/.exec(text)?.[1] ?? text;
}

/** Huge pages come as they please, and with them speed and memory. */
export function examineHugePages(machine: Machine): Finding {
  const folder = "/sys/kernel/mm/transparent_hugepage";
  if (!machine.exists(`${folder}/enabled`)) return skip("the kernel has no transparent huge pages");
  const rules = [
    { path: `${folder}/enabled`, good: ["madvise", "never"], repair: "madvise" },
    { path: `${folder}/defrag`, good: ["madvise", "never"], repair: "madvise" },
    { path: `${folder}/khugepaged/defrag`, good: ["0"], repair: "0" },
  ].flatMap((rule, i) => {
    if (i > 0 && chosen(machine.read(`${folder}/enabled`) ?? "") === "never") return [];
    const text = machine.read(rule.path);
    return text === undefined ? [] : [{ ...rule, value: chosen(text) }];
  });
  const wrong = rules.filter(({ good, value }) => !good.includes(value));
  if (wrong.length === 0) return pass("transparent huge pages do not come and go by themselves");
  const list = wrong.map(({ path, value }) => `${path.slice(folder.length + 1)}: ${value}`);
  return fail(
    `transparent huge pages come and go: memory and times vary (${list.join(", ")})`,
    ...wrong.map(({ path, repair }) => write(path, repair)),
  );
}

/** A crash of a program in a box must start nothing outside of it. */
export function examineCorePattern(machine: Machine): Finding {
  const path = "/proc/sys/kernel/core_pattern";
  const pattern = machine.read(path);
  if (pattern === undefined) return skip("the kernel has no core dumps");
  if (pattern.startsWith("|") || pattern.startsWith("@")) {
    return fail(
      "each crash in a box is handed to a program outside, which takes time and reads its memory " +
        `(core_pattern is ${pattern})`,
      write(path, "core"),
    );
  }
  if (pattern.includes("/")) {
    return caution(`core files are not made where the program runs (core_pattern is ${pattern})`, {
      kind: "write",
      path,
      value: "core",
    });
  }
  return pass("a crash in a box makes a core file there, if --core allows it");
}

/** Users must not be able to put other people's files into boxes. */
export function examineHardLinks(machine: Machine): Finding {
  const path = "/proc/sys/fs/protected_hardlinks";
  const value = machine.read(path);
  if (value === undefined) return skip("the kernel does not say who may make hard links");
  if (value === "1") return pass("nobody can make hard links to files of others");
  return fail("everybody can make hard links to files of others", write(path, "1"));
}
