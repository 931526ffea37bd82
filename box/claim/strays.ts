/**
 * Processes outside of a box that run as its user: a user of the host who works together with a program
 * could have become one. They would outlive the box, and meet what others run in it later.
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import type { Operation } from "../../ffi/abi.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { asCaller, type HostAccess } from "../../host/identity.ts";
import { statusOf } from "../../host/open.ts";
import { decodeOsString } from "../../text/os_string.ts";
import { listNumbers, together } from "../survey/processes.ts";

/** What stands behind the names and numbers of a process comes later, and is not needed. */
const STATUS_BYTES = 1024;
const LINK_BYTES = 64;
/** One that forks faster than it is found is stopped first: all that it has are, in the end. */
const ROUNDS_MAX = 100;

/**
 * Kills every process that runs as the user of a box, or could become that user again, whichever of its
 * ids it is. Nothing of the box itself may be alive.
 *
 * A box of another configuration may have the same user, and so may one in a container. Those live in
 * namespaces of processes that only root of the host can have made; they stay. So does everything of a
 * user who is logged in, or is the caller: then the configuration has chosen the ids of boxes badly.
 */
export async function killStrays(access: HostAccess, uid: number): Promise<number> {
  const { system, caller } = access;
  if (uid === caller.uid || !mayHaveStrays(access, uid)) return 0;
  if (statusOf(system, `/run/systemd/users/${uid}`)) return 0;
  let known = new Set<number>();
  const killed = new Set<number>();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const pids = listNumbers(system, "/proc");
    const [here, ...looks] = await together(system, [0, ...pids], planLook);
    const whose = { uid, ours: here!.userNamespace };
    const found = pids.filter((_, i) => isStray(looks[i]!, whose));
    if (found.length === 0) break;
    const hasNew = found.some((pid) => !known.has(pid));
    known = new Set(found);
    for (const pid of found) {
      signalStray(system, { pid, whose, signal: hasNew ? linux.SIGSTOP : linux.SIGKILL });
      if (!hasNew) killed.add(pid);
    }
  }
  return killed.size;
}

/** The highest priority: the user of a box may give it to nobody. */
const NICEST = -20;
/** The last id that there can be. */
const NOBODY_AT_ALL = 0xffff_fffe;

/**
 * Asks the kernel whom the user could signal or renice, which is much faster than to read about all
 * processes: that compares the user with the real and saved ids, and with the real and effective ones.
 */
function mayHaveStrays({ system, own }: HostAccess, uid: number): boolean {
  const plan = new Plan();
  const self = ownPid(system);
  const pids = listNumbers(system, "/proc").filter((pid) => pid !== self);
  const ask = (operation: Operation, args: readonly number[]) => {
    const answer = plan.slot("answer");
    plan.step(operation, args, { into: answer, ignore: "all" });
    return () => plan.result(answer);
  };
  const as = <T>(uid: number, build: () => T) =>
    asCaller(plan, { own, caller: { ...own, uid } }, build);
  // Root's own processes can be signalled in any case, as our real id stays.
  const usual = as(NOBODY_AT_ALL, () => pids.map((pid) => ask("kill", [pid, 0])));
  const answers = as(uid, () =>
    pids.map((pid) => ({
      signal: ask("kill", [pid, 0]),
      renice: ask("setpriority", [linux.PRIO_PROCESS, pid, NICEST]),
    })));
  // Of threads, too, but of real ids only.
  const thread = as(uid, () => ask("getpriority", [linux.PRIO_USER, uid]));
  // Who may not become another user cannot have lost one either.
  if (system.attempt(plan, "look for processes that run as the user of a box")) return false;
  const { ESRCH, EPERM } = ERRNO;
  return thread() !== -ESRCH ||
    answers.some(({ signal, renice }, i) =>
      signal() === 0 && usual[i]!() !== 0 || ![-ESRCH, -EPERM].includes(renice())
    );
}

/** This process may signal itself, whoever it is. */
function ownPid(system: System): number {
  const plan = new Plan();
  const pid = plan.slot("pid");
  plan.step("getpid", [], { into: pid });
  system.run(plan, "which process is this");
  return plan.result(pid);
}

/** What tells a stray from others. */
interface Glimpse {
  readonly status: string;
  readonly userNamespace: string;
}

/** Which user it is, and our own user namespace. */
interface Whose {
  readonly uid: number;
  readonly ours: string;
}

function isStray({ status, userNamespace }: Glimpse, { uid, ours }: Whose): boolean {
  const ids = /^Uid:\t(.*)$/m.exec(status)?.[1]?.split("\t").map(Number);
  if (!ids?.includes(uid) || /^State:\t[ZX]/m.test(status)) return false;
  const isNested = /^NSpid:\t\d+\t/m.test(status);
  return !isNested || userNamespace !== ours;
}

/** Plans to look at a process; 0: at this one. */
function planLook(plan: Plan, pid: number): () => Glimpse {
  const directory = pid === 0 ? "/proc/self" : `/proc/${pid}`;
  const [fd, read, text] = [plan.slot("status"), plan.slot("length"), plan.alloc(STATUS_BYTES)];
  const [link, target] = [plan.slot("length"), plan.alloc(LINK_BYTES)];
  const ignore = { ignore: "all" } as const;
  const path = plan.string(`${directory}/status`);
  plan.step("openat", [linux.AT_FDCWD, path, linux.O_CLOEXEC, 0], { ...ignore, into: fd });
  plan.step("read", [fd, text, STATUS_BYTES], { ...ignore, into: read });
  plan.step("close", [fd], ignore);
  const namespace = plan.string(`${directory}/ns/user`);
  const args = [linux.AT_FDCWD, namespace, target, LINK_BYTES];
  plan.step("readlinkat", args, { ...ignore, into: link });
  const content = (data: typeof text, length: typeof read) =>
    decodeOsString(plan.content(data, Math.max(0, plan.result(length))).slice());
  return () => ({ status: content(text, read), userNamespace: content(target, link) });
}

/** Signals a process if it is still one of the user: numbers of processes come again. */
function signalStray(
  system: System,
  { pid, whose, signal }: { pid: number; whose: Whose; signal: number },
): void {
  const plan = new Plan();
  const fd = plan.slot("process");
  plan.step("pidfd_open", [pid, 0], { into: fd, ignore: ERRNO.ESRCH });
  const look = planLook(plan, pid);
  system.run(plan, "open a process");
  const opened = plan.result(fd);
  if (opened < 0) return;
  if (isStray(look(), whose)) {
    const sending = new Plan();
    sending.step("pidfd_send_signal", [opened, signal, 0, 0], { ignore: "all" });
    system.run(sending, "signal a process that runs as the user of a box");
  }
  system.close(opened);
}
