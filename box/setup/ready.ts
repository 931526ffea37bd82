/**
 * Boxes that are made before their program is known: an init that waits, with everything mounted. A run
 * whose box would be made in the same way takes it, and is spared that time.
 */

import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { type System, SystemError } from "../../ffi/system.ts";
import type { Run } from "../run_options.ts";
import { makeBareMounts } from "./bare_mounts.ts";
import type { BoxSetup } from "./init.ts";
import { openNetwork, readTraces } from "./network.ts";
import { ReadyRecipe } from "./recipe.ts";
import { discard, type StartedBox } from "./spawn.ts";

/** A box is run in one way, or in few: compiler, program, checker. */
const RECIPES_MAX = 8;
/** Once in a process, a new box is waited for; then without a network to compare with it goes on. */
const MADE_MS_MAX = 100;

/** A box whose init waits for a program. */
export type WaitingBox = Omit<StartedBox, "startedMs">;

/** How many runs found a box ready, and how many had to make one. */
export interface ReadyUses {
  hits: number;
  misses: number;
}

/** What the boxes of a process have in common. */
interface ReadyShared {
  readonly pristine: PristineNetwork;
  readonly bareMounts: BareMounts;
  readonly uses: ReadyUses;
  /** Whether boxes are made ready now. */
  areKept: boolean;
}

/** The box that is ready for the next run in one box id. */
export class ReadyBox {
  readonly #system: System;
  readonly #recipes = new Map<string, ReadyRecipe>();
  readonly #shared: ReadyShared;
  #waiting:
    | { readonly key: string; readonly box: WaitingBox; readonly sinceMs: number }
    | undefined;
  /** The network namespace of the box that waits, of the run, and of one that has ended. */
  #waitingNetwork: number | undefined;
  #runNetwork: number | undefined;
  #usedNetwork: number | undefined;
  /** Something to poll for changes of the mounts that we, and so the boxes, have. */
  #mounts: number | undefined;

  /** Has none ready yet. */
  constructor(
    system: System,
    shared: ReadyShared,
  ) {
    this.#system = system;
    this.#shared = shared;
  }

  /** The mount namespace from which boxes start; undefined: that of this process. */
  get bareMounts(): number | undefined {
    return this.#shared.bareMounts.fd;
  }

