/**
 * The sources of directory rules, opened with the caller's rights: a rule can show a program only what
 * its caller can reach.
 */

import { ERRNO } from "../../ffi/errno.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
} from "../../ffi/linux.ts";
import { Plan, type Slot } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { planDirectories } from "../../host/directories.ts";
import { asCaller, type HostAccess } from "../../host/identity.ts";
import { anywhere, BENEATH, planOpen, STRICT } from "../../host/open.ts";
import { planStatus, readStatus } from "../../host/status.ts";
import type { BoxPlaces } from "../claim/paths.ts";
import {
  type BindRule,
  describeDirectoryRule,
  type DirectoryRule,
  type FilesystemRule,
  type TemporaryRule,
} from "./directory_rules.ts";

/** What a rule binds, found and opened. */
export interface RuleSource {
  /** An O_PATH descriptor of it. */
  readonly fd: number;
  readonly path: string;
  /** Whether it is a directory; anything else is bound on a file. */
  readonly isDirectory: boolean;
}

/** A directory rule with its source, if it has one. */
export interface PlacedRule {
  readonly rule: DirectoryRule;
  readonly source: RuleSource | undefined;
}

/** Names a rule in messages. */
export function ruleName(rule: DirectoryRule): string {
  return `directory rule '${describeDirectoryRule(rule)}'`;
}

/** Opens the sources of all rules. A `maybe` rule whose source does not exist is left out. */
export function openSources(
  access: HostAccess,
  { rules, places }: { rules: readonly DirectoryRule[]; places: BoxPlaces },
): PlacedRule[] {
  const { system } = access;
  const plan = new Plan();
  const base = plan.slot("box directory");
  const flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  plan.step("openat", [AT_FDCWD, plan.string(places.directory), flags, 0], {
    into: base,
    what: `open the box directory ${places.directory}`,
  });
  const planned = rules.map((rule) => {
    if (rule.kind === "filesystem") return { rule, source: undefined };
    const path = pathOf(rule, places);
    const slot = plan.because(
      ruleName(rule),
      () =>
        rule.kind === "temporary"
          ? planTemporary(plan, base, { rule, path, places })
          : planBind(plan, base, { rule, path, access }),
    );
    return { rule, source: { slot, path, status: planStatus(plan, slot, { ignore: "all" }) } };
  });
  plan.step("close", [base], { always: true, ignore: "all" });
  const failure = system.attempt(plan, "find what the directory rules bind");
  if (failure) {
    system.close(...planned.flatMap(({ source }) => source ? [plan.result(source.slot)] : []));
    throw failure;
  }
  return planned.flatMap(({ rule, source }): PlacedRule[] => {
    if (!source) return [{ rule, source }];
    const { slot, path, status } = source;
    const fd = plan.result(slot);
    if (fd < 0) return [];
    const isDirectory = readStatus(plan.view(status)).kind === "directory";
    return [{ rule, source: { fd, path, isDirectory } }];
  });
}

/** Closes what {@linkcode openSources} opened. */
export function closeSources(system: System, rules: readonly PlacedRule[]): void {
  system.close(...rules.flatMap(({ source }) => source ? [source.fd] : []));
}

function pathOf(rule: Exclude<DirectoryRule, FilesystemRule>, { directory }: BoxPlaces): string {
  if (rule.kind === "temporary") return `${directory}/tmp/${rule.inside}`;
  return isInBox(rule) ? `${directory}/${rule.outside.slice(2)}` : rule.outside;
}

function isInBox({ outside }: BindRule): boolean {
  return outside.startsWith("./");
}

function planBind(plan: Plan, base: Slot, { rule, path, access }: {
  rule: BindRule;
  path: string;
  access: HostAccess;
}): Slot {
  const into = plan.slot(path);
  const ignore = rule.optional ? { ignore: ERRNO.ENOENT } : {};
  const options = { flags: O_PATH, into, what: `open ${path}`, ...ignore };
  if (isInBox(rule)) {
    // The box's own files are the caller's, and belong to the box's user just for the run. Programs of
    // earlier runs could have put links there: they must not lead out of the box.
    planOpen(plan, base, rule.outside.slice(2) || ".", { ...options, resolve: BENEATH });
  } else {
    asCaller(plan, access, () => {
      planOpen(plan, AT_FDCWD, path, { ...options, resolve: anywhere(access) });
    });
  }
  return into;
}

/** The directory of a `tmp` rule is made when it is first used and then kept. */
function planTemporary(plan: Plan, base: Slot, { rule, path, places }: {
  rule: TemporaryRule;
  path: string;
  places: BoxPlaces;
}): Slot {
  const { fd, made } = planDirectories(plan, base, ["tmp", ...rule.inside.split("/")], {
    resolve: STRICT,
    // The program can open its own directory to everybody, but nobody gets there.
    mode: 0o700,
    what: `make the temporary directory ${path}`,
  });
  const { uid, gid } = places.boxUser;
  plan.step("fchownat", [fd, plan.string(""), uid, gid, AT_EMPTY_PATH], {
    when: [made, 0],
    what: `give ${path} to the user of the box`,
  });
  return fd;
}
