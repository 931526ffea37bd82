/**
 * Boxes that are made before their program is known: an init that waits, with everything mounted. A run
 * whose box would be made in the same way takes it, and is spared that time.
 */

import * as linux from "../../ffi/linux.ts";
import { Routine } from "../../ffi/routine.ts";
import { type System, SystemError } from "../../ffi/system.ts";
import type { Run } from "../run_options.ts";
import { makeBareMounts } from "./bare_mounts.ts";
import type { BoxSetup } from "./init.ts";
import { canStage } from "./mounts.ts";
import { closeNetworks, type Network, openNetwork, PristineNetwork } from "./network.ts";
import { Programs } from "./start_ready.ts";
import { type AwaitedBox, discard, Receiver, Stage, type WaitingBox } from "./stage.ts";

/** A box is run in one way, or in few: compiler, program, checker. */
const STAGES_MAX = 4;

/** How many runs found a box ready, and how many had to make one. */
export interface ReadyUses {
  hits: number;
  misses: number;
}

/** What the boxes of all ids have in common. */
interface Shared {
  readonly pristine: PristineNetwork;
  readonly receiver: Receiver;
  readonly programs: Programs;
  readonly bareMounts: BareMounts;
  readonly uses: ReadyUses;
  /** Whether boxes are made ready now. */
  areKept: boolean;
}

interface Awaited {
  readonly key: string;
  readonly stage: Stage;
  readonly box: AwaitedBox;
  /** The network that it has; undefined: a new one, or that of this process. */
  readonly network: Network | undefined;
  readonly sharesNetwork: boolean;
}

/** The box that is ready for the next run in one box id. */
export class ReadyBox {
  readonly #system: System;
  readonly #shared: Shared;
  readonly #stages = new Map<string, Stage>();
  #awaited: Awaited | undefined;
  /** The stage that made the box in which a program runs, and ends with it. */
  #inUse: Stage | undefined;
  #sinceMs = 0;
  /** The network namespace of the run, and of one that has ended. */
  #runNetwork: Network | undefined;
  #usedNetwork: Network | undefined;
  /** Something to poll for changes of the mounts that we, and so the boxes, have. */
  #mounts: number | undefined;

  /** Has none ready yet. */
  constructor(system: System, shared: Shared) {
    this.#system = system;
    this.#shared = shared;
  }

  /** The mount namespace from which boxes start; undefined: that of this process. */
  get bareMounts(): number | undefined {
    return this.#shared.bareMounts.fd;
  }

  /** What starts programs in boxes that are ready. */
  get programs(): Programs {
    return this.#shared.programs;
  }

  /** Whether one waits for a program. */
  get isWaiting(): boolean {
    return this.#awaited !== undefined;
  }

