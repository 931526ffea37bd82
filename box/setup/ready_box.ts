/**
 * Boxes that are made before their program is known: an init that waits, with everything mounted. A run
 * whose box would be made in the same way takes it, and is spared that time.
 */

import { type System, SystemError } from "../../ffi/system.ts";
import type { Waiter } from "../keep/waiter.ts";
import type { Run } from "../run_options.ts";
import type { BareMounts } from "./bare_mounts.ts";
import type { BoxKind } from "./box_kind.ts";
import type { DirectoryRule } from "./directory_rules.ts";
import type { BoxSetup } from "./init.ts";
import { closeNetworks, type Network, openNetwork, type PristineNetwork } from "./network.ts";
import type { Programs } from "./start_ready.ts";
import { type AwaitedBox, discard, type Receiver, type WaitingBox } from "./stage.ts";
import type { SharedStage, Stages } from "./stages.ts";

/** One network is that of the run, the other one that of the box that waits. */
const NETWORKS_MAX = 2;

/** A box is waited for so long at most; more than a thousand times of what it needs. */
const MADE_MS_MAX = 500;

/** How many runs found a box ready, and how many had to make one. */
export interface ReadyUses {
  hits: number;
  misses: number;
}

/** What the boxes of all ids have in common. */
export interface Shared {
  readonly pristine: PristineNetwork;
  readonly receiver: Receiver;
  readonly programs: Programs;
  readonly bareMounts: BareMounts;
  readonly stages: Stages;
  readonly waiter: Waiter;
  readonly uses: ReadyUses;
  /** What is kept of a box outlives it until it is idle. */
  readonly outlivesBoxes: boolean;
  /** Those of boxes that have not been removed. */
  readonly open: Set<ReadyBox>;
  /** Whether boxes are made ready now. */
  areKept: boolean;
  /** How a box was made last. */
  recipe: Recipe | undefined;
}

interface Awaited {
  readonly key: string;
  readonly stage: SharedStage;
  readonly box: AwaitedBox;
  /** The network that it has; undefined: a new one, or that of this process. */
  readonly network: Network | undefined;
  readonly sharesNetwork: boolean;
}

/** A box that a run would make, and which kind that is. */
interface Wanted {
  readonly setup: BoxSetup;
  readonly kind: BoxKind;
  readonly nowMs: number;
}

/** What a run has asked for, as far as it goes for other boxes too. */
interface Recipe {
  readonly rules: readonly DirectoryRule[];
  readonly setup: BoxSetup;
}

/** The box that is ready for the next run in one box id. */
export class ReadyBox {
  readonly #system: System;
  readonly #shared: Shared;
  #awaited: Awaited | undefined;
  /** The stage that made the box in which a program runs, and ends after it. */
  #inUse: SharedStage | undefined;
  #sinceMs = 0;
  /** The network namespace of the run, and those of runs that have ended. */
  #runNetwork: Network | undefined;
  #usedNetworks: Network[] = [];
  #recipe: Recipe | undefined;
  readonly #discard = (): void => this.#endAwaited({ waits: true });

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

  /** Whether what is kept for this id outlives its box. */
  get outlivesBox(): boolean {
    return this.#shared.outlivesBoxes;
  }

  /** How a box of this id was made last, or of any id if there was none. */
  get recipe(): Recipe | undefined {
    return this.#recipe ?? this.#shared.recipe;
  }

  set recipe(recipe: Recipe) {
    this.#recipe = this.#shared.recipe = recipe;
  }

  /** Whether one waits for a program. */
  get isWaiting(): boolean {
    return this.#awaited !== undefined;
  }

  /**
   * Chooses the box that is ready if it is the one that the run would make; one that is not is ended. Where
   * there is a stage for such boxes it makes one, which is still faster than to make all of it.
   */
  choose(wanted: Wanted, { options }: Run): void {
    const { stages, uses, open } = this.#shared;
    open.add(this);
    // The run before has ended: another one may be in its network next, if nothing of the first is.
    this.#keepNetwork(this.#runNetwork);
    this.#runNetwork = undefined;
    stages.endStale();
    const fits = !options.inheritDescriptors && this.#awaited?.key === wanted.kind.key;
    if (fits) uses.hits++;
    else {
      uses.misses++;
      this.#endAwaited({ waits: false });
      if (!options.inheritDescriptors && stages.find(wanted.kind)) this.put(wanted);
    }
  }

  /** Resolves once what was chosen is there, or never will be; undefined: there is nothing to wait for. */
  arrival(): Promise<void> | undefined {
    const { receiver } = this.#shared;
    return !this.#awaited || receiver.hasCome(this.#awaited.box)
      ? undefined
      : this.#awaitBox(this.#awaited);
  }

  async #awaitBox(awaited: Awaited): Promise<void> {
    const { receiver, waiter } = this.#shared;
    const { box } = awaited;
    const endMs = this.#system.nowMs() + MADE_MS_MAX;
    while (this.#awaited === awaited && !receiver.hasCome(box) && this.#system.nowMs() < endMs) {
      await waiter.readable([box.socket], endMs);
    }
    if (this.#awaited !== awaited) return;
    waiter.forget(box.socket);
    box.isLost ||= !receiver.hasCome(box);
  }

