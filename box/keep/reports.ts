/** The messages of a box to its keeper. */

import { CRASH, REPORT, REPORT_KIND } from "../../ffi/abi.ts";
import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { type Data, Plan, type Slot } from "../../ffi/plan.ts";
import { type System, type SystemError, timespecMs } from "../../ffi/system.ts";
import type { Crash } from "../outcome/crash.ts";
import type { Ending } from "../outcome/outcome.ts";
import { readCrash } from "./crash.ts";

const CONTROL_SIZE = 128;
/** A box sends "started" and "ended", "not executed" between them, or "failed" once or twice and then "ended". */
const MESSAGES_AT_ONCE = 3;
/** One more of a program that is traced, and larger. */
const TRACED_MESSAGES_AT_ONCE = 4;

export type Report =
  /** A step of the box's plan failed; the box is ending. */
  | { kind: "failed"; step: number; errno: number }
  /** The program is about to be executed. */
  | { kind: "started"; pid: number; pidFd: number; wallMs: number; cpuMs: number }
  /** The program could not be executed; its process ends. */
  | { kind: "not-executed"; errno: number }
  /** A signal is what the program is dying of. */
  | { kind: "crashed"; crash: Crash }
  /** The program has ended. */
  | {
    kind: "ended";
    ending: Ending;
    /** Nothing but init lives in the box. */
    isAlone: boolean;
    wallMs: number;
    cpuMs: number;
    maxRssKib: number;
    voluntaryContextSwitches: number;
    forcedContextSwitches: number;
  };

/** The state of a box at one moment. */
export interface BoxStatus {
  /** Whether init is dead, and with it everything in the box. */
  readonly isDead: boolean;
  /** Whether nobody is left who could send a message: init is dead, or dying. */
  readonly isClosed: boolean;
  /** When that was, in milliseconds of CLOCK_MONOTONIC. */
  readonly nowMs: number;
  /** The messages since the last look. */
  readonly reports: readonly Report[];
}

/** Prepares a function that looks at a box in one call. */
export function prepareStatus(
  system: System,
  box: { initFd: number; socket: number },
  { isTraced }: { isTraced: boolean },
): () => BoxStatus {
  let looks = LOOKS.get(system);
  if (!looks) LOOKS.set(system, looks = new Map());
  let look = looks.get(isTraced);
  if (!look) looks.set(isTraced, look = new Look(system, isTraced));
  return () => look.at(box);
}

/** A look is over before the next one begins, so all boxes of a process can have the same plan. */
const LOOKS = new WeakMap<System, Map<boolean, Look>>();

class Look {
  readonly #plan = new Plan();
  readonly #execute: () => SystemError | undefined;
  readonly #init: Slot;
  readonly #socket: Slot;
  readonly #ready: Slot;
  readonly #now: Data;
  readonly #messages: readonly ReturnType<typeof planReceive>[];

