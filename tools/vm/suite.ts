/** Which tests run in a guest, and what they find there. */

/** The guests, by what their tests are about. */
export type GuestName = "cgroup2" | "newer" | "systemd";

/**
 * What another kernel has a say in: control groups, quotas, and all that the classic command line
 * does. The guest is emulated, every test takes ten times as long there; any other test runs there
 * when it is named.
 */
const CGROUP2_TESTS = /^(cgroup|tests\/(vm|cgroup|cli))\/.*_test\.ts$/;

/** What a kernel can do since Linux 6.12: tell the peak memory of one run. */
const NEWER_TESTS = /^tests\/cgroup\/memory_test\.ts$/;

/**
 * What the kernel has no say in: how arguments, environments and configurations are read, and a
 * service that is not under systemd's care. What judge systems type is tested there with `--cg`.
 */
const HOST_ONLY = /^tests\/(cgroup\/keeper|cli\/(clients|config|environment|usage))_test\.ts$/;

const SYSTEMD_TESTS = /^tests\/systemd\/.*_test\.ts$/;

/** The files of the project, without what git ignores. */
export async function projectFiles(root: string): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    cwd: root,
  }).output();
  if (!success) throw new Error(`git ls-files: ${new TextDecoder().decode(stderr).trim()}`);
  const names = new TextDecoder().decode(stdout).split("\0").filter((name) => name !== "");
  const existing = await Promise.all(names.map((name) => isFile(`${root}/${name}`)));
  return [...new Set(names.filter((_, index) => existing[index]))].sort();
}

/** A file that was removed stays listed until that is committed. */
async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isFile, () => false);
}

function belongs(file: string, guest: GuestName): boolean {
  switch (guest) {
    case "cgroup2":
      return CGROUP2_TESTS.test(file) && !HOST_ONLY.test(file);
    case "newer":
      return NEWER_TESTS.test(file);
    case "systemd":
      return SYSTEMD_TESTS.test(file);
  }
}

/** The test files that run in a guest; with words those whose names hold one of them. */
export function guestTests(
  files: readonly string[],
  { guest, words = [] }: { guest: GuestName; words?: readonly string[] },
): string[] {
  const listed = files.filter((file) => /_test\.ts$/.test(file));
  if (words.length === 0) return listed.filter((file) => belongs(file, guest));
  // Who names a file wants it run, and be it in a guest where it does not run by itself.
  const fits = (file: string) =>
    guest === "cgroup2" ? !SYSTEMD_TESTS.test(file) : belongs(file, guest);
  return listed.filter((file) => fits(file) && words.some((word) => file.includes(word)));
}

/**
 * Deals test files out to guests that run at the same time, so that all end at about the same time.
 */
export function deal(
  tests: readonly string[],
  { guests, weightOf }: { guests: number; weightOf: (file: string) => number },
): string[][] {
  const hands = Array.from({ length: guests }, () => ({ files: [] as string[], weight: 0 }));
  const heaviestFirst = tests.toSorted((a, b) => weightOf(b) - weightOf(a));
  for (const file of heaviestFirst) {
    const lightest = hands.reduce((a, b) => b.weight < a.weight ? b : a);
    lightest.files.push(file);
    lightest.weight += weightOf(file);
  }
  return hands.map(({ files }) => files.sort()).filter((files) => files.length > 0);
}
