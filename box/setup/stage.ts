/**
 * Stages: where boxes of one kind are made ready. A stage is a process outside of the boxes, with the mounts
 * that they have in common. At a message from us it clones an init, which thereby has a copy of those, and
 * everything else new: processes, IPC objects, file systems, host name, keys. What belongs to one box comes
 * with the message. So a box that is ready costs a clone of a tiny process, and nothing of the run before
 * can be in it.
 */

import { PLAN } from "../../ffi/abi.ts";
import * as linux from "../../ffi/linux.ts";
import { type Data, Plan, type Slot } from "../../ffi/plan.ts";
import type { System, SystemError } from "../../ffi/system.ts";
import type { BoxKind } from "./box_kind.ts";
import { type BoxSetup, planStage } from "./init.ts";
import { planClones } from "./mounts.ts";
import type { PlacedRule } from "./sources.ts";
import { awaitDeath, planMask, planStartMounts, reap, STACK_SIZE } from "./clone.ts";

/** A stage and its inits are given so long in all; more than a thousand times of what they need. */
const MADE_NS_MAX = 500_000_000n;

/** With so many a stage says which process it has cloned. */
const PID_BYTES = 8;

/** A box that was asked for, with what has come of it so far. */
export interface AwaitedBox {
  /** Our end of the socket on which it reports. */
  readonly socket: number;
  initPid: number;
  initFd: number;
  /** Its init says that it is there. */
  isMade: boolean;
  /** It will never be there. */
  isLost: boolean;
}

/** A box whose init waits for a program. */
export interface WaitingBox {
  /** Our end of the socket on which it reports. */
  readonly socket: number;
  readonly initFd: number;
  readonly initPid: number;
  /** Its parent is a stage: the kernel reaps it. */
  readonly isStaged: true;
}

/** Has boxes of one kind made. */
export class Stage {
  readonly #system: System;
  readonly #socket: number;
  readonly #pidFd: number;
  readonly #deferred: readonly boolean[];
  #order: Order | undefined;

