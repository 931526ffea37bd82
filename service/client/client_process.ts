/**
 * Starts the native client of the service, as a caller without root rights does: it hands over a command
 * line with descriptors of ours.
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { type System, SystemError } from "../../ffi/system.ts";
import { planMask, STACK_SIZE } from "../../box/setup/clone.ts";
import { makeMemoryFile } from "../../box/streams/stream_fds.ts";
import type { Waiter } from "../../box/keep/waiter.ts";
import { SandboxError } from "../../host/errors.ts";
import { decodeOsString } from "../../text/os_string.ts";

/** Descriptors that are copied to the numbers 0, 1, 2 … must come from above them. */
const COPIES_MIN = 16;
const WNOHANG = 1;
const PID_AT = 16;
const STATUS_AT = 24;
const CODE_AT = 8;
const CLD_EXITED = 1;
const OUTPUT_BYTES_MAX = 1 << 20;

/** A command line for the service. */
export interface ServiceCommand {
  readonly args: readonly string[];
  readonly environment?: ReadonlyMap<string, string>;
  /** What the client has as its descriptors 0, 1, 2 and so on. */
  readonly fds: readonly number[];
}

/** What a command has answered. */
export interface Answer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts clients. */
export class ServiceCaller {
  readonly #system: System;
  readonly #waiter: Waiter;
  readonly #program: string;
  readonly #socket: string;

  /** Calls the service at a socket by this program. */
  constructor(
    system: System,
    options: { waiter: Waiter; program: string; socket: string },
  ) {
    this.#system = system;
    this.#waiter = options.waiter;
    this.#program = options.program;
    this.#socket = options.socket;
  }

  /** Starts a client; returns a descriptor of its process. */
  start({ args, environment = new Map(), fds }: ServiceCommand): number {
    const plan = new Plan();
    const [pid, pidFd] = [plan.slot("client"), plan.alloc(8)];
    const flags = linux.CLONE_VM | linux.CLONE_VFORK | linux.CLONE_PIDFD;
    const cloneArgs = plan.cloneArgs({ flags, stack: plan.alloc(STACK_SIZE) });
    plan.point(cloneArgs, 8, pidFd);
    const strings = (texts: readonly string[]) =>
      plan.pointers(texts.map((text) => plan.string(text)));
    const variables = new Map([...environment, ["ISOLATE_SERVICE", this.#socket]]);
    const argv = strings(["isolate", ...args]);
    const envp = strings([...variables].map(([name, value]) => `${name}=${value}`));
    const path = plan.string(this.#program);
    planMask(plan, () => {
      plan.spawn(cloneArgs, { into: pid, what: "start a client of the service" }, () => {
        // Without us nobody wants the result; the service ends what the client has asked for.
        plan.step("prctl", [linux.PR_SET_PDEATHSIG, linux.SIGKILL, 0, 0, 0]);
        const copies = fds.map((fd) => {
          const copy = plan.slot("descriptor");
          plan.step("fcntl", [fd, linux.F_DUPFD_CLOEXEC, COPIES_MIN], { into: copy });
          return copy;
        });
        copies.forEach((copy, number) => plan.step("dup3", [copy, number, 0]));
        plan.step("execve", [path, argv, envp], { what: `execute ${this.#program}` });
      });
    });
    const failure = this.#system.attempt(plan, "call the service");
    const client = plan.view(pidFd).getInt32(0, true);
    if (!failure) return client;
    if (plan.result(pid) > 0) {
      this.tryReap(client);
      this.#system.close(client);
    }
    throw failure;
  }

  /** The status of a client that has ended, for which it is not waited; -1: a signal ended it. */
  tryReap(client: number): number | undefined {
    const plan = new Plan();
    const info = plan.alloc(128);
    const flags = linux.WEXITED | WNOHANG;
    plan.step("waitid", [linux.P_PIDFD, client, info, flags, 0]);
    const failure = this.#system.attempt(plan, "look for the client");
    // The process ignores the ends of its children.
    if (failure?.errno === ERRNO.ECHILD) return -1;
    if (failure) throw failure;
    const view = plan.view(info);
    if (view.getInt32(PID_AT, true) === 0) return undefined;
    return view.getInt32(CODE_AT, true) === CLD_EXITED ? view.getInt32(STATUS_AT, true) : -1;
  }

  /** Sends a signal to a client, which hands it on. */
  signal(client: number, signal: number): void {
    const plan = new Plan();
    plan.step("pidfd_send_signal", [client, signal, 0, 0], { ignore: "all" });
    this.#system.run(plan, "send a signal to the client");
  }

  /** Has the service carry out a command that reads nothing. */
  async ask(args: readonly string[]): Promise<Answer> {
    const nothing = openNothing(this.#system);
    const outputs = [1, 2].map(() => makeMemoryFile(this.#system));
    try {
      const client = this.start({ args, fds: [nothing, ...outputs] });
      let status;
      try {
        while ((status = this.tryReap(client)) === undefined) {
          await this.#waiter.readable([client], Infinity);
        }
      } finally {
        this.#waiter.forget(client);
        this.#system.close(client);
      }
      const [stdout = "", stderr = ""] = outputs.map((fd) => readMemory(this.#system, fd));
      return { status, stdout, stderr };
    } finally {
      this.#system.close(nothing, ...outputs);
    }
  }

  /** The same; what it prints, without the end of the line. */
  async require(args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.ask(args);
    if (status === 0) return stdout.trimEnd();
    throw new SandboxError(kindOf(stderr), stderr.trim() || "The isolate service has ended");
  }
}

/** What the sentences of the service are about, where somebody has to know it. */
function kindOf(sentence: string) {
  if (sentence.startsWith("This box is currently in use")) return "box-in-use";
  if (sentence.startsWith("This box belongs to a different user")) return "foreign-box";
  if (/may not use box|can be created only by root/.test(sentence)) return "restricted";
  return "internal";
}

/** Opens what has nothing to read. */
export function openNothing(system: System): number {
  const plan = new Plan();
  const fd = plan.slot("nothing");
  const flags = linux.O_RDWR | linux.O_CLOEXEC;
  plan.step("openat", [linux.AT_FDCWD, plan.string("/dev/null"), flags, 0], { into: fd });
  system.run(plan, "open /dev/null");
  return plan.result(fd);
}

/** Reads the beginning of what was written to a file in memory. */
export function readMemory(system: System, fd: number): string {
  const plan = new Plan();
  const [bytes, length] = [plan.alloc(OUTPUT_BYTES_MAX), plan.slot("length")];
  plan.step("pread64", [fd, bytes, OUTPUT_BYTES_MAX, 0], { into: length });
  const failure = system.attempt(plan, "read what the client has written");
  if (failure instanceof SystemError) throw failure;
  return decodeOsString(plan.content(bytes, plan.result(length)).slice());
}
