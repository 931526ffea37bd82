/** Two programs that talk to each other, each in a box of its own. */

import { SIGPIPE } from "../../ffi/linux.ts";
import type { System } from "../../ffi/system.ts";
import type { Box } from "../box.ts";
import { translated } from "../../host/errors.ts";
import type { Outcome } from "../outcome/outcome.ts";
import { duplicate, makePipes, type Pipe, unreadBytes } from "../streams/pipes.ts";
import type { RunOptions } from "../run_options.ts";
import type { PairSide, Transcript } from "./transcript.ts";

/**
 * The kernel closes the pipes of a dying process first, and reports its death a little later. Within
 * this time, a program killed by the broken pipe can seem to have ended first.
 */
const DEATH_BY_PIPE_MS = 50;

/** One of the two programs. */
export interface PairProgram {
  /** Where it runs. */
  readonly box: Pick<Box, "run" | "sandbox">;
  /** Its path inside the box, and its arguments. */
  readonly command: readonly string[];
  /** How it is run; its standard input and output are the other program's output and input. */
  readonly options?: Omit<RunOptions, "stdin" | "stdout">;
  /**
   * Throw away what it writes when the other program has ended, so that it meets no broken pipe: for a
   * program that has the last word, whether anybody listens or not. Default: false.
   */
  readonly outlivesOther?: boolean;
}

/** Options of {@linkcode runPair}. */
export interface PairOptions {
  /** One program; it is started first. */
  readonly first: PairProgram;
  /** The other program. */
  readonly second: PairProgram;
  /** Records what they say. Without it nothing is between the two. */
  readonly transcript?: Transcript;
  /**
   * Called when one program has ended and the other one still runs. Returning true stops that one, with
   * the outcome `interrupted`. Default: it runs until it ends, or meets a limit of its own.
   */
  readonly stopOther?: (ended: { which: PairSide; outcome: Outcome }) => boolean;
  /**
   * Hide the end of each program from the other one until it is known here, so that it is certain who
   * ended first. End of input and broken pipes then come when the other program ends, not when it closes
   * its streams. Default: false.
   */
  readonly announceEnds?: boolean;
  /** Stops both when aborted. */
  readonly signal?: AbortSignal;
}

/** What became of two programs. */
export interface PairOutcome {
  /** What became of the first program. */
  first: Outcome;
  /** What became of the second program. */
  second: Outcome;
  /**
   * Which of them ended first. One that ended by SIGPIPE within 50 ms of the other one counts as
   * second: the signal was how it learned of the other one's end.
   */
  endedFirst: PairSide;
  /**
   * How much later the other one ended, in milliseconds. A program that ended second, by SIGPIPE or
   * with an error status soon afterwards, may have done so only because nobody was listening.
   */
  gapMs: number;
  /**
   * With `announceEnds`: how many bytes each had been sent and had not read when the first of them
   * ended. An idle program with unread input is not waiting for input.
   */
  unread?: {
    /** Bytes that were sent to the first program. */
    readonly first: number;
    /** Bytes that were sent to the second program. */
    readonly second: number;
  };
}

/**
 * Runs two programs, each in its own box, with the standard output of each connected to the standard
 * input of the other. Each has its own limits. Whatever one of them does to its streams, the other one
 * meets nothing worse than an end of input, a broken pipe (SIGPIPE) or its own time limit.
 *
 * Without a transcript the programs are connected by two pipes (pipe(7)) and nothing in between.
 * With one, this process records each message and passes it on; when the transcript is full it only
 * passes on.
 *
 * @param options the two programs, and what to do when one of them has ended
 * @returns what became of both; everything in both boxes is dead
 * @throws {SandboxError} if one of the boxes could not be started or fails; the other is then stopped
 * @throws {TypeError} if the options of a program set its standard input or output
 *
 * @example A program that guesses, and one that knows
 * ```ts
 * import { Box, runPair, Transcript } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * await using guesser = await Box.init({ boxId: 950 });
 * await using judge = await Box.init({ boxId: 951 });
 * const guess = "for i in 1 2 3; do echo $i; read -r answer; [ $answer = yes ] && exit 0; done";
 * const know = "while read -r guess; do [ $guess = 2 ] && echo yes && exit 42; echo no; done";
 * const transcript = new Transcript({ limitBytes: 4096 });
 * const { first, second } = await runPair({
 *   first: { box: guesser, command: ["/bin/sh", "-c", guess], options: { limits: { wallTimeMs: 5000 } } },
 *   second: { box: judge, command: ["/bin/sh", "-c", know], options: { limits: { wallTimeMs: 5000 } } },
 *   transcript,
 * });
 * assertEquals([first.kind, second.kind === "exit" && second.exitCode], ["exit", 42]);
 * const text = new TextDecoder();
 * assertEquals(transcript.pieces.map(({ bytes }) => text.decode(bytes)), ["1\n", "no\n", "2\n", "yes\n"]);
 * ```
 */
