/**
 * Boxes of an ordinary user: the process makes a user namespace in which it is root, and executes itself
 * again in there; see user_namespaces(7). All that follows is what root's process does.
 *
 * A process with several threads cannot enter a user namespace, and a JavaScript runtime has several. So
 * it executes the shim's file, which has one, enters, and executes the runtime: with the same process id,
 * arguments, environment and descriptors.
 */

import { ERRNO, errnoText } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import type { Operation } from "../../ffi/abi.ts";
import { type Argument, Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { SandboxError, toSandboxError } from "../../host/errors.ts";
import type { Standing } from "../../host/identity.ts";
import { commandLineOf, environmentOf, readLink, readText } from "../../host/read.ts";
import { whyNoUserNamespaces } from "../../host/refusals.ts";
import { swallowedFaults } from "../signals.ts";
import { holdNamespace, writeMaps } from "../setup/user_namespace.ts";
import { formatIdMap, parseIdMap } from "./id_maps.ts";
import { findSubordinateMaps, mapSubordinateIds } from "./subordinate.ts";

const REASON = "boxes without root";
const FAILURE_STATUS = 2;

/** What the last steps can fail with, when nobody is there any more to tell it but they themselves. */
const LAST_ERRNOS = [
  ERRNO.EPERM,
  ERRNO.ENOENT,
  ERRNO.ENOMEM,
  ERRNO.EACCES,
  ERRNO.EINVAL,
  ERRNO.ENOSPC,
] as const;

/**
 * Executes this process again as root of a user namespace.
 *
 * @throws {SandboxError} if there can be none: the message says what is missing
 */
export function enterUserNamespace(system: System, standing: Standing): never {
  let namespace: number;
  try {
    namespace = holdNamespace(system, REASON, ({ pid }) => mapIds(system, pid, standing));
  } catch (error) {
    throw withoutNamespace(system, error, standing);
  }
  executeAgain(system, namespace);
}

function mapIds(system: System, pid: number, { identity, effectiveUid }: Standing): void {
  if (effectiveUid === 0) return mapUsualIds(system, pid);
  const subordinate = findSubordinateMaps(system, identity);
  if (typeof subordinate !== "string") return mapSubordinateIds(system, pid, subordinate);
  const [uids, gids] = [`0 ${effectiveUid} 1`, `0 ${identity.gid} 1`];
  writeMaps(system, { pid, reason: REASON, maps: { uids, gids, groups: "deny" } });
}

/** The ids that files of a system have, and boxes by default: 0 to this minus 1. */
const USUAL_IDS = 65536;

/** Root of a container has ids enough, and mostly the right to map them. */
function mapUsualIds(system: System, pid: number): void {
  const themselves = (name: string) =>
    formatIdMap(
      parseIdMap(readText(system, `/proc/self/${name}`))
        .filter(({ inside }) => inside < USUAL_IDS)
        .map(({ inside, count }) => {
          const end = Math.min(inside + count, USUAL_IDS);
          return { inside, outside: inside, count: end - inside };
        }),
    );
  const [uids, gids] = [themselves("uid_map"), themselves("gid_map")];
  writeMaps(system, { pid, reason: REASON, maps: { uids, gids, groups: "allow" } });
}

/** Why root of a container cannot map ids. */
const WITHOUT_CAPABILITIES =
  "to map the ids of boxes this process lacks one of the capabilities SETUID, SETGID and SETFCAP " +
  "(in a container: --cap-add=SETUID,SETGID,SETFCAP)";

function withoutNamespace(system: System, error: unknown, { effectiveUid }: Standing): Error {
  const cause = toSandboxError(error);
  if (!(cause instanceof SandboxError)) throw error;
  const isRoot = effectiveUid === 0;
  const why = whyNoUserNamespaces(system, cause) ??
    (isRoot && cause.step === "write" ? WITHOUT_CAPABILITIES : cause.message);
  const need = isRoot
    ? "Needs CAP_SYS_ADMIN"
    : `Must be started as root (the effective user is ${effectiveUid})`;
  return new SandboxError(
    "missing-rights",
    `${need}, or where it can make a user namespace: ${why}`,
    { cause },
  );
}

/** Executes the shim with a plan that enters the namespace and executes this program. */
function executeAgain(system: System, namespace: number): never {
  const life = planAgain(system, namespace);
  system.trace?.(life, "the process as root of a user namespace");
  const making = new Plan();
  const memory = making.slot("memory file");
  const image = making.bytes(life.encode());
  making.step("memfd_create", [making.string("isolate-plan"), 0], { into: memory });
  making.step("pwrite64", [memory, image, image.length, 0]);
  making.step("fcntl", [namespace, linux.F_SETFD, 0]);
  system.run(making, "pass on a plan");
  const plan = new Plan();
  const argv = plan.pointers(
    ["isolate-init", `${making.result(memory)}`].map((text) => plan.string(text)),
  );
  const self = [system.library.imageFd, plan.string(""), argv, plan.pointers([])];
  const what = "execute the shim to enter a user namespace";
  plan.step("execveat", [...self, linux.AT_EMPTY_PATH], { what });
  system.run(plan, what);
  throw new SandboxError("internal", "This process is what it was before execve");
}

/** Plans what the process does in between; if it cannot, it says so and ends. */
function planAgain(system: System, namespace: number): Plan {
  const plan = new Plan();
  const attempt = (what: string, operation: Operation, args: readonly Argument[]) => {
    const result = plan.slot(what);
    plan.step(operation, args, { into: result, what });
    return { result, what };
  };
  const attempts = plan.because(REASON, () => {
    const enter = [
      attempt("enter the user namespace", "setns", [namespace, linux.CLONE_NEWUSER]),
      attempt("have mounts of its own", "unshare", [linux.CLONE_NEWNS]),
      attempt("become the group of root in it", "setresgid", [0, 0, 0]),
      attempt("become root in it", "setresuid", [0, 0, 0]),
    ];
    plan.step("close", [namespace]);
    sendAgain(plan, swallowedFaults(system).map((name) => linux.SIGNALS[name]));
    const strings = (texts: readonly string[]) => plan.pointers(texts.map((t) => plan.string(t)));
    const path = readLink(system, "/proc/self/exe");
    if (path === undefined) throw new SandboxError("internal", "Cannot find this program in /proc");
    const args = strings(commandLineOf(system));
    const variables = strings([...environmentOf(system)].map((entry) => entry.join("=")));
    return [
      ...enter,
      attempt(`execute ${path} again`, "execve", [plan.string(path), args, variables]),
    ];
  });
  for (const { result, what } of attempts) {
    for (const errno of LAST_ERRNOS) {
      const options = { when: [result, -errno], always: true, ignore: "all" } as const;
      const line = plan.string(`${REASON}: cannot ${what}: ${errnoText(errno)}\n`);
      plan.step("write", [2, line, line.length - 1], options);
      plan.step("exit_group", [FAILURE_STATUS], options);
    }
  }
  return plan;
}

/** Keeps signals, which would otherwise be lost, for the program that is executed next. */
function sendAgain(plan: Plan, signals: readonly number[]): void {
  if (signals.length === 0) return;
  const set = signals.reduce((bits, signal) => bits | 1n << BigInt(signal - 1), 0n);
  const pid = plan.slot("own process id");
  plan.step("rt_sigprocmask", [linux.SIG_BLOCK, plan.struct([set]), 0, 8]);
  plan.step("getpid", [], { into: pid });
  for (const signal of signals) plan.step("kill", [pid, signal]);
}
