/**
 * The standard streams of one run that are more than a descriptor or a path inside the box: what the
 * keeper does for them while the program runs. Runs without such streams do not load this.
 */

import type { OpenFileOptions } from "../../host/reader.ts";
import type { HostAccess, Identity } from "../../host/identity.ts";
import type { Waiter } from "../keep/waiter.ts";
import { Capture, checkLimitBytes, type Overflow } from "./capture.ts";
import { DescriptorPump, destinationOf } from "./descriptor_pump.ts";
import { Feed } from "./feed.ts";
import { CapturePump, type OutputPump, type PumpOptions, type Turn } from "./pump.ts";
import { duplicate, openPipe } from "./pipes.ts";
import { openMemory, openStreamFile } from "./stream_fds.ts";
import type { Input, Output, ProgramStreams, Stream } from "./streams.ts";

const encoder = new TextEncoder();

/** Why a stream ends a run. */
export type StreamEnd =
  /** More was written than allowed. */
  | { readonly kind: "overflow"; readonly stream: "stdout" | "stderr" }
  /** It failed, which is not the fault of the program. */
  | { readonly kind: "error"; readonly error: unknown };

/** What streams are opened with. */
export interface OpenStreamsOptions extends HostAccess {
  readonly waiter: Waiter;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output | "stdout";
  /** To whom the box's ends of pipes are given; undefined: they stay ours, and are open to all. */
  readonly boxUser: Identity | undefined;
  /** The directory of all boxes. */
  readonly boxRoot: string;
}

const NAMES = { stdin: "standard input", stdout: "standard output", stderr: "standard error" };
/** Dead processes write nothing more, so what is left fits into a pipe. */
const LAST_TURNS_MAX = 256;

interface NamedPump {
  readonly stream: "stdout" | "stderr";
  readonly pump: OutputPump;
}

/** The streams of one run. */
export class RunStreams implements ProgramStreams {
  readonly stdin: Stream;
  readonly stdout: Stream;
  readonly stderr: Stream | "stdout";
  /** Why the run had to be ended, if a stream was the reason. */
  end: StreamEnd | undefined;
  readonly #options: OpenStreamsOptions;
  readonly #pumps: NamedPump[] = [];
  #feed: Feed | undefined;
  /** The program's ends, which are closed here once the box has them. */
  #boxFds: number[] = [];
  #onEnd: () => void = () => {};
  #turnMs = 0;

  constructor(options: OpenStreamsOptions) {
    this.#options = options;
    try {
      this.stdin = this.#openInput(options.stdin);
      this.stdout = this.#openOutput("stdout", options.stdout);
      this.stderr = options.stderr === "stdout"
        ? "stdout"
        : this.#openOutput("stderr", options.stderr);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The descriptors that have to be readable for another turn. */
  get readable(): number[] {
    return this.#open.flatMap(({ nextTurnMs, readableFd }) =>
      nextTurnMs > this.#turnMs || readableFd === undefined ? [] : [readableFd]
    );
  }

  /** The descriptors that have to be writable for another turn. */
  get writable(): number[] {
    return this.#open.flatMap(({ writableFd }) => writableFd === undefined ? [] : [writableFd]);
  }

  /** When there has to be another turn whatever is ready, on CLOCK_MONOTONIC. */
  get nextTurnMs(): number {
    const later = this.#open.map(({ nextTurnMs }) => nextTurnMs).filter((ms) => ms > this.#turnMs);
    return Math.min(Infinity, ...later);
  }

  get #open(): OutputPump[] {
    return this.#pumps.map(({ pump }) => pump).filter(({ isOpen }) => isOpen);
  }

  /** Closes the program's ends: when everything in the box is dead, nobody has them. */
  passed(): void {
    this.#options.system.close(...this.#boxFds);
    this.#boxFds = [];
  }

  /** Begins to feed the program. */
  begin(onEnd: () => void): void {
    this.#onEnd = onEnd;
    this.#feed?.begin((error) => this.#endFor({ kind: "error", error }));
  }

  /** Lets each pump that is due move what it can. */
  turn(nowMs: number): void {
    this.#turnMs = nowMs;
    for (const one of this.#pumps) {
      if (one.pump.isOpen && one.pump.nextTurnMs <= nowMs) this.#turn(one, nowMs);
    }
  }

