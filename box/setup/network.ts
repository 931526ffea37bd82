/**
 * Network namespaces that serve one run after another. The kernel takes longer to make one, and to take
 * it down, than all else that a box is made of. A run gets one that others have had only if nothing can
 * be found in it that was not in it when it was new: no socket, and no counter that has moved.
 */

import * as linux from "../../ffi/linux.ts";
import { type Data, Plan, type Slot } from "../../ffi/plan.ts";
import type { System, SystemError } from "../../ffi/system.ts";

/**
 * What a namespace shows of its past, in `/proc/PID/net`. A socket counts in `sockstat` whatever its
 * kind and its holder, connections that wait for their end included; whatever was sent, or refused,
 * counts in the others; see proc_pid_net(5). Addresses, routes and settings are out of a program's reach:
 * it has no capability in the namespace.
 */
const FILES = ["sockstat", "sockstat6", "dev", "snmp", "snmp6", "netstat"] as const;
const FILE_BYTES = 16384;

/** What `sockstat` tells of the sockets of all namespaces together. */
const OF_ALL = /\b(orphan|alloc|mem) \d+/g;

/** A network namespace, and its files of that kind, opened. */
export interface Network {
  readonly fd: number;
  readonly files: readonly number[];
}

/** Takes the network namespace of a process; undefined: that is dead. */
export function openNetwork(system: System, pid: number): Network | undefined {
  const plan = new Plan();
  const open = (path: string, ignore: { ignore?: "all" } = {}) => {
    const fd = plan.slot(path);
    const flags = linux.O_CLOEXEC;
    plan.step("openat", [linux.AT_FDCWD, plan.string(path), flags, 0], { into: fd, ...ignore });
    return fd;
  };
  const namespace = open(`/proc/${pid}/ns/net`);
  // Without IPv6 there are fewer of them.
  const files = FILES.map((name) => open(`/proc/${pid}/net/${name}`, { ignore: "all" }));
  if (system.attempt(plan, "take the network of a box")) return undefined;
  return { fd: plan.result(namespace), files: files.map((slot) => plan.result(slot)) };
}

/** Lets go of network namespaces. */
export function closeNetworks(system: System, ...networks: (Network | undefined)[]): void {
  system.close(...networks.flatMap((network) => network ? [network.fd, ...network.files] : []));
}

/** Knows what a new network namespace looks like: the same, whenever one is made. */
export class PristineNetwork {
  readonly #plan = new Plan();
  readonly #execute: () => SystemError | undefined;
  readonly #files: readonly { fd: Slot; length: Slot; content: Data }[];
  #traces: readonly Uint8Array[] | undefined;
  /** `sockstat` as it was read last, and what is of one namespace in it. */
  #sockets: { whole: Uint8Array; own: Uint8Array } | undefined;

  /** Has seen none yet. */
  constructor(system: System) {
    const plan = this.#plan;
    this.#files = FILES.map((name) => {
      const file = {
        fd: plan.slot(name),
        length: plan.slot("length"),
        content: plan.alloc(FILE_BYTES),
      };
      const read = [file.fd, file.content, FILE_BYTES, 0] as const;
      plan.step("pread64", read, { into: file.length, ignore: "all" });
      return file;
    });
    this.#execute = system.prepare(plan, "look at the network of a box");
  }

  /** Learns from a new one what they look like, unless it is known. */
  learn(network: Network): void {
    this.#traces ??= this.#look(network)?.map((content) => content.slice());
  }

  /** Whether nothing shows that somebody has used it. */
  isLike(network: Network): boolean {
    const [traces, seen] = [this.#traces, this.#look(network)];
    return traces !== undefined && seen !== undefined &&
      traces.every((content, i) => isSame(content, seen[i]!));
  }

  /** Reads the files; undefined if they cannot be read whole. */
  #look({ files }: Network): Uint8Array[] | undefined {
    files.forEach((fd, i) => this.#plan.put(this.#files[i]!.fd, fd));
    const failure = this.#execute();
    if (failure) throw failure;
    const lengths = this.#files.map(({ length }) => this.#plan.result(length));
    if (lengths.includes(FILE_BYTES)) return undefined;
    return this.#files.map(({ content }, i) => {
      const text = this.#plan.content(content, Math.max(0, lengths[i]!));
      return FILES[i] === "sockstat" ? this.#ownSockets(text) : text;
    });
  }

  #ownSockets(text: Uint8Array): Uint8Array {
    if (!this.#sockets || !isSame(text, this.#sockets.whole)) {
      this.#sockets = { whole: text.slice(), own: withoutOthers(text) };
    }
    return this.#sockets.own;
  }
}

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];

/** Leaves out of `sockstat` what is not of one namespace. */
export function withoutOthers(text: Uint8Array): Uint8Array {
  return encoder.encode(decoder.decode(text).replaceAll(OF_ALL, "$1"));
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  // Four bytes at a time: there are ten thousand of them for each run.
  const [ours, theirs] = [wordsOf(a), wordsOf(b)];
  for (let i = 0; i < ours.length; i++) if (ours[i] !== theirs[i]) return false;
  for (let i = 4 * ours.length; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The whole words of bytes that begin at an address that is a multiple of 4. */
function wordsOf({ buffer, byteOffset, length }: Uint8Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length >> 2);
}
