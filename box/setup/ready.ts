/** The boxes that are ready, by their ids; see `ready_box.ts`. */

import type { System } from "../../ffi/system.ts";
import type { Waiter } from "../keep/waiter.ts";
import { BareMounts } from "./bare_mounts.ts";
import { PristineNetwork } from "./network.ts";
import { ReadyBox, type ReadyUses, type Shared } from "./ready_box.ts";
import { Programs } from "./start_ready.ts";
import { Receiver } from "./stage.ts";
import { Stages } from "./stages.ts";

export type { ReadyUses } from "./ready_box.ts";

/** The boxes that are ready, by their ids. */
export class ReadyBoxes {
  readonly #system: System;
  readonly #shared: Shared;
  readonly #boxes = new Map<number, ReadyBox>();

  /** What came of them so far. */
  readonly uses: ReadyUses;

  /**
   * Counts in `uses` what comes of them. With `outlivesBoxes` what is kept for an id outlives its box, and
   * somebody calls {@linkcode ReadyBoxes.closeIdle} now and then.
   */
  constructor(
    system: System,
    { waiter, uses, outlivesBoxes }: {
      waiter: Waiter;
      uses: ReadyUses;
      outlivesBoxes: boolean;
    },
  ) {
    this.#system = system;
    this.uses = uses;
    this.#shared = {
      pristine: new PristineNetwork(system),
      receiver: new Receiver(system),
      programs: new Programs(system),
      bareMounts: new BareMounts(system),
      stages: new Stages(system),
      waiter,
      uses,
      outlivesBoxes,
      open: new Set(),
      areKept: true,
      recipe: undefined,
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
    const kept = [...this.#boxes.values()].flatMap((box) =>
      box.keptSinceMs === undefined ? [] : [{ box, sinceMs: box.keptSinceMs }]
    ).sort((a, b) => b.sinceMs - a.sinceMs);
    kept.forEach(({ box, sinceMs }, i) => {
      // There may be hundreds, and clients wait meanwhile.
      if (sinceMs < beforeMs || i >= boxesMax) box.close({ waits: boxesMax === 0 });
    });
    if (boxesMax === 0) this.#shared.stages.endAll();
    else this.#shared.stages.endIdle(beforeMs);
  }

  /** Ends them all, for good. */
  close(): void {
    this.#shared.areKept = false;
    for (const box of this.#boxes.values()) box.close({ waits: true });
    this.#boxes.clear();
    this.#shared.stages.close();
    this.#shared.bareMounts.close();
    this.#shared.programs.close();
  }
}
