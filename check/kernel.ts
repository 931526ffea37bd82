/** The kernel and its settings. */

import { hasAllIds, idsForBoxes, parseIdMap } from "../box/rootless/id_maps.ts";
import { WITHOUT_PROC, WITHOUT_USERS } from "../box/rootless/surroundings.ts";
import { UNMASK } from "../host/refusals.ts";
import type { Machine } from "./machine.ts";
import { caution, command, fail, type Finding, pass, skip, write } from "./types.ts";

/** The sandbox needs quotactl_fd(2) and cgroup.kill. */
const NEEDED = [5, 14] as const;

/** The sandbox uses these where they exist. */
const FEATURES = [
  { since: [5, 19], what: "peak memory with cgroup v2 (memory.peak)" },
  { since: [6, 12], what: "peak memory of each single run with cgroup v2" },
] as const;

/** Checks the version of the kernel. */
export function examineKernel(machine: Machine): Finding {
  const release = machine.read("/proc/sys/kernel/osrelease");
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release ?? "") ?? [];
  if (release === undefined || major === undefined) return skip("the kernel reports no version");
  const isSince = ([wantedMajor, wantedMinor]: readonly [number, number]) =>
    Number(major) > wantedMajor || (Number(major) === wantedMajor && Number(minor) >= wantedMinor);
  if (!isSince(NEEDED)) {
    return fail(`Linux ${release} is too old: ${NEEDED.join(".")} or later is needed`);
  }
  const missing = FEATURES.filter(({ since }) => !isSince(since));
  if (missing.length === 0) return pass(`Linux ${release} has everything that isolate uses`);
  const list = missing.map(({ what, since }) => `${what} in ${since.join(".")}`).join(", ");
  return pass(`Linux ${release} is new enough (later versions add ${list})`);
}

/** Checks that there are users for boxes, which is a question in a user namespace only. */
export function examineUserNamespace(machine: Machine): Finding {
  const map = machine.read("/proc/self/uid_map");
  if (map === undefined) return skip("the kernel has no user namespaces");
  const ranges = parseIdMap(map);
  if (hasAllIds(ranges)) return pass("this is the initial user namespace");
  const { hasOneUser, firstUid, numBoxes } = machine.settings;
  if (hasOneUser) {
    return caution(
      WITHOUT_USERS,
      command("# apt-get install uidmap"),
      command("# usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER"),
    );
  }
  const ids = idsForBoxes(ranges, firstUid);
  if (ids?.first !== firstUid) {
    return fail(
      `this is a user namespace without the user ${firstUid}, whose box 0 is to be`,
      command("# configure first_uid and first_gid, or map more ids (/etc/subuid, /etc/subgid)"),
    );
  }
  if (!machine.seesProc) return caution(`${WITHOUT_PROC} (${UNMASK})`);
  const count = Math.min(ids.count, numBoxes);
  return pass(
    machine.isRootless
      ? `boxes of an ordinary user: each of ${count} has a user of its own`
      : `this is the user namespace of a container, with users for ${count} boxes`,
  );
}

/** Checks for random addresses, which make a program a little faster or slower each time. */
export function examineAddresses(machine: Machine): Finding {
  const path = "/proc/sys/kernel/randomize_va_space";
  const value = machine.read(path);
  if (value === undefined) return skip("the kernel does not say whether addresses are random");
  if (value === "0") return pass("programs are loaded at the same addresses each time");
  return fail("addresses are random (ASLR): times vary from run to run", write(path, "0"));
}

/** Finds the chosen word of `always [madvise] never`. */
function chosen(text: string): string {
  return /\[(.*?)\]/.exec(text)?.[1] ?? text;
}

/** Checks for huge pages that programs did not ask for: they change speed and memory use. */
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
  if (wrong.length === 0) return pass("transparent huge pages come only on request");
  const list = wrong.map(({ path, value }) => `${path.slice(folder.length + 1)}: ${value}`);
  return fail(
    `transparent huge pages come unasked: memory use and times vary (${list.join(", ")})`,
    ...wrong.map(({ path, repair }) => write(path, repair)),
  );
}

/** Checks that a crash in a box starts nothing outside of it. */
export function examineCorePattern(machine: Machine): Finding {
  const path = "/proc/sys/kernel/core_pattern";
  const pattern = machine.read(path);
  if (pattern === undefined) return skip("the kernel has no core dumps");
  if (pattern.startsWith("|") || pattern.startsWith("@")) {
    return fail(
      "each crash in a box starts a handler outside, which takes time and reads the program's " +
        `memory (core_pattern is ${pattern})`,
      write(path, "core"),
    );
  }
  if (pattern.includes("/")) {
    return caution(
      `core files are written outside the working directory (core_pattern is ${pattern})`,
      {
        kind: "write",
        path,
        value: "core",
      },
    );
  }
  return pass("a crash in a box writes its core file there, if --core allows it");
}

/** Checks that users cannot put other people's files into boxes. */
export function examineHardLinks(machine: Machine): Finding {
  const path = "/proc/sys/fs/protected_hardlinks";
  const value = machine.read(path);
  if (value === undefined) return skip("the kernel does not say who may make hard links");
  if (value === "1") return pass("nobody can make hard links to other users' files");
  return fail("everybody can make hard links to other users' files", write(path, "1"));
}
