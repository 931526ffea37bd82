/**
 * The directory of a box on the host, `BOX_ROOT/ID`, with `box/` in it: made, opened, emptied and
 * removed.
 */

import { inSlices } from "../../text/slices.ts";
import { ERRNO } from "../../ffi/errno.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
} from "../../ffi/linux.ts";
import { type Data, Plan, type Slot } from "../../ffi/plan.ts";
import { Routine } from "../../ffi/routine.ts";
import type { System } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";
import type { Identity } from "../../host/identity.ts";
import { MOUNTED, planOpen, STRICT } from "../../host/open.ts";
import { planStatus } from "../../host/status.ts";
import { nameOf, readDirectory } from "../../host/list.ts";
import type { Ownership } from "../../host/ownership.ts";
import { emptyTreeSteps, removeTreeSteps } from "../../host/tree.ts";
import { openDirectory } from "../../host/tree_walk.ts";
import type { Sandbox } from "../sandbox.ts";
import { Newness } from "./newness.ts";
import {
  type BoxSize,
  isMountRoot,
  planOwnFileSystem,
  sizeOfFileSystem,
  unmountOwnFileSystem,
} from "./own_file_system.ts";
import type { BoxPlaces } from "./paths.ts";
import { clearDiskQuota, type DiskQuota, setDiskQuota } from "./quota.ts";

const encoder = new TextEncoder();
/** Of the directory around `box/`: while a program runs, and at all other times. */
const [CLOSED, READABLE] = [0o700, 0o755];
const DIRECTORY = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/** Opens `box/` again and again. */
type BoxOpening = Routine<{ inner: Slot; outer: Slot; status: Data }>;

interface BoxRoutines {
  readonly openings: BoxOpening[];
  readonly end: Routine<void>;
}

/** What a client does in a box its next one probably does again. */
const REMEMBERED_MAX = 256;
const known = new WeakMap<System, Map<string, BoxRoutines>>();

function remembered(system: System, directory: string, make: () => BoxRoutines): BoxRoutines {
  let routines = known.get(system);
  if (!routines) known.set(system, routines = new Map());
  let found = routines.get(directory);
  if (found) return found;
  if (routines.size >= REMEMBERED_MAX) routines.delete(routines.keys().next().value!);
  routines.set(directory, found = make());
  return found;
}

/** The directory of one box. */
export class BoxDirectory {
  readonly #sandbox: Sandbox;
  readonly #places: BoxPlaces;
  readonly #newness: Newness;
  readonly #routines: BoxRoutines;

