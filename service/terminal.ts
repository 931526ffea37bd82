/**
 * A terminal of a client, lent to a program. The box is in no session of the client's, so the program
 * gets a terminal of its own, a pseudoterminal that the client makes, and the client carries what is
 * typed and what is printed from one to the other. The client's terminal is restored by a child of the
 * client, even if both the client and the service are killed.
 */

import * as linux from "../ffi/linux.ts";
import { ERRNO } from "../ffi/errno.ts";
import { type Data, Plan, type Slot } from "../ffi/plan.ts";
import type { LentTerminal } from "../box/remote_caller.ts";
import { planForeground } from "../box/setup/terminal.ts";
import { ConnectionLost } from "./connection.ts";
import type { Client } from "./server.ts";

const STDOUT = 1;
const TERMIOS_BYTES = 36;
const WINDOW_SIZE_BYTES = 8;
const READ_BYTES = 8192;
/** Until so much is written, no more is read. */
const PENDING_BYTES_MAX = 65536;
/** How late the program hears of a change of the window's size. */
const TURN_MS = 250;
const RETRY_MS = 10;
/** What cfmakeraw(3) clears: in the flags of input, output, control and the rest. */
const RAW_CLEARS = [0o2753, 0o1, 0o460, 0o100113] as const;
const CS8 = 0o60;
const C_CC = 17;
const [VTIME, VMIN] = [5, 6];
const READY = linux.POLLIN | linux.POLLIN << 16;

/** Which of the standard streams are the terminal on standard output, and how it is set up. */
interface FoundTerminal {
  readonly streams: readonly number[];
  readonly settings: Uint8Array<ArrayBuffer>;
}

/** Whether the client's standard output is a terminal. */
export async function hasTerminal(client: Client): Promise<boolean> {
  return await findTerminal(client) !== undefined;
}

/** Lends the terminal on the client's standard output; undefined if there is none. */
export async function lendTerminal(client: Client): Promise<LentTerminal | undefined> {
  const found = await findTerminal(client);
  if (!found) return undefined;
  const relay = new Relay(client, found, await makeTerminal(client, found));
  const done = relay.run();
  // A client that goes away ends the run by other ways.
  done.catch(() => {});
  return {
    async end() {
      relay.stop();
      await done;
      await restore(client, found, relay.places.guardian);
    },
  };
}

async function findTerminal({ connection }: Client): Promise<FoundTerminal | undefined> {
  const plan = new Plan();
  const settings = plan.alloc(TERMIOS_BYTES);
  const isTerminal = plan.slot("terminal");
  plan.step("ioctl", [STDOUT, linux.TCGETS, settings], { into: isTerminal, ignore: "all" });
  const devices = [0, 1, 2].map((fd) => {
    const device = plan.struct([0]);
    plan.step("ioctl", [fd, linux.TIOCGDEV, device], { ignore: "all" });
    return device;
  });
  await connection.run(plan);
  if (plan.result(isTerminal) !== 0) return undefined;
  const numbers = devices.map((device) => plan.view(device).getUint32(0, true));
  return {
    streams: [0, 1, 2].filter((fd) => numbers[fd] === numbers[STDOUT]),
    settings: plan.content(settings).slice(),
  };
}

/** What the client has got for it. */
interface Places {
  /** The client's descriptor of its side. */
  readonly main: number;
  /** The child that restores the client's terminal when the client is dead. */
  readonly guardian: number;
}

async function makeTerminal(
  { connection, hello }: Client,
  { streams, settings }: FoundTerminal,
): Promise<Places> {
  const plan = new Plan();
  const [main, program, guardian] = [
    plan.slot("main"),
    plan.slot("program"),
    plan.slot("guardian"),
  ];
  const saved = plan.bytes(settings);
  const size = plan.alloc(WINDOW_SIZE_BYTES);
  plan.because("option --tty-hack", () => {
    const flags = linux.O_RDWR | linux.O_NOCTTY | linux.O_CLOEXEC;
    const what = "make a terminal for the program";
    const path = plan.string("/dev/ptmx");
    plan.step("openat", [linux.AT_FDCWD, path, flags | linux.O_NONBLOCK, 0], { into: main, what });
    plan.step("ioctl", [main, linux.TIOCSPTLCK, plan.struct([0])], { what });
    plan.step("ioctl", [main, linux.TIOCGPTPEER, flags], { into: program, what });
    plan.step("ioctl", [program, linux.TCSETS, saved], { what });
    plan.step("ioctl", [STDOUT, linux.TIOCGWINSZ, size], { ignore: "all" });
    plan.step("ioctl", [main, linux.TIOCSWINSZ, size], { ignore: "all" });
    planDelivery(
      plan,
      hello.delivery,
      hello.streams.map((fd) => streams.includes(fd) ? program : fd),
    );
    plan.step("close", [program], { always: true, ignore: "all" });
    // A client in the background would be stopped by what follows, or read nothing.
    planForeground(plan, { ignore: "all" });
    planGuardian(plan, guardian, saved);
    plan.step("ioctl", [STDOUT, linux.TCSETS, plan.bytes(rawSettings(settings))], { what });
  });
  await connection.run(plan);
  return { main: plan.result(main), guardian: plan.result(guardian) };
}