  /** Whether one waits for a program. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Takes the box that is ready if it is the one that the run would make; one that is not is ended. */
  take(setup: BoxSetup, { options }: Run): WaitingBox | undefined {
    const waiting = this.#waiting;
    this.#leaveNetwork(this.#runNetwork);
    this.#runNetwork = this.#waitingNetwork;
    this.#waitingNetwork = undefined;
    this.#shared.uses.misses++;
    if (!waiting) return undefined;
    this.#waiting = undefined;
    const fits = !options.inheritDescriptors && waiting.key === keyOf(setup);
    if (fits && !this.#haveMountsChanged()) {
      this.#shared.uses.misses--;
      this.#shared.uses.hits++;
      return waiting.box;
    }
    discard(this.#system, waiting.box);
    return undefined;
  }

  /** Makes the next one ready. That it cannot be made is said by the run that does without. */
  put(setup: BoxSetup): void {
    if (setup.terminal || this.#waiting || !this.#shared.areKept) return;
    this.#haveMountsChanged();
    try {
      const key = keyOf(setup);
      const box = this.#make(setup, key);
      this.#waiting = { key, box, sinceMs: this.#system.nowMs() };
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
  }

  #make(setup: BoxSetup, key: string): WaitingBox {
    if (setup.shareNetwork) return this.#recipe(setup, key).make(setup);
    const used = this.#usedNetwork;
    if (used !== undefined) {
      const box = this.#recipe({ ...setup, hasNetwork: true }, key).make(setup, used);
      this.#usedNetwork = undefined;
      if (this.#shared.pristine.isLike(box.initPid)) {
        this.#waitingNetwork = used;
        return box;
      }
      discard(this.#system, box);
      this.#system.close(used);
    }
    const box = this.#shared.pristine.isKnown
      ? this.#recipe(setup, key).make(setup)
      : this.#shared.pristine.make(setup);
    this.#waitingNetwork = openNetwork(this.#system, box.initPid);
    return box;
  }

  /** Plans boxes of a kind once; a box that changes its kind each time is planned each time. */
  #recipe(setup: BoxSetup, key: string): ReadyRecipe {
    const name = `${setup.hasNetwork ?? false} ${key}`;
    let recipe = this.#recipes.get(name);
    if (!recipe) {
      if (this.#recipes.size >= RECIPES_MAX) this.#recipes.clear();
      recipe = new ReadyRecipe(this.#system, setup, { announces: false });
      this.#recipes.set(name, recipe);
    }
    return recipe;
  }

  /** The run in it has ended: another one may be in it next, if nothing of the first is. */
  #leaveNetwork(network: number | undefined): void {
    if (network === undefined) return;
    if (this.#usedNetwork !== undefined) this.#system.close(this.#usedNetwork);
    this.#usedNetwork = network;
  }

  /** When the box that waits was made, in milliseconds of CLOCK_MONOTONIC; undefined: none waits. */
  get waitingSinceMs(): number | undefined {
    return this.#waiting?.sinceMs;
  }

  /** Ends what waits. */
  close(): void {
    if (this.#waiting) discard(this.#system, this.#waiting.box);
    this.#waiting = undefined;
    const fds = [this.#mounts, this.#waitingNetwork, this.#runNetwork, this.#usedNetwork];
    this.#system.close(...fds.filter((fd) => fd !== undefined));
    this.#mounts =
      this.#waitingNetwork =
      this.#runNetwork =
      this.#usedNetwork =
        undefined;
  }

  /** Whether something was mounted or unmounted since this was asked last; see proc_pid_mountinfo(5). */
  #haveMountsChanged(): boolean {
    const plan = new Plan();
    const [file, changed] = [plan.slot("mounts"), plan.slot("changed")];
    if (this.#mounts === undefined) {
      const path = plan.string("/proc/self/mountinfo");
      plan.step("openat", [linux.AT_FDCWD, path, linux.O_CLOEXEC, 0], { into: file });
    }
    const poll = plan.struct([this.#mounts ?? 0, linux.POLLPRI]);
    if (this.#mounts === undefined) plan.step("store", [poll, 4, file]);
    plan.step("ppoll", [poll, 1, plan.struct([0n, 0n]), 0, 8], { into: changed, ignore: "all" });
    this.#system.run(plan, "look for new mounts");
    if (this.#mounts === undefined) this.#mounts = plan.result(file);
    return plan.result(changed) !== 0;
  }
}

function keyOf({ rules, ...setup }: BoxSetup): string {
  return JSON.stringify([setup, rules.map(({ rule, source }) => [rule, source?.identity])]);
}

/** The mount namespace from which the boxes of a process start. */
class BareMounts {
  readonly #system: System;
  #isAsked = false;
  #fd: number | undefined;

  constructor(system: System) {
    this.#system = system;
  }

  /** Makes it when it is first asked for. */
  get fd(): number | undefined {
    if (!this.#isAsked) this.#fd = makeBareMounts(this.#system);
    this.#isAsked = true;
    return this.#fd;
  }

  /** Lets go of it for good: boxes start from where this process is. */
  close(): void {
    if (this.#fd !== undefined) this.#system.close(this.#fd);
    this.#fd = undefined;
    this.#isAsked = true;
  }
}

/** Knows what a new network namespace looks like: the same, whenever one is made. */
class PristineNetwork {
  readonly #system: System;
  #traces: string | undefined;

  constructor(system: System) {
    this.#system = system;
  }

  /** Whether a new one was looked at. */
  get isKnown(): boolean {
    return this.#traces !== undefined;
  }

  /** Makes a box with a new one, and looks at that. */
  make(setup: BoxSetup): WaitingBox {
    const box = new ReadyRecipe(this.#system, setup, { announces: true }).make(setup);
    if (this.#isMade(box)) this.#traces = readTraces(this.#system, box.initPid);
    return box;
  }

  isLike(pid: number): boolean {
    return this.#traces !== undefined && readTraces(this.#system, pid) === this.#traces;
  }

  #isMade({ socket }: WaitingBox): boolean {
    const plan = new Plan();
    const length = plan.slot("length");
    const vector = plan.struct([0n, 1n]);
    plan.point(vector, 0, plan.alloc(1));
    const message = plan.struct([0n, 0n, 0n, 1n, 0n, 0n, 0n]);
    plan.point(message, 16, vector);
    const timeout = plan.struct([0n, BigInt(MADE_MS_MAX * 1e6)]);
    plan.step("ppoll", [plan.struct([socket, linux.POLLIN]), 1, timeout, 0, 8], { ignore: "all" });
    plan.step("recvmsg", [socket, message, linux.MSG_DONTWAIT], { into: length, ignore: "all" });
    this.#system.run(plan, "wait for a box");
    return plan.result(length) === 1;
  }
}

/** The boxes that are ready, by their ids. */
export class ReadyBoxes {
  readonly #system: System;
  readonly #shared: ReadyShared;
  readonly #boxes = new Map<number, ReadyBox>();
  /** What came of them so far. */
  readonly uses: ReadyUses = { hits: 0, misses: 0 };

  constructor(system: System) {
    this.#system = system;
    const [pristine, bareMounts] = [new PristineNetwork(system), new BareMounts(system)];
    this.#shared = { pristine, bareMounts, uses: this.uses, areKept: true };
  }

  /** Whether boxes are made ready; those that wait already go on waiting. */
  get areKept(): boolean {
    return this.#shared.areKept;
  }

  set areKept(kept: boolean) {
    this.#shared.areKept = kept;
  }

  /** Finds where the box of an id is kept ready. */
  of(boxId: number): ReadyBox {
    let box = this.#boxes.get(boxId);
    if (!box) this.#boxes.set(boxId, box = new ReadyBox(this.#system, this.#shared));
    return box;
  }

  /** Whether a box is ready in this id. */
  isReady(boxId: number): boolean {
    return this.#boxes.get(boxId)?.isWaiting ?? false;
  }

  /** Ends those that have waited since before this moment, and of more than so many the oldest. */
  closeIdle({ beforeMs, boxesMax }: { beforeMs: number; boxesMax: number }): void {
    const waiting = [...this.#boxes.values()].flatMap((box) =>
      box.waitingSinceMs === undefined ? [] : [{ box, sinceMs: box.waitingSinceMs }]
    ).sort((a, b) => b.sinceMs - a.sinceMs);
    waiting.forEach(({ box, sinceMs }, i) => {
      if (sinceMs < beforeMs || i >= boxesMax) box.close();
    });
  }

  /** Ends them all, for good. */
  close(): void {
    this.#shared.areKept = false;
    for (const box of this.#boxes.values()) box.close();
    this.#boxes.clear();
    this.#shared.bareMounts.close();
  }
}