  constructor(system: System, isTraced: boolean) {
    const plan = this.#plan;
    [this.#init, this.#socket, this.#ready] = [
      plan.slot("init"),
      plan.slot("socket of the box"),
      plan.slot("ready"),
    ];
    this.#now = plan.alloc(16);
    const poll = plan.struct([-1, linux.POLLIN]);
    plan.step("store", [poll.part(0, 4), 4, this.#init]);
    // Death is looked for before the messages: once it is dead, no more can come.
    plan.step("ppoll", [poll, 1, plan.struct([0n, 0n]), 0, 8], {
      into: this.#ready,
      // By a signal that this process handles: then the box counts as alive.
      ignore: ERRNO.EINTR,
    });
    plan.step("clock_gettime", [linux.CLOCK_MONOTONIC, this.#now]);
    const [count, bytes] = isTraced
      ? [TRACED_MESSAGES_AT_ONCE, CRASH.size]
      : [MESSAGES_AT_ONCE, REPORT.size];
    this.#messages = Array.from({ length: count }, () => planReceive(plan, this.#socket, bytes));
    this.#execute = system.prepare(plan, "look at the box");
  }

  at({ initFd, socket }: { initFd: number; socket: number }): BoxStatus {
    const plan = this.#plan;
    plan.put(this.#init, initFd);
    plan.put(this.#socket, socket);
    const failure = this.#execute();
    if (failure) throw failure;
    const reports = this.#messages.flatMap(({ length, body, message, control }) => {
      if (plan.result(length) <= 0) return [];
      const controlLength = Number(plan.view(message).getBigUint64(40, true));
      const report = readReport(plan.view(body), readControl(plan.view(control), controlLength));
      return report ? [report] : [];
    });
    const isClosed = this.#messages.some(({ length }) => plan.result(length) === 0);
    const nowMs = timespecMs(plan.view(this.#now), 0);
    return { isDead: plan.result(this.#ready) > 0, isClosed, nowMs, reports };
  }
}

/**
 * Adds the steps with which the program's process reports that it starts: when, what CPU time was
 * used so far (not the program's), and a descriptor of the process. The message also carries its
 * process id, which the kernel translates (SCM_CREDENTIALS, unix(7)).
 */
export function planStartReport(plan: Plan, reportFd: number, pidFd: Slot): void {
  const body = plan.alloc(REPORT.size);
  const control = plan.struct([20n, linux.SOL_SOCKET, linux.SCM_RIGHTS, 0, 0]);
  const message = messageHeader(plan, body, control);
  plan.step("store", [body.part(REPORT.kind, 4), 4, REPORT_KIND.started]);
  plan.step("store", [control.part(16, 4), 4, pidFd]);
  plan.step("clock_gettime", [linux.CLOCK_PROCESS_CPUTIME_ID, body.part(REPORT.cpu, 16)]);
  plan.step("clock_gettime", [linux.CLOCK_MONOTONIC, body.part(REPORT.wall, 16)]);
  plan.step("sendmsg", [reportFd, message, linux.MSG_NOSIGNAL]);
}

/** Adds the steps with which the program's process reports that execve(2) has failed. */
export function planNotExecuted(plan: Plan, reportFd: number, failed: Slot): void {
  const body = plan.alloc(REPORT.size);
  plan.step("store", [body.part(REPORT.kind, 4), 4, REPORT_KIND.notExecuted]);
  plan.step("store", [body.part(REPORT.status, 4), 4, failed]);
  plan.step("sendto", [reportFd, body, body.length, linux.MSG_NOSIGNAL, 0, 0], { ignore: "all" });
}

/** Adds a `struct msghdr` with one piece of data, see recvmsg(2). */
function messageHeader(plan: Plan, body: Data, control: Data): Data {
  const vector = plan.struct([0n, BigInt(body.length)]);
  plan.point(vector, 0, body);
  const message = plan.struct([0n, 0n, 0n, 1n, 0n, BigInt(control.length), 0n]);
  plan.point(message, 16, vector);
  plan.point(message, 32, control);
  return message;
}

function planReceive(plan: Plan, socket: Slot, bytes: number) {
  const length = plan.slot("length");
  const body = plan.alloc(bytes);
  const control = plan.alloc(CONTROL_SIZE);
  const message = messageHeader(plan, body, control);
  // The kernel puts the length of what came there.
  plan.step("store", [message.part(40, 8), 8, CONTROL_SIZE]);
  plan.step("recvmsg", [socket, message, linux.MSG_DONTWAIT | linux.MSG_CMSG_CLOEXEC], {
    into: length,
    ignore: "all",
  });
  return { length, body, message, control };
}

/** Reads what came along with a message: who sent it, and a descriptor. */
function readControl(view: DataView, length: number): { pid: number; fd: number } {
  let pid = 0;
  let fd = -1;
  for (let at = 0; at + 16 <= length;) {
    const size = Number(view.getBigUint64(at, true));
    const type = view.getInt32(at + 12, true);
    if (size < 16) break;
    if (type === linux.SCM_RIGHTS) fd = view.getInt32(at + 16, true);
    if (type === linux.SCM_CREDENTIALS) pid = view.getInt32(at + 16, true);
    at += (size + 7) & ~7;
  }
  return { pid, fd };
}

function readReport(view: DataView, control: { pid: number; fd: number }): Report | undefined {
  const kind = view.getUint32(REPORT.kind, true);
  if (kind === REPORT_KIND.crashed) return { kind: "crashed", crash: readCrash(view) };
  const wallMs = timespecMs(view, REPORT.wall);
  const cpuMs = timespecMs(view, REPORT.cpu);
  const status = view.getInt32(REPORT.status, true);
  const whole = (at: number) => Number(view.getBigInt64(at, true));
  switch (kind) {
    case REPORT_KIND.failed:
      return { kind: "failed", step: view.getUint32(REPORT.step, true), errno: status };
    case REPORT_KIND.notExecuted:
      return { kind: "not-executed", errno: -status };
    case REPORT_KIND.started:
      return { kind: "started", pid: control.pid, pidFd: control.fd, wallMs, cpuMs };
    case REPORT_KIND.ended: {
      const exited = view.getInt32(REPORT.code, true) === linux.CLD_EXITED;
      return {
        kind: "ended",
        isAlone: view.getUint32(REPORT.step, true) === 1,
        ending: exited ? { how: "exit", exitCode: status } : { how: "signal", signal: status },
        wallMs,
        cpuMs,
        maxRssKib: whole(REPORT.maxRssKib),
        voluntaryContextSwitches: whole(REPORT.voluntarySwitches),
        forcedContextSwitches: whole(REPORT.forcedSwitches),
      };
    }
    default:
      return undefined;
  }
}
