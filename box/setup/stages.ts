/**
 * The stages of a process: one for each kind of boxes, whatever their ids. They end when they are not used
 * for a while, and when anything is mounted or unmounted on the host, but not before a run in a box of
 * theirs.
 */

import * as linux from "../../ffi/linux.ts";
import { Routine } from "../../ffi/routine.ts";
import type { System } from "../../ffi/system.ts";
import type { BoxKind } from "./box_kind.ts";
import type { BoxSetup } from "./init.ts";
import { type AwaitedBox, Stage } from "./stage.ts";

/** Boxes are run in few ways: compiler, program, checker, for some callers. */
const STAGES_MAX = 16;

/** A stage that boxes of many ids use. */
export class SharedStage {
  readonly #stage: Stage;
  readonly #waiting = new Set<() => void>();
  #runs = 0;
  #isEnded = false;
  /** When it was used last, in milliseconds of CLOCK_MONOTONIC. */
  usedMs: number;

  /** Starts it. */
  constructor(
    system: System,
    { setup, kind, nowMs }: { setup: BoxSetup; kind: BoxKind; nowMs: number },
  ) {
    this.#stage = new Stage(system, setup, kind);
    this.usedMs = nowMs;
  }

  /** Orders a box; `discard` ends it while it waits, and calls {@linkcode SharedStage.settle}. */
  order(setup: BoxSetup, networkFd: number | undefined, discard: () => void): AwaitedBox {
    const box = this.#stage.order(setup, networkFd);
    this.#waiting.add(discard);
    return box;
  }

  /** Says that a box that was ordered is no longer waited for. */
  settle(discard: () => void): void {
    this.#waiting.delete(discard);
  }

  /** Whether programs run in boxes of it. */
  get isInUse(): boolean {
    return this.#runs > 0;
  }

  /** Says that a program begins in a box of it. */
  beginRun(): void {
    this.#runs++;
  }

  /** Says that it is dead. */
  endRun(): void {
    this.#runs--;
    if (this.#isEnded && !this.isInUse) this.#stage.close();
  }

  /** Ends it, after the programs in boxes of it. */
  end(): void {
    // One that is ended before it has said which process it made leaves that to nobody.
    for (const discard of [...this.#waiting]) discard();
    this.#isEnded = true;
    if (!this.isInUse) this.#stage.close();
  }
}

/** All stages. */
export class Stages {
  readonly #system: System;
  readonly #known = new Map<string, SharedStage>();
  /** Something to poll for changes of the mounts that we, and so the boxes, have. */
  #mounts: number | undefined;

  /** Has none yet. */
  constructor(system: System) {
    this.#system = system;
  }

  /** Finds the stage of a kind of boxes, if there is one. */
  find({ stageKey }: BoxKind): SharedStage | undefined {
    return stageKey === undefined ? undefined : this.#known.get(stageKey);
  }

  /** Finds the stage of a kind of boxes, or starts it. */
  get(key: string, made: { setup: BoxSetup; kind: BoxKind; nowMs: number }): SharedStage {
    const found = this.#known.get(key);
    const stage = found ?? new SharedStage(this.#system, made);
    if (!found && this.#known.size >= STAGES_MAX) this.#end(this.#known.keys().next().value!);
    // The one that was used longest ago comes first, and ends first.
    this.#known.delete(key);
    this.#known.set(key, stage);
    stage.usedMs = made.nowMs;
    return stage;
  }

  #end(key: string): void {
    const stage = this.#known.get(key);
    this.#known.delete(key);
    stage?.end();
  }

  /** Ends one that is of no use any more. */
  drop(stage: SharedStage): void {
    const found = [...this.#known].find(([, known]) => known === stage);
    if (found) this.#end(found[0]);
  }

  /** Ends those whose mounts are older than the host's; see proc_pid_mountinfo(5). */
  endStale(): void {
    if (this.#mounts === undefined) {
      const { plan, parts } = OPEN_MOUNTS.run(this.#system);
      this.#mounts = plan.result(parts);
    }
    const { plan, parts } = LOOK_FOR_MOUNTS.run(this.#system, this.#mounts);
    if (plan.result(parts) !== 0) this.endAll();
  }

  /** Ends those that nobody has used since this moment. */
  endIdle(beforeMs: number): void {
    for (const [key, stage] of [...this.#known]) {
      if (stage.usedMs < beforeMs && !stage.isInUse) this.#end(key);
    }
  }

  /** Ends all of them. */
  endAll(): void {
    for (const key of [...this.#known.keys()]) this.#end(key);
  }

  /** Ends all of them, and keeps nothing open. */
  close(): void {
    this.endAll();
    if (this.#mounts !== undefined) this.#system.close(this.#mounts);
    this.#mounts = undefined;
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
