/**
 * The sources of directory rules, opened with the caller's rights: a rule can show a program only what
 * its caller can reach.
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { type Data, Plan, type Slot } from "../../ffi/plan.ts";
import type { System, SystemError } from "../../ffi/system.ts";
import { planDirectories } from "../../host/directories.ts";
import { asCaller, type HostAccess } from "../../host/identity.ts";
import { anywhere, BENEATH, planOpen, STRICT } from "../../host/open.ts";
import { planStatus, readStatus } from "../../host/status.ts";
import type { BoxPlaces } from "../claim/paths.ts";
import type { RemoteCaller } from "../remote_caller.ts";
import {
  type BindRule,
  defaultDirectoryRules,
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
  /** Whether it is a mount of nobody's tree already, which the caller has cloned. */
  readonly isClone: boolean;
  /** Whether it is a directory; anything else is bound on a file. */
  readonly isDirectory: boolean;
  /** Tells this file on this mount from all others. */
  readonly identity: string;
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

/** Sources that were opened elsewhere; undefined: an optional one that does not exist. */
export interface GivenSources extends ReadonlyMap<DirectoryRule, number | undefined> {
  /** Whether they are mounts that the caller has cloned, who has others than this process. */
  readonly areClones: boolean;
}

/**
 * Has a caller in another process open the sources it names. The sources of default rules are named by
 * nobody, and there for everybody: the caller opens them only if it sees others, as in a container.
 */
export async function askForSources(
  remote: RemoteCaller,
  rules: readonly DirectoryRule[],
): Promise<GivenSources> {
  const sources = rules.filter((rule): rule is BindRule => rule.kind === "bind" && !isInBox(rule));
  const others = await remote.findOthers(sources.filter(isDefault));
  const asked = sources.filter((rule) => !isDefault(rule) || others.has(rule));
  const { fds, areClones } = asked.length === 0
    ? { fds: [], areClones: false }
    : await remote.openSources(asked);
  return Object.assign(new Map(asked.map((rule, i) => [rule, fds[i]])), { areClones });
}

/** Which of the rules are default ones, that never change. */
const known = new WeakMap<DirectoryRule, boolean>();
let defaults: ReadonlySet<string> | undefined;

function isDefault(rule: DirectoryRule): boolean {
  const found = known.get(rule);
  if (found !== undefined) return found;
  defaults ??= new Set(defaultDirectoryRules().map(describeDirectoryRule));
  const isOne = defaults.has(describeDirectoryRule(rule));
  if (Object.isFrozen(rule)) known.set(rule, isOne);
  return isOne;
}

interface SourcesRequest {
  readonly rules: readonly DirectoryRule[];
  readonly places: BoxPlaces;
  readonly given?: GivenSources | undefined;
}

/** A plan that opens sources, and where each of them is in it. */
interface Opening {
  readonly plan: Plan;
  readonly rules: readonly DirectoryRule[];
  readonly sources: readonly (PlannedSource | undefined)[];
  readonly execute: () => SystemError | undefined;
}

interface PlannedSource {
  readonly slot: Slot;
  readonly path: string;
  readonly isClone: boolean;
  readonly status: Data;
}

/** So many plans are remembered: runs in a box mostly have the same rules. */
const OPENINGS_MAX = 32;
const openings = new WeakMap<System, Map<string, Opening>>();

/**
 * Opens the sources of all rules but those that are given. A `maybe` rule whose source does not exist is
 * left out.
 */
export function openSources(access: HostAccess, request: SourcesRequest): PlacedRule[] {
  const { system } = access;
  const { plan, rules, sources, execute } = opening(access, request);
  const failure = execute();
  if (failure) {
    system.close(...sources.flatMap((source) => source ? [plan.result(source.slot)] : []));
    throw failure;
  }
  return rules.flatMap((rule, i): PlacedRule[] => {
    const source = sources[i];
    if (!source) return [{ rule, source }];
    const { slot, path, isClone, status } = source;
    const fd = plan.result(slot);
    if (fd < 0) return [];
    const { kind, identity, mountId } = readStatus(plan.view(status));
    const isDirectory = kind === "directory";
    return [{
      rule,
      source: { fd, path, isClone, isDirectory, identity: `${identity}:${mountId}` },
    }];
  });
}

/** The texts of rules that never change. */
const texts = new WeakMap<readonly DirectoryRule[], string>();

function textOf(rules: readonly DirectoryRule[]): string {
  const known = texts.get(rules);
  if (known !== undefined) return known;
  const text = JSON.stringify(rules);
  if (Object.isFrozen(rules) && rules.every(Object.isFrozen)) texts.set(rules, text);
  return text;
}

