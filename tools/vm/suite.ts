/** Which tests run in a guest, and what they find there. */

/** Packages of this machine whose programs the tests call, or run in boxes. */
export const HOST_PACKAGES = [
  "bash",
  "bsdutils",
  "coreutils",
  "dash",
  "e2fsprogs",
  "findutils",
  "grep",
  "hostname",
  "mount",
  "procps",
  "python3",
  "sed",
  "util-linux",
];

/** Tests of sources and builds: another kernel has nothing to say about them. */
const HOST_ONLY = /^tests\/(support\/.*|layers|compile|documentation)_test\.ts$/;

/** The files of the project, without what git ignores; deleted ones may still be listed. */
export async function projectFiles(root: string): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    cwd: root,
  }).output();
  if (!success) throw new Error(`git ls-files: ${new TextDecoder().decode(stderr).trim()}`);
  const names = new TextDecoder().decode(stdout).split("\0").filter((name) => name !== "");
  return [...new Set(names)].sort();
}

/** The test files that run in the guest, of those in `files` that match one of the words. */
export function guestTests(files: readonly string[], words: readonly string[] = []): string[] {
  return files.filter((file) =>
    /^tests\/.*_test\.ts$/.test(file) && !HOST_ONLY.test(file) &&
    (words.length === 0 || words.some((word) => file.includes(word)))
  );
}
