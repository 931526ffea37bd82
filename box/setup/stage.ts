/**
 * Stages: where boxes of one kind are made ready. A stage is a process outside of the box, with all mounts
 * of it but the new file systems. At a message from us it clones an init, which thereby has a copy of the
 * mounts, and everything else new: processes, IPC objects, file systems, host name, keys. So a box that is
 * ready costs a clone of a tiny process, and nothing of the run before can be in it.
 */

import { PLAN } from "../../ffi/abi.ts";
import * as linux from "../../ffi/linux.ts";
import { type Data, Plan, type Slot } from "../../ffi/plan.ts";
import type { System, SystemError } from "../../ffi/system.ts";
import { type BoxSetup, planStage } from "./init.ts";
import { planClones } from "./mounts.ts";
import { awaitDeath, planMask, planStartMounts, reap, STACK_SIZE } from "./clone.ts";

/** A stage and its inits are given so long in all; more than a thousand times of what they need. */
const MADE_NS_MAX = 500_000_000n;

/** With so many a stage says which process it has cloned. */
const PID_BYTES = 8;

/** A box that was asked for, and whose init will be there. */
export interface AwaitedBox {
  /** Our end of the socket on which it reports. */
  readonly socket: number;
}

/** A box whose init waits for a program. */
export interface WaitingBox extends AwaitedBox {
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
  readonly #order: Order;

  /** Starts the process; the sources of the rules are open. */
  constructor(system: System, setup: BoxSetup) {
    this.#system = system;
    const { socket, pidFd } = startStage(system, setup);
    [this.#socket, this.#pidFd] = [socket, pidFd];
    this.#order = new Order(system, socket);
  }

  /** Orders a box, in this network namespace or in a new one. */
  order(networkFd?: number): AwaitedBox {
    return { socket: this.#order.send(networkFd) };
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
  readonly #execute: () => SystemError | undefined;
  readonly #pair: Data;
  readonly #control: Data;
  readonly #message: Data;
  readonly #network: Slot;

  constructor(system: System, stage: number) {
    this.#system = system;
    const plan = this.#plan;
    const [own, its] = [plan.slot("our socket"), plan.slot("its socket")];
    this.#network = plan.slot("network namespace");
    this.#pair = plan.struct([-1, -1]);
    this.#control = plan.struct([0n, linux.SOL_SOCKET, linux.SCM_RIGHTS, -1, -1]);
    const vector = plan.struct([0n, 8n]);
    plan.point(vector, 0, plan.alloc(8));
    this.#message = plan.struct([0n, 0n, 0n, 1n, 0n, 0n, 0n]);
    plan.point(this.#message, 16, vector);
    plan.point(this.#message, 32, this.#control);
    const type = linux.SOCK_SEQPACKET | linux.SOCK_CLOEXEC;
    plan.step("socketpair", [linux.AF_UNIX, type, 0, this.#pair]);
    plan.step("load", [this.#pair.part(0, 4), 4], { into: own });
    plan.step("load", [this.#pair.part(4, 4), 4], { into: its });
    // The kernel adds the sender's process id, as we see it, to every message of the box.
    plan.step("setsockopt", [own, linux.SOL_SOCKET, linux.SO_PASSCRED, plan.struct([1]), 4]);
    plan.step("store", [this.#control.part(16, 4), 4, its]);
    plan.step("store", [this.#control.part(20, 4), 4, this.#network]);
    plan.step("sendmsg", [stage, this.#message, linux.MSG_NOSIGNAL | linux.MSG_DONTWAIT], {
      what: "order a box",
    });
    plan.step("close", [its], { always: true, ignore: "all" });
    this.#execute = system.prepare(plan, "order a box");
  }

  /** Returns our socket of the box. */
  send(networkFd: number | undefined): number {
    const plan = this.#plan;
    plan.put(this.#network, networkFd ?? -1);
    const length = networkFd === undefined ? 20n : 24n;
    plan.view(this.#control).setBigUint64(0, length, true);
    plan.view(this.#message).setBigUint64(40, length, true);
    plan.view(this.#pair).setBigInt64(0, -1n, true);
    const failure = this.#execute();
    const socket = plan.view(this.#pair).getInt32(0, true);
    if (!failure) return socket;
    this.#system.close(socket);
    throw failure;
  }
}

function startStage(system: System, setup: BoxSetup): { socket: number; pidFd: number } {
  const [plan, its] = [new Plan(), new Plan()];
  const itsSocket = its.slot("socket of the stage");
  const itsMounts = setup.rules.map(({ rule, source }) =>
    source && its.slot(`mount of ${rule.inside}`)
  );
  planStage(its, setup, { reportFd: itsSocket, mountFds: itsMounts });
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
  const mounts = planClones(plan, setup.rules);
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
  readonly #lengths: readonly Slot[];

  constructor(system: System) {
    this.#system = system;
    const plan = this.#plan;
    this.#socket = plan.slot("socket of the box");
    [this.#pid, this.#pidFd] = [plan.slot("init"), plan.slot("init")];
    const poll = plan.struct([-1, linux.POLLIN]);
    plan.step("store", [poll.part(0, 4), 4, this.#socket]);
    // The stage says which process it is, and that one when the box is made: in any order.
    this.#lengths = [0, 1].map(() => {
      const [came, length] = [plan.slot("came"), plan.slot("length")];
      const [timeout, body] = [plan.struct([0n, MADE_NS_MAX]), plan.alloc(PID_BYTES)];
      plan.step("ppoll", [poll, 1, timeout, 0, 8], { into: came, ignore: "all" });
      const read = [this.#socket, body, PID_BYTES] as const;
      plan.step("read", read, { when: [came, 1], into: length, ignore: "all" });
      plan.step("load", [body, 8], { into: this.#pid, when: [length, PID_BYTES], ignore: "all" });
      return length;
    });
    plan.step("pidfd_open", [this.#pid, 0], { into: this.#pidFd, ignore: "all" });
    this.#execute = system.prepare(plan, "receive a box");
  }

  /** Receives one; undefined if it could not be made. */
  receive({ socket }: AwaitedBox): WaitingBox | undefined {
    const plan = this.#plan;
    for (const slot of plan.slots) plan.put(slot, -1);
    plan.put(this.#socket, socket);
    const failure = this.#execute();
    if (failure) throw failure;
    const [initPid, initFd] = [plan.result(this.#pid), plan.result(this.#pidFd)];
    const box = { socket, initPid, initFd, isStaged: true } as const;
    const isMade = this.#lengths.some((length) => plan.result(length) === 1);
    if (isMade && initFd >= 0) return box;
    if (initFd >= 0) discard(this.#system, box);
    else this.#system.close(socket);
    return undefined;
  }
}

/** Ends a box that waits, or could not be given its program. */
export function discard(system: System, { initFd, socket }: WaitingBox): void {
  awaitDeath(system, initFd);
  system.close(initFd, socket);
}
