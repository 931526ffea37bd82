/** Passes the events of a job on, each stage once, although the job may begin again elsewhere. */

import type { JobEvent } from "../engine/types.ts";

/**
 * A worker can be lost in the middle of a stage, whose first events are then already told. What the
 * next worker says of that stage is left out, except how it ended; later stages are told from their
 * beginning.
 */
export class EventFilter {
  readonly #onEvent: (event: JobEvent) => void;
  /** Which execution told of the beginning of a stage; undefined: the stage has ended. */
  readonly #stages = new Map<string, string | undefined>();

  constructor(onEvent: (event: JobEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** Takes what an execution says. */
  take(event: JobEvent, execution: string): void {
    const stage = `${event.stage} ${event.run ?? ""}`;
    const isNew = !this.#stages.has(stage);
    const teller = this.#stages.get(stage);
    if (!isNew && teller === undefined) return;
    if (event.kind === "end") this.#stages.set(stage, undefined);
    else if (isNew) this.#stages.set(stage, execution);
    else if (teller !== execution || event.kind === "begin") return;
    this.#onEvent(event);
  }
}
