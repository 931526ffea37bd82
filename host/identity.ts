/** The caller, for whom the sandbox acts, and how a plan does something with the caller's rights. */

import * as linux from "../ffi/linux.ts";
import { Plan, type Slot } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { SandboxError } from "./errors.ts";
import { planPathStatus, readStatus } from "./status.ts";

/** A user as the kernel's permission checks see one. */
export interface Identity {
  /** User id. */
  readonly uid: number;
  /** Group id. */
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  /** Whether nobody can change those of a process, as where a user namespace has one group only. */
  readonly hasFixedGroups?: boolean;
}

/** Who a process is, and what that is worth. */
export interface Standing {
  readonly identity: Identity;
  /** The user whose rights it has. */
  readonly effectiveUid: number;
  /** Whether it may have CAP_SYS_ADMIN, without which there are no boxes. */
  readonly mayAdminister: boolean;
  /** Whether / belongs to user 0, as it does but for those who are root of a user namespace alone. */
  readonly rootIsOurs: boolean;
  /** Whether it is in a user namespace that is not the initial one, which has a number of its own. */
  readonly isContained: boolean;
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

/** Whose rights a plan takes; which user that is can be known later than the plan. */
interface Acting extends Omit<Identity, "uid"> {
  readonly uid: number | Slot;
}

/** The kernel allows more; nobody has them. */
const GROUPS_MAX = 1024;

/** The kernel's PROC_USER_INIT_INO. */
const INITIAL_NAMESPACE = "user:[4026531837]";
const NAME_BYTES = 64;

/** Finds out who this process is. */
export function standingOf(system: System): Standing {
  const plan = new Plan();
  const [uid, euid, gid, count, admin] = ["uid", "euid", "gid", "groups", "may administer"].map(
    (name) => plan.slot(name),
  );
  const groups = plan.alloc(4 * GROUPS_MAX);
  plan.step("getuid", [], { into: uid! });
  plan.step("geteuid", [], { into: euid! });
  plan.step("getgid", [], { into: gid! });
  plan.step("getgroups", [GROUPS_MAX, groups], {
    into: count!,
    what: `have more than ${GROUPS_MAX} supplementary groups`,
  });
  plan.step("prctl", [linux.PR_CAPBSET_READ, linux.CAP_SYS_ADMIN, 0, 0, 0], { into: admin! });
  const root = planPathStatus(plan, "/");
  const [target, length] = [plan.alloc(NAME_BYTES), plan.slot("length")];
  const link = plan.string("/proc/self/ns/user");
  plan.step("readlinkat", [linux.AT_FDCWD, link, target, NAME_BYTES], {
    into: length,
    ignore: "all",
  });
  system.run(plan, "who is the caller");
  const view = plan.view(groups);
  return {
    identity: {
      uid: plan.result(uid!),
      gid: plan.result(gid!),
      groups: Array.from({ length: plan.result(count!) }, (_, i) => view.getUint32(4 * i, true)),
    },
    effectiveUid: plan.result(euid!),
    mayAdminister: plan.result(admin!) === 1,
    rootIsOurs: readStatus(plan.view(root)).uid === 0,
    isContained: plan.result(length) > 0 &&
      new TextDecoder().decode(plan.content(target, plan.result(length))) !== INITIAL_NAMESPACE,
  };
}

/** Whether a process cannot make boxes where it is, but could in a user namespace of its own. */
export function needsUserNamespace({ identity, effectiveUid, mayAdminister }: Standing): boolean {
  return effectiveUid !== 0 || identity.uid === 0 && !mayAdminister;
}

/** Refuses to work without the rights that it takes. */
export function refuseWithoutRights({ identity: { uid }, effectiveUid }: Standing): void {
  if (effectiveUid !== 0) {
    throw new SandboxError(
      "missing-rights",
      `Must be started as root (the effective user is ${effectiveUid}): ` +
        "use sudo, or run it from a service that is root",
    );
  }
  if (uid !== 0) {
    throw new SandboxError(
      "missing-rights",
      "Must not be setuid root: a JavaScript runtime believes its caller's environment, so the " +
        "caller would become root; use sudo, or --as-uid and --as-gid from a service that is root",
    );
  }
}

/** Finds out who started this process, and refuses to work without the rights that it needs. */
export function callerIdentity(
  system: System,
  { privileged = true }: { privileged?: boolean } = {},
): Identity {
  const standing = standingOf(system);
  if (privileged) refuseWithoutRights(standing);
  return standing.identity;
}

/**
 * Adds steps that run with the caller's rights. The ids are restored whatever fails.
 *
 * Only the ids of the calling thread change (these are raw system calls); with the effective user
 * id the kernel also takes away, and gives back, the effective capabilities. See credentials(7).
 */
export function asCaller<T>(
  plan: Plan,
  { caller, own }: { caller: Acting; own: Identity },
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

function planBecome(plan: Plan, { uid, gid, groups }: Acting): void {
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

function isSame(a: Acting, b: Identity): boolean {
  return a.uid === b.uid && a.gid === b.gid && a.groups.length === b.groups.length &&
    a.groups.every((group, i) => group === b.groups[i]);
}
