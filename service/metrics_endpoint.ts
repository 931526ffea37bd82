/** Answers every HTTP request on a unix socket with the metrics, whatever its path. */

import type { Waiter } from "../box/keep/waiter.ts";
import { ERRNO } from "../ffi/errno.ts";
import * as linux from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import { type System, SystemError } from "../ffi/system.ts";
import { SandboxError } from "../host/errors.ts";

const SOCK_CLOEXEC_NONBLOCK = linux.SOCK_CLOEXEC | linux.SOCK_NONBLOCK;
/** Of more readers than that at once the one who has taken longest is turned away. */
const READERS_MAX = 8;
/** Nobody needs longer to ask, and to read. */
const READER_MS = 5000;
const REQUEST_BYTES_MAX = 8192;

/** Serves until the socket is forgotten and closed. */
export class MetricsEndpoint {
  readonly #system: System;
  readonly #waiter: Waiter;
  readonly #socket: number;
  readonly #text: () => Promise<string>;
  /** The oldest first. */
  readonly #readers = new Set<number>();
  #isClosed = false;

  /** Takes over a listening socket of streams. */
  constructor(
    system: System,
    waiter: Waiter,
    { socket, text }: { socket: number; text: () => Promise<string> },
  ) {
    this.#system = system;
    this.#waiter = waiter;
    this.#socket = socket;
    this.#text = text;
  }

  /** Answers until the service stops. */
  async run(): Promise<void> {
    while (!this.#isClosed) {
      await this.#waiter.readable([this.#socket], Infinity);
      while (!this.#isClosed && this.#accept());
    }
  }

  /** Answers nobody any more. */
  close(): void {
    this.#isClosed = true;
    this.#waiter.forget(this.#socket);
    this.#system.close(this.#socket);
  }

  #accept(): boolean {
    const plan = new Plan();
    const fd = plan.slot("connection");
    plan.step("accept4", [this.#socket, 0, 0, SOCK_CLOEXEC_NONBLOCK], { into: fd, ignore: "all" });
    this.#system.run(plan, "accept a reader of metrics");
    const reader = plan.result(fd);
    if (reader < 0) return false;
    const [oldest] = this.#readers;
    if (oldest !== undefined && this.#readers.size >= READERS_MAX) {
      this.#readers.delete(oldest);
      this.#waiter.forget(oldest);
    }
    void this.#answer(reader);
    return true;
  }

  async #answer(reader: number): Promise<void> {
    this.#readers.add(reader);
    const deadlineMs = this.#system.nowMs() + READER_MS;
    try {
      if (!await this.#takeRequest(reader, deadlineMs)) return;
      const body = new TextEncoder().encode(await this.#text());
      const head = "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n" +
        `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
      await this.#send(reader, new TextEncoder().encode(head), deadlineMs);
      await this.#send(reader, body, deadlineMs);
    } catch (error) {
      if (!(error instanceof SandboxError || error instanceof SystemError)) throw error;
      // There is nothing to be told: the reader finds the connection closed.
    } finally {
      this.#waiter.forget(reader);
      this.#system.close(reader);
      this.#readers.delete(reader);
    }
  }

  #mayGoOn(reader: number, deadlineMs: number): boolean {
    return this.#readers.has(reader) && this.#system.nowMs() < deadlineMs;
  }

  /** Reads until the empty line that ends a request; false if none comes. */
  async #takeRequest(reader: number, deadlineMs: number): Promise<boolean> {
    let text = "";
    while (text.length < REQUEST_BYTES_MAX && this.#mayGoOn(reader, deadlineMs)) {
      await this.#waiter.readable([reader], deadlineMs);
      const plan = new Plan();
      const [length, bytes] = [plan.slot("length"), plan.alloc(1024)];
      plan.step("read", [reader, bytes, bytes.length], { into: length, ignore: "all" });
      this.#system.run(plan, "read a request");
      const count = plan.result(length);
      if (count === -ERRNO.EAGAIN) continue;
      if (count <= 0) return false;
      text += String.fromCharCode(...plan.content(bytes, count));
      if (/\r?\n\r?\n/.test(text)) return true;
    }
    return false;
  }

  async #send(reader: number, bytes: Uint8Array, deadlineMs: number): Promise<void> {
    for (let at = 0; at < bytes.length && this.#mayGoOn(reader, deadlineMs);) {
      const plan = new Plan();
      const [sent, rest] = [plan.slot("sent"), plan.bytes(bytes.subarray(at))];
      const flags = linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL;
      plan.step("sendto", [reader, rest, rest.length, flags, 0, 0], { into: sent, ignore: "all" });
      this.#system.run(plan, "send metrics");
      const count = plan.result(sent);
      if (count > 0) at += count;
      else if (count !== -ERRNO.EAGAIN) return;
      else await this.#waiter.ready({ readable: [], writable: [reader] }, deadlineMs);
    }
  }
}