/** Adds a step that puts the standard streams into the socket once more, with the new terminal. */
function planDelivery(plan: Plan, socket: number, fds: readonly (number | Slot)[]): void {
  const vector = plan.struct([0n, 4n]);
  plan.point(vector, 0, plan.alloc(4));
  const control = plan.struct([
    BigInt(16 + 4 * fds.length),
    linux.SOL_SOCKET,
    linux.SCM_RIGHTS,
    ...fds.map((fd) => typeof fd === "number" ? fd : 0),
    ...fds.length % 2 ? [0] : [],
  ]);
  fds.forEach((fd, i) => {
    if (typeof fd !== "number") plan.step("store", [control.part(16 + 4 * i, 4), 4, fd]);
  });
  const message = plan.struct([0n, 0n, 0n, 1n, 0n, BigInt(control.length), 0n]);
  plan.point(message, 16, vector);
  plan.point(message, 32, control);
  plan.step("sendmsg", [socket, message, linux.MSG_NOSIGNAL | linux.MSG_DONTWAIT], {
    what: "hand the terminal over",
  });
}

/** Adds a child that waits for the end of the client, whatever it is, and restores its terminal then. */
function planGuardian(plan: Plan, guardian: Slot, saved: Data): void {
  const pair = plan.struct([0, 0]);
  const [reader, writer] = [plan.slot("reader"), plan.slot("writer")];
  plan.step("pipe2", [pair, linux.O_CLOEXEC]);
  plan.step("load", [pair.part(0, 4), 4], { into: reader });
  plan.step("load", [pair.part(4, 4), 4], { into: writer });
  plan.spawn(plan.cloneArgs({}), { into: guardian }, () => {
    const ignore = { ignore: "all" } as const;
    // From the background the terminal's settings can be changed only so.
    plan.step("rt_sigprocmask", [linux.SIG_BLOCK, plan.struct([-1n]), 0, 8]);
    // It must keep nothing open, neither the connection nor a pipe of the caller.
    plan.step("dup3", [reader, 3, 0], ignore);
    plan.step("close_range", [4, 0xffffffff, 0]);
    plan.step("close", [0], ignore);
    plan.step("close", [2], ignore);
    plan.step("read", [3, plan.alloc(1), 1], ignore);
    plan.step("ioctl", [STDOUT, linux.TCSETS, saved], ignore);
  });
  plan.step("close", [reader]);
}

function rawSettings(settings: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const raw = settings.slice();
  const view = new DataView(raw.buffer);
  RAW_CLEARS.forEach((bits, i) => view.setUint32(4 * i, view.getUint32(4 * i, true) & ~bits, true));
  view.setUint32(8, view.getUint32(8, true) | CS8, true);
  raw[C_CC + VMIN] = 1;
  raw[C_CC + VTIME] = 0;
  return raw;
}

async function restore(
  { connection }: Client,
  { settings }: FoundTerminal,
  guardian: number,
): Promise<void> {
  const plan = new Plan();
  const ignore = { ignore: "all" } as const;
  planForeground(plan, ignore);
  plan.step("ioctl", [STDOUT, linux.TCSETS, plan.bytes(settings)], ignore);
  plan.step("kill", [guardian, linux.SIGKILL], ignore);
  plan.step("waitid", [linux.P_PID, guardian, plan.alloc(128), linux.WEXITED, 0], ignore);
  await connection.run(plan);
}

/** Carries bytes between the two terminals, a turn at a time. */
class Relay {
  readonly places: Places;
  readonly #client: Client;
  /** Where what is typed is read; -1: no more. */
  #typedFd: number;
  #typed = new Uint8Array(0);
  #printed = new Uint8Array(0);
  #isStopped = false;

