/**
 * Processes outside of a box that run as its user: a user of the host who works together with a program
 * could have become one. They would outlive the box, and meet what others run in it later.
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import type { Operation } from "../../ffi/abi.ts";
import { Plan, type Slot } from "../../ffi/plan.ts";
import { Routine } from "../../ffi/routine.ts";
import type { System } from "../../ffi/system.ts";
import { asCaller, type HostAccess, type Identity } from "../../host/identity.ts";
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
/** So many processes are asked about at once; where there are fewer, about one that cannot be. */
const ASKED_AT_ONCE = 64;
const NO_PROCESS = 0x7fff_ffff;

/**
 * Asks the kernel whom the user could signal or renice, which is much faster than to read about all
 * processes: that compares the user with the real and saved ids, and with the real and effective ones.
 */
function mayHaveStrays({ system, own }: HostAccess, uid: number): boolean {
  const self = ownPid(system);
  const pids = listNumbers(system, "/proc").filter((pid) => pid !== self);
  const ask = askingFor(system, own);
  for (let at = 0; at < pids.length; at += ASKED_AT_ONCE) {
    const asked = pids.slice(at, at + ASKED_AT_ONCE);
    while (asked.length < ASKED_AT_ONCE) asked.push(NO_PROCESS);
    const { plan, parts: { answers, thread }, failure } = ask.attempt(system, uid, ...asked);
    // Who may not become another user cannot have lost one either.
    if (failure) return false;
    if (plan.result(thread) !== -ERRNO.ESRCH) return true;
    const isStray = answers.some(({ usual, signal, renice }) => {
      const reniced = plan.result(renice);
      return plan.result(signal) === 0 && plan.result(usual) !== 0 ||
        reniced !== -ERRNO.EPERM && reniced !== -ERRNO.ESRCH;
    });
    if (isStray) return true;
  }
  return false;
}

/** What the kernel says of some processes, and of the threads of all. */
interface Answers {
  readonly answers: readonly { usual: Slot; signal: Slot; renice: Slot }[];
  readonly thread: Slot;
}

const asking = new WeakMap<System, Routine<Answers>>();

/** Finds what asks about some processes; its inputs are the user and the processes. */
function askingFor(system: System, own: Identity): Routine<Answers> {
  let ask = asking.get(system);
  if (!ask) asking.set(system, ask = planAsking(own));
  return ask;
}

function planAsking(own: Identity): Routine<Answers> {
  const names = ["user", ...Array.from({ length: ASKED_AT_ONCE }, () => "process")];
  const title = "look for processes that run as the user of a box";
  return new Routine(title, names, (plan, uid, ...pids) => {
    const ask = (operation: Operation, args: readonly (number | Slot)[]) => {
      const answer = plan.slot("answer");
      plan.step(operation, args, { into: answer, ignore: "all" });
      return answer;
    };
    const as = <T>(uid: number | Slot, build: () => T) =>
      asCaller(plan, { own, caller: { ...own, uid } }, build);
    // Root's own processes can be signalled in any case, as our real id stays.
    const usual = as(NOBODY_AT_ALL, () => pids.map((pid) => ask("kill", [pid, 0])));
    return as(uid!, () => ({
      answers: pids.map((pid, i) => ({
        usual: usual[i]!,
        signal: ask("kill", [pid, 0]),
        renice: ask("setpriority", [linux.PRIO_PROCESS, pid, NICEST]),
      })),
      // Of threads, too, but of real ids only.
      thread: ask("getpriority", [linux.PRIO_USER, uid!]),
    }));
  });
}

/** This process may signal itself, whoever it is. */
function ownPid(system: System): number {
  const { plan, parts } = OWN_PID.run(system);
  return plan.result(parts);
}

const OWN_PID = new Routine("which process is this", [], (plan) => {
  const pid = plan.slot("pid");
  plan.step("getpid", [], { into: pid });
  return pid;
});

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
