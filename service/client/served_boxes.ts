/** Boxes of the service for a caller without root rights: which there are, and leases of them. */

import { CpuShares } from "../../box/pool/cpu_shares.ts";
import { Sandbox } from "../../box/sandbox.ts";
import { BoxDirectory } from "../../box/claim/box_directory.ts";
import { boxPlaces } from "../../box/claim/paths.ts";
import { parseClassicConfig } from "../../config/classic.ts";
import { defaultSettings } from "../../config/settings.ts";
import { Plan } from "../../ffi/plan.ts";
import { System } from "../../ffi/system.ts";
import { SandboxError, translated } from "../../host/errors.ts";
import { tryOpen } from "../../host/open.ts";
import * as linux from "../../ffi/linux.ts";
import { readAccess } from "../access.ts";
import { ServiceCaller } from "./client_process.ts";
import { LeaseLock } from "./lease_lock.ts";
import { ServedBox } from "./served_box.ts";

const SEARCH_EVERY_MS = 100;
const WAIT_MS = 60_000;
/** Kernels from this one on tell the peak of each run; see `Box.peakMemoryIsOfBox`. */
const OWN_PEAK = [6, 12] as const;
const FREE_KINDS: readonly string[] = ["box-in-use", "foreign-box"];

/** A range of box ids. */
export interface BoxRange {
  readonly first: number;
  readonly count: number;
}

/** A box of the service for as long as it is leased. */
export interface ServedLease extends AsyncDisposable {
  readonly box: ServedBox;
  /** The CPU of runs that name none; undefined: not pinned. */
  readonly cpu: number | undefined;
  release(): Promise<void>;
  /** Ends the lease and keeps the box as it is. */
  keep(): Promise<void>;
}

/** The boxes that a caller of the service has. */
export class ServedBoxes {
  /** Knows the kernel and the service's configuration; it makes no boxes. */
  readonly sandbox: Sandbox;
  /** Which boxes the caller may use; undefined: all. */
  readonly permitted: readonly BoxRange[] | undefined;
  /** Why boxes have no control groups; undefined: they have. */
  readonly whyNoControlGroups: string | undefined;
  readonly #caller: ServiceCaller;
  readonly #peakMemoryIsOfBox: boolean;

  private constructor(parts: Pick<ServedBoxes, "sandbox" | "permitted" | "whyNoControlGroups">, {
    caller,
    peakMemoryIsOfBox,
  }: { caller: ServiceCaller; peakMemoryIsOfBox: boolean }) {
    this.sandbox = parts.sandbox;
    this.permitted = parts.permitted;
    this.whyNoControlGroups = parts.whyNoControlGroups;
    this.#caller = caller;
    this.#peakMemoryIsOfBox = peakMemoryIsOfBox;
  }

  /**
   * Asks the service what it offers this process.
   *
   * @throws {SandboxError} in one sentence if there is none, or none for this user
   */
  static open(environment: ReadonlyMap<string, string>): Promise<ServedBoxes> {
    return translated(async () => {
      const system = await System.load();
      const preliminary = Sandbox.openOutside(system, defaultSettings());
      const socket = environment.get("ISOLATE_SERVICE") ?? preliminary.settings.service.socket;
      if (socket === "off") throw needsService("ISOLATE_SERVICE is off");
      const program = findClient(system);
      const caller = new ServiceCaller(system, { waiter: preliminary.waiter, program, socket });
      const config = await caller.ask(["-vv", "--check-config"]);
      if (config.status !== 0) {
        const reason = config.stderr.trim();
        throw needsService(reason, { isThere: !reason.startsWith("No isolate service") });
      }
      const { settings } = parseClassicConfig(config.stderr, "the service's configuration");
      const sandbox = Sandbox.openOutside(system, { ...defaultSettings(), ...settings });
      const ranges = readAccess(system, sandbox.settings.service).rangesOf(sandbox.caller);
      const groups = await caller.ask(["--print-cg-root"]);
      const parts = {
        sandbox,
        permitted: ranges?.map(({ first, last }) => ({ first, count: last - first + 1 })),
        whyNoControlGroups: groups.status === 0 ? undefined : groups.stderr.trim(),
      };
      return new ServedBoxes(parts, { caller, peakMemoryIsOfBox: !tellsOwnPeak(system) });
    });
  }

  /** Leases boxes of a range, not more than `size` at once. */
  pool(options: { range: BoxRange; cpus?: "each" | undefined }): ServedPool {
    const { range, cpus } = options;
    const shares = new CpuShares(this.sandbox.system, cpus);
    return new ServedPool({
      range,
      take: (boxId) => this.#take(boxId, shares),
    });
  }

