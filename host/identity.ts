/** The caller, for whom the sandbox acts, and how a plan does something with the caller's rights. */

import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { SandboxError } from "./errors.ts";

/** A user as the kernel's permission checks see one. */
export interface Identity {
  /** User id. */
  readonly uid: number;
  /** Group id. */
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/** The kernel, and with whose rights it opens files; a sandbox is one. */
export interface HostAccess {
  /**
   * The kernel.
   *
   * @internal
   */
  readonly system: System;
  /** For whom files are opened. */
  readonly caller: Identity;
  /** Who this process is. */
  readonly own: Identity;
}

/** The kernel allows more; nobody has them. */
const GROUPS_MAX = 1024;

/** Finds out who started this process, and refuses to work without the rights that it needs. */
export function callerIdentity(
  system: System,
  { privileged = true }: { privileged?: boolean } = {},
): Identity {
  const plan = new Plan();
  const [uid, euid, gid, count] = ["uid", "euid", "gid", "groups"].map((name) => plan.slot(name));
  const groups = plan.alloc(4 * GROUPS_MAX);
  plan.step("getuid", [], { into: uid! });
  plan.step("geteuid", [], { into: euid! });
  plan.step("getgid", [], { into: gid! });
  plan.step("getgroups", [GROUPS_MAX, groups], {
    into: count!,
    what: `have more than ${GROUPS_MAX} supplementary groups`,
  });
  system.run(plan, "who is the caller");
  if (privileged && plan.result(euid!) !== 0) {
    throw new SandboxError(
      "missing-rights",
      `Must be started as root (the effective user is ${plan.result(euid!)}): ` +
        "use sudo, or run it from a service that is root",
    );
  }
  if (privileged && plan.result(uid!) !== 0) {
    throw new SandboxError(
      "missing-rights",
      "Must not be setuid root: a JavaScript runtime believes its caller's environment, so the " +
        "caller would become root; use sudo, or --as-uid and --as-gid from a service that is root",
    );
  }
  const view = plan.view(groups);
  return {
    uid: plan.result(uid!),
    gid: plan.result(gid!),
    groups: Array.from({ length: plan.result(count!) }, (_, i) => view.getUint32(4 * i, true)),
  };
}

/**
 * Adds steps that run with the caller's rights. The ids are restored whatever fails.
 *
 * Only the ids of the calling thread change (these are raw system calls); with the effective user
 * id the kernel also takes away, and gives back, the effective capabilities. See credentials(7).
 */
export function asCaller<T>(
  plan: Plan,
  { caller, own }: Pick<HostAccess, "caller" | "own">,
  build: () => T,
): T {
  if (isSame(caller, own)) return build();
  planBecome(plan, caller);
  const built = build();
  planReturn(plan, own);
  return built;
}

/**
 * Does something that takes many plans with the caller's rights. It must not wait for anything: a
 * thread that the runtime starts meanwhile would keep them.
 */
export function withCallerRights<T>({ system, caller, own }: HostAccess, work: () => T): T {
  if (isSame(caller, own)) return work();
  const [there, back] = [new Plan(), new Plan()];
  planBecome(there, caller);
  planReturn(back, own);
  try {
    system.run(there, "take the caller's rights");
    return work();
  } finally {
    system.run(back, "take our own rights again");
  }
}

function planBecome(plan: Plan, { uid, gid, groups }: Identity): void {
  plan.step("setgroups", [groups.length, plan.struct(groups.length ? groups : [0])]);
  plan.step("setresgid", [-1, gid, -1]);
  plan.step("setresuid", [-1, uid, -1]);
}

function planReturn(plan: Plan, { uid, gid, groups }: Identity): void {
  plan.step("setresuid", [-1, uid, -1], { always: true });
  plan.step("setresgid", [-1, gid, -1], { always: true });
  plan.step("setgroups", [groups.length, plan.struct(groups.length ? groups : [0])], {
    always: true,
  });
}

function isSame(a: Identity, b: Identity): boolean {
  return a.uid === b.uid && a.gid === b.gid && a.groups.length === b.groups.length &&
    a.groups.every((group, i) => group === b.groups[i]);
}