  /** Moves what is left after everything in the box has died. */
  async finish(options: { deadlineMs: number; abort: AbortSignal | undefined }): Promise<void> {
    this.#onEnd = () => {};
    this.#feed?.close();
    for (const one of this.#pumps) await this.#finish(one, options);
  }

  async #finish(
    one: NamedPump,
    { deadlineMs, abort }: { deadlineMs: number; abort: AbortSignal | undefined },
  ): Promise<void> {
    const { system, waiter } = this.#options;
    for (let turns = 0; turns < LAST_TURNS_MAX; turns++) {
      const result = this.#turn(one, 0);
      if (result === "busy") continue;
      if (result !== "blocked" || abort?.aborted || system.nowMs() >= deadlineMs) break;
      turns = 0;
      const fd = one.pump.writableFd!;
      const giveUp = () => waiter.forget(fd);
      abort?.addEventListener("abort", giveUp);
      await waiter.ready({ readable: [], writable: [fd] }, deadlineMs);
      abort?.removeEventListener("abort", giveUp);
    }
    one.pump.close();
  }

  /** Closes everything; output that is still in a pipe is lost. */
  close(): void {
    this.passed();
    this.#feed?.close();
    for (const { pump } of this.#pumps) pump.close();
  }

  #turn({ stream, pump }: NamedPump, nowMs: number): Turn {
    try {
      const result = pump.turn(nowMs);
      if (result === "overflow") this.#endFor({ kind: "overflow", stream });
      return result;
    } catch (error) {
      pump.close();
      this.#endFor({ kind: "error", error });
      return "closed";
    }
  }

  #endFor(end: StreamEnd): void {
    if (this.end) return;
    this.end = end;
    this.#onEnd();
  }

  #openInput(input: Input): Stream {
    const { system, waiter, boxUser } = this.#options;
    if (typeof input === "object") {
      if ("text" in input) return this.#forBox(openMemory(system, encoder.encode(input.text)));
      if ("bytes" in input) return this.#forBox(openMemory(system, input.bytes));
      if ("file" in input) return this.#forBox(this.#openFile("stdin", input.file, input));
      if ("stream" in input) {
        const { boxFd, ownFd } = openPipe(system, { own: "writes", boxUser });
        const forBox = this.#forBox(boxFd);
        try {
          this.#feed = new Feed({ system, waiter, pipeFd: ownFd, stream: input.stream });
        } catch (error) {
          system.close(ownFd);
          throw error;
        }
        return forBox;
      }
      return input;
    }
    return input === "none" ? this.#forBox(this.#openFile("stdin", "/dev/null")) : input;
  }

  #openOutput(stream: "stdout" | "stderr", output: Output): Stream {
    const { system } = this.#options;
    if (output === "none") return this.#forBox(this.#openFile(stream, "/dev/null"));
    if (output === "inherit" || "path" in output) return output;
    if (output instanceof Capture) {
      const { boxFd, pump } = this.#pipe(stream, output.overflow);
      this.#pumps.push({ stream, pump: new CapturePump(pump, output) });
      return this.#forBox(boxFd);
    }
    if (!("limitBytes" in output) || output.limitBytes === undefined) {
      return "file" in output ? this.#forBox(this.#openFile(stream, output.file)) : output;
    }
    const { overflow = "stop" } = output;
    const limitBytes = checkLimitBytes(output.limitBytes);
    const [fd, name] = "file" in output
      ? [this.#openFile(stream, output.file), output.file]
      : this.#duplicate(stream, output.fd);
    try {
      const destination = destinationOf(system, fd, name);
      const { boxFd, pump } = this.#pipe(stream, overflow);
      this.#pumps.push({ stream, pump: new DescriptorPump(pump, { destination, limitBytes }) });
      return this.#forBox(boxFd);
    } catch (error) {
      system.close(fd);
      throw error;
    }
  }

  #pipe(stream: "stdout" | "stderr", overflow: Overflow): { boxFd: number; pump: PumpOptions } {
    const { system, waiter, boxUser } = this.#options;
    const { boxFd, ownFd } = openPipe(system, { own: "reads", boxUser });
    return { boxFd, pump: { system, waiter, pipeFd: ownFd, overflow, name: NAMES[stream] } };
  }

  #duplicate(stream: keyof typeof NAMES, fd: number): [number, string] {
    const options = { reason: NAMES[stream], what: `use descriptor ${fd}` };
    return [duplicate(this.#options.system, [fd], options)[0]!, `descriptor ${fd}`];
  }

  #openFile(
    stream: keyof typeof NAMES,
    path: string,
    { followLinks }: OpenFileOptions = {},
  ): number {
    const use = stream === "stdin" ? "read" : "write";
    const { boxRoot } = this.#options;
    return openStreamFile(this.#options, path, {
      use,
      stream: NAMES[stream],
      boxRoot,
      followLinks,
    });
  }

  #forBox(fd: number): Stream {
    this.#boxFds.push(fd);
    return { fd };
  }
}
