/** Control groups, and whether they account for all memory. */

import { type Hierarchy, parseHierarchies } from "../cgroup/mounts.ts";
import { ControlGroupError } from "../cgroup/types.ts";
import type { Machine } from "./machine.ts";
import { caution, command, fail, type Finding, pass } from "./types.ts";

/** The optional controllers, and what boxes lose without them. */
const CONTROLLERS = [
  { name: "cpuset", loss: "boxes cannot be bound to CPUs" },
  { name: "pids", loss: "--processes counts per user, not per box" },
] as const;

function hierarchiesOf(machine: Machine): Hierarchy[] {
  return parseHierarchies(machine.read("/proc/self/mountinfo") ?? "");
}

/** Lists the controllers that boxes get, of the version that they use. */
function controllersOf(machine: Machine, version: 1 | 2): string[] {
  const hierarchies = hierarchiesOf(machine).filter((each) => each.version === version);
  if (version === 1) return hierarchies.flatMap(({ controllers }) => controllers);
  const [unified] = hierarchies;
  return (unified && machine.read(`${unified.directory}/cgroup.controllers`) || "").split(" ");
}

/** Checks that `--cg` works. */
export function examineControlGroups(machine: Machine): Finding {
  let place;
  try {
    place = machine.controlGroups();
  } catch (error) {
    if (!(error instanceof ControlGroupError)) throw error;
    return fail(error.message, ...remedies(machine));
  }
  const { version, directory } = place;
  const offered = controllersOf(machine, version);
  const missing = CONTROLLERS.filter(({ name }) => !offered.includes(name));
  if (missing.length === 0) return pass(`--cg uses cgroup v${version} in ${directory}`);
  const list = missing.map(({ name, loss }) => `without the ${name} controller ${loss}`);
  return caution(`--cg uses cgroup v${version} in ${directory}, but ${list.join(", and ")}`);
}

function remedies(machine: Machine) {
  if (machine.settings.cgRoot.kind === "fromFile") {
    return [command("systemctl enable --now isolate.service")];
  }
  // Debian's kernels for small machines start without it.
  const isDisabled = /^memory\s+\d+\s+\d+\s+0$/m.test(machine.read("/proc/cgroups") ?? "");
  return isDisabled
    ? [command("# add cgroup_enable=memory to the kernel's command line and reboot")]
    : [];
}

/** Checks that memory cannot escape its limit to swap space. */
export function examineSwap(machine: Machine): Finding {
  const lines = (machine.read("/proc/swaps") ?? "").split("\n").slice(1);
  const files = lines.flatMap((line) => line.split(/\s/)[0] || []);
  if (files.length === 0) return pass("there is no swap space");
  const list = files.join(", ");
  const off = command("swapoff -a");
  if (countsSwap(machine)) {
    return caution(`swap space in use makes times vary (${list}; limits count it)`, off);
  }
  return fail(
    `memory limits do not count what is swapped out (${list})`,
    off,
    command("# or add swapaccount=1 to the kernel's command line and reboot"),
  );
}

/** Looks for the files that limit swap, which exist if it is counted; with v2 not in the root group. */
function countsSwap(machine: Machine): boolean {
  return hierarchiesOf(machine).some(({ version, directory, controllers }) => {
    if (version === 1) {
      return controllers.includes("memory") &&
        machine.exists(`${directory}/memory.memsw.limit_in_bytes`);
    }
    return machine.list(directory).some((name) =>
      machine.exists(`${directory}/${name}/memory.swap.max`)
    );
  });
}
