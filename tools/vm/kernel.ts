/** The guests' kernel and their first programs, downloaded and unpacked, never installed. */

import { installIfMissing, resolveMetaPackage, unpackPackagesOnce } from "./debian.ts";

/** What every guest boots with. */
export interface Kernel {
  /** The kernel's own file. */
  image: string;
  /** The folder in which the names of modules start with `fs/`, `drivers/` and so on. */
  modules: string;
  /** A static program with the few commands that a guest's init needs. */
  busybox: string;
}

async function onlyNameIn(folder: string, pattern: RegExp): Promise<string> {
  for await (const { name } of Deno.readDir(folder)) {
    if (pattern.test(name)) return name;
  }
  throw new Error(`no ${pattern.source} in the kernel's package`);
}

/** Once unpacked the kernel stays the same: the network is asked for the first time only. */
async function unpackKernel(folder: string): Promise<void> {
  const memory = `${folder}.name`;
  let name = await Deno.readTextFile(memory).catch(() => undefined);
  if (name === undefined) {
    name = await resolveMetaPackage("linux-image-cloud-amd64", /linux-image-\d\S+-cloud-amd64/);
    await Deno.writeTextFile(memory, name);
  }
  await unpackPackagesOnce(folder, [name, "busybox-static"]);
}

/**
 * Makes sure that all is there to boot a guest.
 *
 * @param folder Where unpacked packages are kept.
 * @throws {Error} The reason why there can be no guest here.
 */
export async function prepareKernel(folder: string): Promise<Kernel> {
  if (Deno.build.arch !== "x86_64") throw new Error("the guests are made for x86_64 only");
  await Deno.mkdir(folder, { recursive: true });
  await installIfMissing("qemu-system-x86_64", "qemu-system-x86");
  const root = `${folder}/kernel`;
  await unpackKernel(root);
  const image = await onlyNameIn(`${root}/boot`, /^vmlinuz-/);
  const version = image.replace("vmlinuz-", "");
  return {
    image: `${root}/boot/${image}`,
    modules: `${root}/lib/modules/${version}/kernel`,
    busybox: `${root}/bin/busybox`,
  };
}
