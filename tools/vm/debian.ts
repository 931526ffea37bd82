/** What guests need of Debian: packages that are installed here, and some that are only unpacked. */

import { output } from "../process.ts";

/** Lists the names of a dependency field; of alternatives the first that `has` knows. */
export function dependenciesIn(field: string, has: (name: string) => boolean): string[] {
  return field.split(",").flatMap((alternatives) => {
    const names = alternatives.split("|").map((one) => one.trim().replace(/[\s:(].*$/, ""));
    return names.find((name) => name !== "" && has(name)) ?? [];
  });
}

/** Lists packages with all that they depend on, as far as they are installed here. */
export async function installedClosure(names: readonly string[]): Promise<string[]> {
  const format = "${Package}\t${Pre-Depends}, ${Depends}\t${db:Status-Status}\n";
  const lines = (await output(["dpkg-query", "-W", "-f", format])).split("\n");
  const dependencies = new Map<string, string>();
  for (const line of lines) {
    const [name = "", field = "", status = ""] = line.split("\t");
    if (status === "installed") dependencies.set(name, field);
  }
  const closure = new Set<string>();
  const pending = names.filter((name) => dependencies.has(name));
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (closure.has(name)) continue;
    closure.add(name);
    const field = dependencies.get(name) ?? "";
    pending.push(...dependenciesIn(field, (other) => dependencies.has(other)));
  }
  return [...closure].sort();
}

/** Lists the paths that packages have installed. */
export async function filesOfInstalled(names: readonly string[]): Promise<string[]> {
  const lines = (await output(["dpkg-query", "-L", ...names])).split("\n");
  return lines.filter((line) => line.startsWith("/") && line !== "/.");
}

/** Unpacks a package over others, where folders of `/` are links into `/usr`. */
const UNPACK =
  'deb=$1 root=$2; shift 2; dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$root" "$@"';

/** What guests never need of a package. */
const NOT_UNPACKED = ["doc", "i18n", "info", "locale", "man"].map((name) => `./usr/share/${name}`);

const LINKS_INTO_USR = ["bin", "sbin", "lib", "lib64"];

/** Has apt-get work for another machine, on which nothing is installed. */
function elsewhere(partial: string, architecture: string | undefined): string[] {
  const options = [
    `Dir::State::status=${partial}/nothing-installed`,
    `Dir::Cache::archives=${partial}/debs`,
    "Debug::NoLocking=true",
  ];
  if (architecture !== undefined) {
    options.push(
      `Dir::State::lists=${partial}/lists`,
      `Dir::Cache::pkgcache=${partial}/packages.bin`,
      `Dir::Cache::srcpkgcache=${partial}/sources.bin`,
      `APT::Architecture=${architecture}`,
      `APT::Architectures::=${architecture}`,
    );
  }
  return options.flatMap((option) => ["-o", option]);
}

/** What packages are for. */
export interface UnpackOptions {
  /** Unpack what they depend on, too. Default: only themselves. */
  wholeSystem?: boolean;
  /** Folders that are left out, such as `./lib/modules`. */
  without?: readonly string[];
  /** Debian's name of another processor than this machine's; needs `wholeSystem`. */
  architecture?: string;
}

/**
 * Downloads packages, with a whole system of dependencies if asked for, and unpacks them into one
 * folder, installing nothing. If they are there already, no network is needed.
 */
export async function unpackOnce(
  folder: string,
  names: readonly string[],
  { wholeSystem = false, architecture, without = [] }: UnpackOptions = {},
): Promise<void> {
  const stamp = `${folder}.packages`;
  const wanted = names.join("\n");
  if (await Deno.readTextFile(stamp).catch(() => "") === wanted) return;
  const partial = `${folder}.${Deno.pid}`;
  const [debs, root] = [`${partial}/debs`, `${partial}/root`];
  try {
    await Deno.mkdir(`${debs}/partial`, { recursive: true });
    await Deno.mkdir(`${partial}/lists/partial`, { recursive: true });
    await Deno.writeTextFile(`${partial}/nothing-installed`, "");
    const apt = ["apt-get", "-qq", ...wholeSystem ? elsewhere(partial, architecture) : []];
    const words = wholeSystem
      ? ["install", "-y", "--download-only", "--no-install-recommends"]
      : ["download"];
    const download = () => output([...apt, ...words, ...names], { cwd: debs });
    await withFreshLists(download, [...apt, "update"]);
    for (const name of LINKS_INTO_USR) {
      await Deno.mkdir(`${root}/usr/${name}`, { recursive: true });
      await Deno.symlink(`usr/${name}`, `${root}/${name}`);
    }
    for await (const { name } of Deno.readDir(debs)) {
      if (!name.endsWith(".deb")) continue;
      const excluded = [...NOT_UNPACKED, ...without].map((path) => `--exclude=${path}`);
      await output(["sh", "-c", UNPACK, "sh", `${debs}/${name}`, root, ...excluded]);
    }
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    await Deno.rename(root, folder);
    await Deno.writeTextFile(stamp, wanted);
  } finally {
    await Deno.remove(partial, { recursive: true }).catch(() => {});
  }
}

/** Tries again with new lists: they may be missing, or name versions that mirrors have replaced. */
async function withFreshLists<T>(
  action: () => Promise<T>,
  update: readonly string[] = ["apt-get", "update", "-qq"],
): Promise<T> {
  try {
    return await action();
  } catch {
    await output(update);
    return await action();
  }
}

/** How long apt-get waits while another program installs packages. */
const LOCK_TIMEOUT_S = 600;

/** Installs a program's package, as root, if the program is missing. */
export async function installIfMissing(program: string, packageName: string): Promise<void> {
  if (await output(["sh", "-c", `command -v ${program}`]).catch(() => "")) return;
  if (Deno.uid() !== 0) throw new Error(`needs root to install ${packageName}`);
  const options = [
    "-qq",
    "-y",
    "--no-install-recommends",
    `-oDPkg::Lock::Timeout=${LOCK_TIMEOUT_S}`,
  ];
  const words = ["apt-get", "install", ...options, packageName];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await withFreshLists(() => output(words, { env }));
}

/** Finds the package that a meta package stands for today. */
export async function resolveMetaPackage(name: string, pattern: RegExp): Promise<string> {
  const text = await withFreshLists(() => output(["apt-cache", "depends", name]));
  const real = pattern.exec(text)?.[0];
  if (real === undefined) throw new Error(`the package ${name} depends on no ${pattern.source}`);
  return real;
}
