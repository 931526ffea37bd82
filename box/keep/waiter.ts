/**
 * The one waiter of a process: any number of boxes wait for descriptors and points in time, and
 * one call on another thread waits for them all.
 *
 * It is an epoll set (epoll(7)) with a timer (timerfd_create(2)) in it. Its only non-blocking call
 * is in flight while a box waits, so an idle waiter does not keep the process alive.
 */

import * as linux from "../../ffi/linux.ts";
import { type Data, Plan, type Slot } from "../../ffi/plan.ts";
import { ERRNO } from "../../ffi/errno.ts";
import { Routine } from "../../ffi/routine.ts";
import { type System, timespecMs } from "../../ffi/system.ts";

const EVENTS_AT_ONCE = 64;
/** After something has happened, more is likely to happen within this time. */
const LINGER_NS = 1_000_000n;
/** The kernel's `struct epoll_event` is packed on x86_64 only. */
const EVENT_SIZE = Deno.build.arch === "x86_64" ? 12 : 16;

/** Identifies the timer where an event names a descriptor. */
const TIMER = -1;

function event(plan: Plan, events: number, fd: number): Data {
  return plan.struct(EVENT_SIZE === 12 ? [events, fd, 0] : [events, 0, fd, 0]);
}

const WATCH = new Routine(
  "wait",
  ["epoll", "operation", "descriptor", "events"],
  (plan, epoll, operation, fd, events) => {
    const wanted = event(plan, 0, 0);
    plan.step("store", [wanted.part(0, 4), 4, events]);
    plan.step("store", [wanted.part(EVENT_SIZE - 8, 4), 4, fd]);
    plan.step("epoll_ctl", [epoll, operation, fd, wanted]);
  },
);

const UNWATCH = new Routine("forget a descriptor", ["epoll", "descriptor"], (plan, epoll, fd) => {
  plan.step("epoll_ctl", [epoll, linux.EPOLL_CTL_DEL, fd, 0], { ignore: "all" });
});

const ARM = new Routine("set the timer", ["timer", "s", "ns"], (plan, timer, seconds, ns) => {
  const time = plan.struct([0n, 0n, 0n, 0n]);
  plan.step("store", [time.part(16, 8), 8, seconds!]);
  plan.step("store", [time.part(24, 8), 8, ns!]);
  plan.step("timerfd_settime", [timer!, linux.TFD_TIMER_ABSTIME, time, 0]);
});

interface EventsPlan {
  readonly plan: Plan;
  readonly events: Data;
  readonly count: Slot;
  readonly now: Data;
}

/** Plans to wait for events, for ever or for so long. */
function planEvents(epoll: number, timeoutNs?: bigint): EventsPlan {
  const plan = new Plan();
  const events = plan.alloc(EVENTS_AT_ONCE * EVENT_SIZE);
  const count = plan.slot("events");
  const timeout = timeoutNs === undefined ? 0 : plan.struct([0n, timeoutNs]);
  plan.step("epoll_pwait2", [epoll, events, EVENTS_AT_ONCE, timeout, 0, 8], {
    into: count,
    ignore: ERRNO.EINTR,
  });
  const now = plan.alloc(16);
  plan.step("clock_gettime", [linux.CLOCK_MONOTONIC, now]);
  return { plan, events, count, now };
}

/** What may be ready: one of these descriptors. */
export interface Readiness {
  readonly readable?: readonly number[];
  readonly writable?: readonly number[];
  /** One that nobody will write to any more. */
  readonly hungUp?: number;
}

interface Wait {
  readonly fds: readonly number[];
  readonly deadlineMs: number;
  readonly wake: () => void;
}

/** The calls that wait: on another thread, and for a moment on this one. */
interface Calls {
  readonly aside: EventsPlan;
  readonly image: Uint8Array<ArrayBuffer>;
  readonly here: EventsPlan;
  readonly linger: () => unknown;
}

/** Waits for descriptors and deadlines of many boxes at once. */
export class Waiter {
  readonly #system: System;
  readonly #epoll: number;
  readonly #timer: number;
  readonly #waits = new Set<Wait>();
  readonly #registered = new Set<number>();
  readonly #observers = new Map<number, () => void>();
  #armedMs = Infinity;
  #turning = false;
  #isInFlight = false;
  #calls: Calls | undefined;
  #lingers = false;
  #onTurn: ((delayMs: number) => void) | undefined;

  private constructor(system: System, epoll: number, timer: number) {
    this.#system = system;
    this.#epoll = epoll;
    this.#timer = timer;
  }

  static create(system: System): Waiter {
    const plan = new Plan();
    const epoll = plan.slot("epoll");
    const timer = plan.slot("timer");
    plan.step("epoll_create1", [linux.EPOLL_CLOEXEC], { into: epoll });
    plan.step("timerfd_create", [linux.CLOCK_MONOTONIC, linux.TFD_CLOEXEC | linux.TFD_NONBLOCK], {
      into: timer,
    });
    plan.step("epoll_ctl", [epoll, linux.EPOLL_CTL_ADD, timer, event(plan, linux.EPOLLIN, TIMER)]);
    system.run(plan, "make the waiter");
    return new Waiter(system, plan.result(epoll), plan.result(timer));
  }

  /** Waits until a descriptor is readable or hung up, or the deadline has passed. */
  readable(fds: readonly number[], deadlineMs: number): Promise<void> {
    return this.ready({ readable: fds }, deadlineMs);
  }

