/** The first guest: Debian's cloud kernel, cgroup v2 alone, and the files of this machine. */

import { filesOfInstalled, installedClosure, output } from "./debian.ts";
import { Image } from "./image.ts";
import { HOST_PACKAGES, projectFiles } from "./suite.ts";

/** Where the project stands in the guest: not below what is mounted there. */
const GUEST_PROJECT = "/srv/isolate";

/** In the order in which they are loaded. */
const MODULES = ["fs/quota/quota_tree.ko", "fs/quota/quota_v2.ko", "drivers/block/loop.ko"];

/** In the words of `init.sh`: what runs there after all is mounted. */
function commandScript({ deno, tests }: { deno: string; tests: readonly string[] }): string {
  const words = ["test", "--allow-all", "--no-check", "--cached-only"];
  const quoted = tests.map((test) => `'${test.replaceAll("'", `'\\''`)}'`);
  return `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root DENO_DIR=/vm/deno DENO='${deno}' DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
cd ${GUEST_PROJECT} &&
exec "$DENO" ${words.join(" ")} --junit-path=/vm/results/report.xml ${quoted.join(" ")}
`;
}

/** The folder in which Deno keeps packages from npm. */
async function npmCache(root: string): Promise<string> {
  const info = JSON.parse(await output([Deno.execPath(), "info", "--json"], { cwd: root }));
  return info.npmCache;
}

/** Puts the guest's root together. */
export async function makeImage(
  { root, kernelFolder, modulesFolder, busybox, tests }: {
    root: string;
    kernelFolder: string;
    modulesFolder: string;
    busybox: string;
    tests: readonly string[];
  },
): Promise<Image> {
  void kernelFolder;
  const image = new Image();
  image.addHostFiles(await filesOfInstalled(await installedClosure(HOST_PACKAGES)));
  for (const path of ["passwd", "group", "shadow", "nsswitch.conf", "alternatives"]) {
    image.addHost(`/etc/${path}`, { recursive: true });
  }
  for (const path of ["/proc", "/sys", "/dev", "/run", "/root", "/vm/root", "/vm/results"]) {
    image.addDirectory(path);
  }
  image.addDirectory("/tmp", 0o1777);

  const deno = "/usr/local/bin/deno";
  image.addFileAs(deno, Deno.execPath());
  image.addTree("/vm/deno/npm", await npmCache(root));
  for (const file of await projectFiles(root)) {
    image.addFileAs(`${GUEST_PROJECT}/${file}`, `${root}/${file}`);
  }

  image.addFileAs("/vm/busybox", busybox);
  for (const path of ["/init", "/vm/init"]) {
    image.addFileAs(path, `${root}/tools/vm/init.sh`, { mode: 0o755 });
  }
  for (const [index, module] of MODULES.entries()) {
    image.addFileAs(`/vm/modules/${index}-${module.split("/").at(-1)}`, `${modulesFolder}/${module}`);
  }
  image.addText("/vm/command", commandScript({ deno, tests }), { mode: 0o755 });
  return image;
}
