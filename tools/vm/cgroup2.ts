/** Guests with Debian's cloud kernel, cgroup v2 alone, and the files of this machine. */

import { filesOfInstalled, installedClosure } from "./debian.ts";
import { Image } from "./image.ts";
import { addProject, type ImageOptions } from "./project.ts";

/** Packages of this machine whose programs the tests call, or run in boxes. */
const PACKAGES = [
  "bash",
  "bsdutils",
  "coreutils",
  "dash",
  "e2fsprogs",
  "findutils",
  "gcc",
  "grep",
  "hostname",
  "libc6-dev",
  "mount",
  "procps",
  "python3",
  "sed",
  "util-linux",
];

const MODULES = ["fs/quota/quota_tree.ko", "fs/quota/quota_v2.ko", "drivers/block/loop.ko"];

/** Puts the guest's root together, with what the kernel needs for disk quotas. */
export async function makeCgroup2Image(options: ImageOptions): Promise<Image> {
  return await makeImage(options, MODULES);
}

/** The same without modules of the kernel. */
export async function makePlainImage(options: ImageOptions): Promise<Image> {
  return await makeImage(options, []);
}

async function makeImage(options: ImageOptions, modules: readonly string[]): Promise<Image> {
  const image = new Image();
  image.addHostFiles(await filesOfInstalled(await installedClosure(PACKAGES)));
  for (const name of ["group", "hosts", "ld.so.cache", "nsswitch.conf", "passwd"]) {
    image.addHost(`/etc/${name}`);
  }
  // Nobody logs in, but tests look at a file that only root may read.
  image.addText("/etc/shadow", "root:*:::::::\n", { mode: 0o600 });
  await addProject(image, { ...options, modules });
  return image;
}
