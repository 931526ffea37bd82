/** Steps that give up privileges for good. */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import type { Plan } from "../../ffi/plan.ts";
import type { Identity } from "../../host/identity.ts";

const CAPABILITIES_MAX = 64;

/**
 * Adds steps that empty the set of capabilities which execve could ever give back, for the process
 * and all its children; see capabilities(7).
 */
export function planBoundCapabilities(plan: Plan): void {
  for (let capability = 0; capability < CAPABILITIES_MAX; capability++) {
    // Those unknown to this kernel fail with EINVAL.
    plan.step("prctl", [linux.PR_CAPBSET_DROP, capability, 0, 0, 0], { ignore: ERRNO.EINVAL });
  }
  plan.step("prctl", [linux.PR_CAP_AMBIENT, linux.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0]);
}

/** Adds steps that make the process a user without any capability in any set, for good. */
export function planBecome(plan: Plan, identity: Identity): void {
  const groups = plan.struct(identity.groups.length ? identity.groups : [0]);
  plan.step("setgroups", [identity.groups.length, groups], { what: "set the groups" });
  const { uid, gid } = identity;
  plan.step("setresgid", [gid, gid, gid], { what: `become group ${gid}` });
  plan.step("setresuid", [uid, uid, uid], { what: `become user ${uid}` });
  const header = plan.struct([linux._LINUX_CAPABILITY_VERSION_3, 0]);
  plan.step("capset", [header, plan.alloc(24)], { what: "drop all capabilities" });
  plan.step("prctl", [linux.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
}