  /** Takes the box that is ready if it is the one that the run would make; one that is not is ended. */
  take(key: string, { options }: Run): WaitingBox | undefined {
    // The run before has ended: another one may be in its network next, if nothing of the first is.
    if (this.#runNetwork) {
      closeNetworks(this.#system, this.#usedNetwork);
      this.#usedNetwork = this.#runNetwork;
      this.#runNetwork = undefined;
    }
    const isStale = this.#haveMountsChanged();
    const awaited = this.#awaited;
    const fits = !options.inheritDescriptors && !isStale && awaited?.key === key;
    const box = fits ? this.#receive(awaited!) : undefined;
    if (!fits) this.#discard();
    this.#awaited = undefined;
    // A stage that is ended before it has said which process it made leaves that to nobody.
    if (isStale) this.#closeStages();
    if (box) this.#shared.uses.hits++;
    else this.#shared.uses.misses++;
    return box;
  }

  #receive({ stage, box: ordered, network, sharesNetwork }: Awaited): WaitingBox | undefined {
    const box = this.#shared.receiver.receive(ordered);
    if (!box) {
      this.#closeStages();
      closeNetworks(this.#system, network);
      return undefined;
    }
    this.#inUse = stage;
    if (sharesNetwork) return box;
    this.#runNetwork = network ?? openNetwork(this.#system, box.initPid);
    if (this.#runNetwork) {
      this.#shared.pristine.learn(this.#runNetwork);
      return box;
    }
    // Somebody has killed it while it waited.
    discard(this.#system, box);
    return undefined;
  }

  /** Orders the next one. That it cannot be made is said by the run that does without. */
  put(setup: BoxSetup, { key, nowMs }: { key: string; nowMs: number }): void {
    if (!this.#shared.areKept) {
      this.#discard();
      this.#closeStages();
    }
    if (setup.terminal || this.#awaited || !this.#shared.areKept || !canStage(setup.rules)) return;
    try {
      const stage = this.#stage(setup, key);
      const network = setup.shareNetwork ? undefined : this.#takeNetwork();
      this.#awaited = {
        key,
        stage,
        network,
        box: stage.order(network?.fd),
        sharesNetwork: setup.shareNetwork,
      };
      this.#sinceMs = nowMs;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#closeStages();
    }
  }

  /** The network of the run before the one that goes on, if it is like new. */
  #takeNetwork(): Network | undefined {
    const used = this.#usedNetwork;
    this.#usedNetwork = undefined;
    if (!used || this.#shared.pristine.isLike(used)) return used;
    closeNetworks(this.#system, used);
    return undefined;
  }

  /** Finds the stage of a kind of boxes, or starts it. */
  #stage(setup: BoxSetup, key: string): Stage {
    let stage = this.#stages.get(key);
    if (!stage) {
      if (this.#stages.size >= STAGES_MAX) this.#closeStages();
      stage = new Stage(this.#system, setup);
      this.#stages.set(key, stage);
    }
    return stage;
  }

  /** Ends what makes boxes, when its mounts are older than the host's for instance. */
  #closeStages(): void {
    for (const stage of this.#stages.values()) if (stage !== this.#inUse) stage.close();
    this.#stages.clear();
  }

  /** Says that the program in the box that was taken is dead. */
  endRun(): void {
    const stage = this.#inUse;
    this.#inUse = undefined;
    if (stage && ![...this.#stages.values()].includes(stage)) stage.close();
  }

  /** Since when something waits, in milliseconds of CLOCK_MONOTONIC; undefined: nothing does. */
  get waitingSinceMs(): number | undefined {
    return this.#awaited || this.#stages.size > 0 ? this.#sinceMs : undefined;
  }

  #discard(): void {
    if (!this.#awaited) return;
    const box = this.#shared.receiver.receive(this.#awaited.box);
    if (box) discard(this.#system, box);
    closeNetworks(this.#system, this.#awaited.network);
    this.#awaited = undefined;
  }

  /** Ends what waits. */
  close(): void {
    this.#discard();
    this.#closeStages();
    closeNetworks(this.#system, this.#runNetwork, this.#usedNetwork);
    if (this.#mounts !== undefined) this.#system.close(this.#mounts);
    this.#mounts = this.#runNetwork = this.#usedNetwork = undefined;
  }

  /** Whether something was mounted or unmounted since this was asked last; see proc_pid_mountinfo(5). */
  #haveMountsChanged(): boolean {
    if (this.#mounts === undefined) {
      const { plan, parts } = OPEN_MOUNTS.run(this.#system);
      this.#mounts = plan.result(parts);
    }
    const { plan, parts } = LOOK_FOR_MOUNTS.run(this.#system, this.#mounts);
    return plan.result(parts) !== 0;
  }
}

const OPEN_MOUNTS = new Routine("watch the mounts", [], (plan) => {
  const file = plan.slot("mounts");
  const path = plan.string("/proc/self/mountinfo");
  plan.step("openat", [linux.AT_FDCWD, path, linux.O_CLOEXEC, 0], { into: file });
  return file;
});

const LOOK_FOR_MOUNTS = new Routine("look for new mounts", ["mounts"], (plan, file) => {
  const changed = plan.slot("changed");
  const poll = plan.struct([0, linux.POLLPRI]);
  plan.step("store", [poll.part(0, 4), 4, file]);
  plan.step("ppoll", [poll, 1, plan.struct([0n, 0n]), 0, 8], { into: changed, ignore: "all" });
  return changed;
});

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

/** The boxes that are ready, by their ids. */
export class ReadyBoxes {
  readonly #system: System;
  readonly #shared: Shared;
  readonly #boxes = new Map<number, ReadyBox>();

  /** What came of them so far. */
  readonly uses: ReadyUses;

  /** Counts in `uses` what comes of them. */
  constructor(system: System, uses: ReadyUses) {
    this.#system = system;
    this.uses = uses;
    this.#shared = {
      pristine: new PristineNetwork(system),
      receiver: new Receiver(system),
      programs: new Programs(system),
      bareMounts: new BareMounts(system),
      uses,
      areKept: true,
    };
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
    this.#shared.programs.close();
  }
}
