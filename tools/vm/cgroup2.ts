/** The first guest: Debian's cloud kernel, cgroup v2 alone, and the files of this machine. */

import { filesOfInstalled, installedClosure, output } from "./debian.ts";
import { Image } from "./image.ts";
import type { Kernel } from "./kernel.ts";
import { HOST_PACKAGES, projectFiles } from "./suite.ts";

/** Where the project stands in the guest: not below what is mounted there. */
const GUEST_PROJECT = "/srv/isolate";

/** Mount points, and what is empty at first. */
const FOLDERS = [
  ...["/proc", "/sys", "/dev", "/run", "/etc/alternatives", "/var/local/lib"],
  ...["/vm/root", "/vm/results"],
];

/** In the order in which they are loaded. */
const MODULES = ["fs/quota/quota_tree.ko", "fs/quota/quota_v2.ko", "drivers/block/loop.ko"];

/**
 * What the guest's init calls after all is mounted. Each guest finds its number in the environment,
 * where the kernel puts words of its command line that it does not know.
 */
function commandScript({ deno, hands }: { deno: string; hands: readonly string[][] }): string {
  const words = "test --allow-all --no-check --cached-only --junit-path=/vm/results/report.xml";
  const cases = hands.map((tests, index) => `  ${index}) set -- ${tests.map(quoted).join(" ")} ;;`);
  return `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8 DENO_DIR=/vm/deno DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
cd ${GUEST_PROJECT} || exit
case $guest_index in
${cases.join("\n")}
esac
unset guest_index
exec '${deno}' ${words} "$@"
`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The folder in which Deno keeps packages from npm. */
async function npmCache(root: string): Promise<string> {
  const info = JSON.parse(await output([Deno.execPath(), "info", "--json"], { cwd: root }));
  return info.npmCache;
}

/** Puts the root of all guests together; `hands` are the files of tests for each. */
export async function makeImage(
  { root, kernel, hands }: { root: string; kernel: Kernel; hands: readonly string[][] },
): Promise<Image> {
  const image = new Image();
  image.addHostFiles(await filesOfInstalled(await installedClosure(HOST_PACKAGES)));
  for (const name of ["group", "hosts", "ld.so.cache", "nsswitch.conf", "passwd"]) {
    image.addHost(`/etc/${name}`);
  }
  // Nobody logs in, but tests look at a file that only root may read.
  image.addText("/etc/shadow", "root:*:::::::\n", { mode: 0o600 });
  for (const path of FOLDERS) image.addDirectory(path);
  image.addDirectory("/tmp", 0o1777);
  image.addDirectory("/root", 0o700);

  const deno = "/usr/local/bin/deno";
  image.addFileAs(deno, Deno.execPath());
  image.addFolderAs("/vm/deno/npm", await npmCache(root));
  for (const file of await projectFiles(root)) {
    image.addFileAs(`${GUEST_PROJECT}/${file}`, `${root}/${file}`);
  }

  image.addFileAs("/vm/busybox", kernel.busybox);
  for (const path of ["/init", "/vm/init"]) {
    image.addFileAs(path, `${root}/tools/vm/init.sh`, { mode: 0o755 });
  }
  for (const [index, module] of MODULES.entries()) {
    image.addFileAs(
      `/vm/modules/${index}-${module.split("/").at(-1)}`,
      `${kernel.modules}/${module}`,
    );
  }
  image.addText("/vm/command", commandScript({ deno, hands }), { mode: 0o755 });
  return image;
}
