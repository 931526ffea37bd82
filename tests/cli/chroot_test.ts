/** The command in a chroot whose root is no mount point, as simple containers and rescue systems have it. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { dirname } from "node:path/posix";
import { DIRECT, start, USES_SERVICE, withScratch } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

const PROJECT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/**
 * Makes the chroot in a mount namespace of its own, where mounts spread as they do under systemd.
 */
const IN_CHROOT = `
set -e
root=$1 deno=$2 project=$3 script=$4
shift 4
mount --make-rprivate /
mount --make-rshared /
for name in bin sbin lib lib32 lib64 libx32; do
  if [ -L /$name ]; then cp -P /$name "$root/$name"; elif [ -d /$name ]; then folders="$folders /$name"; fi
done
for folder in /usr /etc /dev /proc /sys "$deno" "$project" $folders; do
  mkdir -p "$root$folder"
  mount --rbind "$folder" "$root$folder"
done
mkdir -p "$root/run" "$root/tmp" "$root/var/local/lib"
touch "$root/outer"
export ISOLATE_SERVICE=off
exec chroot "$root" /bin/sh -ec 'cd /; '"$script" sh "$@"`;

/** Runs a shell script in the chroot, where `"$@"` is the command. */
async function inChroot(root: string, script: string): Promise<string> {
  const words = [root, dirname(Deno.execPath()), PROJECT, script, ...DIRECT];
  const command = ["unshare", "--mount", "/bin/sh", "-c", IN_CHROOT, "sh", ...words];
  const { code, stdout, stderr } = await start(command).result;
  assertEquals(code, 0, stderr);
  return stdout;
}

const TEST_NEEDS = [
  needs.root(),
  needs.that(!USES_SERVICE, "a service does not start a command in its client's chroot"),
  needs.command("unshare"),
  needs.command("chroot"),
];

testWith(
  TEST_NEEDS,
  "in a plain chroot a program runs in a box, which is not the chroot",
  async () => {
    await withScratch(async (root) => {
      const stdout = await inChroot(
        root,
        `"$@" --box-id=96 --init >&2
      "$@" --box-id=96 --run -- /bin/ls /
      "$@" --box-id=96 --run -- /bin/ls -d /outer /box/../outer /proc/1/root 2>&1 || true
      "$@" --box-id=96 --cleanup`,
      );
      const lines = stdout.split("\n");
      assertEquals(lines.filter((line) => ["box", "usr", "proc"].includes(line)).length, 3, stdout);
      assertEquals(lines.includes("outer"), false, stdout);
      for (const path of ["/outer", "/box/../outer"]) {
        assertStringIncludes(stdout, `cannot access '${path}': No such file`);
      }
    });
  },
);

testWith(TEST_NEEDS, "what a box mounts does not reach those outside a chroot", async () => {
  await withScratch(async (root) => {
    const stdout = await inChroot(
      root,
      `before=$(cat /proc/self/mountinfo)
      "$@" --box-id=96 --init >&2
      "$@" --box-id=96 -p --run -- /bin/sh -c 'wc -l < /proc/self/mounts'
      "$@" --box-id=96 --cleanup
      [ "$before" = "$(cat /proc/self/mountinfo)" ] && echo same`,
    );
    assertEquals(stdout.endsWith("same\n"), true, stdout);
  });
});

testWith(
  TEST_NEEDS,
  "boxes are made ready in a plain chroot, too: a package is judged",
  async () => {
    await withScratch(async (root) => {
      const stdout = await inChroot(root, `"$@" judge --no-cache ${PROJECT}/examples/plainpairs`);
      assertStringIncludes(stdout, "4 of 4 submissions as expected");
    });
  },
);
