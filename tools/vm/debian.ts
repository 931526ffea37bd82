/** What the guests need of Debian: packages that are installed here, and some only unpacked. */

/** Runs a program to its end and returns what it wrote; throws with its complaint if it fails. */
export async function output(
  [program = "", ...args]: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    ...options,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) {
    const complaint = decoder.decode(stderr).trim().split("\n").at(-1);
    throw new Error(`${program} ${args.join(" ")}: ${complaint ?? "failed"}`);
  }
  return decoder.decode(stdout);
}

/** The names of a dependency field, of alternatives the first that `has` knows. */
export function dependenciesIn(field: string, has: (name: string) => boolean): string[] {
  return field.split(",").flatMap((alternatives) => {
    const names = alternatives.split("|").map((one) => one.trim().replace(/[\s:(].*$/, ""));
    return names.find((name) => name !== "" && has(name)) ?? [];
  });
}

/** The named packages with all that they depend on, as far as they are installed here. */
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

/** The paths that these packages have installed. */
export async function filesOfInstalled(names: readonly string[]): Promise<string[]> {
  const lines = (await output(["dpkg-query", "-L", ...names])).split("\n");
  return lines.filter((line) => line.startsWith("/") && line !== "/.");
}

/**
 * Downloads packages and unpacks them into one folder, installing nothing. What is there already
 * stays: no network is needed then.
 *
 * @param names Packages, each `NAME` or `NAME=VERSION`.
 */
export async function unpackOnce(folder: string, names: readonly string[]): Promise<void> {
  const stamp = `${folder}.packages`;
  const wanted = names.join("\n");
  if (await Deno.readTextFile(stamp).catch(() => "") === wanted) return;
  const partial = `${folder}.${Deno.pid}`;
  await Deno.mkdir(`${partial}/debs`, { recursive: true });
  try {
    await withFreshLists(() =>
      output(["apt-get", "download", "-q", ...names], { cwd: `${partial}/debs` })
    );
    for await (const { name } of Deno.readDir(`${partial}/debs`)) {
      await output(["dpkg-deb", "-x", `${partial}/debs/${name}`, `${partial}/root`]);
    }
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    await Deno.rename(`${partial}/root`, folder);
    await Deno.writeTextFile(stamp, wanted);
  } finally {
    await Deno.remove(partial, { recursive: true });
  }
}

/** The lists may be missing, or name versions that the mirrors have replaced. */
async function withFreshLists<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch {
    await output(["apt-get", "update", "-qq"]);
    return await action();
  }
}

/** Installs a program's package, as root, if the program is missing. */
export async function installIfMissing(program: string, packageName: string): Promise<void> {
  if (await output(["sh", "-c", `command -v ${program}`]).catch(() => "")) return;
  if (Deno.uid() !== 0) throw new Error(`needs root to install ${packageName}`);
  const words = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", packageName];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await withFreshLists(() => output(words, { env }));
}

/** The package that a meta package stands for today. */
export async function resolveMetaPackage(name: string, pattern: RegExp): Promise<string> {
  const text = await withFreshLists(() => output(["apt-cache", "depends", name]));
  const real = pattern.exec(text)?.[0];
  if (real === undefined) throw new Error(`the package ${name} depends on no ${pattern.source}`);
  return real;
}
