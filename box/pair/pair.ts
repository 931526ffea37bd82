/** Two programs that talk to each other, each in a box of its own. */

import type { Box } from "../box.ts";
import { toSandboxError } from "../../host/errors.ts";
import type { Outcome } from "../outcome/outcome.ts";
import { duplicate, makePipes, type Pipe, unreadBytes } from "./pipes.ts";
import type { RunOptions } from "../run_options.ts";
import type { PairSide, Transcript } from "./transcript.ts";

const SIGPIPE = 13;
/**
 * The kernel closes the pipes of a dying process first, and tells others of its death a little later:
 * so long one that the broken pipe has killed can seem to have been faster.
 */
const DEATH_BY_PIPE_MS = 50;

/** One of the two programs. */
export interface PairProgram {
  /** Where it runs. */
  readonly box: Box;
  /** Its path inside the box, and its arguments. */
  readonly command: readonly string[];
  /** How it is run; its standard input and output are the other program's output and input. */
  readonly options?: Omit<RunOptions, "stdin" | "stdout">;
}

/** What {@linkcode runPair} runs, and how. */
export interface PairOptions {
  /** One program; it is started first. */
  readonly first: PairProgram;
  /** The other program. */
  readonly second: PairProgram;
  /** Takes down what they say; without it nothing stands between the two. */
  readonly transcript?: Transcript;
  /**
   * Is asked when one program has ended and the other one still runs: true stops that one, whose
   * outcome then is `interrupted`. Default: it goes on until it ends, or meets a limit of its own.
   */
  readonly stopOther?: (ended: { which: PairSide; outcome: Outcome }) => boolean;
  /**
   * Neither program notices the end of the other one before it is known here, so that it is certain
   * who ended first. End of input and broken pipes then come with the end of the other program, and not
   * when that closes its streams. Default: false.
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
   * Which of them ended first, by the times at which they ended. One that ended by SIGPIPE within 50 ms
   * of the other one did not: that was how it was told.
   */
  endedFirst: PairSide;
  /**
   * How much later the other one ended, in milliseconds. A program that ended second, by SIGPIPE or
   * with an error status soon afterwards, may have done so only because nobody listened any more.
   */
  gapMs: number;
  /**
   * With `announceEnds`: how many bytes each had been sent and had not read when the first of them
   * ended. Who leaves something unread and is idle does not wait for input.
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
 * input of the other. Each has its own limits; whatever one of them does to its streams, the other
 * one runs into nothing worse than an end of input, a broken pipe (SIGPIPE) or its own time limit.
 *
 * Without a transcript the programs are connected by two pipes (pipe(7)) and nothing in between.
 * With one, this process takes each message down and passes it on; when the transcript is full it
 * only passes on.
 *
 * @param options the two programs, and what to do when one of them has ended
 * @returns what became of both; everything in both boxes is dead
 * @throws {SandboxError} if one of the boxes could not be started or fails; the other is stopped then
 * @throws {TypeError} if the options name a standard input or output
 *
 * @example A program that guesses, and one that knows
 * ```ts
 * import { Box } from "isolate/box/box.ts";
 * import { runPair } from "isolate/box/pair/pair.ts";
 * import { Transcript } from "isolate/box/pair/transcript.ts";
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
export async function runPair(options: PairOptions): Promise<PairOutcome> {
  refuseStreams(options);
  const { first, transcript } = options;
  const { system, waiter } = first.box.sandbox;
  const run = new PairRun(options);
  const pipes = run.connect(transcript ? 4 : 2);
  const works: Promise<void>[] = [];
  const start = (which: PairSide, input: Pipe, output: Pipe) => {
    works.push(run.program(which, { stdinFd: input.readFd, stdoutFd: output.writeFd }));
  };
  if (transcript) {
    const [fromFirst, fromSecond, toFirst, toSecond] = pipes;
    start("first", toFirst, fromFirst);
    start("second", toSecond, fromSecond);
    works.push(run.other(async () => {
      const { Tee } = await import("./tee.ts");
      const directions = [
        { from: "first", readFd: fromFirst.readFd, writeFd: toSecond.writeFd },
        { from: "second", readFd: fromSecond.readFd, writeFd: toFirst.writeFd },
      ] as const;
      await new Tee({ system, waiter, transcript, directions }).run();
    }));
  } else {
    const [fromFirst, fromSecond] = pipes;
    start("first", fromSecond, fromFirst);
    start("second", fromFirst, fromSecond);
  }
  await Promise.all(works);
  return run.conclude();
}

/** The state of one call of {@linkcode runPair}. */
class PairRun {
  readonly #options: PairOptions;
  readonly #stops = { first: new AbortController(), second: new AbortController() };
  readonly #outcomes: { [which in PairSide]?: Outcome } = {};
  readonly #endsMs = { first: 0, second: 0 };
  /** What was thrown first; boxed, as anything can be thrown. */
  #failure: { error: unknown } | undefined;
  /** Ends of the other one's pipes that are open until a program's end is known. */
  readonly #held: { [which in PairSide]?: readonly number[] } = {};
  #unread: { [which in PairSide]: number } | undefined;

