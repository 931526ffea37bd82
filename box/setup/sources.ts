/**
 * The sources of directory rules, opened with the rights of whom the sandbox acts for: a rule can
 * show a program only what its caller can reach.
 */

import { O } from "../../ffi/abi.ts";
import { ERRNO } from "../../ffi/errno.ts";
import { Plan, type Slot } from "../../ffi/plan.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  FILE_TYPE,
  readStatx,
  STATX_BASIC,
  STATX_SIZE,
  type System,
} from "../../ffi/system.ts";
import type { DirectoryRule } from "./directory_rules.ts";
import { asIdentity, type Identity } from "../../host/identity.ts";
import { type PlacedRule, ruleName } from "./placed_rule.ts";
import type { BoxPlaces } from "../claim/paths.ts";
import { openHowStrict, RESOLVE } from "../../host/resolve.ts";

/** For whom, and of which box, sources are opened. */
export interface SourceOptions {
  /** The rules in order. */
  readonly rules: readonly DirectoryRule[];
  /** The box. */
  readonly places: BoxPlaces;
  /** Whom the sandbox acts for. */
  readonly caller: Identity;
  /** Who the sandbox itself is. */
  readonly own: Identity;
}

/** Opens the sources of all rules. A `maybe` rule whose source does not exist is left out. */
export function openSources(system: System, options: SourceOptions): PlacedRule[] {
  const { rules, places, caller, own } = options;
  const plan = new Plan();
  const empty = plan.string("");
  const base = plan.slot("box directory");
  plan.step("openat", [
    AT_FDCWD,
    plan.string(places.directory),
    O.O_PATH | O.O_DIRECTORY | O.O_NOFOLLOW | O.O_CLOEXEC,
    0,
  ], { into: base, what: `open the box directory ${places.directory}` });
  const opened: { slot: Slot; status: ReturnType<Plan["alloc"]>; path: string }[] = [];
  const add = (rule: DirectoryRule, path: string, open: (slot: Slot) => void) => {
    const slot = plan.slot(path);
    plan.because(ruleName(rule), () => open(slot));
    const status = plan.alloc(STATX_SIZE);
    plan.step("statx", [slot, empty, AT_EMPTY_PATH, STATX_BASIC, status], { ignore: "all" });
    opened.push({ slot, status, path });
  };
  const foreign = caller.uid !== own.uid;
  const slots = rules.map((rule) => {
    if (rule.kind === "filesystem") return undefined;
    const at = opened.length;
    if (rule.kind === "temporary") {
      const path = `${places.directory}/tmp/${rule.inside}`;
      add(rule, path, (slot) => planTemporary(plan, { rule, places, base, slot }));
    } else {
      const path = rule.outside.startsWith("/")
        ? rule.outside
        : `${places.directory}/${rule.outside.slice(2)}`;
      const open = (slot: Slot) => planBindSource(plan, { rule, base, slot, path, foreign });
      // The box's own files are the caller's, and belong to the box's user just for the run.
      const asOwn = rule.outside.startsWith("./");
      add(rule, path, (slot) => {
        if (asOwn) open(slot);
        else asIdentity(plan, { identity: caller, own }, () => open(slot));
      });
    }
    return at;
  });
  plan.step("close", [base], { always: true, ignore: "all" });
  const failure = system.attempt(plan, "find what the directory rules bind");
  if (failure) {
    for (const { slot } of opened) {
      const fd = plan.result(slot);
      if (fd > 0) system.close(fd);
    }
    throw failure;
  }
  return rules.flatMap((rule, i): PlacedRule[] => {
    const at = slots[i];
    if (at === undefined) return [{ rule, source: undefined }];
    const { slot, status, path } = opened[at]!;
    const fd = plan.result(slot);
    if (fd < 0) return [];
    const isDirectory = (readStatx(plan.view(status)).mode & FILE_TYPE.mask) ===
      FILE_TYPE.directory;
    return [{ rule, source: { fd, path, isDirectory } }];
  });
}

function planBindSource(plan: Plan, { rule, base, slot, path, foreign }: {
  rule: Extract<DirectoryRule, { kind: "bind" }>;
  base: Slot;
  slot: Slot;
  path: string;
  foreign: boolean;
}): void {
  const options = {
    into: slot,
    what: `open ${path}`,
    ...(rule.optional ? { ignore: ERRNO.ENOENT } : {}),
  };
  if (rule.outside.startsWith("/")) {
    // Links such as /proc/self/cwd are the sandbox's own: they would lead a user past directories
    // that are closed to him.
    const resolve = foreign ? RESOLVE.noMagicLinks : 0;
    const how = plan.struct([BigInt(O.O_PATH | O.O_CLOEXEC), 0n, BigInt(resolve)]);
    plan.step("openat2", [AT_FDCWD, plan.string(rule.outside), how, 24], options);
    return;
  }
  // Programs of earlier runs could have put links here: they must not lead out of the box.
  const how = plan.struct([
    BigInt(O.O_PATH | O.O_CLOEXEC),
    0n,
    BigInt(RESOLVE.beneath | RESOLVE.noMagicLinks),
  ]);
  const relative = rule.outside.slice(2) === "" ? "." : rule.outside.slice(2);
  plan.step("openat2", [base, plan.string(relative), how, 24], options);
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
    const how = openHowStrict(plan, O.O_PATH | O.O_DIRECTORY);
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

/** Closes what {@linkcode openSources} opened. */
export function closeSources(system: System, rules: readonly PlacedRule[]): void {
  system.close(...rules.flatMap(({ source }) => source ? [source.fd] : []));
}