export function runPair(options: PairOptions): Promise<PairOutcome> {
  return translated(async () => {
    refuseStreams(options);
    const { first, transcript } = options;
    const { system, waiter } = first.box.sandbox;
    const run = new PairRun(options);
    const { fromFirst, fromSecond, toFirst, toSecond } = run.connect();
    const works = [
      run.program("first", { stdinFd: toFirst.readFd, stdoutFd: fromFirst.writeFd }),
      run.program("second", { stdinFd: toSecond.readFd, stdoutFd: fromSecond.writeFd }),
    ];
    if (transcript) {
      works.push(run.guard(async () => {
        const { Tee } = await import("./tee.ts");
        const directions = [
          { from: "first", readFd: fromFirst.readFd, writeFd: toSecond.writeFd },
          { from: "second", readFd: fromSecond.readFd, writeFd: toFirst.writeFd },
        ] as const;
        await new Tee({ system, waiter, transcript, directions }).run();
      }));
    }
    await Promise.all(works);
    await run.drained();
    return run.conclude();
  });
}

/** One of the two programs, while they run. */
interface RunningSide {
  readonly stop: AbortController;
  outcome: Outcome | undefined;
  endedMs: number;
  /** The far ends of the other one's pipes, open until the end of this one is known. */
  held: readonly number[];
  /** The far end of the other one's output, open until the other one has closed it. */
  drainedFd: number | undefined;
}

/** The state of one call of {@linkcode runPair}. */
class PairRun {
  readonly #options: PairOptions;
  readonly #system: System;
  readonly #sides = { first: newSide(), second: newSide() };
  /** What was thrown first; boxed, as anything can be thrown. */
  #failure: { error: unknown } | undefined;
  #unread: PairOutcome["unread"];
  readonly #drains: Promise<void>[] = [];

  constructor(options: PairOptions) {
    this.#options = options;
    this.#system = options.first.box.sandbox.system;
  }