  /** Starts the process; the sources of the rules are open. */
  constructor(system: System, setup: BoxSetup, { deferred }: BoxKind) {
    this.#system = system;
    this.#deferred = deferred;
    const { socket, pidFd } = startStage(system, setup, deferred);
    [this.#socket, this.#pidFd] = [socket, pidFd];
  }

  /** Orders a box of this kind, in this network namespace or in a new one; its sources are open. */
  order({ rules }: Pick<BoxSetup, "rules">, networkFd?: number): AwaitedBox {
    const own = rules.filter((_, i) => this.#deferred[i]);
    this.#order ??= new Order(this.#system, this.#socket, own);
    const socket = this.#order.send(own, networkFd);
    return { socket, initPid: -1, initFd: -1, isMade: false, isLost: false };
  }

  /** Ends the process, and all boxes that it has made. */
  close(): void {
    const plan = new Plan();
    plan.step("pidfd_send_signal", [this.#pidFd, linux.SIGKILL, 0, 0], { ignore: "all" });
    this.#system.run(plan, "end a stage");
    reap(this.#system, this.#pidFd);
    this.#system.close(this.#pidFd, this.#socket);
  }
}

/** The message that orders a box: planned once. */
class Order {
  readonly #system: System;
  readonly #plan = new Plan();
  readonly #execute: (put: () => void) => SystemError | undefined;
  readonly #sources: readonly (Slot | undefined)[];
  readonly #pair: Data;
  readonly #control: Data;
  readonly #message: Data;
  readonly #network: Slot;
  /** How long the descriptors are in the message, without a network. */
  readonly #length: number;

  constructor(system: System, stage: number, own: readonly PlacedRule[]) {
    this.#system = system;
    const plan = this.#plan;
    const [mine, its] = [plan.slot("our socket"), plan.slot("its socket")];
    this.#sources = own.map(({ source }) => source && plan.slot(source.path));
    this.#network = plan.slot("network namespace");
    this.#pair = plan.struct([-1, -1]);
    const type = linux.SOCK_SEQPACKET | linux.SOCK_CLOEXEC;
    plan.step("socketpair", [linux.AF_UNIX, type, 0, this.#pair]);
    plan.step("load", [this.#pair.part(0, 4), 4], { into: mine });
    plan.step("load", [this.#pair.part(4, 4), 4], { into: its });
    // The kernel adds the sender's process id, as we see it, to every message of the box.
    plan.step("setsockopt", [mine, linux.SOL_SOCKET, linux.SO_PASSCRED, plan.struct([1]), 4]);
    const mounts = planClones(plan, own, this.#sources).filter((mount) => mount !== undefined);
    const sent = [its, ...mounts, this.#network];
    this.#length = 16 + 4 * (1 + mounts.length);
    this.#control = plan.struct([0n, linux.SOL_SOCKET, linux.SCM_RIGHTS, ...sent.map(() => -1)]);
    sent.forEach((fd, i) => plan.step("store", [this.#control.part(16 + 4 * i, 4), 4, fd]));
    const vector = plan.struct([0n, 8n]);
    plan.point(vector, 0, plan.alloc(8));
    this.#message = plan.struct([0n, 0n, 0n, 1n, 0n, 0n, 0n]);
    plan.point(this.#message, 16, vector);
    plan.point(this.#message, 32, this.#control);
    plan.step("sendmsg", [stage, this.#message, linux.MSG_NOSIGNAL | linux.MSG_DONTWAIT], {
      what: "order a box",
    });
    for (const fd of [its, ...mounts]) plan.step("close", [fd], { always: true, ignore: "all" });
    this.#execute = system.prepareAfresh(plan, "order a box");
  }

  /** Returns our socket of the box. */
  send(own: readonly PlacedRule[], networkFd: number | undefined): number {
    const plan = this.#plan;
    const length = BigInt(this.#length + (networkFd === undefined ? 0 : 4));
    const failure = this.#execute(() => {
      own.forEach(({ source }, i) => source && plan.put(this.#sources[i]!, source.fd));
      plan.put(this.#network, networkFd ?? -1);
      plan.view(this.#control).setBigUint64(0, length, true);
      plan.view(this.#message).setBigUint64(40, length, true);
    });
    const socket = plan.view(this.#pair).getInt32(0, true);
    if (!failure) return socket;
    this.#system.close(socket);
    throw failure;
  }
}

function startStage(
  system: System,
  setup: BoxSetup,
  deferred: readonly boolean[],
): { socket: number; pidFd: number } {
  const [plan, its] = [new Plan(), new Plan()];
  const itsSocket = its.slot("socket of the stage");
  const sources = setup.rules.map(({ source }, i) => deferred[i] ? undefined : source?.fd);
  const itsMounts = setup.rules.map(({ rule }, i) =>
    sources[i] === undefined ? undefined : its.slot(`mount of ${rule.inside}`)
  );
  planStage(its, setup, { reportFd: itsSocket, mountFds: itsMounts, deferred });
  system.trace?.(its, "a stage for boxes");
  const image = its.encode();
  const pair = plan.struct([-1, -1]);
  const [own, socket, memory] = [
    plan.slot("our socket"),
    plan.slot("its socket"),
    plan.slot("memory file"),
  ];
  const [pid, pidFd] = [plan.slot("stage"), plan.struct([-1n])];
  plan.step("socketpair", [linux.AF_UNIX, linux.SOCK_SEQPACKET | linux.SOCK_CLOEXEC, 0, pair]);
  plan.step("load", [pair.part(0, 4), 4], { into: own });
  plan.step("load", [pair.part(4, 4), 4], { into: socket });
  plan.step("memfd_create", [plan.string("isolate-plan"), linux.MFD_CLOEXEC], { into: memory });
  const mounts = planClones(plan, setup.rules, sources);
  const data = plan.bytes(image);
  const fill = (slot: Slot, value: Slot) => {
    plan.step("store", [data.part(its.slotOffset(slot), 8), 8, value]);
  };
  plan.step("store", [data.part(PLAN.reportFd, 4), 4, -1]);
  fill(itsSocket, socket);
  mounts.forEach((mount, i) => mount && fill(itsMounts[i]!, mount));
  plan.step("pwrite64", [memory, data, data.length, 0]);
  planCloneStage(system, plan, { setup, pid, pidFd, memory, passed: [socket, ...mounts] });
  for (const fd of [socket, memory, ...mounts]) {
    if (fd) plan.step("close", [fd], { always: true, ignore: "all" });
  }
  const failure = system.attempt(plan, "start a stage for boxes");
  const started = {
    socket: plan.view(pair).getInt32(0, true),
    pidFd: plan.view(pidFd).getInt32(0, true),
  };
  if (!failure) return started;
  if (plan.result(pid) > 0) reap(system, started.pidFd);
  system.close(started.pidFd, started.socket);
  throw failure;
}

function planCloneStage(system: System, plan: Plan, { setup, pid, pidFd, memory, passed }: {
  setup: BoxSetup;
  pid: Slot;
  pidFd: Data;
  memory: Slot;
  passed: readonly (Slot | undefined)[];
}): void {
  const mounts = setup.mountsFd === undefined ? linux.CLONE_NEWNS : 0;
  const flags = linux.CLONE_VM | linux.CLONE_VFORK | linux.CLONE_PIDFD | mounts;
  const args = plan.cloneArgs({ flags, stack: plan.alloc(STACK_SIZE) });
  plan.point(args, 8, pidFd);
  const argv = plan.pointers(["isolate-init", "0"].map((text) => plan.string(text)));
  const envp = plan.pointers([]);
  planMask(plan, () => {
    plan.spawn(args, { into: pid, what: "clone the stage" }, () => {
      planStartMounts(plan, setup);
      plan.step("dup3", [memory, 0, 0]);
      for (const fd of passed) if (fd) plan.step("fcntl", [fd, linux.F_SETFD, 0]);
      const image = [system.library.imageFd, plan.string(""), argv, envp, linux.AT_EMPTY_PATH];
      plan.step("execveat", image, { what: "execute the shim as the stage" });
    });
  });
}

/** Receives boxes that were ordered: planned once. */
export class Receiver {
  readonly #system: System;
  readonly #plan = new Plan();
  readonly #execute: () => SystemError | undefined;
  readonly #socket: Slot;
  readonly #pid: Slot;
  readonly #pidFd: Slot;
  readonly #messages: readonly { length: Slot; timeout: Data }[];

  constructor(system: System) {
    this.#system = system;
    const plan = this.#plan;
    this.#socket = plan.slot("socket of the box");
    [this.#pid, this.#pidFd] = [plan.slot("init"), plan.slot("init")];
    const poll = plan.struct([-1, linux.POLLIN]);
    plan.step("store", [poll.part(0, 4), 4, this.#socket]);
    // The stage says which process it is, and that one when the box is made: in any order.
    this.#messages = [0, 1].map(() => {
      const [came, length] = [plan.slot("came"), plan.slot("length")];
      const [timeout, body] = [plan.struct([0n, 0n]), plan.alloc(PID_BYTES)];
      plan.step("ppoll", [poll, 1, timeout, 0, 8], { into: came, ignore: "all" });
      const read = [this.#socket, body, PID_BYTES] as const;
      plan.step("read", read, { when: [came, 1], into: length, ignore: "all" });
      plan.step("load", [body, 8], { into: this.#pid, when: [length, PID_BYTES], ignore: "all" });
      return { length, timeout };
    });
    plan.step("pidfd_open", [this.#pid, 0], { into: this.#pidFd, ignore: "all" });
    this.#execute = system.prepare(plan, "receive a box");
  }

  /** Takes what has come; whether that was all. */
  hasCome(box: AwaitedBox): boolean {
    return this.#take(box, 0n);
  }

  /** Receives a box, for which it waits if need be; undefined if it could not be made. */
  receive(box: AwaitedBox): WaitingBox | undefined {
    if (!isOver(box) && !this.#take(box, MADE_NS_MAX)) box.isLost = true;
    const { socket, initPid, initFd } = box;
    const made = { socket, initPid, initFd, isStaged: true } as const;
    if (!box.isLost) return made;
    if (initFd >= 0) discard(this.#system, made);
    else this.#system.close(socket);
    return undefined;
  }

  #take(box: AwaitedBox, waitNs: bigint): boolean {
    const plan = this.#plan;
    for (const slot of plan.slots) plan.put(slot, NOTHING);
    plan.put(this.#socket, box.socket);
    // The second one is waited for unless the first one was taken before.
    const isFirst = box.initFd < 0 && !box.isMade;
    this.#messages.forEach(({ timeout }, i) =>
      plan.view(timeout).setBigInt64(8, i === 0 || isFirst ? waitNs : 0n, true)
    );
    const failure = this.#execute();
    if (failure) throw failure;
    const lengths = this.#messages.map(({ length }) => plan.result(length));
    box.isMade ||= lengths.includes(1);
    if (lengths.includes(PID_BYTES)) {
      [box.initPid, box.initFd] = [plan.result(this.#pid), plan.result(this.#pidFd)];
      box.isLost ||= box.initFd < 0;
    }
    box.isLost ||= lengths.some((length) => length !== NOTHING && length <= 0);
    return isOver(box);
  }
}

/** No result of a call is this. */
const NOTHING = -0xffff;

/** Whether it is there, or will never be. */
function isOver({ initFd, isMade, isLost }: AwaitedBox): boolean {
  return isLost || isMade && initFd >= 0;
}

/** Ends a box that waits, or could not be given its program. */
export function discard(system: System, { initFd, socket }: WaitingBox): void {
  awaitDeath(system, initFd);
  system.close(initFd, socket);
}
