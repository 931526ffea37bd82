/** The kernels of guests and their first programs: downloaded and unpacked, never installed. */

import { installIfMissing, resolveMetaPackage, unpackPackagesOnce } from "./debian.ts";

/** What every guest boots with. */
export interface Kernel {
  /** The kernel's own file. */
  image: string;
  /** The folder of modules, with `fs/`, `drivers/` and so on in it. */
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

/** Unpacks a kernel the first time, and keeps to it: later runs need no network. */
async function unpackKernel(folder: string, kernel: KernelName): Promise<void> {
  const memory = `${folder}.name`;
  let name = await Deno.readTextFile(memory).catch(() => undefined);
  if (name === undefined) {
    name = await resolveKernel(kernel);
    await Deno.writeTextFile(memory, name);
  }
  await unpackPackagesOnce(folder, [name, "busybox-static"]);
}

/** Downloads and installs what is missing to boot a guest. */
export async function prepareKernel(
  folder: string,
  { name = "stable" }: { name?: KernelName } = {},
): Promise<Kernel> {
  if (Deno.build.arch !== "x86_64") throw new Error("the guests are made for x86_64 only");
  await Deno.mkdir(folder, { recursive: true });
  await installIfMissing("qemu-system-x86_64", "qemu-system-x86");
  const root = `${folder}/kernel${name === "stable" ? "" : `-${name}`}`;
  await unpackKernel(root, name);
  const image = await onlyNameIn(`${root}/boot`, /^vmlinuz-/);
  const version = image.replace("vmlinuz-", "");
  return {
    image: `${root}/boot/${image}`,
    modules: `${root}/lib/modules/${version}/kernel`,
    busybox: `${root}/bin/busybox`,
  };
}
