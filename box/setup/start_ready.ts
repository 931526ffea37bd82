/**
 * Starts a program in a box that is ready. A judge runs the same program a hundred times: so what init is to
 * do is planned once, and then only the descriptors are others.
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
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
  /** The same, in a file that nobody can change. */
  readonly memoryFd: number;
  readonly isKept: boolean;
  readonly send: (socket: number, fds: readonly number[]) => SystemError | undefined;
}

/** The programs that were started before, and probably will be again. */
export class Programs {
  readonly #system: System;
  readonly #known = new Map<string, Handover>();

  /** Knows none yet. */
  constructor(system: System) {
    this.#system = system;
  }

  /**
   * Sends the program's plan, and what it needs, to an init that waits; undefined if somebody has killed
   * that meanwhile.
   */
  start(run: Run, ready: WaitingBox): Omit<StartedBox, "startedMs"> | undefined {
    const { sent, programFds } = sentFds(run);
    const { plan, send, memoryFd, isKept } = this.#handover(run, programFds, sent.length);
    const failure = send(ready.socket, sent);
    if (!isKept) this.#system.close(memoryFd);
    if (!failure) return { ...ready, plan };
    discard(this.#system, ready);
    if (failure.errno === ERRNO.EPIPE || failure.errno === ERRNO.ECONNREFUSED) return undefined;
    throw failure;
  }

  /** Forgets them all. */
  close(): void {
    this.#system.close(...[...this.#known.values()].map(({ memoryFd }) => memoryFd));
    this.#known.clear();
  }

  #handover(run: Run, programFds: ProgramFds, sentCount: number): Handover {
    // Who reads a trace wants to see each plan.
    if (this.#system.trace) return planHandover(run, programFds, { sentCount, isKept: false });
    const key = keyOfProgram(run, programFds);
    const found = this.#known.get(key);
    const handover = found ?? planHandover(run, programFds, { sentCount, isKept: true });
    if (!handover.isKept) return handover;
    if (!found && this.#known.size >= REMEMBERED_MAX) {
      const [oldest, { memoryFd }] = this.#known.entries().next().value!;
      this.#known.delete(oldest);
      this.#system.close(memoryFd);
    }
    // The one that was used longest ago comes first, and is forgotten first.
    this.#known.delete(key);
    this.#known.set(key, handover);
    return handover;
  }
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
  { sentCount, isKept }: { sentCount: number; isKept: boolean },
): Handover {
  const { system } = run.sandbox;
  const plan = planProgramStart(run, programFds);
  system.trace?.(plan, "the program in a ready box");
  const image = plan.encode();
  const memoryFd = sealedMemory(system, image);
  const sending = new Plan();
  const socket = sending.slot("socket of the box");
  const sent = Array.from({ length: sentCount }, () => sending.slot("descriptor"));
  const fds = [memoryFd, ...sent];
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
  fds.forEach((fd, i) => sending.step("store", [control.part(16 + 4 * i, 4), 4, fd]));
  sending.step("sendmsg", [socket, message, linux.MSG_NOSIGNAL], { what: "hand the program over" });
  const execute = system.prepareAfresh(sending, "start the program");
  const send = (to: number, given: readonly number[]) =>
    execute(() => {
      sending.put(socket, to);
      sent.forEach((slot, i) => sending.put(slot, given[i]!));
    });
  return { plan, memoryFd, send, isKept: isKept && image.length <= REMEMBERED_BYTES_MAX };
}

const SEALS = linux.F_SEAL_SEAL | linux.F_SEAL_SHRINK | linux.F_SEAL_GROW | linux.F_SEAL_WRITE;

/** Puts bytes into a memory file for good: each init that gets it has a copy of what it changes. */
function sealedMemory(system: System, bytes: Uint8Array): number {
  const plan = new Plan();
  const memory = plan.slot("memory file");
  const data = plan.bytes(bytes);
  const flags = linux.MFD_CLOEXEC | linux.MFD_ALLOW_SEALING;
  plan.step("memfd_create", [plan.string("isolate-plan"), flags], { into: memory });
  plan.step("pwrite64", [memory, data, data.length, 0]);
  plan.step("fcntl", [memory, linux.F_ADD_SEALS, SEALS]);
  const failure = system.attempt(plan, "keep the plan of a program");
  if (!failure) return plan.result(memory);
  system.close(plan.result(memory));
  throw failure;
}