  /** Takes what was chosen, if it is there. */
  take(): WaitingBox | undefined {
    return this.#receive();
  }

  #receive(): WaitingBox | undefined {
    const awaited = this.#awaited;
    if (!awaited) return undefined;
    const { stage, network, sharesNetwork } = awaited;
    this.#awaited = undefined;
    stage.settle(this.#discard);
    const box = this.#shared.receiver.receive(awaited.box);
    if (!box) {
      this.#shared.stages.drop(stage);
      closeNetworks(this.#system, network);
      return undefined;
    }
    if (!sharesNetwork) {
      this.#runNetwork = network ?? openNetwork(this.#system, box.initPid);
      if (!this.#runNetwork) {
        // Somebody has killed it while it waited.
        discard(this.#system, box);
        return undefined;
      }
      this.#shared.pristine.learn(this.#runNetwork);
    }
    this.#inUse = stage;
    stage.beginRun();
    return box;
  }

  /** Orders one for a new box, if there is a stage for its kind. */
  prepare(wanted: Wanted): void {
    const { open, stages } = this.#shared;
    stages.endStale();
    if (!stages.find(wanted.kind)) return;
    open.add(this);
    this.put(wanted);
  }

  /** Orders the next one. That it cannot be made is said by the run that does without. */
  put({ setup, kind, nowMs }: Wanted): void {
    const { areKept, stages } = this.#shared;
    if (!areKept) this.#endAwaited({ waits: true });
    if (setup.terminal || this.#awaited || !areKept || kind.stageKey === undefined) return;
    let [stage, network]: [SharedStage?, Network?] = [];
    try {
      stage = stages.get(kind.stageKey, {
        setup: { ...setup, mountsFd: this.bareMounts },
        kind,
        nowMs,
      });
      network = setup.shareNetwork ? undefined : this.#takeNetwork();
      this.#awaited = {
        key: kind.key,
        stage,
        network,
        box: stage.order(setup, network?.fd, this.#discard),
        sharesNetwork: setup.shareNetwork,
      };
      this.#sinceMs = nowMs;
    } catch (error) {
      closeNetworks(this.#system, network);
      if (!(error instanceof SystemError)) throw error;
      if (stage) stages.drop(stage);
    }
  }

  #keepNetwork(network: Network | undefined): void {
    if (!network) return;
    this.#usedNetworks.push(network);
    if (this.#usedNetworks.length > NETWORKS_MAX) {
      closeNetworks(this.#system, this.#usedNetworks.shift());
    }
  }

  /** The network of a run that has ended, if it is like new. */
  #takeNetwork(): Network | undefined {
    for (let used; (used = this.#usedNetworks.shift());) {
      if (this.#shared.pristine.isLike(used)) return used;
      closeNetworks(this.#system, used);
    }
    return undefined;
  }

  /** Says that the program in the box that was taken is dead. */
  endRun(): void {
    this.#inUse?.endRun();
    this.#inUse = undefined;
  }

  /** Since when something is kept, in milliseconds of CLOCK_MONOTONIC; undefined: nothing is. */
  get keptSinceMs(): number | undefined {
    return this.#awaited || this.#usedNetworks.length > 0 ? this.#sinceMs : undefined;
  }

  /** Ends what waits, and keeps its network; it is dead afterwards if that `waits`, else soon. */
  #endAwaited({ waits, keepsNetwork = true }: { waits: boolean; keepsNetwork?: boolean }): void {
    const awaited = this.#awaited;
    if (!awaited) return;
    const { stage, box, sharesNetwork } = awaited;
    this.#awaited = undefined;
    stage.settle(this.#discard);
    this.#shared.waiter.forget(box.socket);
    let { network } = awaited;
    if (waits || keepsNetwork && !sharesNetwork && !network) {
      const waiting = this.#shared.receiver.receive(box);
      if (waiting && !sharesNetwork) network ??= openNetwork(this.#system, waiting.initPid);
      if (waiting) discard(this.#system, waiting);
    } else {
      // Its init notices that.
      this.#system.close(box.socket, box.initFd);
    }
    this.#keepNetwork(network);
  }

  /** Ends what waits, as the box is removed. */
  closeBox(): void {
    const { outlivesBoxes, open, stages } = this.#shared;
    open.delete(this);
    if (!outlivesBoxes) this.close({ waits: true });
    else {
      this.#endAwaited({ waits: false });
      this.#keepNetwork(this.#runNetwork);
      this.#runNetwork = undefined;
    }
    if (!outlivesBoxes && open.size === 0) stages.close();
  }

  /** Ends what waits, and keeps nothing; all is dead afterwards if that `waits`, else soon. */
  close({ waits }: { waits: boolean }): void {
    this.#endAwaited({ waits, keepsNetwork: false });
    closeNetworks(this.#system, this.#runNetwork, ...this.#usedNetworks);
    this.#runNetwork = undefined;
    this.#usedNetworks = [];
  }
}
