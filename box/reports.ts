/**
 * The messages of a box to its keeper.
 *
 * @module
 */

import { REPORT, REPORT_KIND } from "../ffi/abi.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Plan } from "../ffi/plan.ts";
import { type System, timespecMs } from "../ffi/system.ts";

const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;
const SCM_RIGHTS = 1;
const SCM_CREDENTIALS = 2;
const CONTROL_SIZE = 128;

/** A message of a box. */
export type Report =
  /** A step of the box's plan failed; the box is ending. */
  | { kind: "failed"; step: number; errno: number }
  /** The program is about to be executed. */
  | { kind: "started"; pid: number; pidFd: number; wallMs: number; cpuMs: number }
  /** The program has ended. */
  | {
    kind: "ended";
    exitCode: number | undefined;
    signal: number | undefined;
    wallMs: number;
    cpuMs: number;
    maxRssKib: number;
    voluntarySwitches: number;
    forcedSwitches: number;
  };

const CLD_EXITED = 1;

/**
 * Takes the next message, without waiting.
 *
 * @param system the kernel
 * @param socket the keeper's end
 * @returns the message; undefined if there is none (yet), or nobody any more who could send one
 * @throws {SystemError} if the socket fails
 */
export function receiveReport(system: System, socket: number): Report | undefined {
  const plan = new Plan();
  const body = plan.room(REPORT.size);
  const control = plan.room(CONTROL_SIZE);
  const vector = plan.struct([0n, BigInt(REPORT.size)]);
  plan.point(vector, 0, body);
  const message = plan.struct([0n, 0n, 0n, 1n, 0n, BigInt(CONTROL_SIZE), 0n]);
  plan.point(message, 16, vector);
  plan.point(message, 32, control);
  const length = plan.slot("length");
  plan.step("recvmsg", [socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC], { into: length });
  const failure = system.attempt(plan, "listen to the box");
  if (failure?.errno === ERRNO.EAGAIN || failure?.errno === ERRNO.ECONNRESET) return undefined;
  if (failure) throw failure;
  if (plan.result(length) === 0) return undefined;
  const controlLength = Number(plan.view(message).getBigUint64(40, true));
  return readReport(plan.view(body), readControl(plan.view(control), controlLength));
}

/** What came along with a message: who sent it, and a descriptor. */
function readControl(view: DataView, length: number): { pid: number; fd: number } {
  let pid = 0;
  let fd = -1;
  for (let at = 0; at + 16 <= length;) {
    const size = Number(view.getBigUint64(at, true));
    const type = view.getInt32(at + 12, true);
    if (size < 16) break;
    if (type === SCM_RIGHTS) fd = view.getInt32(at + 16, true);
    if (type === SCM_CREDENTIALS) pid = view.getInt32(at + 16, true);
    at += (size + 7) & ~7;
  }
  return { pid, fd };
}

function readReport(view: DataView, control: { pid: number; fd: number }): Report | undefined {
  const wallMs = timespecMs(view, REPORT.wall);
  const cpuMs = timespecMs(view, REPORT.cpu);
  const status = view.getInt32(REPORT.status, true);
  const whole = (at: number) => Number(view.getBigInt64(at, true));
  switch (view.getUint32(REPORT.kind, true)) {
    case REPORT_KIND.failed:
      return { kind: "failed", step: view.getUint32(REPORT.step, true), errno: status };
    case REPORT_KIND.started:
      return { kind: "started", pid: control.pid, pidFd: control.fd, wallMs, cpuMs };
    case REPORT_KIND.ended: {
      const exited = view.getInt32(REPORT.code, true) === CLD_EXITED;
      return {
        kind: "ended",
        exitCode: exited ? status : undefined,
        signal: exited ? undefined : status,
        wallMs,
        cpuMs,
        maxRssKib: whole(REPORT.maxRssKib),
        voluntarySwitches: whole(REPORT.voluntarySwitches),
        forcedSwitches: whole(REPORT.forcedSwitches),
      };
    }
    default:
      return undefined;
  }
}
