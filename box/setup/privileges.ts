/** Steps that give up privileges for good. */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import type { Plan } from "../../ffi/plan.ts";
import type { Identity } from "../../host/identity.ts";

const CAPABILITIES_MAX = 64;

/**
 * What root may do inside: change owners, modes and users, all of which end at the one id that there is.
 * Not CAP_SYS_CHROOT, with which it could leave the chroot, and then make user namespaces.
 */
const ROOT_CAPABILITIES = [
  linux.CAP_CHOWN,
  linux.CAP_DAC_OVERRIDE,
  linux.CAP_FOWNER,
  linux.CAP_FSETID,
  linux.CAP_KILL,
  linux.CAP_SETGID,
  linux.CAP_SETUID,
] as const;

/**
 * Adds steps that empty the set of capabilities which execve could ever give back, for the process
 * and all its children; see capabilities(7). Some of them can be kept.
 */
export function planBoundCapabilities(plan: Plan, kept: readonly number[] = []): void {
  for (let capability = 0; capability < CAPABILITIES_MAX; capability++) {
    if (kept.includes(capability)) continue;
    // Those unknown to this kernel fail with EINVAL.
    plan.step("prctl", [linux.PR_CAPBSET_DROP, capability, 0, 0, 0], {
      ignore: ERRNO.EINVAL,
      what: `give up capability ${capability}`,
    });
  }
  plan.step("prctl", [linux.PR_CAP_AMBIENT, linux.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0]);
}

/** Adds steps that make the process a user without any capability in any set, for good. */
export function planBecome(plan: Plan, identity: Identity): void {
  const { uid, gid, groups, hasFixedGroups } = identity;
  if (!hasFixedGroups) {
    const list = plan.struct(groups.length ? groups : [0]);
    plan.step("setgroups", [groups.length, list], { what: "set the groups" });
  }
  plan.step("setresgid", [gid, gid, gid], { what: `become group ${gid}` });
  plan.step("setresuid", [uid, uid, uid], { what: `become user ${uid}` });
  const header = plan.struct([linux._LINUX_CAPABILITY_VERSION_3, 0]);
  plan.step("capset", [header, plan.alloc(24)], { what: "drop all capabilities" });
  plan.step("prctl", [linux.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
}

/** Adds steps that make the process root of a user namespace, with the few capabilities of that, for good. */
export function planBecomeRootInside(plan: Plan, namespace: number, outside: Identity): void {
  planEnterUsers(plan, namespace, outside);
  plan.step("setresgid", [0, 0, 0], { what: "become the group of root in it" });
  plan.step("setresuid", [0, 0, 0], { what: "become root in it" });
  // A process that enters a user namespace has all capabilities in it.
  planBoundCapabilities(plan, ROOT_CAPABILITIES);
  planKeepOnly(plan, ROOT_CAPABILITIES);
}

/** Adds steps that make the process a user of a user namespace without any capability in it, for good. */
export function planBecomeUserInside(
  plan: Plan,
  namespace: number,
  { outside, inside }: { outside: Identity; inside: Identity },
): void {
  planEnterUsers(plan, namespace, outside);
  planBoundCapabilities(plan);
  planBecome(plan, inside);
}

function planEnterUsers(plan: Plan, namespace: number, { hasFixedGroups }: Identity): void {
  if (!hasFixedGroups) plan.step("setgroups", [0, plan.struct([0])], { what: "set the groups" });
  plan.step("setns", [namespace, linux.CLONE_NEWUSER], { what: "enter the user namespace" });
}

/** What it takes to look at the processes and files of a box, and to mend them. */
const VISITOR_CAPABILITIES = [
  ...ROOT_CAPABILITIES,
  linux.CAP_DAC_READ_SEARCH,
  linux.CAP_SYS_PTRACE,
] as const;

/** Adds steps after which the process is root of the host, but can neither mount nor configure anything. */
export function planBecomeVisitingRoot(plan: Plan): void {
  planBoundCapabilities(plan, VISITOR_CAPABILITIES);
  plan.step("setgroups", [0, plan.struct([0])], { what: "set the groups" });
  plan.step("setresgid", [0, 0, 0], { what: "become group 0" });
  plan.step("setresuid", [0, 0, 0], { what: "become root" });
  planKeepOnly(plan, VISITOR_CAPABILITIES);
}

/** Adds steps that drop all other capabilities, of the lower 32, for good. */
function planKeepOnly(plan: Plan, kept: readonly number[]): void {
  const bits = kept.reduce((sum, capability) => sum | 1 << capability, 0);
  const header = plan.struct([linux._LINUX_CAPABILITY_VERSION_3, 0]);
  // Effective, permitted, inheritable; twice.
  plan.step("capset", [header, plan.struct([bits, bits, 0, 0, 0, 0])], {
    what: "drop all other capabilities",
  });
  plan.step("prctl", [linux.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
}
