/**
 * What belongs to a client's caller, reached through the connection: paths, the meta-file, standard
 * streams. The client does all the work; the service never opens, writes or waits for any of it.
 */

import * as linux from "../ffi/linux.ts";
import { MESSAGE_FDS_MAX, type RemoteCaller } from "../box/remote_caller.ts";
import type { BindRule } from "../box/setup/directory_rules.ts";
import { planOwnSource } from "../box/setup/sources.ts";
import { Plan, type Slot } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { SandboxError, translated } from "../host/errors.ts";
import { anywhere } from "../host/open.ts";
import { readStatus, STATX_SIZE } from "../host/status.ts";
import { decodeOsString, encodeOsString } from "../text/os_string.ts";
import { ConnectionLost } from "./connection.ts";
import { closeAside } from "./packets.ts";
import { DESCRIPTORS_PACKET } from "./protocol.ts";
import type { Client } from "./server.ts";
import { mountsBelow } from "./surroundings.ts";
import { hasTerminal, lendTerminal } from "./terminal.ts";

/** Of a text that is written, so much goes into one plan. */
const WRITE_BYTES = 32768;

const STDOUT = 1;

/** So many descriptors a program can inherit, and their entries in a directory have that much place. */
const DESCRIPTORS_MAX = 1024;
const DIRECTORY_BYTES = 32 * (DESCRIPTORS_MAX + 2);

/** A file that the client has opened. */
export interface ClientFile {
  readonly fd: number;
  readonly path: string;
}

/** What a client does for the service. */
export class ClientHands {
  readonly #system: System;
  readonly #client: Client;
  /** Where the paths of rules may lead. */
  #resolve = 0;

  constructor(system: System, client: Client) {
    this.#system = system;
    this.#client = client;
  }

