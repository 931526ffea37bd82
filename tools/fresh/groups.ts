/** The control groups of fresh roots: one in each hierarchy, with a name that says whose it is. */

const PREFIX = "isolate-fresh-";

/** The name of the groups of a process of these tools. */
export function groupsName(pid: number = Deno.pid): string {
  return `${PREFIX}${pid}`;
}

/** Lists where hierarchies of control groups are mounted. */
export function hierarchies(mounts: string): string[] {
  return mounts.split("\n").map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, point = ""]) => point);
}

/** Removes a group and those below it; another process may be doing the same. */
async function removeTree(group: string): Promise<void> {
  try {
    for await (const { name, isDirectory } of Deno.readDir(group)) {
      if (isDirectory) await removeTree(`${group}/${name}`);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  // The kernel may still be busy with the end of the last process.
  for (let tries = 50;; tries--) {
    try {
      return await Deno.remove(group);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      if (tries === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Removes our groups, and those of processes that no longer exist. */
export async function removeGroups(): Promise<void> {
  for (const point of hierarchies(await Deno.readTextFile("/proc/self/mounts"))) {
    for await (const { name } of Deno.readDir(point)) {
      if (!name.startsWith(PREFIX)) continue;
      const pid = Number(name.slice(PREFIX.length));
      if (pid === Deno.pid || !isAlive(pid)) await removeTree(`${point}/${name}`);
    }
  }
}

/** Whether a process exists. */
export function isAlive(pid: number): boolean {
  try {
    Deno.statSync(`/proc/${pid}`);
    return true;
  } catch {
    return false;
  }
}
