/**
 * How boxes of one kind are made ready: everything is planned once, and each box is one call. Whatever
 * differs from one to the next is in slots, of init's plan too, which the call fills in.
 */

import { PLAN } from "../../ffi/abi.ts";
import * as linux from "../../ffi/linux.ts";
import { type Data, Plan, type Slot } from "../../ffi/plan.ts";
import type { System, SystemError } from "../../ffi/system.ts";
import { type BoxSetup, planWaitingInit } from "./init.ts";
import { planClones } from "./mounts.ts";
import type { WaitingBox } from "./ready.ts";
import { namespacesOf, planMask, planStartMounts, reap, STACK_SIZE } from "./spawn.ts";

/** Makes boxes of one kind. */
export class ReadyRecipe {
  readonly #system: System;
  readonly #initPlan = new Plan();
  readonly #plan = new Plan();
  readonly #execute: () => SystemError | undefined;
  readonly #sources: readonly Slot[];
  readonly #network: Slot;
  readonly #pair: Data;
  readonly #pidfd: Data;
  readonly #pid: Slot;

  /** Plans what makes a box. */
  constructor(system: System, setup: BoxSetup, options: { announces: boolean }) {
    this.#system = system;
    const [plan, init] = [this.#plan, this.#initPlan];
    const initReport = init.slot("socket of the box");
    const initMounts = setup.rules.map(({ rule, source }) =>
      source && init.slot(`mount of ${rule.inside}`)
    );
    planWaitingInit(init, setup, { ...options, reportFd: initReport, mountFds: initMounts });
    system.trace?.(init, "a box that waits");
    const image = init.encode();

    this.#pair = plan.struct([-1, -1]);
    const [own, report, memory] = ["our socket", "its socket", "memory file"].map((name) =>
      plan.slot(name)
    ) as [Slot, Slot, Slot];
    this.#pid = plan.slot("init");
    this.#pidfd = plan.alloc(8);
    this.#network = plan.slot("network namespace");
    const sources = setup.rules.map(({ rule, source }) => source && plan.slot(rule.inside));
    this.#sources = sources.filter((slot) => slot !== undefined);
    const type = linux.SOCK_SEQPACKET | linux.SOCK_CLOEXEC;
    plan.step("socketpair", [linux.AF_UNIX, type, 0, this.#pair]);
    plan.step("load", [this.#pair.part(0, 4), 4], { into: own });
    plan.step("load", [this.#pair.part(4, 4), 4], { into: report });
    plan.step("memfd_create", [plan.string("isolate-plan"), linux.MFD_CLOEXEC], { into: memory });
    const mounts = planClones(plan, setup.rules, sources);
    const data = plan.bytes(image);
    plan.step("store", [data.part(PLAN.reportFd, 4), 4, report]);
    const fill = (slot: Slot, value: Slot) => {
      plan.step("store", [data.part(init.slotOffset(slot), 8), 8, value]);
    };
    fill(initReport, report);
    mounts.forEach((mount, i) => mount && fill(initMounts[i]!, mount));
    plan.step("pwrite64", [memory, data, data.length, 0]);
    // The kernel adds the sender's process id, as we see it, to every message of the box.
    const one = plan.struct([1]);
    plan.step("setsockopt", [own, linux.SOL_SOCKET, linux.SO_PASSCRED, one, 4]);
    this.#planClone(setup, { passed: [report, ...mounts], memory });
    for (const fd of [report, memory, ...mounts]) {
      if (fd) plan.step("close", [fd], { always: true, ignore: "all" });
    }
    this.#execute = system.prepare(plan, "make a box ready");
  }

  #planClone(
    setup: BoxSetup,
    { passed, memory }: { passed: readonly (Slot | undefined)[]; memory: Slot },
  ): void {
    const plan = this.#plan;
    const flags = linux.CLONE_VM | linux.CLONE_VFORK | linux.CLONE_PIDFD | namespacesOf(setup);
    const args = plan.cloneArgs({ flags, stack: plan.alloc(STACK_SIZE) });
    plan.point(args, 8, this.#pidfd);
    const argv = plan.pointers(["isolate-init", "0"].map((text) => plan.string(text)));
    const envp = plan.pointers([]);
    planMask(plan, () => {
      plan.spawn(args, { into: this.#pid, what: "clone the init process of the box" }, () => {
        planStartMounts(plan, setup);
        if (setup.hasNetwork) plan.step("setns", [this.#network, linux.CLONE_NEWNET]);
        plan.step("dup3", [memory, 0, 0]);
        for (const fd of passed) if (fd) plan.step("fcntl", [fd, linux.F_SETFD, 0]);
        const image = [this.#system.library.imageFd, plan.string(""), argv, envp];
        plan.step("execveat", [...image, linux.AT_EMPTY_PATH], {
          what: "execute the shim as the init process of the box",
        });
      });
    });
  }

  /** Makes a box of rules whose sources are open, in a network namespace if it is to have one. */
  make({ rules }: BoxSetup, networkFd = -1): WaitingBox {
    const plan = this.#plan;
    // What an earlier call has left there is no descriptor any more.
    for (const slot of plan.slots) plan.put(slot, -1);
    plan.view(this.#pair).setBigInt64(0, -1n, true);
    const fds = rules.flatMap(({ source }) => source ? [source.fd] : []);
    this.#sources.forEach((slot, i) => plan.put(slot, fds[i]!));
    plan.put(this.#network, networkFd);
    const failure = this.#execute();
    const socket = plan.view(this.#pair).getInt32(0, true);
    const initPid = plan.result(this.#pid);
    const initFd = initPid > 0 ? plan.view(this.#pidfd).getInt32(0, true) : -1;
    if (!failure) return { socket, initPid, initFd, plan: this.#initPlan };
    if (initPid > 0) reap(this.#system, initFd);
    this.#system.close(initFd, socket);
    throw failure;
  }
}
