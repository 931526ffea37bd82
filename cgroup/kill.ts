/** Emptying and removing control groups. */

import { ERRNO, errnoName, errnoText } from "../ffi/errno.ts";
import { SIGKILL } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { ControlGroupFiles } from "./files.ts";
import { ControlGroupError } from "./types.ts";

const ROUNDS_MAX = 400;
const PAUSE_NS = 5_000_000n;
/** So many processes are open at once. */
const OPEN_MAX = 256;

/**
 * Kills every process in a group, whatever it forks meanwhile, and waits until none is left. Returns
 * false if there is no such group.
 */
export function killProcesses(files: ControlGroupFiles, directory: string): boolean {
  for (let round = 0;; round++) {
    const list = files.read(`${directory}/cgroup.procs`);
    if (list === undefined || list === "") return list !== undefined;
    const pids = list.split("\n").map(Number);
    if (round === ROUNDS_MAX) throw new ControlGroupError(complaint(directory, pids[0]!));
    // v2 kills all of them at once, forks included (Linux 5.14); with v1 it takes some rounds.
    if (files.tryWrite(`${directory}/cgroup.kill`, "1") !== undefined) {
      for (let at = 0; at < pids.length; at += OPEN_MAX) {
        killSome(files, directory, pids.slice(at, at + OPEN_MAX));
      }
    }
    if (round > 0) pause(files);
  }
}

/**
 * Makes sure that there is the group of a box before a run, with nothing in it: a keeper that was killed a
 * moment ago may have left something behind, and the service manager removes groups of a service that is
 * restarted. A run brings its own limits, so that a new group is as good.
 */
export function prepareEmpty(
  files: ControlGroupFiles,
  { directory, make }: { directory: string; make: () => void },
): void {
  if (killProcesses(files, directory)) return;
  files.log(1, () => `The control group of the box is gone, and is made again: ${directory}`);
  try {
    make();
  } catch (error) {
    if (!(error instanceof ControlGroupError)) throw error;
    throw new ControlGroupError(
      `The control group of the box is gone, with those around it (${directory}): is the service ` +
        "that keeps it running?",
    );
  }
}

/** The kernel lists 0 for a process of a pid namespace that is neither ours nor below it. */
function complaint(directory: string, pid: number): string {
  const cannot = `Cannot empty the control group ${directory}:`;
  return pid === 0
    ? `${cannot} there are processes in it that cannot be seen from here`
    : `${cannot} process ${pid} does not die`;
}

/**
 * Kills some processes of a group. The number of one that has died meanwhile may be another's by now: so
 * each is opened first, and is signalled if its number is still in the group after that.
 */
function killSome(files: ControlGroupFiles, directory: string, pids: readonly number[]): void {
  const opening = new Plan();
  const opened = pids.filter((pid) => pid > 1).map((pid) => {
    const fd = opening.slot(`process ${pid}`);
    opening.step("pidfd_open", [pid, 0], { into: fd, ignore: "all" });
    return { pid, fd };
  });
  if (opened.length === 0) return;
  files.system.run(opening, "open what is left in the control group");
  const left = new Set((files.read(`${directory}/cgroup.procs`) ?? "").split("\n").map(Number));
  const plan = new Plan();
  for (const { pid, fd } of opened) {
    const process = opening.result(fd);
    if (process < 0) continue;
    if (left.has(pid)) {
      plan.step("pidfd_send_signal", [process, SIGKILL, 0, 0], { ignore: ERRNO.ESRCH });
    }
    plan.step("close", [process], { always: true });
  }
  if (plan.steps.length > 0) files.system.run(plan, "kill what is left in the control group");
}

/**
 * Removes a group with all that is in it, processes and groups; one that does not exist is not an error.
 */
export function removeGroup(files: ControlGroupFiles, directory: string): void {
  for (let round = 0;; round++) {
    const errno = files.removeDirectory(directory);
    if (errno === 0) return;
    if (errno !== ERRNO.EBUSY || round === ROUNDS_MAX) {
      throw new ControlGroupError(
        `Cannot remove the control group ${directory}: ${errnoText(errno)} (${errnoName(errno)})`,
      );
    }
    killProcesses(files, directory);
    for (const name of files.subgroups(directory)) removeGroup(files, `${directory}/${name}`);
    // The kernel counts dead processes for some time.
    if (round > 0) pause(files);
  }
}

function pause(files: ControlGroupFiles): void {
  const plan = new Plan();
  plan.step("ppoll", [0, 0, plan.struct([0n, PAUSE_NS]), 0, 8], { ignore: "all" });
  files.system.run(plan, "wait for processes to die");
}
