/** Leases the boxes of a judge: one for each test that runs at the same time, pinned to a CPU of its own. */

import { BoxPool, type Sandbox, SandboxError } from "../../mod.ts";
import type { JudgeBox, JudgeLease, JudgePool } from "../boxes.ts";
import type { PlannedTest } from "../grading/grading.ts";
import type { JudgeOptions } from "./judge_options.ts";
import { Disturbance } from "./disturbance.ts";

/** How long to wait for a box that is not strictly needed. */
const MORE_BOXES_MS = 2000;

/** What is needed to lease boxes. */
export type WorkersOptions = Pick<
  JudgeOptions,
  "sandbox" | "problem" | "jobs" | "boxIds" | "boxes" | "signal"
>;

/** Runs one test at a time. */
export interface Worker {
  /** Runs submissions and compilers. */
  readonly box: JudgeBox;
  /** Runs validators, if there are any. */
  readonly validatorBox: JudgeBox | undefined;
  /** The CPUs that both boxes are pinned to; undefined: all. */
  readonly cpus: readonly number[] | undefined;
}

/** A test that a worker runs. */
export interface Assignment {
  readonly planned: PlannedTest;
  readonly worker: Worker;
  /** Interrupts the test. */
  readonly signal: AbortSignal;
}

/** All workers of a judge. */
export class Workers implements AsyncDisposable {
  /** How many there are. */
  readonly count: number;
  /** What is odd, a sentence each. */
  readonly warnings: readonly string[];
  /** Knows what runs at the same time. */
  readonly disturbance: Disturbance = new Disturbance();
  readonly #resources: AsyncDisposableStack;
  readonly #leases: readonly JudgeLease[];
  readonly #free: Worker[];
  readonly #waiting: ((worker: Worker) => void)[] = [];

  private constructor(resources: AsyncDisposableStack, options: {
    workers: Worker[];
    leases: readonly JudgeLease[];
    warnings: readonly string[];
  }) {
    this.#resources = resources;
    this.#leases = options.leases;
    this.#free = options.workers;
    this.count = options.workers.length;
    this.warnings = options.warnings;
  }

  /** Leases the boxes, with control groups where those can be used. */
  static async open(options: WorkersOptions): Promise<Workers> {
    const { sandbox, problem, jobs, boxIds, signal } = options;
    const given = options.boxes;
    const reason = given ? given.whyNoControlGroups : await whyNoControlGroups(sandbox);
    await using resources = new AsyncDisposableStack();
    const openPool = async (cpus?: "each") =>
      resources.use(
        given?.pool({ range: boxIds ?? allBoxes(sandbox), cpus }) ?? await BoxPool.create({
          sandbox,
          size: jobs,
          init: { controlGroup: reason === undefined },
          ...boxIds && { firstBoxId: boxIds.first, count: boxIds.count },
          ...cpus && { cpus },
        }),
      );
    const pool = await openPool("each");
    const hasValidators = problem.validation.kind === "custom" || problem.staticValidator;
    const validatorPool = hasValidators ? await openPool() : undefined;
    const leases: JudgeLease[] = [];
    const workers: Worker[] = [];
    while (workers.length < jobs) {
      const isNeeded = workers.length === 0;
      const lease = async (pool: JudgePool, waiting: AbortSignal) => {
        leases.push(resources.use(await pool.lease({ signal: waiting })));
        return leases.at(-1)!;
      };
      const worker = await takeWorker({ isNeeded, signal }, async (waiting) => {
        const { box, cpu } = await lease(pool, waiting);
        const validatorBox = validatorPool && (await lease(validatorPool, waiting)).box;
        return { box, validatorBox, cpus: cpu === undefined ? undefined : [cpu] };
      });
      if (!worker) break;
      workers.push(worker);
    }
    const warnings: string[] = [];
    if (reason !== undefined) {
      warnings.push(
        `Memory is limited for each process alone: ${reason}`,
      );
    }
    if (workers.length < jobs) {
      const count = `${workers.length} of ${jobs} tests run`;
      warnings.push(`Only ${count} at the same time, as others use the boxes`);
    }
    return new Workers(resources.move(), { workers, leases, warnings });
  }

  /** Does something with a worker as soon as one is free: first come, first served. */
  async use<T>(work: (worker: Worker) => Promise<T>): Promise<T> {
    const worker = this.#free.pop() ??
      await new Promise<Worker>((resolve) => this.#waiting.push(resolve));
    try {
      return await work(worker);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(worker);
      else this.#free.push(worker);
    }
  }

  /** Keeps all boxes as they are for people to look into, once each was prepared for that. */
  async keep(prepare: (box: JudgeBox) => Promise<void>): Promise<string[]> {
    for (const { box } of this.#free) await prepare(box);
    for (const lease of this.#leases) await lease.keep();
    return this.#leases.map(({ box }) => box.directory);
  }

  /** Gives the boxes back. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/**
 * Leases the boxes of one worker. The first worker waits as long as pools wait. The others are not worth
 * that, and a box of our own could be all that there is to wait for.
 */
async function takeWorker(
  { isNeeded, signal }: { isNeeded: boolean; signal: AbortSignal | undefined },
  take: (waiting: AbortSignal) => Promise<Worker>,
): Promise<Worker | undefined> {
  const giveUp = new AbortController();
  const timer = isNeeded ? undefined : setTimeout(() => giveUp.abort(), MORE_BOXES_MS);
  try {
    signal?.throwIfAborted();
    return await take(AbortSignal.any([giveUp.signal, ...signal ? [signal] : []]));
  } catch (error) {
    signal?.throwIfAborted();
    const isTaken = error instanceof SandboxError && error.kind === "no-free-box";
    if (isNeeded || !isTaken && !giveUp.signal.aborted) throw error;
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function allBoxes({ settings: { numBoxes } }: Sandbox) {
  return { first: 0, count: numBoxes };
}

/**
 * Tells why boxes cannot have control groups; undefined: they can. Without them only one thing is missing: a
 * limit on the memory of several processes together.
 */
export async function whyNoControlGroups(sandbox: Sandbox): Promise<string | undefined> {
  try {
    await sandbox.controlGroupDirectory();
    return undefined;
  } catch (error) {
    if (error instanceof SandboxError && error.kind === "control-group") return error.message;
    throw error;
  }
}
