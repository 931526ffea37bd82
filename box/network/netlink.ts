/** Asks the kernel for changes of the network: messages of rtnetlink(7), built here and sent by plans. */

import { ERRNO, errnoName, errnoText } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { type System, SystemError } from "../../ffi/system.ts";
import { SandboxError } from "../../host/errors.ts";

const HEADER_BYTES = 16;
const ANSWER_BYTES = 32768;
/** More answers than a machine has interfaces. */
const ANSWERS_MAX = 65536;

/** What an attribute holds: bytes, a string with its NUL, a number of 32 bits, or other attributes. */
export type AttributeValue = Uint8Array | string | number | readonly Uint8Array[];

/** One message. */
export interface Message {
  readonly type: number;
  readonly flags?: number;
  /** The fixed structure, and the attributes behind it. */
  readonly body: readonly Uint8Array[];
  /** What it is for, as the rest of a sentence that begins with "cannot". */
  readonly what: string;
  /** The errno that is an answer, not a failure. */
  readonly expected?: readonly number[];
}

/** What came back: 0 or the errno, and the messages before that, without their headers. */
export interface NetlinkAnswer {
  readonly errno: number;
  readonly messages: readonly Uint8Array[];
}

/** Writes an attribute, padded to four bytes. */
export function attribute(type: number, value: AttributeValue): Uint8Array {
  const bytes = bytesOf(value);
  const padded = new Uint8Array((bytes.length + 4 + 3) & ~3);
  const view = new DataView(padded.buffer);
  view.setUint16(0, bytes.length + 4, true);
  view.setUint16(2, type, true);
  padded.set(bytes, 4);
  return padded;
}

function bytesOf(value: AttributeValue): Uint8Array {
  if (typeof value === "string") return new TextEncoder().encode(`${value}\0`);
  if (typeof value === "number") return new Uint8Array(new Uint32Array([value]).buffer);
  return value instanceof Uint8Array ? value : joined(value);
}

/** Puts pieces behind each other. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Reads the attributes behind a fixed structure; of two of a type the last one. */
export function attributesOf(bytes: Uint8Array, from = 0): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = from; at + 4 <= bytes.length;) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length) break;
    // The highest two bits are flags.
    found.set(view.getUint16(at + 2, true) & 0x3fff, bytes.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return found;
}

/** A socket into the network namespace in which it was made. */
export class Netlink {
  readonly #system: System;
  readonly fd: number;

  /** Takes over a socket. */
  constructor(system: System, fd: number) {
    this.#system = system;
    this.fd = fd;
  }

  /** Opens one into the namespace of this process. */
  static open(system: System): Netlink {
    const plan = new Plan();
    const fd = plan.slot("netlink socket");
    plan.because("option --address", () => {
      plan.step("socket", [linux.AF_NETLINK, linux.SOCK_RAW | linux.SOCK_CLOEXEC, 0], { into: fd });
    });
    system.run(plan, "ask about the network");
    return new Netlink(system, plan.result(fd));
  }

  close(): void {
    this.#system.close(this.fd);
  }

  /** Sends a message and reads the answer; throws one sentence if the kernel refuses. */
  ask(message: Message): NetlinkAnswer {
    this.#system.run(this.#planSend(message), message.what);
    return this.#answer(message);
  }

  /** Does the same with a message over which the kernel takes milliseconds, and holds nobody up. */
  async askAside(message: Message): Promise<NetlinkAnswer> {
    const plan = this.#planSend(message);
    this.#system.trace?.(plan, message.what);
    const status = await this.#system.library.execAside(plan.encode());
    if (status !== 0) throw SystemError.of(plan);
    return this.#answer(message);
  }

  #planSend({ type, flags = linux.NLM_F_ACK, body, what }: Message): Plan {
    const content = joined(body);
    const data = new Uint8Array(HEADER_BYTES + content.length);
    const header = new DataView(data.buffer);
    header.setUint32(0, data.length, true);
    header.setUint16(4, type, true);
    header.setUint16(6, linux.NLM_F_REQUEST | flags, true);
    data.set(content, HEADER_BYTES);
    const plan = new Plan();
    const bytes = plan.bytes(data);
    plan.because("option --address", () => {
      plan.step("sendto", [this.fd, bytes, bytes.length, 0, 0, 0], { what });
    });
    return plan;
  }

  #answer({ what, expected = [] }: Message): NetlinkAnswer {
    const answer = this.#receive(what);
    if (answer.errno === 0 || expected.includes(answer.errno)) return answer;
    throw refused(what, answer.errno);
  }

  #receive(what: string): NetlinkAnswer {
    const plan = new Plan();
    const length = plan.slot("length");
    const content = plan.alloc(ANSWER_BYTES);
    const vector = plan.struct([0n, BigInt(ANSWER_BYTES)]);
    plan.point(vector, 0, content);
    const message = plan.struct([0n, 0n, 0n, 1n, 0n, 0n, 0n]);
    plan.point(message, 16, vector);
    // The kernel has answered before sendto() returned.
    plan.step("recvmsg", [this.fd, message, linux.MSG_DONTWAIT], { into: length, what });
    const receive = this.#system.prepare(plan, what);
    const messages: Uint8Array[] = [];
    for (let i = 0; i < ANSWERS_MAX; i++) {
      const failure = receive();
      if (failure) throw failure;
      const bytes = plan.content(content, plan.result(length)).slice();
      const view = new DataView(bytes.buffer);
      for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
        const [size, type] = [view.getUint32(at, true), view.getUint16(at + 4, true)];
        if (type === linux.NLMSG_ERROR) {
          return { errno: -view.getInt32(at + HEADER_BYTES, true), messages };
        }
        if (type === linux.NLMSG_DONE) return { errno: 0, messages };
        messages.push(bytes.subarray(at + HEADER_BYTES, at + size));
        at += Math.max(HEADER_BYTES, (size + 3) & ~3);
      }
    }
    throw refused(what, ERRNO.EOVERFLOW);
  }
}

function refused(what: string, errno: number): SandboxError {
  const hint = errno === ERRNO.EOPNOTSUPP
    ? "; the kernel may lack the modules bridge and veth"
    : "";
  return new SandboxError(
    "system",
    `option --address: cannot ${what}: ${errnoText(errno)} (netlink: ${errnoName(errno)}${hint})`,
    { step: "sendto", errno },
  );
}
