/**
 * The `/dev` of a box whose maker is root of a user namespace only. The kernel lets nobody there show a
 * directory without what is mounted below it, and below the host's `/dev` that is terminals and shared
 * memory. Besides, the user of the box may be the caller, who may reach devices that others may not. So
 * there are the devices that hold nothing, and nothing else.
 */

import { ERRNO } from "../../ffi/errno.ts";
import type { Plan, Slot } from "../../ffi/plan.ts";
import {
  describeDirectoryRule,
  type DirectoryRule,
  parseDirectoryRule,
} from "./directory_rules.ts";

const HOSTS_DEVICES = "dev:dev:norec";
const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];

/** What programs expect beside them. */
const LINKS = [
  ["fd", "/proc/self/fd"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
  ["stderr", "/proc/self/fd/2"],
] as const;

/** Puts single devices in the place of the host's directory, where that is what a default rule binds. */
export function withOwnDevices(rules: readonly DirectoryRule[]): DirectoryRule[] {
  const isHosts = (rule: DirectoryRule) => describeDirectoryRule(rule) === usual();
  return rules.flatMap((rule) => isHosts(rule) ? ownDevices() : [rule]);
}

function usual(): string {
  const rule = parseDirectoryRule(HOSTS_DEVICES);
  return describeDirectoryRule(rule);
}

function ownDevices(): DirectoryRule[] {
  return DEVICES.map((name) => parseDirectoryRule(`dev/${name}:dev:rw`))
    .filter((rule) => rule.kind !== "remove");
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
