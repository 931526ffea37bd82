/**
 * The sources of directory rules, opened with the rights of whom the sandbox acts for: a rule can
 * show a program only what its caller can reach.
 */

import { ERRNO } from "../../ffi/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, STATX_BASIC_STATS } from "../../ffi/linux.ts";
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  S_IFDIR,
  S_IFMT,
} from "../../ffi/linux.ts";
import { Plan, type Slot, type StepOptions } from "../../ffi/plan.ts";
import { readStatx, STATX_SIZE, type System } from "../../ffi/system.ts";
import { asIdentity } from "../../host/identity.ts";
import { openHowStrict } from "../../host/resolve.ts";
import type { BoxPlaces } from "../claim/paths.ts";
import type { Sandbox } from "../sandbox.ts";
import {
  type BindRule,
  describeDirectoryRule,
  type DirectoryRule,
  type FilesystemRule,
} from "./directory_rules.ts";

/** What a rule binds, found and opened. */
export interface RuleSource {
  /** An O_PATH descriptor of it. */
  readonly fd: number;
  /** Its path on the host, for messages. */
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
  { system, caller, own }: Pick<Sandbox, "system" | "caller" | "own">,
  { rules, places }: { rules: readonly DirectoryRule[]; places: BoxPlaces },
): PlacedRule[] {
  const plan = new Plan();
  const base = plan.slot("box directory");
  const flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  plan.step("openat", [AT_FDCWD, plan.string(places.directory), flags, 0], {
    into: base,
    what: `open the box directory ${places.directory}`,
  });
  const foreign = caller.uid !== own.uid;
  const planned = rules.map((rule) => {
    if (rule.kind === "filesystem") return { rule, source: undefined };
    const path = pathOf(rule, places);
    const slot = plan.slot(path);
    plan.because(ruleName(rule), () => {
      if (rule.kind === "temporary") planTemporary(plan, { rule, places, base, slot });
      // The box's own files are the caller's, and belong to the box's user just for the run.
      else if (isInBox(rule)) planBoxSource(plan, { rule, base, slot, path });
      else {
        asIdentity(plan, { identity: caller, own }, () => {
          planHostSource(plan, { rule, slot, path, foreign });
        });
      }
    });
    const status = plan.alloc(STATX_SIZE);
    const statx = [slot, plan.string(""), AT_EMPTY_PATH, STATX_BASIC_STATS, status];
    plan.step("statx", statx, { ignore: "all" });
    return { rule, source: { slot, path, status } };
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
    const type = readStatx(plan.view(status)).mode & S_IFMT;
    return [{ rule, source: { fd, path, isDirectory: type === S_IFDIR } }];
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

/** Programs of earlier runs could have put links there: they must not lead out of the box. */
function planBoxSource(plan: Plan, { rule, base, slot, path }: {
  rule: BindRule;
  base: Slot;
  slot: Slot;
  path: string;
}): void {
  const resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const how = plan.struct([BigInt(O_PATH | O_CLOEXEC), 0n, BigInt(resolve)]);
  const relative = rule.outside.slice(2) || ".";
  plan.step("openat2", [base, plan.string(relative), how, 24], openOptions(rule, slot, path));
}

function planHostSource(plan: Plan, { rule, slot, path, foreign }: {
  rule: BindRule;
  slot: Slot;
  path: string;
  foreign: boolean;
}): void {
  // Links such as /proc/self/cwd are the sandbox's own: they would lead a user past directories
  // that are closed to him.
  const resolve = foreign ? RESOLVE_NO_MAGICLINKS : 0;
  const how = plan.struct([BigInt(O_PATH | O_CLOEXEC), 0n, BigInt(resolve)]);
  plan.step("openat2", [AT_FDCWD, plan.string(path), how, 24], openOptions(rule, slot, path));
}

function openOptions({ optional }: BindRule, into: Slot, path: string): StepOptions {
  return { into, what: `open ${path}`, ...(optional ? { ignore: ERRNO.ENOENT } : {}) };
}

/** The directory of a `tmp` rule is made when it is first used and then kept. */
function planTemporary(plan: Plan, { rule, places, base, slot }: {
  rule: DirectoryRule;
  places: BoxPlaces;
  base: Slot;
  slot: Slot;
}): void {
  const parts = ["tmp", ...rule.inside.split("/")];
  let parent = base;
  parts.forEach((part, i) => {
    const last = i === parts.length - 1;
    const made = plan.slot(`made ${part}`);
    const name = plan.string(part);
    const what = `make the temporary directory ${part}`;
    // The program can open its own directory to everybody, but nobody gets there.
    const mode = 0o700;
    plan.step("mkdirat", [parent, name, mode], { into: made, ignore: ERRNO.EEXIST, what });
    // Whatever the caller's umask is.
    plan.step("fchmodat", [parent, name, mode], { when: [made, 0], what });
    const fd = last ? slot : plan.slot(part);
    const how = openHowStrict(plan, O_PATH | O_DIRECTORY);
    plan.step("openat2", [parent, name, how, 24], { into: fd, what });
    if (last) {
      const { uid, gid } = places.boxUser;
      plan.step("fchownat", [fd, plan.string(""), uid, gid, AT_EMPTY_PATH], {
        when: [made, 0],
        what: `give ${part} to the user of the box`,
      });
    }
    if (parent !== base) plan.step("close", [parent]);
    parent = fd;
  });
}