function opening(access: HostAccess, request: SourcesRequest): Opening {
  const { system, caller, own } = access;
  // Descriptors are others each time, and a trace shows each plan.
  if (request.given?.size || system.trace) return planOpening(access, request);
  let remembered = openings.get(system);
  if (!remembered) openings.set(system, remembered = new Map());
  const key = textOf(request.rules) + JSON.stringify([request.places, caller, own]);
  const found = remembered.get(key);
  if (found) {
    remembered.delete(key);
    remembered.set(key, found);
    return found;
  }
  const planned = planOpening(access, request);
  if (remembered.size >= OPENINGS_MAX) remembered.delete(remembered.keys().next().value!);
  remembered.set(key, planned);
  return planned;
}

function planOpening(access: HostAccess, { rules, places, given }: SourcesRequest): Opening {
  const plan = new Plan();
  const base = plan.slot("box directory");
  const flags = linux.O_PATH | linux.O_DIRECTORY | linux.O_NOFOLLOW | linux.O_CLOEXEC;
  plan.step("openat", [linux.AT_FDCWD, plan.string(places.directory), flags, 0], {
    into: base,
    what: `open the box directory ${places.directory}`,
  });
  const sources = rules.map((rule) => {
    if (rule.kind === "filesystem") return undefined;
    const path = pathOf(rule, places);
    const slot = plan.because(ruleName(rule), () => {
      if (given?.has(rule)) return planGiven(plan, path, given.get(rule));
      return rule.kind === "temporary"
        ? planTemporary(plan, base, { rule, path, places })
        : planBind(plan, base, { rule, path, access });
    });
    const isClone = given?.has(rule) === true && given.areClones;
    const status = planStatus(plan, slot, { ignore: "all", cached: true });
    return { slot, path, isClone, status };
  });
  plan.step("close", [base], { always: true, ignore: "all" });
  const execute = access.system.prepareAfresh(plan, "find what the directory rules bind");
  // The caller may change its own.
  const copies = rules.map((rule) => Object.freeze({ ...rule }));
  return { plan, rules: copies, sources, execute: () => execute() };
}

/** Adds a descriptor that was opened elsewhere, as if this plan had opened it. */
function planGiven(plan: Plan, path: string, fd: number | undefined): Slot {
  const into = plan.slot(path);
  if (fd !== undefined) plan.step("fcntl", [fd, linux.F_DUPFD_CLOEXEC, 3], { into });
  return into;
}

/** Closes what {@linkcode openSources} opened. */
export function closeSources(system: System, rules: readonly PlacedRule[]): void {
  system.close(...rules.flatMap(({ source }) => source ? [source.fd] : []));
}

function pathOf(rule: Exclude<DirectoryRule, FilesystemRule>, { directory }: BoxPlaces): string {
  if (rule.kind === "temporary") return `${directory}/tmp/${rule.inside}`;
  return isInBox(rule) ? `${directory}/${rule.outside.slice(2)}` : rule.outside;
}

/** Whether a rule binds what is in the directory of the box. */
export function isInBox({ outside }: BindRule): boolean {
  return outside.startsWith("./");
}

function planBind(plan: Plan, base: Slot, { rule, path, access }: {
  rule: BindRule;
  path: string;
  access: HostAccess;
}): Slot {
  const into = plan.slot(path);
  if (isInBox(rule)) {
    // The box's own files are the caller's, and belong to the box's user just for the run. Programs of
    // earlier runs could have put links there: they must not lead out of the box.
    const options = { ...openOptions(rule, into), resolve: BENEATH };
    planOpen(plan, base, rule.outside.slice(2) || ".", options);
  } else {
    asCaller(plan, access, () => {
      planOpen(plan, linux.AT_FDCWD, path, {
        ...openOptions(rule, into),
        resolve: anywhere(access, rule),
      });
    });
  }
  return into;
}

/** Adds the step by which a caller in another process opens the source of a rule. */
export function planOwnSource(
  plan: Plan,
  rule: BindRule,
  { clones, resolve }: { clones: boolean; resolve: number },
): Slot {
  const into = plan.slot(rule.outside);
  const clone = plan.slot(rule.outside);
  plan.because(ruleName(rule), () => {
    planOpen(plan, linux.AT_FDCWD, rule.outside, { ...openOptions(rule, into), resolve });
    if (!clones) return;
    const recursive = rule.recursive ? linux.AT_RECURSIVE : 0;
    const flags = linux.OPEN_TREE_CLONE | linux.O_CLOEXEC | linux.AT_EMPTY_PATH | recursive;
    plan.step("open_tree", [into, plan.string(""), flags], {
      into: clone,
      what:
        `take the mount at ${rule.outside} out of a mount namespace that is not that of the service`,
      ...(rule.optional ? { ignore: ERRNO.EBADF } : {}),
    });
    plan.step("close", [into], { always: true, ignore: "all" });
  });
  return clones ? clone : into;
}

function openOptions({ outside, optional }: BindRule, into: Slot) {
  return {
    flags: linux.O_PATH,
    into,
    what: `open ${outside}`,
    ...(optional ? { ignore: ERRNO.ENOENT } : {}),
  };
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
  plan.step("fchownat", [fd, plan.string(""), uid, gid, linux.AT_EMPTY_PATH], {
    when: [made, 0],
    what: `give ${path} to the user of the box`,
  });
  return fd;
}
