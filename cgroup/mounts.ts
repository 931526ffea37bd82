/** Finds where control group file systems are mounted; see proc_pid_mountinfo(5). */

/** A mounted hierarchy. */
export interface Hierarchy {
  readonly version: 1 | 2;
  readonly directory: string;
  /** The controllers of a v1 hierarchy. */
  readonly controllers: readonly string[];
  readonly writable: boolean;
}

/** Finds the control group hierarchies, without those over which something else is mounted. */
export function parseHierarchies(mountinfo: string): Hierarchy[] {
  const mounts = mountinfo.split("\n").filter((line) => line !== "").map(parseMount);
  return mounts.flatMap((mount): Hierarchy[] => {
    const { type, directory, flags, superFlags } = mount;
    if ((type !== "cgroup" && type !== "cgroup2") || isHidden(mount, mounts)) return [];
    return [{
      version: type === "cgroup2" ? 2 : 1,
      directory,
      controllers: type === "cgroup2" ? [] : superFlags,
      writable: flags.includes("rw") && superFlags.includes("rw"),
    }];
  });
}

interface Mount {
  readonly id: string;
  readonly parent: string;
  readonly directory: string;
  readonly flags: readonly string[];
  readonly type: string;
  readonly superFlags: readonly string[];
}

function parseMount(line: string): Mount {
  const [mount = "", file = ""] = line.split(" - ");
  const [id = "", parent = "", , , directory = "", flags = ""] = mount.split(" ");
  const [type = "", , superFlags = ""] = file.split(" ");
  return {
    id,
    parent,
    directory: unescapeOctal(directory),
    flags: flags.split(","),
    type,
    superFlags: superFlags.split(","),
  };
}

/**
 * Whether something else is found at a mount's path. The order of the lines says nothing of that:
 * mounts can be moved.
 */
function isHidden(mount: Mount, mounts: readonly Mount[]): boolean {
  const isCovered = mounts.some(({ parent, directory }) =>
    parent === mount.id && directory === mount.directory
  );
  return isCovered || isOutOfReach(mount, mounts);
}

/** Whether something that was mounted above it later hides the place where it is mounted. */
function isOutOfReach(mount: Mount, mounts: readonly Mount[]): boolean {
  return mounts.some((other) => {
    if (other === mount || other.id === mount.id) return false;
    if (other.id === mount.parent) {
      const covers = other.directory === mount.directory;
      return covers ? isOutOfReach(other, mounts) : isHidden(other, mounts);
    }
    return other.parent === mount.parent && other.directory !== mount.directory &&
      isWithin(mount.directory, other.directory);
  });
}

/** Whether a path is a directory or lies below it. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || directory === "/" || path.startsWith(`${directory}/`);
}

function unescapeOctal(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}