  constructor(client: Client, { streams }: FoundTerminal, places: Places) {
    this.#client = client;
    this.places = places;
    this.#typedFd = streams[0]!;
  }

  /** Ends once nothing more comes from the program. */
  stop(): void {
    this.#isStopped = true;
  }

  async run(): Promise<void> {
    for (let open = true; open || this.#printed.length > 0;) {
      open = await this.#turn(open);
    }
  }

  /** Writes what there is, waits for more and reads it; returns whether more can come. */
  async #turn(isOpen: boolean): Promise<boolean> {
    const { connection, hello } = this.#client;
    const { main } = this.places;
    const ignore = { ignore: "all" } as const;
    const plan = new Plan();
    const [printed, typed] = [plan.slot("printed"), plan.slot("typed")];
    planWrite(plan, STDOUT, this.#printed, printed);
    planWrite(plan, main, this.#typed, typed);
    const isFull = (bytes: Uint8Array) => bytes.length > PENDING_BYTES_MAX;
    const readsTyped = isOpen && !isFull(this.#typed) ? this.#typedFd : -1;
    const readsMain = isOpen && !isFull(this.#printed);
    const waits = isOpen && !this.#isStopped;
    const isPending = this.#typed.length > 0;
    const poll = plan.struct([
      ...[readsTyped, linux.POLLIN],
      ...[readsMain ? main : -1, linux.POLLIN],
      // Something else is asked for, or the service is gone.
      ...[hello.connection, linux.POLLIN],
    ]);
    const timeoutMs = !waits ? 0 : isPending || !readsMain ? RETRY_MS : TURN_MS;
    plan.step("ppoll", [poll, 3, plan.struct([0n, BigInt(timeoutMs * 1e6)]), 0, 8], ignore);
    const ready = plan.slot("ready");
    plan.step("load", [poll.part(4, 4), 4], { into: ready });
    const [typing, printing] = [plan.alloc(READ_BYTES), plan.alloc(READ_BYTES)];
    const [typedMore, printedMore] = [plan.slot("typed"), plan.slot("printed")];
    plan.step("read", [readsTyped, typing, READ_BYTES], {
      into: typedMore,
      when: [ready, READY],
      ...ignore,
    });
    if (readsMain) {
      plan.step("read", [main, printing, READ_BYTES], { into: printedMore, ...ignore });
    }
    const size = plan.alloc(WINDOW_SIZE_BYTES);
    plan.step("ioctl", [STDOUT, linux.TIOCGWINSZ, size], ignore);
    plan.step("ioctl", [main, linux.TIOCSWINSZ, size], ignore);
    await connection.run(plan);

    this.#printed = rest(this.#printed, plan.result(printed));
    this.#typed = rest(this.#typed, plan.result(typed));
    const bits = plan.result(ready) >>> 16;
    const typedBytes = plan.result(typedMore);
    if (bits !== 0 && typedBytes <= 0) this.#typedFd = -1;
    this.#typed = joined(this.#typed, plan.content(typing, within(typedBytes)));
    if (!readsMain) return isOpen;
    const printedBytes = plan.result(printedMore);
    this.#printed = joined(this.#printed, plan.content(printing, within(printedBytes)));
    if (printedBytes > 0) return true;
    return printedBytes === -ERRNO.EAGAIN && !this.#isStopped;
  }
}

function planWrite(plan: Plan, fd: number, bytes: Uint8Array<ArrayBuffer>, into: Slot): void {
  if (bytes.length === 0) return;
  plan.step("write", [fd, plan.bytes(bytes), bytes.length], { into, ignore: "all" });
}

/** What is left to be written; what cannot be written to a terminal that is gone is lost. */
function rest(bytes: Uint8Array<ArrayBuffer>, written: number): Uint8Array<ArrayBuffer> {
  const isFailed = written < 0 && written !== -ERRNO.EAGAIN && written !== -ERRNO.EINTR;
  return isFailed ? new Uint8Array(0) : bytes.slice(Math.max(0, written));
}

function joined(
  first: Uint8Array<ArrayBuffer>,
  second: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** How much was read, which a client can say as it likes. */
function within(count: number): number {
  if (count > READ_BYTES) throw new ConnectionLost("The client has read more than it was asked to");
  return Math.max(0, count);
}