  /** Makes the pipes: two that connect the programs, or four that connect each with the tee. */
  connect(): { fromFirst: Pipe; fromSecond: Pipe; toFirst: Pipe; toSecond: Pipe } {
    const { transcript, announceEnds } = this.#options;
    const what = "make the pipes between two programs";
    const all = makePipes(this.#system, transcript ? 4 : 2, what);
    const [fromFirst, fromSecond] = all as [Pipe, Pipe];
    const [, , toFirst = fromSecond, toSecond = fromFirst] = all;
    const pipes = { fromFirst, fromSecond, toFirst, toSecond };
    const { first, second } = this.#sides;
    try {
      const hold = (...fds: number[]) => duplicate(this.#system, fds, { what });
      // While the far ends of its pipes are open somewhere, a program notices nothing.
      if (announceEnds) second.held = hold(toFirst.writeFd, fromFirst.readFd);
      if (announceEnds) first.held = hold(toSecond.writeFd, fromSecond.readFd);
      if (this.#options.first.outlivesOther) [second.drainedFd] = hold(fromFirst.readFd);
      if (this.#options.second.outlivesOther) [first.drainedFd] = hold(fromSecond.readFd);
      return pipes;
    } catch (error) {
      const drained = [first.drainedFd ?? -1, second.drainedFd ?? -1];
      const held = [...first.held, ...second.held, ...drained];
      this.#system.close(...held, ...all.flatMap((pipe) => [pipe.readFd, pipe.writeFd]));
      throw error;
    }
  }

  /** Runs one of the programs; never rejects. */
  async program(
    which: PairSide,
    { stdinFd, stdoutFd }: { stdinFd: number; stdoutFd: number },
  ): Promise<void> {
    const { box, command, options = {} } = this.#options[which];
    const side = this.#sides[which];
    const other = this.#sides[which === "first" ? "second" : "first"];
    const signals = [side.stop.signal, this.#options.signal, options.signal];
    await this.guard(async () => {
      const outcome = await box.run(command, {
        ...options,
        stdin: { fd: stdinFd, transfer: true },
        stdout: { fd: stdoutFd, transfer: true },
        signal: AbortSignal.any(signals.filter((signal) => signal !== undefined)),
        onEnd: (endedMs) => {
          side.endedMs = endedMs;
          this.#countUnread();
          this.#letGo(side);
          options.onEnd?.(endedMs);
        },
      });
      side.outcome = outcome;
      if (other.outcome || this.#failure) return;
      if (this.#options.stopOther?.({ which, outcome })) other.stop.abort();
    });
    // Also if it could not be run at all.
    this.#letGo(side);
  }

  /** Does something without which the programs cannot go on: if it fails, they are stopped. */
  async guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failure ??= { error };
      this.#sides.first.stop.abort();
      this.#sides.second.stop.abort();
    }
  }

  /** Only when the first of them ends all pipes are still as they were. */
  #countUnread(): void {
    const [toSecond] = this.#sides.first.held;
    const [toFirst] = this.#sides.second.held;
    if (toFirst === undefined || toSecond === undefined) return;
    const [first = 0, second = 0] = unreadBytes(this.#system, [toFirst, toSecond]);
    this.#unread = { first, second };
  }

  #letGo(side: RunningSide): void {
    this.#system.close(...side.held);
    side.held = [];
    const { drainedFd } = side;
    side.drainedFd = undefined;
    if (drainedFd === undefined) return;
    const { system, waiter } = this.#options.first.box.sandbox;
    this.#drains.push(this.guard(async () => {
      const { drain } = await import("./drain.ts");
      await drain(drainedFd, { system, waiter });
    }));
  }

  /** Waits until nobody can say anything any more. */
  async drained(): Promise<void> {
    await Promise.all(this.#drains);
  }

  /** Puts the result together when everything has ended. */
  conclude(): PairOutcome {
    if (this.#failure) throw this.#failure.error;
    const { first, second } = this.#sides;
    const gapMs = second.endedMs - first.endedMs;
    const [faster, slower] = gapMs >= 0 ? [first, second] : [second, first];
    const isClose = !this.#options.announceEnds && Math.abs(gapMs) < DEATH_BY_PIPE_MS;
    const wasTold = isClose && diedOfPipe(faster) && !diedOfPipe(slower);
    return {
      first: first.outcome!,
      second: second.outcome!,
      endedFirst: (wasTold ? slower : faster) === first ? "first" : "second",
      gapMs: Math.abs(gapMs),
      ...this.#unread && { unread: this.#unread },
    };
  }
}

function newSide(): RunningSide {
  return {
    stop: new AbortController(),
    outcome: undefined,
    endedMs: 0,
    held: [],
    drainedFd: undefined,
  };
}

function diedOfPipe({ outcome }: RunningSide): boolean {
  return outcome?.kind === "signal" && outcome.signal === SIGPIPE;
}

function refuseStreams(options: PairOptions): void {
  for (const which of ["first", "second"] as const) {
    const given: RunOptions = options[which].options ?? {};
    for (const name of ["stdin", "stdout"] as const) {
      if (given[name] === undefined) continue;
      throw new TypeError(
        `Cannot set ${name} of the ${which} program of a pair: it is connected to the other program`,
      );
    }
  }
}
