/**
 * A user namespace for a program that is root in its box and nobody outside. Its root is the box's user;
 * no other id exists in it.
 *
 * It owns nothing: the mounts, processes, network, IPC objects and host name of a box belong to the
 * initial user namespace, so that no capability in this one reaches them. The kernel lets nobody in a
 * chroot make a user namespace, but anybody who may enter one that exists; so the keeper makes it, and
 * the program's process enters it inside the box, where it can then make no other one.
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { Plan, type Slot } from "../../ffi/plan.ts";
import type { System, SystemError } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import type { Identity } from "../../host/identity.ts";
import { planMask, reap, STACK_SIZE } from "./clone.ts";

/** The ids of a user namespace, as `/proc/PID/uid_map` takes them: `INSIDE OUTSIDE COUNT`, a line each. */
export interface IdMaps {
  readonly uids: string;
  readonly gids: string;
  /** Whether processes can change their groups, which takes rights over them outside. */
  readonly groups: "deny" | "allow";
}

/**
 * Makes a user namespace in which the box's user is somebody else; it lives as long as it is used or open.
 */
export function makeUserNamespace(
  system: System,
  { uid, gid }: Identity,
  { inside, reason }: { inside: Identity; reason: string },
): number {
  return holdNamespace(system, reason, ({ pid }) => {
    const [uids, gids] = [`${inside.uid} ${uid} 1`, `${inside.gid} ${gid} 1`];
    writeMaps(system, { pid, reason, maps: { uids, gids, groups: "deny" } });
  });
}

/** Makes a user namespace, lets its ids be mapped, and opens it. */
export function holdNamespace(
  system: System,
  reason: string,
  map: (holder: { pid: number }) => void,
): number {
  const holder = startHolder(system, reason);
  try {
    map(holder);
    const plan = new Plan();
    const namespace = plan.slot("user namespace");
    const path = plan.string(`/proc/${holder.pid}/ns/user`);
    plan.step("openat", [linux.AT_FDCWD, path, linux.O_CLOEXEC, 0], { into: namespace });
    system.run(plan, "open the user namespace");
    return plan.result(namespace);
  } finally {
    system.close(holder.hold);
    reap(system, holder.pidfd);
    system.close(holder.pidfd);
  }
}

/** Starts a process in a new user namespace, which ends when `hold` is closed, or we die. */
function startHolder(
  system: System,
  reason: string,
): { pid: number; pidfd: number; hold: number } {
  const life = new Plan();
  life.step("close_range", [1, 0xffffffff, 0]);
  life.step("read", [0, life.alloc(1), 1]);
  const plan = new Plan();
  const [pid, memory, wait, hold] = ["holder", "memory file", "wait", "hold"].map((name) =>
    plan.slot(name)
  ) as [Slot, Slot, Slot, Slot];
  const [pair, pidfd] = [plan.struct([-1, -1]), plan.struct([-1])];
  const flags = linux.CLONE_VM | linux.CLONE_VFORK | linux.CLONE_PIDFD | linux.CLONE_NEWUSER;
  const args = plan.cloneArgs({ flags, stack: plan.alloc(STACK_SIZE) });
  plan.point(args, 8, pidfd);
  const image = plan.bytes(life.encode());
  const argv = plan.pointers(["isolate-init", "1"].map((text) => plan.string(text)));
  plan.because(reason, () => {
    plan.step("memfd_create", [plan.string("isolate-plan"), linux.MFD_CLOEXEC], { into: memory });
    plan.step("pwrite64", [memory, image, image.length, 0]);
    plan.step("pipe2", [pair, linux.O_CLOEXEC]);
    plan.step("load", [pair.part(0, 4), 4], { into: wait });
    plan.step("load", [pair.part(4, 4), 4], { into: hold });
    planMask(plan, () => {
      plan.spawn(args, { into: pid, what: "make a user namespace" }, () => {
        plan.step("dup3", [wait, 0, 0]);
        plan.step("dup3", [memory, 1, 0]);
        const self = [system.library.imageFd, plan.string(""), argv, plan.pointers([])];
        plan.step("execveat", [...self, linux.AT_EMPTY_PATH], { what: "make a user namespace" });
      });
    });
    for (const fd of [memory, wait]) plan.step("close", [fd], { always: true, ignore: "all" });
  });
  const failure = system.attempt(plan, "make a user namespace");
  const made = {
    pid: plan.result(pid),
    pidfd: plan.view(pidfd).getInt32(0, true),
    hold: plan.view(pair).getInt32(4, true),
  };
  if (!failure) return made;
  system.close(made.hold);
  if (made.pid > 0) {
    reap(system, made.pidfd);
    system.close(made.pidfd);
  }
  throw explained(failure, reason);
}

/** Maps the ids of the namespace of a process, as far as our own rights allow. */
export function writeMaps(
  system: System,
  { pid, reason, maps: { uids, gids, groups } }: { pid: number; reason: string; maps: IdMaps },
): void {
  const plan = new Plan();
  const write = (name: string, text: string) => {
    const [fd, bytes] = [plan.slot(name), plan.string(text)];
    const path = plan.string(`/proc/${pid}/${name}`);
    const options = {
      what: `write "${text.replaceAll("\n", ", ")}" to the file ${name} of a user namespace`,
    };
    plan.step("openat", [linux.AT_FDCWD, path, linux.O_WRONLY | linux.O_CLOEXEC, 0], {
      ...options,
      into: fd,
    });
    plan.step("write", [fd, bytes, text.length], options);
    plan.step("close", [fd], { always: true, ignore: "all" });
  };
  plan.because(reason, () => {
    write("setgroups", groups);
    write("gid_map", gids);
    write("uid_map", uids);
  });
  system.run(plan, "map the ids of a user namespace");
}

/** Says what would help where the kernel makes no user namespaces. */
function explained(failure: SystemError, reason: string): Error {
  const why = {
    [ERRNO.ENOSPC]:
      "this machine allows no more of them, see user.max_user_namespaces in sysctl(8)",
    [ERRNO.EPERM]: "the kernel makes none for a process in a chroot, as this one may be",
    [ERRNO.EINVAL]: "the kernel was built without them (CONFIG_USER_NS)",
  }[failure.errno];
  if (why === undefined) return failure;
  return new SandboxError(
    "missing-kernel-feature",
    `${reason}: cannot make a user namespace: ${why}`,
    { cause: failure, step: "clone3", errno: failure.errno },
  );
}
