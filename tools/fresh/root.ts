/** Minimal Debian systems in folders, as a new machine has them, with the network of this machine. */

import { execute, output, ROOT } from "../process.ts";
import { installIfMissing } from "../vm/debian.ts";
import { isAlive } from "./groups.ts";

/** Why there can be no fresh root on this machine. */
export class NoRootError extends Error {}

/** Where roots, packages and logs are kept. */
export const FRESH_FOLDER = `${ROOT}/.tools/fresh`;

/** The releases of Debian, with their numbers. */
export const RELEASES = { bookworm: 12, trixie: 13 } as const;

/** The name of a release. */
export type Release = keyof typeof RELEASES;

/** Variables that say how this machine reaches package registries. */
const NETWORK_VARIABLES =
  /^((https?|ftp|all|no)_proxy|(HTTPS?|FTP|ALL|NO)_PROXY|PIP_(CERT|INDEX_URL|EXTRA_INDEX_URL|PROXY|DEFAULT_TIMEOUT))$/;

/** Files that say it. */
const NETWORK_FILES = ["/etc/resolv.conf", "/etc/pip.conf"];

/** Where administrators put certificates of their own, for update-ca-certificates(8). */
const OWN_CERTIFICATES = "/usr/local/share/ca-certificates";

/** Finds the mirror from which this machine has its own Debian. */
export function mirrorIn(indexTargets: string): string | undefined {
  return indexTargets.split("\n").find((line) => /^\S+\/debian\/? \S+ main$/.test(line))
    ?.split(" ")[0];
}

/** Finds that of this machine. */
export async function findMirror(): Promise<string> {
  const format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
  const words = ["apt-get", "indextargets", "--format", format, "Created-By: Packages"];
  const mirror = mirrorIn(await output(words));
  if (mirror === undefined) throw new Error("this machine's package sources are not Debian's");
  return mirror;
}

/** Picks the settings that say how apt downloads, from what `apt-config dump` prints. */
export function downloadSettings(dump: string): string {
  const lines = dump.split("\n").filter((line) => /^Acquire::\S+ "[^"]+";$/.test(line));
  const defaults = /^Acquire::(IndexTargets|cdrom|Languages|Changelogs|CompressionTypes)/;
  return lines.filter((line) => !defaults.test(line)).map((line) => `${line}\n`).join("");
}

async function makeRoot(release: Release): Promise<void> {
  const partial = `${FRESH_FOLDER}/new-${Deno.pid}-${release}`;
  const cache = packages(release);
  await Deno.mkdir(cache, { recursive: true });
  await installIfMissing("debootstrap", "debootstrap");
  try {
    const words = ["--variant=minbase", `--cache-dir=${cache}`, release, partial];
    const { success, stdout, stderr } = await execute([
      "debootstrap",
      ...words,
      await findMirror(),
    ]);
    const complaint = (stderr.trim() || stdout.trim()).split("\n").at(-1);
    if (!success) throw new Error(`debootstrap cannot make Debian ${release}: ${complaint}`);
    await Deno.rename(partial, `${FRESH_FOLDER}/${release}`);
  } finally {
    await removeFolder(partial);
  }
}

/** Removes a folder of another system: by `rm`, which does not follow what is mounted or linked. */
async function removeFolder(path: string): Promise<void> {
  await output(["rm", "-rf", "--one-file-system", path]);
}

function packages(release: Release): string {
  return `${FRESH_FOLDER}/packages-${release}`;
}

/** Where apt keeps what it has downloaded. */
const ARCHIVES = "/var/cache/apt/archives";

/** Where a root leaves a copy of the packages that it has downloaded. */
const DOWNLOADED = "/var/cache/downloaded";

/** Has apt leave a copy: of its own it keeps none. */
const KEEP_DOWNLOADED =
  `DPkg::Pre-Install-Pkgs { "mkdir -p ${DOWNLOADED} && xargs -r cp -nt ${DOWNLOADED}"; };\n`;

/** Copies packages from one folder to another; apt checks their hashes. */
async function copyPackages(from: string, to: string): Promise<void> {
  const copy = 'for file in "$1"/*.deb; do [ ! -e "$file" ] || cp -n "$file" "$2/"; done';
  await output(["sh", "-c", copy, "sh", from, to]);
}

/** Makes the network of this machine that of a root. */
async function addNetwork(root: string): Promise<void> {
  for (const file of NETWORK_FILES) {
    const text = await Deno.readTextFile(file).catch(() => undefined);
    if (text !== undefined) await Deno.writeTextFile(`${root}${file}`, text);
  }
  const settings = downloadSettings(await output(["apt-config", "dump"])) + KEEP_DOWNLOADED;
  await Deno.writeTextFile(`${root}/etc/apt/apt.conf.d/90network`, settings);
  await Deno.mkdir(`${root}${OWN_CERTIFICATES}`, { recursive: true });
  for await (const { name, isFile } of Deno.readDir(OWN_CERTIFICATES)) {
    if (!isFile) continue;
    await Deno.copyFile(`${OWN_CERTIFICATES}/${name}`, `${root}${OWN_CERTIFICATES}/${name}`);
  }
}

/** The environment of a root's commands: nothing of this machine's but its network. */
export function environment(own: Record<string, string>): Record<string, string> {
  const network = Object.entries(own).filter(([name]) => NETWORK_VARIABLES.test(name));
  return {
    HOME: "/root",
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    NO_COLOR: "1",
    ...Object.fromEntries(network),
  };
}

/** Removes roots of runs that were killed: they are large. */
async function removeStaleRoots(): Promise<void> {
  for await (const { name } of Deno.readDir(FRESH_FOLDER)) {
    const pid = /^(?:new|run)-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await removeFolder(`${FRESH_FOLDER}/${name}`);
  }
}

/** Has dpkg wait for no disk: a root does not outlive its run. */
async function hurryPackages(root: string): Promise<void> {
  await Deno.mkdir(`${root}/etc/dpkg/dpkg.cfg.d`, { recursive: true });
  await Deno.writeTextFile(`${root}/etc/dpkg/dpkg.cfg.d/hurry`, "force-unsafe-io\n");
}

/** Gives `work` a new root, and removes it afterwards. Downloads the first time. */
export async function withRoot<T>(
  release: Release,
  work: (root: string) => Promise<T>,
): Promise<T> {
  await Deno.mkdir(FRESH_FOLDER, { recursive: true });
  await removeStaleRoots();
  const made = await Deno.stat(`${FRESH_FOLDER}/${release}`).catch(() => undefined);
  if (made === undefined) {
    console.log(`making Debian ${RELEASES[release]} with debootstrap (about 100 MB to download)`);
    await makeRoot(release).catch((error) => {
      throw new NoRootError(error instanceof Error ? error.message : `${error}`);
    });
  }
  const root = `${FRESH_FOLDER}/run-${Deno.pid}-${release}`;
  try {
    await output(["cp", "-a", "--reflink=auto", `${FRESH_FOLDER}/${release}`, root]);
    await addNetwork(root);
    await hurryPackages(root);
    await copyPackages(packages(release), `${root}${ARCHIVES}`);
    return await work(root);
  } finally {
    await copyPackages(`${root}${DOWNLOADED}`, packages(release));
    await removeFolder(root);
  }
}
