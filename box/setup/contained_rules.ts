/**
 * The default rules of a box whose maker is root of a user namespace only.
 *
 * The kernel lets nobody there show a directory without what is mounted below it, and below the host's
 * `/dev` that is terminals and shared memory. Besides, the user of the box may be the caller, who may
 * reach devices that others may not. So there are the devices that hold nothing, and nothing else.
 *
 * It lets nobody there mount a new `/proc` where parts of the old one are covered, as in a container:
 * that would uncover them. Then there is an empty directory.
 */

import { ERRNO } from "../../ffi/errno.ts";
import type { Plan, Slot } from "../../ffi/plan.ts";
import {
  describeDirectoryRule,
  type DirectoryRule,
  parseDirectoryRule,
} from "./directory_rules.ts";

const HOSTS_DEVICES = "dev:dev:norec";
const NEW_PROC = "proc=proc:fs";
const EMPTY_PROC = "proc=tmpfs:fs:size=4";
const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];

/** What programs expect beside them. */
const LINKS = [
  ["fd", "/proc/self/fd"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
  ["stderr", "/proc/self/fd/2"],
] as const;

/** Puts what is possible in the place of the default `/dev` and `/proc`; a rule that differs stays. */
export function rulesWithin(
  rules: readonly DirectoryRule[],
  { canMountProc }: { canMountProc: boolean },
): DirectoryRule[] {
  const others = new Map([[normal(HOSTS_DEVICES), DEVICES.map((name) => `dev/${name}:dev:rw`)]]);
  if (!canMountProc) others.set(normal(NEW_PROC), [EMPTY_PROC]);
  return rules.flatMap((rule) => {
    const instead = others.get(describeDirectoryRule(rule));
    return instead?.map(parseDirectoryRule).filter((rule) => rule.kind !== "remove") ?? [rule];
  });
}

/** The one spelling of all equal rules. */
function normal(text: string): string {
  return describeDirectoryRule(parseDirectoryRule(text));
}

/** Adds steps that make the links, in a root where `/dev` is no directory of the host. */
export function planDeviceLinks(
  plan: Plan,
  root: Slot,
  rules: readonly { readonly rule: DirectoryRule }[],
): void {
  const has = (path: string) => rules.some(({ rule }) => rule.inside === path);
  if (has("dev") || !has("dev/null")) return;
  for (const [name, target] of LINKS) {
    if (has(`dev/${name}`)) continue;
    const path = plan.string(`dev/${name}`);
    plan.step("symlinkat", [plan.string(target), root, path], { ignore: ERRNO.EEXIST });
  }
}
