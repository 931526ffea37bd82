/** A file system with disk quotas, in a file, for tests that use one up. */

import { type Missing, needs } from "./skip.ts";

const SIZE_BYTES = 32 * 2 ** 20;

/** Runs a command that must succeed. */
async function run(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    env: { LC_ALL: "C" },
  }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr).trim()}`);
}

/** A folder that is unmounted and removed when it is no longer used. */
export interface MountedFolder extends AsyncDisposable {
  /** Where the file system is mounted. */
  readonly path: string;
}

/**
 * Makes and mounts an ext4 file system that keeps account of users, and holds them to their limits.
 *
 * @throws {Error} If this machine cannot do it.
 */
export async function mountQuotaFileSystem(): Promise<MountedFolder> {
  const folder = await Deno.makeTempDir({ prefix: "isolate-quota-" });
  const [file, path] = [`${folder}/image`, `${folder}/mounted`];
  const removeFolder = () => Deno.remove(folder, { recursive: true });
  try {
    await Deno.mkdir(path);
    await Deno.writeFile(file, new Uint8Array());
    await Deno.truncate(file, SIZE_BYTES);
    await run("mkfs.ext4", ["-q", "-F", "-O", "quota", "-E", "quotatype=usrquota", file]);
    await run("mount", ["-o", "loop,usrquota", file, path]);
  } catch (error) {
    await removeFolder();
    throw error;
  }
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await run("umount", [path]);
      await removeFolder();
    },
  };
}

/** Finds out by trying: a kernel may have ext4 and loop devices, and no quotas. */
export async function needsQuota(): Promise<Missing> {
  const missing = needs.root() ?? needs.command("mkfs.ext4");
  if (missing !== undefined) return missing;
  try {
    await using _tried = await mountQuotaFileSystem();
    return undefined;
  } catch {
    return "needs a kernel with disk quotas (it cannot mount ext4 with the quota feature)";
  }
}