  /** Waits until a descriptor is ready, hung up or forgotten, or the deadline has passed. */
  ready({ readable = [], writable = [], hungUp }: Readiness, deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const others = writable.length === 0 ? readable : [...readable, ...writable];
      const fds = hungUp === undefined ? others : [...others, hungUp];
      const wait: Wait = {
        fds,
        deadlineMs,
        wake: () => {
          this.#waits.delete(wait);
          resolve();
        },
      };
      this.#waits.add(wait);
      for (const fd of readable) this.#watch(fd, linux.EPOLLIN);
      for (const fd of writable) this.#watch(fd, linux.EPOLLOUT);
      if (hungUp !== undefined) this.#watch(hungUp, linux.EPOLLRDHUP);
      this.#wakeAt(deadlineMs);
      this.#turn();
    });
  }

  #watch(fd: number, events: number): void {
    const operation = this.#registered.has(fd) ? linux.EPOLL_CTL_MOD : linux.EPOLL_CTL_ADD;
    this.#registered.add(fd);
    WATCH.run(this.#system, this.#epoll, operation, fd, events | linux.EPOLLONESHOT);
  }

  #wakeAt(deadlineMs: number): void {
    if (deadlineMs < this.#armedMs) this.#arm(deadlineMs);
  }

  /** Calls back when a descriptor is readable, but only while something else is waited for. */
  observe(fd: number, callback: () => void): void {
    const plan = new Plan();
    plan.step("epoll_ctl", [this.#epoll, linux.EPOLL_CTL_ADD, fd, event(plan, linux.EPOLLIN, fd)]);
    this.#system.run(plan, "observe");
    this.#registered.add(fd);
    this.#observers.set(fd, callback);
  }

  sleep(ms: number): Promise<void> {
    return this.readable([], this.#system.nowMs() + ms);
  }

  /** Forgets descriptors before they are closed, and wakes those that wait for them. */
  forget(...fds: number[]): void {
    for (const fd of fds) {
      if (!this.#registered.delete(fd)) continue;
      this.#observers.delete(fd);
      UNWATCH.run(this.#system, this.#epoll, fd);
    }
    const woken = [...this.#waits].filter((wait) => wait.fds.some((fd) => fds.includes(fd)));
    for (const wait of woken) wait.wake();
    // Otherwise the call in flight might wait for ever, for nobody.
    if (woken.length > 0 && this.#isInFlight) this.#arm(0);
  }

  /**
   * From now on, waits for a moment on this thread after something has happened, before another thread
   * does it: changing threads takes longer than most answers. For a process that does nothing else.
   */
  linger(): void {
    this.#lingers = true;
  }

  /**
   * Calls back whenever something has happened, with how long that waited until this thread had done what
   * else it was doing.
   */
  watchDelays(onTurn: (delayMs: number) => void): void {
    this.#onTurn = onTurn;
  }

  /** Closes the waiter; nobody may be waiting. */
  close(): void {
    this.#system.close(this.#timer, this.#epoll);
  }

  #arm(deadlineMs: number): void {
    this.#armedMs = deadlineMs;
    const isSet = deadlineMs !== Infinity;
    const ms = isSet ? Math.max(0, deadlineMs) : 0;
    const seconds = Math.floor(ms / 1000);
    const ns = Math.min(Math.ceil((ms - 1000 * seconds) * 1e6), 999_999_999);
    // All zero means never.
    ARM.run(this.#system, this.#timer, seconds, isSet && seconds === 0 ? Math.max(1, ns) : ns);
  }

  /** Keeps one call in flight while there are waits. */
  async #turn(): Promise<void> {
    if (this.#turning) return;
    this.#turning = true;
    const { aside, image, here, linger } = this.#calls ??= this.#planCalls();
    while (this.#waits.size > 0) {
      this.#isInFlight = true;
      await this.#system.library.execAside(image);
      this.#isInFlight = false;
      if (this.#onTurn) {
        this.#onTurn(this.#system.nowMs() - timespecMs(aside.plan.view(aside.now), 0));
      }
      this.#dispatch(aside);
      // Whatever was woken runs first: it often waits again at once.
      await new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(resolve)));
      while (this.#lingers && this.#waits.size > 0) {
        // Everything else that this thread has to do comes first.
        const beganMs = performance.now();
        await new Promise((resolve) => setImmediate(resolve));
        this.#onTurn?.(performance.now() - beganMs);
        linger();
        if (here.plan.result(here.count) <= 0) break;
        this.#dispatch(here);
      }
    }
    this.#turning = false;
  }

  #planCalls(): Calls {
    const [aside, here] = [planEvents(this.#epoll), planEvents(this.#epoll, LINGER_NS)];
    const linger = this.#system.prepare(here.plan, "linger");
    return { aside, image: aside.plan.encode(), here, linger };
  }

  #dispatch(found: EventsPlan): void {
    const events = found.plan.view(found.events);
    const count = found.plan.result(found.count);
    const ready = new Set<number>();
    for (let i = 0; i < count; i++) {
      ready.add(events.getInt32(i * EVENT_SIZE + EVENT_SIZE - 8, true));
    }
    for (const fd of ready) this.#observers.get(fd)?.();
    const nowMs = timespecMs(found.plan.view(found.now), 0);
    let nextMs = Infinity;
    for (const wait of [...this.#waits]) {
      if (wait.deadlineMs <= nowMs || wait.fds.some((fd) => ready.has(fd))) wait.wake();
      else nextMs = Math.min(nextMs, wait.deadlineMs);
    }
    // A timer that is set too early wakes us once for nothing; one that went off must be set again.
    if (!ready.has(TIMER) && this.#armedMs <= nextMs) return;
    this.#arm(nextMs);
  }
}
