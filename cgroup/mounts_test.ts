import { assertEquals } from "@std/assert";
import { isWithin, parseHierarchies } from "./mounts.ts";

function directories(lines: readonly string[]): string[] {
  return parseHierarchies(lines.join("\n") + "\n").map(({ directory }) => directory);
}

const ROOT = "20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw";
const SYS = "21 20 0:21 / /sys rw,nosuid shared:2 - sysfs sysfs rw";
const TMPFS = "30 21 0:25 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755";
const MEMORY = "31 30 0:26 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory";
const UNIFIED = "40 21 0:40 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";

Deno.test("parseHierarchies() finds both kinds, with the controllers of the older one", () => {
  const cpu = "32 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct";
  const unified = "33 30 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
  assertEquals(parseHierarchies([ROOT, SYS, TMPFS, MEMORY, cpu, unified].join("\n")), [
    {
      version: 1,
      directory: "/sys/fs/cgroup/memory",
      controllers: ["rw", "memory"],
      writable: true,
    },
    {
      version: 1,
      directory: "/sys/fs/cgroup/cpu,cpuacct",
      controllers: ["rw", "cpu", "cpuacct"],
      writable: true,
    },
    { version: 2, directory: "/sys/fs/cgroup/unified", controllers: [], writable: true },
  ]);
});

Deno.test("parseHierarchies() sees read-only mounts and file systems", () => {
  for (const [mount, file] of [["ro", "rw"], ["rw", "ro"], ["ro", "ro"]]) {
    const line = `40 21 0:40 / /sys/fs/cgroup ${mount} - cgroup2 cgroup2 ${file}`;
    assertEquals(parseHierarchies(line)[0]?.writable, false);
  }
});

Deno.test("parseHierarchies() reads paths with blanks", () => {
  const line = String.raw`40 21 0:40 / /sys/my\040groups\134 rw - cgroup2 cgroup2 rw`;
  assertEquals(directories([line]), ["/sys/my groups\\"]);
});

Deno.test("parseHierarchies() leaves out what something else is mounted on", () => {
  const cover = (parent: number, path: string) => `50 ${parent} 0:50 / ${path} rw - tmpfs tmpfs rw`;
  assertEquals(directories([ROOT, SYS, TMPFS, MEMORY, cover(31, "/sys/fs/cgroup/memory")]), []);
  assertEquals(directories([ROOT, SYS, TMPFS, MEMORY, cover(30, "/sys/fs/cgroup")]), []);
  assertEquals(directories([ROOT, SYS, UNIFIED, cover(21, "/sys/fs")]), []);
  assertEquals(directories([ROOT, SYS, UNIFIED, cover(21, "/sys")]), []);
  assertEquals(directories([ROOT, SYS, UNIFIED, cover(20, "/opt")]), ["/sys/fs/cgroup"]);
  assertEquals(directories([ROOT, SYS, UNIFIED, cover(40, "/sys/fs/cgroup/x")]), [
    "/sys/fs/cgroup",
  ]);
});

Deno.test("parseHierarchies() prefers the upper one of two mounts at one place", () => {
  const readOnly = "50 40 0:40 / /sys/fs/cgroup ro - cgroup2 cgroup2 rw";
  const found = parseHierarchies([ROOT, SYS, UNIFIED, readOnly].join("\n"));
  assertEquals(found.map(({ writable }) => writable), [false]);
});

Deno.test("parseHierarchies() does not go by the order of the lines", () => {
  // The root was mounted last, and what was there before moved into it, as an initramfs does.
  const root = "60 1 8:1 / / rw - ext4 /dev/sda1 rw";
  const sys = "21 60 0:21 / /sys rw - sysfs sysfs rw";
  assertEquals(directories([sys, UNIFIED, root]), ["/sys/fs/cgroup"]);
  assertEquals(directories(["1 1 0:2 / / rw - rootfs rootfs rw", sys, UNIFIED, root]), [
    "/sys/fs/cgroup",
  ]);
});

Deno.test("parseHierarchies() finds nothing in nothing", () => {
  assertEquals(parseHierarchies(""), []);
  assertEquals(directories([ROOT, SYS]), []);
});

Deno.test("isWithin() goes by whole names", () => {
  assertEquals(isWithin("/a/b", "/a/b"), true);
  assertEquals(isWithin("/a/b/c", "/a/b"), true);
  assertEquals(isWithin("/a/bc", "/a/b"), false);
  assertEquals(isWithin("/a", "/a/b"), false);
  assertEquals(isWithin("/a", "/"), true);
});
