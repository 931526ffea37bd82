/**
 * A mount namespace with nothing in it but an empty root. The kernel copies all mounts of the namespace
 * that a new one starts from: a box that starts from this one is as fast on a host with thousands of
 * mounts as on any other. What its rules bind is cloned from the host's mounts before that.
 */

import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { planAttach, planFilesystem, planPrivateMounts } from "./mounts.ts";
import { planMask, reap, STACK_SIZE } from "./clone.ts";

/** The mount namespace from which the boxes of a process start. */
export class BareMounts {
  readonly #system: System;
  #isAsked = false;
  #fd: number | undefined;

  constructor(system: System) {
    this.#system = system;
  }

  /** Makes it when it is first asked for. */
  get fd(): number | undefined {
    if (!this.#isAsked) this.#fd = makeBareMounts(this.#system);
    this.#isAsked = true;
    return this.#fd;
  }

  /** Lets go of it for good: boxes start from where this process is. */
  close(): void {
    if (this.#fd !== undefined) this.#system.close(this.#fd);
    this.#fd = undefined;
    this.#isAsked = true;
  }
}

/** Makes such a namespace, which lives as long as the descriptor; undefined: it cannot be made here. */
function makeBareMounts(system: System): number | undefined {
  const plan = new Plan();
  const [child, namespace] = [plan.slot("child"), plan.slot("bare mounts")];
  const [pidfd, isMade] = [plan.struct([-1n]), plan.struct([0n])];
  // The child shares our descriptors, so that what it opens outlives it.
  const flags = linux.CLONE_VM | linux.CLONE_VFORK | linux.CLONE_FILES | linux.CLONE_PIDFD |
    linux.CLONE_NEWNS;
  const args = plan.cloneArgs({ flags, stack: plan.alloc(STACK_SIZE) });
  plan.point(args, 8, pidfd);
  planMask(plan, () => {
    plan.spawn(args, { into: child, ignore: "all" }, () => {
      const path = plan.string("/proc/self/ns/mnt");
      plan.step("openat", [linux.AT_FDCWD, path, linux.O_CLOEXEC, 0], { into: namespace });
      const attr = linux.MOUNT_ATTR_RDONLY | linux.MOUNT_ATTR_NOSUID | linux.MOUNT_ATTR_NODEV |
        linux.MOUNT_ATTR_NOEXEC;
      const root = planPrivateMounts(
        plan,
        () => planFilesystem(plan, "tmpfs", { strings: [["size", "4k"]], attr }),
      );
      planAttach(plan, root, { fd: linux.AT_FDCWD, path: "/" });
      plan.step("fchdir", [root]);
      plan.step("close", [root], { always: true, ignore: "all" });
      plan.step("pivot_root", [plan.string("."), plan.string(".")]);
      plan.step("umount2", [plan.string("."), linux.MNT_DETACH]);
      plan.step("store", [isMade, 8, 1]);
    });
  });
  system.run(plan, "make a mount namespace for boxes to start from");
  const [childFd, fd] = [plan.view(pidfd).getInt32(0, true), plan.result(namespace)];
  if (plan.result(child) > 0) {
    reap(system, childFd);
    system.close(childFd);
  }
  if (plan.view(isMade).getUint32(0, true) === 1) return fd;
  system.close(fd);
  return undefined;
}