  /** Takes a box if it is free. */
  async #take(boxId: number, shares: CpuShares): Promise<ServedLease | string> {
    const { sandbox } = this;
    const { system, caller: { uid } } = sandbox;
    const lock = LeaseLock.take(system, { uid, boxId });
    if (!lock) return "in use";
    const cpu = shares.take();
    try {
      const directory = new BoxDirectory(sandbox, boxPlaces(sandbox.settings, boxId));
      if (!lock.wasLeft && directory.exists()) {
        shares.free(cpu);
        lock.release();
        return "initialised and not cleaned up";
      }
      const box = new ServedBox({
        sandbox,
        caller: this.#caller,
        boxId,
        controlGroup: this.whyNoControlGroups === undefined,
        peakMemoryIsOfBox: this.#peakMemoryIsOfBox,
        cpus: cpu === undefined ? undefined : [cpu],
      });
      lock.mark();
      await box.clear();
      return lease({ box, cpu, lock, free: () => shares.free(cpu) });
    } catch (error) {
      shares.free(cpu);
      lock.release();
      if (error instanceof SandboxError && FREE_KINDS.includes(error.kind)) return "of other users";
      throw error;
    }
  }
}

function lease({ box, cpu, lock, free }: {
  box: ServedBox;
  cpu: number | undefined;
  lock: LeaseLock;
  free: () => void;
}): ServedLease {
  let ended: Promise<void> | undefined;
  const end = async (work: () => Promise<void>) => {
    free();
    try {
      await work();
    } catch (error) {
      lock.abandon();
      throw error;
    }
    lock.release();
  };
  const release = () => ended ??= end(() => box.cleanup());
  return {
    box,
    cpu,
    release,
    keep: () => ended ??= end(() => Promise.resolve()),
    [Symbol.asyncDispose]: release,
  };
}

/** Leases boxes of a range. */
export class ServedPool implements AsyncDisposable {
  readonly #range: BoxRange;
  readonly #take: (boxId: number) => Promise<ServedLease | string>;
  readonly #leases: ServedLease[] = [];

  /** Takes boxes by this function. */
  constructor(
    options: { range: BoxRange; take: (boxId: number) => Promise<ServedLease | string> },
  ) {
    this.#range = options.range;
    this.#take = options.take;
  }

  /**
   * Takes the first box that is free, or waits for one.
   *
   * @throws {SandboxError} `no-free-box` if others have had them all for a minute
   */
  lease({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<ServedLease> {
    return translated(async () => {
      const endMs = performance.now() + WAIT_MS;
      const { first, count } = this.#range;
      for (;;) {
        const taken = new Map<string, number>();
        for (let boxId = first; boxId < first + count; boxId++) {
          signal?.throwIfAborted();
          const found = await this.#take(boxId);
          if (typeof found === "object") {
            this.#leases.push(found);
            return found;
          }
          taken.set(found, (taken.get(found) ?? 0) + 1);
        }
        if (performance.now() > endMs) {
          const counts = [...taken].map(([why, count]) => `${count} ${why}`).join(", ");
          throw new SandboxError(
            "no-free-box",
            `No box from ${first} to ${first + count - 1} was free for ${WAIT_MS} ms: ${counts}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, SEARCH_EVERY_MS));
      }
    });
  }

  /** Gives all boxes back. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const lease of this.#leases) await lease.release();
  }
}

function needsService(reason: string, { isThere = false } = {}): SandboxError {
  return new SandboxError(
    isThere ? "restricted" : "missing-rights",
    `isolate judge needs root, or a running service (isolate serve): ${reason}`,
  );
}

/** The native client lies beside this program, or in its checkout. */
function findClient(system: System): string {
  const path = Deno.build.standalone
    ? `${ownDirectory(system)}/isolate`
    : decodeURIComponent(new URL(`../../lib/isolate-${Deno.build.arch}`, import.meta.url).pathname);
  const fd = tryOpen(system, path, linux.O_PATH);
  if (fd === undefined) throw needsService(`the native client is missing, which should be ${path}`);
  system.close(fd);
  return path;
}

function ownDirectory(system: System): string {
  const plan = new Plan();
  const [target, length] = [plan.alloc(4096), plan.slot("length")];
  plan.step("readlinkat", [linux.AT_FDCWD, plan.string("/proc/self/exe"), target, 4096], {
    into: length,
  });
  system.run(plan, "find this program");
  const path = new TextDecoder().decode(plan.content(target, plan.result(length)));
  return path.slice(0, path.lastIndexOf("/"));
}

/** Whether every run in a control group has a peak of its own. */
function tellsOwnPeak(system: System): boolean {
  const FIELD = 65;
  const plan = new Plan();
  const names = plan.alloc(6 * FIELD);
  plan.step("uname", [names]);
  system.run(plan, "which kernel");
  const bytes = plan.content(names.part(2 * FIELD, FIELD));
  const release = new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  const [major = 0, minor = 0] = release.split(".").map((part) => parseInt(part));
  return major > OWN_PEAK[0] || major === OWN_PEAK[0] && minor >= OWN_PEAK[1];
}
