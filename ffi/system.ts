/** Executes plans, turns failures into sentences, and makes the few calls that many parts need. */

import { ERRNO, errnoName, errnoText } from "./errno.ts";
import { ExpectedError } from "../text/errors.ts";
import type { Steps } from "../text/slices.ts";
import { isRecentDeno, oldDenoMessage } from "./hand_over.ts";
import { CLOCK_MONOTONIC } from "./linux.ts";
import { type Library, library } from "./library.ts";
import { type Data, Plan, type Step } from "./plan.ts";
import { Routine } from "./routine.ts";

/** Says which step of a plan failed, and why. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  /** Undefined if the shim refused the plan. */
  readonly step: Step | undefined;
  readonly errno: number;
  /** The name of the errno, such as `ENOENT`. */
  readonly code: string;
  /** Through what the call was made; undefined: by another process. */
  system: System | undefined;

  constructor(step: Step | undefined, errno: number) {
    super(describeFailure(step, errno));
    this.step = step;
    this.errno = errno;
    this.code = errnoName(errno);
  }

  /** Describes what failed in an executed plan; a refused plan has no failed step. */
  static of(plan: Plan): SystemError {
    const { step, errno } = plan.failure();
    return errno === 0 ? new SystemError(undefined, ERRNO.EINVAL) : new SystemError(step, errno);
  }
}

function describeFailure(step: Step | undefined, errno: number): string {
  if (step === undefined) return "The shim refused a malformed plan (a bug in isolate)";
  const path = step.args.find((arg) => typeof arg === "object" && "text" in arg && arg.text);
  const what = step.options.what ??
    (path ? `${step.operation} ${(path as Data).text}` : step.operation);
  const detail = `${errnoText(errno)} (${step.operation}: ${errnoName(errno)})`;
  const reason = step.reason === "" ? "" : `${step.reason}: `;
  return `${reason}${step.reason === "" ? "Cannot" : "cannot"} ${what}: ${detail}`;
}

/** The threads for this are shared with the waiter of the process, which must always find one. */
const ASIDE_MAX = 8;

/** Reaches the kernel through the shim. */
export class System {
  readonly library: Library;
  /** Called with every plan before it is executed, for tracing. */
  readonly trace: ((plan: Plan, title: string) => void) | undefined;
  readonly #aside = new Set<Promise<number>>();

  constructor(library: Library, trace?: (plan: Plan, title: string) => void) {
    this.library = library;
    this.trace = trace;
  }

  static async load(trace?: (plan: Plan, title: string) => void): Promise<System> {
    if (!isRecentDeno()) throw new ExpectedError(oldDenoMessage());
    return new System(await library(), trace);
  }

  /** Executes a plan; throws a {@linkcode SystemError} if a step fails. */
  run(plan: Plan, title: string): void {
    const failure = this.attempt(plan, title);
    if (failure) throw failure;
  }

  /** Executes a plan; returns the failure. */
  attempt(plan: Plan, title: string): SystemError | undefined {
    return this.prepare(plan, title)();
  }

  /**
   * Executes a plan as a part of work that others must not wait for; returns the failure. Nobody else may
   * use its descriptors meanwhile.
   */
  *attemptInTurn(
    plan: Plan,
    title: string,
    { isSmall = false }: { isSmall?: boolean } = {},
  ): Steps<SystemError | undefined> {
    let failure: SystemError | undefined;
    yield {
      isSmall,
      here: () => void (failure = this.attempt(plan, title)),
      aside: async () => void (failure = await this.#attemptAside(plan, title)),
    };
    return failure;
  }

  /** The same; throws if a step fails. */
  *runInTurn(plan: Plan, title: string, options: { isSmall?: boolean } = {}): Steps<void> {
    const failure = yield* this.attemptInTurn(plan, title, options);
    if (failure) throw failure;
  }

  async #attemptAside(plan: Plan, title: string): Promise<SystemError | undefined> {
    while (this.#aside.size >= ASIDE_MAX) await Promise.race(this.#aside);
    this.trace?.(plan, title);
    const image = plan.encode();
    const executed = this.library.execAside(image);
    this.#aside.add(executed);
    const status = await executed;
    this.#aside.delete(executed);
    return status === 0 ? undefined : this.#failureOf(plan);
  }

  /** Encodes a plan that is to be executed many times. */
  prepare(plan: Plan, title: string): () => SystemError | undefined {
    this.trace?.(plan, title);
    const image = plan.encode();
    return () => this.#execute(plan, image);
  }

  /**
   * The same, but each execution begins with what was planned, whatever the one before has left in slots and
   * data; `put` is called in between.
   */
  prepareAfresh(plan: Plan, title: string): (put?: () => void) => SystemError | undefined {
    this.trace?.(plan, title);
    const image = plan.encode();
    const planned = image.slice();
    return (put) => {
      image.set(planned);
      put?.();
      return this.#execute(plan, image);
    };
  }

  #execute(plan: Plan, image: Uint8Array<ArrayBuffer>): SystemError | undefined {
    return this.library.exec(image) === 0 ? undefined : this.#failureOf(plan);
  }

  #failureOf(plan: Plan): SystemError {
    const error = SystemError.of(plan);
    error.system = this;
    return error;
  }

  /** Closes descriptors; ignores those that are not open. */
  close(...fds: number[]): void {
    const open = fds.filter((fd) => fd >= 0);
    for (let at = 0; at < open.length; at += CLOSED_AT_ONCE) {
      const some = open.slice(at, at + CLOSED_AT_ONCE);
      closing(some.length).attempt(this, ...some);
    }
  }

  /** Writes all bytes to a descriptor. */
  writeAll(fd: number, bytes: Uint8Array, what: string): void {
    for (let at = 0; at < bytes.length;) {
      const plan = new Plan();
      const rest = plan.bytes(bytes.subarray(at));
      const written = plan.slot("written");
      plan.step("write", [fd, rest, rest.length], { into: written, what: `write ${what}` });
      this.run(plan, `write ${what}`);
      at += plan.result(written);
    }
  }

  /** Reads the clock that wall time is measured with. */
  nowMs(): number {
    return this.clockMs(CLOCK_MONOTONIC) ?? 0;
  }

  /** Reads a clock; see clock_gettime(2). */
  clockMs(clock: number): number | undefined {
    const { plan, parts, failure } = CLOCK.attempt(this, clock);
    return failure ? undefined : timespecMs(plan.view(parts), 0);
  }
}

const CLOSED_AT_ONCE = 16;
const closings: Routine<void>[] = [];

/** Finds the routine that closes so many descriptors. */
function closing(count: number): Routine<void> {
  const names = Array.from({ length: count }, () => "descriptor");
  return closings[count] ??= new Routine("close", names, (plan, ...fds) => {
    for (const fd of fds) plan.step("close", [fd], { ignore: "all" });
  });
}

const CLOCK = new Routine("clock", ["clock"], (plan, clock) => {
  const time = plan.alloc(16);
  plan.step("clock_gettime", [clock, time]);
  return time;
});

/** Reads the kernel's `struct timespec`. */
export function timespecMs(view: DataView, at: number): number {
  return Number(view.getBigInt64(at, true)) * 1e3 + Number(view.getBigInt64(at + 8, true)) / 1e6;
}
