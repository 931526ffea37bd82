/**
 * Starts a program in a box that is ready. A judge runs the same program a hundred times: so what init is to
 * do is planned once, and then only the descriptors are others.
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { Plan, type Slot } from "../../ffi/plan.ts";
import type { System, SystemError } from "../../ffi/system.ts";
import type { Run } from "../run_options.ts";
import { planProgramStart } from "./init.ts";
import type { ProgramFds } from "./program.ts";
import { sentFds } from "./program_fds.ts";
import { discard, type WaitingBox } from "./stage.ts";
import type { StartedBox } from "./spawn.ts";

/** So many programs are remembered, with so many bytes each: more than a pool of boxes has at a time. */
const [REMEMBERED_MAX, REMEMBERED_BYTES_MAX] = [32, 1 << 14];

/** Hands a program over to an init that waits. */
interface Handover {
  /** What init is to do. */
  readonly plan: Plan;
  readonly send: (socket: number, fds: readonly number[]) => SystemError | undefined;
}

const remembered = new WeakMap<System, Map<string, Handover>>();

/**
 * Sends the program's plan, and what it needs, to an init that waits; undefined if somebody has killed
 * that meanwhile.
 */
export function startReady(
  run: Run,
  ready: WaitingBox,
): Omit<StartedBox, "startedMs"> | undefined {
  const { system } = run.sandbox;
  const { sent, programFds } = sentFds(run);
  const { plan, send } = handover(run, programFds, sent.length);
  const failure = send(ready.socket, sent);
  if (!failure) return { ...ready, plan };
  discard(system, ready);
  if (failure.errno === ERRNO.EPIPE || failure.errno === ERRNO.ECONNREFUSED) return undefined;
  throw failure;
}

function handover(run: Run, programFds: ProgramFds, sentCount: number): Handover {
  const { system } = run.sandbox;
  // Who reads a trace wants to see each plan.
  if (system.trace) return planHandover(run, programFds, sentCount).handover;
  let known = remembered.get(system);
  if (!known) remembered.set(system, known = new Map());
  const key = keyOfProgram(run, programFds);
  const found = known.get(key);
  if (found) {
    // The one that was used longest ago comes first, and is forgotten first.
    known.delete(key);
    known.set(key, found);
    return found;
  }
  const { handover, bytes } = planHandover(run, programFds, sentCount);
  if (bytes > REMEMBERED_BYTES_MAX) return handover;
  if (known.size >= REMEMBERED_MAX) known.delete(known.keys().next().value!);
  known.set(key, handover);
  return handover;
}

/**
 * Names what the plan of a program depends on. An option that is not named here as one of others is part
 * of it, so that a new one cannot be forgotten.
 */
function keyOfProgram(run: Run, programFds: ProgramFds): string {
  const { sandbox, places, command, environment, filter, callerLimits, controlGroup } = run;
  // These belong to the box, to its streams, or to its keeper; the environment follows.
  const {
    directoryRules: _1,
    environment: _2,
    stdin: _3,
    stdout: _4,
    stderr: _5,
    signal: _6,
    onProgress: _7,
    onEnd: _8,
    ...options
  } = run.options;
  const { openFilesSoft, openFilesHard, hardLimits, inherited = [] } = callerLimits;
  return JSON.stringify([
    options,
    command,
    [...environment],
    places.boxUser,
    sandbox.caller,
    programFds,
    [openFilesSoft, openFilesHard],
    [...hardLimits].join(),
    inherited.map(({ resource, soft, hard }) => `${resource} ${soft} ${hard}`),
    filter ? numberOf(filter) : 0,
    controlGroup ? numberOf(controlGroup.constructor) : 0,
  ]);
}

const numbers = new WeakMap<object, number>();
let numbersGiven = 0;

/** Gives each object a number of its own. */
function numberOf(thing: object): number {
  let number = numbers.get(thing);
  if (number === undefined) numbers.set(thing, number = ++numbersGiven);
  return number;
}

function planHandover(
  run: Run,
  programFds: ProgramFds,
  sentCount: number,
): { handover: Handover; bytes: number } {
  const { system } = run.sandbox;
  const plan = planProgramStart(run, programFds);
  system.trace?.(plan, "the program in a ready box");
  const image = plan.encode();
  const sending = new Plan();
  const socket = sending.slot("socket of the box");
  const memory = sending.slot("memory file");
  const sent = Array.from({ length: sentCount }, () => sending.slot("descriptor"));
  const fds: readonly Slot[] = [memory, ...sent];
  const data = sending.bytes(image);
  const control = sending.struct([
    BigInt(16 + 4 * fds.length),
    linux.SOL_SOCKET,
    linux.SCM_RIGHTS,
    ...fds.map(() => -1),
    ...fds.length % 2 ? [0] : [],
  ]);
  const vector = sending.struct([0n, 8n]);
  sending.point(vector, 0, sending.struct([0n]));
  const message = sending.struct([0n, 0n, 0n, 1n, 0n, BigInt(control.length), 0n]);
  sending.point(message, 16, vector);
  sending.point(message, 32, control);
  sending.step("memfd_create", [sending.string("isolate-plan"), linux.MFD_CLOEXEC], {
    into: memory,
  });
  sending.step("pwrite64", [memory, data, data.length, 0]);
  fds.forEach((fd, i) => sending.step("store", [control.part(16 + 4 * i, 4), 4, fd]));
  sending.step("sendmsg", [socket, message, linux.MSG_NOSIGNAL], { what: "hand the program over" });
  sending.step("close", [memory], { always: true, ignore: "all" });
  const execute = system.prepareAfresh(sending, "start the program");
  const send = (to: number, given: readonly number[]) =>
    execute(() => {
      sending.put(socket, to);
      sent.forEach((slot, i) => sending.put(slot, given[i]!));
    });
  return { handover: { plan, send }, bytes: image.length };
}