  /** How the sandbox reaches this caller. */
  remoteCaller(): RemoteCaller {
    const { peer, hello, streamSocket } = this.#client;
    return {
      pid: peer.pid,
      limits: hello.limits,
      streamSocket,
      streams: hello.streams,
      findOthers: (rules) => this.#findOthers(rules),
      openSources: (rules) => this.#openSources(rules),
      hasTerminal: () => translated(() => hasTerminal(this.#client)),
      lendTerminal: () => translated(() => lendTerminal(this.#client)),
      deliverDescriptors: () => translated(() => this.#deliverDescriptors()),
    };
  }

  /** Has the client take on another identity, for good; only root's clients can. */
  async become({ uid, gid }: { uid: number; gid: number }): Promise<void> {
    const plan = new Plan();
    const what = `act for user ${uid}, group ${gid}`;
    plan.step("setgroups", [0, plan.struct([0])], { what });
    plan.step("setresgid", [gid, gid, gid], { what });
    plan.step("setresuid", [uid, uid, uid], { what });
    await this.#run(plan);
    this.#resolve = anywhere({ caller: { uid, gid, groups: [] }, own: this.#client.peer });
  }

  /** Opens and empties a meta-file. */
  async openMetaFile(path: string): Promise<ClientFile> {
    const plan = new Plan();
    const fd = plan.slot("meta-file");
    plan.because("option --meta", () => {
      const flags = linux.O_WRONLY | linux.O_CREAT | linux.O_TRUNC | linux.O_CLOEXEC |
        linux.O_NOCTTY;
      plan.step("openat", [linux.AT_FDCWD, plan.string(path), flags, 0o666], {
        into: fd,
        what: `open ${path}`,
      });
    });
    await this.#run(plan);
    return { fd: plan.result(fd), path };
  }

  /** Writes all of a text to a file or a standard stream of the client. */
  write(fd: number, text: string, what: string): Promise<void> {
    return this.#writeBytes(fd, encodeOsString(text), what);
  }

  async #writeBytes(fd: number, bytes: Uint8Array<ArrayBuffer>, what: string): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const plan = new Plan();
      const piece = plan.bytes(bytes.subarray(at, at + WRITE_BYTES));
      const written = plan.slot("written");
      plan.step("write", [fd, piece, piece.length], { into: written, what: `write ${what}` });
      await this.#run(plan);
      at += Math.max(1, plan.result(written));
    }
  }

  /** How many columns the terminal on standard output has; infinite if it is none. */
  async terminalWidth(): Promise<number> {
    const plan = new Plan();
    const size = plan.alloc(8);
    plan.step("ioctl", [STDOUT, linux.TIOCGWINSZ, size], { ignore: "all" });
    await this.#run(plan);
    return plan.view(size).getUint16(2, true) || Infinity;
  }

  /** Closes a file. */
  async close(fd: number): Promise<void> {
    const plan = new Plan();
    plan.step("close", [fd], { ignore: "all" });
    await this.#run(plan);
  }

  /** Ends the client with this exit status. */
  async exit(status: number): Promise<void> {
    const plan = new Plan();
    plan.step("exit_group", [status]);
    await this.#client.connection.attempt(plan, { isLast: true });
  }

  /** Writes a text and ends the client: one packet, unless only a part of the text can be written at once. */
  async writeAndExit(fd: number, text: string, status: number): Promise<void> {
    const bytes = encodeOsString(text);
    const plan = new Plan();
    const [piece, written] = [plan.bytes(bytes), plan.slot("written")];
    plan.step("write", [fd, piece, piece.length], { into: written, ignore: "all" });
    plan.step("exit_group", [status], { when: [written, bytes.length] });
    try {
      await this.#client.connection.attempt(plan);
    } catch (error) {
      if (error instanceof ConnectionLost) return;
      throw error;
    }
    const length = plan.result(written);
    if (length >= 0) {
      await this.#writeBytes(fd, bytes.subarray(length), "what is left").catch(() => {});
    }
    await this.exit(status);
  }

  #run(plan: Plan): Promise<void> {
    return translated(() => this.#client.connection.run(plan));
  }

  /** Has the client look at what its paths lead to, and looks at what they lead to here. */
  async #findOthers(rules: readonly BindRule[]): Promise<ReadonlySet<BindRule>> {
    if (!this.#client.surroundings.hasOwnRoot) return new Set();
    const [theirs, ours] = [new Plan(), new Plan()];
    const [seen, known] = [theirs, ours].map((plan) =>
      rules.map(({ outside }) => planIdentity(plan, outside))
    ) as [(() => string)[], (() => string)[]];
    await this.#run(theirs);
    this.#system.run(ours, "what the default rules bind");
    const recursive = rules.filter((rule) => rule.recursive).map(({ outside }) => outside);
    const [below, belowHere] = [this.#client.peer.pid, "self" as const].map((pid) =>
      mountsBelow(this.#system, pid, recursive)
    );
    if (below === undefined || below !== belowHere) return new Set(rules);
    return new Set(rules.filter((_, i) => seen[i]!() !== known[i]!()));
  }

  async #openSources(
    rules: readonly BindRule[],
  ): Promise<{ fds: (number | undefined)[]; areClones: boolean }> {
    const plan = new Plan();
    const clones = this.#client.surroundings.hasOwnMounts;
    const slots = rules.map((rule) =>
      planOwnSource(plan, rule, { clones, resolve: this.#resolve })
    );
    for (const slot of slots) this.#planSend(plan, slot);
    for (const slot of slots) plan.step("close", [slot], { always: true, ignore: "all" });
    const { connection } = this.#client;
    const failure = await connection.attempt(plan);
    const received = connection.takeDescriptors();
    if (failure) {
      closeAside(this.#system, received);
      throw failure;
    }
    const isOpen = slots.map((slot) => plan.result(slot) >= 0);
    if (received.length !== isOpen.filter(Boolean).length || !this.#areHandles(received)) {
      closeAside(this.#system, received);
      connection.close();
      throw new ConnectionLost("The client sent other descriptors than it was asked for");
    }
    const fds = isOpen.map((open) => open ? received.shift() : undefined);
    return { fds, areClones: clones };
  }

  async #deliverDescriptors(): Promise<number[]> {
    const { connection, hello } = this.#client;
    const listed = await this.#listDescriptors();
    const flags = new Plan();
    const slots = listed.map((fd) => {
      const slot = flags.slot("flags");
      flags.step("fcntl", [fd, linux.F_GETFD, 0], { into: slot, ignore: "all" });
      return slot;
    });
    if (listed.length > 0) await connection.run(flags);
    const passed = listed.filter((_, i) => {
      const result = flags.result(slots[i]!);
      return result >= 0 && (result & linux.FD_CLOEXEC) === 0;
    });
    if (passed.length === 0) return [];
    const plan = new Plan();
    for (let at = 0; at < passed.length; at += MESSAGE_FDS_MAX) {
      planPass(plan, hello.delivery, passed.slice(at, at + MESSAGE_FDS_MAX));
    }
    await connection.run(plan);
    return passed;
  }

  /** Lists the client's descriptors above 2. */
  async #listDescriptors(): Promise<number[]> {
    const plan = new Plan();
    const [directory, length, rest] = [plan.slot("fd"), plan.slot("length"), plan.slot("rest")];
    const [entries, others] = [plan.alloc(DIRECTORY_BYTES), plan.alloc(512)];
    plan.because("option --inherit-fds", () => {
      const flags = linux.O_DIRECTORY | linux.O_CLOEXEC;
      plan.step("openat", [linux.AT_FDCWD, plan.string("/proc/self/fd"), flags, 0], {
        into: directory,
        what: "list the caller's descriptors",
      });
      plan.step("getdents64", [directory, entries, entries.length], { into: length });
      plan.step("getdents64", [directory, others, others.length], { into: rest });
      plan.step("close", [directory]);
    });
    await this.#client.connection.run(plan);
    const bytes = plan.content(entries, clientLength(plan.result(length), DIRECTORY_BYTES));
    const fds = readNames(bytes).filter((name) => /^[0-9]{1,7}$/.test(name)).map(Number);
    if (plan.result(rest) > 0 || fds.length > DESCRIPTORS_MAX) {
      throw new SandboxError(
        "bad-option",
        `Option --inherit-fds passes on at most ${DESCRIPTORS_MAX} descriptors`,
      );
    }
    return [...new Set(fds)].filter((fd) => fd > 2).sort((a, b) => a - b);
  }

  /** Adds a step that sends a descriptor to us; one that could not be opened is not sent. */
  #planSend(plan: Plan, slot: Slot): void {
    const body = plan.struct(DESCRIPTORS_PACKET);
    const vector = plan.struct([0n, BigInt(body.length)]);
    plan.point(vector, 0, body);
    const control = plan.struct([20n, linux.SOL_SOCKET, linux.SCM_RIGHTS, 0, 0]);
    const message = plan.struct([0n, 0n, 0n, 1n, 0n, BigInt(control.length), 0n]);
    plan.point(message, 16, vector);
    plan.point(message, 32, control);
    plan.step("store", [control.part(16, 4), 4, slot]);
    plan.step("sendmsg", [this.#client.hello.connection, message, linux.MSG_NOSIGNAL], {
      ignore: "all",
    });
  }

  /** Whether all are linux.O_PATH descriptors: nothing else can be closed without waiting for anybody. */
  #areHandles(fds: readonly number[]): boolean {
    const plan = new Plan();
    const flags = fds.map((fd) => {
      const slot = plan.slot("flags");
      plan.step("fcntl", [fd, linux.F_GETFL, 0], { into: slot, ignore: "all" });
      return slot;
    });
    if (fds.length > 0) this.#system.run(plan, "look at what came");
    return flags.every((slot) => plan.result(slot) >= 0 && plan.result(slot) & linux.O_PATH);
  }
}

/** Adds a step that looks at a path; the device and inode there, empty if there is nothing. */
function planIdentity(plan: Plan, path: string): () => string {
  const [status, found] = [plan.alloc(STATX_SIZE), plan.slot(path)];
  const args = [
    linux.AT_FDCWD,
    plan.string(path),
    linux.AT_STATX_DONT_SYNC,
    linux.STATX_BASIC_STATS,
  ];
  plan.step("statx", [...args, status], { into: found, ignore: "all" });
  return () => plan.result(found) < 0 ? "" : readStatus(plan.view(status)).identity;
}

/** Adds a step that puts descriptors into a socket. */
function planPass(plan: Plan, socket: number, fds: readonly number[]): void {
  const vector = plan.struct([0n, 4n]);
  plan.point(vector, 0, plan.alloc(4));
  const control = plan.struct([
    BigInt(16 + 4 * fds.length),
    linux.SOL_SOCKET,
    linux.SCM_RIGHTS,
    ...fds,
    ...fds.length % 2 ? [0] : [],
  ]);
  const message = plan.struct([0n, 0n, 0n, 1n, 0n, BigInt(control.length), 0n]);
  plan.point(message, 16, vector);
  plan.point(message, 32, control);
  plan.because("option --inherit-fds", () => {
    plan.step("sendmsg", [socket, message, linux.MSG_NOSIGNAL | linux.MSG_DONTWAIT], {
      what: "pass the caller's descriptors on",
    });
  });
}

/** What a client says how much there is, which may be anything. */
function clientLength(length: number, most: number): number {
  return Math.max(0, Math.min(most, length));
}

/** Reads the names of what getdents64(2) gives; from a client, so it may be anything. */
function readNames(bytes: Uint8Array<ArrayBuffer>): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const names: string[] = [];
  for (let at = 0; at + 19 <= bytes.length;) {
    const end = at + view.getUint16(at + 16, true);
    if (end < at + 19 || end > bytes.length) break;
    const name = decodeOsString(bytes.slice(at + 19, end));
    names.push(name.slice(0, name.indexOf("\0")));
    at = end;
  }
  return names;
}