  /** Names a directory, which need not exist. */
  constructor(sandbox: Sandbox, places: BoxPlaces) {
    this.#sandbox = sandbox;
    this.#places = places;
    this.#newness = new Newness(sandbox.system);
    this.#routines = remembered(sandbox.system, places.directory, () => ({
      openings: [],
      end: new Routine("end the run in the box", ["box/"], (plan, files) => {
        const outer = this.#planOpen(plan);
        plan.step("fchmod", [outer, READABLE], { what: "open the box's directory to its caller" });
        plan.step("close", [outer], { always: true, ignore: "all" });
        plan.step("close", [files!], { always: true, ignore: "all" });
      }),
    }));
  }

  /** Makes it, with an empty `box/` that belongs to the caller. */
  make({ quota, size }: { quota: DiskQuota | undefined; size: BoxSize | undefined }): void {
    const { system, caller } = this.#sandbox;
    const { directory, boxUser } = this.#places;
    const plan = new Plan();
    const outer = plan.slot("box directory");
    plan.step("mkdirat", [AT_FDCWD, plan.string(directory), READABLE], {
      what: `make ${directory}`,
    });
    plan.step("openat", [AT_FDCWD, plan.string(directory), DIRECTORY, 0], { into: outer });
    // Whatever the caller's umask is.
    plan.step("fchmod", [outer, READABLE]);
    planFiles(plan, { outer, owner: caller, size });
    try {
      system.run(plan, "make the box");
      if (quota) setDiskQuota(system, { fd: plan.result(outer), uid: boxUser.uid, quota });
    } finally {
      system.close(plan.result(outer));
    }
  }

  /** Opens `box/`, which must be what the sandbox has made. */
  open({ ownFileSystem }: { ownFileSystem: boolean }): number {
    return this.#open({ ownFileSystem, close: false });
  }

  /**
   * Opens `box/` for a run, and keeps everybody but root from getting there by its path: the program can
   * open its own directory to all users of the host, who would meet it there.
   */
  openForRun({ ownFileSystem }: { ownFileSystem: boolean }): number {
    return this.#open({ ownFileSystem, close: true });
  }

  /** Ends what {@linkcode openForRun} has begun. */
  endRun(files: number): void {
    const { failure } = this.#routines.end.attempt(this.#sandbox.system, files);
    // Who has removed it needs no way there.
    if (failure && failure.errno !== ERRNO.ENOENT) throw failure;
  }

  #open({ ownFileSystem, close }: { ownFileSystem: boolean; close: boolean }): number {
    const { system } = this.#sandbox;
    const { directory, boxId } = this.#places;
    const { plan, parts, failure } = this.#opening({ ownFileSystem, close }).attempt(system);
    const { inner, outer, status } = parts;
    if (failure?.errno === ERRNO.ENOENT && failure.step?.options.into === outer) throw noBox(boxId);
    if (failure) throw failure;
    if (ownFileSystem && !isMountRoot(plan.view(status))) {
      system.close(plan.result(inner));
      throw new SandboxError(
        "uninitialised-box",
        `The file system of ${directory}/box (--box-size) is gone: initialise the box again`,
      );
    }
    return plan.result(inner);
  }

  #opening({ ownFileSystem, close }: { ownFileSystem: boolean; close: boolean }): BoxOpening {
    const { directory } = this.#places;
    return this.#routines.openings[2 * Number(ownFileSystem) + Number(close)] ??= new Routine(
      "open the box",
      [],
      (plan) => {
        const inner = plan.slot("box");
        const outer = this.#planOpen(plan);
        planOpen(plan, outer, "box", {
          flags: O_DIRECTORY,
          resolve: ownFileSystem ? MOUNTED : STRICT,
          into: inner,
          what: `open ${directory}/box, which must be a real directory`,
        });
        const status = planStatus(plan, inner);
        if (close) plan.step("fchmod", [outer, CLOSED], { what: `close ${directory} to others` });
        plan.step("close", [outer], { always: true, ignore: "all" });
        return { inner, outer, status };
      },
    );
  }

  /** Adds steps that open the directory itself. */
  #planOpen(plan: Plan): Slot {
    const { boxId, directory } = this.#places;
    const [root, outer] = [plan.slot("box root"), plan.slot("box directory")];
    const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    const path = plan.string(this.#sandbox.settings.boxRoot);
    plan.step("openat", [AT_FDCWD, path, flags, 0], { into: root });
    planOpen(plan, root, String(boxId), {
      flags: O_DIRECTORY,
      resolve: STRICT,
      into: outer,
      what: `open ${directory}`,
    });
    plan.step("close", [root], { always: true, ignore: "all" });
    return outer;
  }

  /**
   * Removes what is in `box/`, and in the temporary directories of earlier runs. A directory that a
   * program could have given more than files is replaced by a new one.
   */
  async clear(
    { ownFileSystem, ownerUid }: { ownFileSystem: boolean; ownerUid: number },
  ): Promise<void> {
    const owned = this.#ownership(ownerUid, {
      path: `${this.#places.directory}/box`,
      placeDepth: 1,
    });
    const { system, caller } = this.#sandbox;
    let size: BoxSize | undefined;
    if (ownFileSystem) {
      const mounted = this.open({ ownFileSystem });
      try {
        size = sizeOfFileSystem(system, mounted);
      } finally {
        system.close(mounted);
      }
      unmountOwnFileSystem(system, this.#places.directory);
    }
    const plan = new Plan();
    const outer = this.#planOpen(plan);
    const failure = system.attempt(plan, "empty the box");
    const fd = plan.result(outer);
    try {
      if (failure) throw failure;
      await this.#clearTemporary(fd);
      if (!size && await this.#reuse(fd, { path: "box", owner: caller, ...owned })) return;
      await inSlices(removeTreeSteps(system, fd, { name: "box", ...owned }));
      const again = new Plan();
      planFiles(again, { outer: fd, owner: caller, size });
      system.run(again, "make a new box/");
    } finally {
      system.close(fd);
    }
  }

  /** What runs with the default rules leave is a `tmp/tmp`, and nothing beside it. */
  async #clearTemporary(outer: number): Promise<void> {
    const { system } = this.#sandbox;
    const found = openDirectory(system, outer, encoder.encode("tmp\0"));
    if (!found) return;
    const names: string[] = [];
    try {
      for (const entries of readDirectory(system, found.fd)) {
        names.push(...entries.slice(0, 2).map(nameOf));
        if (names.length > 1) break;
      }
    } finally {
      system.close(found.fd);
    }
    const isUsual = names.length === 1 && names[0] === "tmp";
    const usual = { path: "tmp/tmp", owner: this.#places.boxUser };
    if (isUsual && await this.#reuse(outer, usual)) return;
    await inSlices(removeTreeSteps(system, outer, { name: "tmp" }));
  }

  /**
   * Empties a directory and makes it like a new one of this owner, so that a box which is ready, with the
   * directory mounted, still fits; false if it has to be replaced.
   */
  async #reuse(
    outer: number,
    { path, owner, ...owned }: { path: string; owner: Identity; ownership?: Ownership },
  ): Promise<boolean> {
    const { system } = this.#sandbox;
    const found = openDirectory(system, outer, encoder.encode(`${path}\0`));
    if (!found) return false;
    try {
      await inSlices(emptyTreeSteps(system, found.fd, owned));
      return this.#newness.restore(found.fd, { outer, owner });
    } finally {
      system.close(found.fd);
    }
  }

  /** Removes it with everything in it; nothing to remove is not an error. */
  async remove({ quota, ownerUid }: { quota: boolean; ownerUid: number }): Promise<void> {
    const { system, settings } = this.#sandbox;
    const { boxUser, boxId, directory } = this.#places;
    const plan = new Plan();
    const root = plan.slot("box root");
    const flags = O_DIRECTORY | O_CLOEXEC;
    plan.step("openat", [AT_FDCWD, plan.string(settings.boxRoot), flags, 0], { into: root });
    const failure = system.attempt(plan, "open the directory of boxes");
    if (failure?.errno === ERRNO.ENOENT) return;
    if (failure) throw failure;
    const fd = plan.result(root);
    try {
      unmountOwnFileSystem(system, directory);
      const name = String(boxId);
      const owned = this.#ownership(ownerUid, { path: directory, placeDepth: 2 });
      await inSlices(removeTreeSteps(system, fd, { name, ...owned }));
      this.#sandbox.log(1, () => `Removed what was in box ${boxId}`);
      if (quota) clearDiskQuota(system, { fd, uid: boxUser.uid });
    } finally {
      system.close(fd);
    }
  }

  /** Says whose directories in it are emptied; where it belongs to us they all are. */
  #ownership(
    owner: number,
    where: Pick<Ownership, "path" | "placeDepth">,
  ): { ownership?: Ownership } {
    if (owner === this.#sandbox.own.uid) return {};
    return { ownership: { ...where, owner, others: [this.#places.boxUser.uid] } };
  }

  /** Looks for it. */
  exists(): boolean {
    const plan = new Plan();
    const fd = plan.slot("directory");
    const flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    plan.step("openat", [AT_FDCWD, plan.string(this.#places.directory), flags, 0], { into: fd });
    plan.step("close", [fd]);
    const failure = this.#sandbox.system.attempt(plan, "look for the box");
    if (failure && failure.errno !== ERRNO.ENOENT && failure.errno !== ERRNO.ENOTDIR) throw failure;
    return failure === undefined;
  }
}

/** Adds steps that make `box/`. */
function planFiles(plan: Plan, { outer, owner, size }: {
  outer: number | Slot;
  owner: Identity;
  size: BoxSize | undefined;
}): void {
  const inner = plan.slot("box");
  plan.step("mkdirat", [outer, plan.string("box"), 0o700]);
  plan.step("openat", [outer, plan.string("box"), DIRECTORY, 0], { into: inner });
  plan.step("fchmod", [inner, 0o700]);
  if (size) planOwnFileSystem(plan, { at: inner, size, owner });
  else plan.step("fchownat", [inner, plan.string(""), owner.uid, owner.gid, AT_EMPTY_PATH]);
  plan.step("close", [inner], { always: true, ignore: "all" });
}

/** The error for a box that was not made, with the command that makes it. */
export function noBox(boxId: number, { controlGroup = false } = {}): SandboxError {
  const options = [...boxId === 0 ? [] : [`--box-id=${boxId}`], ...controlGroup ? ["--cg"] : []];
  const init = ["isolate", ...options, "--init"].join(" ");
  return new SandboxError("no-box", `Box not found, did you run \`${init}'?`);
}
