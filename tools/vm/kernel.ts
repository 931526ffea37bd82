/** The kernels of guests and their first programs: downloaded and unpacked, never installed. */

import { installIfMissing, resolveMetaPackage, unpackOnce } from "./debian.ts";

/** What every guest boots with. */
export interface Kernel {
  /** The kernel's own file. */
  image: string;
  /** The folder of modules, with `fs/`, `drivers/` and so on in it. */
  modules: string;
  /** A static program with the few commands that a guest's init needs. */
  busybox: string;
}

/** Which of Debian's kernels a guest has. */
export type KernelName = "stable" | "newer";

/**
 * Packages that stand for a kernel; the first that exists is taken. Older releases of Debian have
 * newer kernels under names of their own.
 */
const META_PACKAGES: Readonly<Record<KernelName, readonly string[]>> = {
  stable: ["linux-image-cloud-amd64"],
  newer: ["linux-image-6.12-cloud-amd64", "linux-image-cloud-amd64"],
};

async function resolveKernel(name: KernelName): Promise<string> {
  let first: unknown;
  for (const metaPackage of META_PACKAGES[name]) {
    try {
      return await resolveMetaPackage(metaPackage, /(?<=Depends: )linux-image-\d\S+/);
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

/** Makes a kernel ready. It is chosen and downloaded the first time; later runs need no network. */
export async function prepareKernel(
  folder: string,
  { name = "stable" }: { name?: KernelName } = {},
): Promise<Kernel> {
  if (Deno.build.arch !== "x86_64") throw new Error("the guests are made for x86_64 only");
  await Deno.mkdir(folder, { recursive: true });
  await installIfMissing("qemu-system-x86_64", "qemu-system-x86");
  const root = `${folder}/kernel${name === "stable" ? "" : `-${name}`}`;
  const memory = `${root}.name`;
  const known = await Deno.readTextFile(memory).catch(() => undefined);
  const packageName = known ?? await resolveKernel(name);
  if (known === undefined) await Deno.writeTextFile(memory, packageName);
  await unpackOnce(root, [packageName, "busybox-static"]);
  const version = packageName.replace("linux-image-", "");
  return {
    image: `${root}/boot/vmlinuz-${version}`,
    modules: `${root}/lib/modules/${version}/kernel`,
    busybox: `${root}/bin/busybox`,
  };
}