  constructor(options: PairOptions) {
    this.#options = options;
  }

  /** Makes the pipes: from the first and the second program and, with a tee, to them. */
  connect(count: 2 | 4): [Pipe, Pipe, Pipe, Pipe] {
    const { system } = this.#options.first.box.sandbox;
    const pipes = makePipes(system, count);
    const [fromFirst, fromSecond, toFirst = fromSecond, toSecond = fromFirst] = pipes as [
      Pipe,
      Pipe,
      ...Pipe[],
    ];
    if (this.#options.announceEnds) {
      try {
        // While the far ends of its pipes are open somewhere, a program notices nothing.
        const fds = duplicate(system, [
          ...[toFirst.writeFd, fromFirst.readFd],
          ...[toSecond.writeFd, fromSecond.readFd],
        ]);
        this.#held.second = fds.slice(0, 2);
        this.#held.first = fds.slice(2);
      } catch (error) {
        system.close(...pipes.flatMap(({ readFd, writeFd }) => [readFd, writeFd]));
        throw error;
      }
    }
    return [fromFirst, fromSecond, toFirst, toSecond];
  }

  /** Only when the first one ends all pipes are still as they were. */
  #seeUnread(): void {
    const [toSecond] = this.#held.first ?? [];
    const [toFirst] = this.#held.second ?? [];
    if (toFirst === undefined || toSecond === undefined) return;
    const { system } = this.#options.first.box.sandbox;
    const [first = 0, second = 0] = unreadBytes(system, [toFirst, toSecond]);
    this.#unread = { first, second };
  }

  #letGo(which: PairSide): void {
    this.#options.first.box.sandbox.system.close(...this.#held[which] ?? []);
    delete this.#held[which];
  }

  /** Runs one of the programs; never rejects. */
  async program(
    which: PairSide,
    { stdinFd, stdoutFd }: { stdinFd: number; stdoutFd: number },
  ): Promise<void> {
    const { box, command, options = {} } = this.#options[which];
    const stop = this.#stops[which];
    const signals = [this.#options.signal, options.signal].filter((signal) => signal !== undefined);
    const unfollow = signals.map((signal) => follow(stop, signal));
    await this.other(async () => {
      const outcome = await box.run(command, {
        ...options,
        stdin: { fd: stdinFd, transfer: true },
        stdout: { fd: stdoutFd, transfer: true },
        signal: stop.signal,
        onEnd: (endedMs) => {
          this.#endsMs[which] = endedMs;
          this.#seeUnread();
          this.#letGo(which);
          options.onEnd?.(endedMs);
        },
      });
      this.#outcomes[which] = outcome;
      const other = which === "first" ? "second" : "first";
      if (this.#outcomes[other] || this.#failure) return;
      if (this.#options.stopOther?.({ which, outcome })) this.#stops[other].abort();
    });
    // Also if it could not be run at all.
    this.#letGo(which);
    for (const undo of unfollow) undo();
  }

  /** Does something without which the programs cannot go on: if it fails, they are stopped. */
  async other(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failure ??= { error };
      this.#stops.first.abort();
      this.#stops.second.abort();
    }
  }

  /** The result, when everything has ended. */
  conclude(): PairOutcome {
    if (this.#failure) throw toSandboxError(this.#failure.error);
    const { first, second } = this.#outcomes as { [which in PairSide]: Outcome };
    const gapMs = this.#endsMs.second - this.#endsMs.first;
    const isClose = !this.#options.announceEnds && Math.abs(gapMs) < DEATH_BY_PIPE_MS;
    const faster = gapMs >= 0 ? "first" : "second";
    const slower = gapMs >= 0 ? "second" : "first";
    const wasTold = isClose && diedOfPipe({ first, second }[faster]) &&
      !diedOfPipe({ first, second }[slower]);
    return {
      first,
      second,
      endedFirst: wasTold ? slower : faster,
      gapMs: Math.abs(gapMs),
      ...this.#unread && { unread: this.#unread },
    };
  }
}

function diedOfPipe(outcome: Outcome): boolean {
  return outcome.kind === "signal" && outcome.signal === SIGPIPE;
}

/** Aborts when the other one is aborted; gives what ends that. */
function follow(controller: AbortController, signal: AbortSignal): () => void {
  const abort = () => controller.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  return () => signal.removeEventListener("abort", abort);
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
