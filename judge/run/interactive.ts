/**
 * Interactive problems: the submission and the output validator talk with each other.
 *
 * Who decides, the first that holds:
 *
 * 1. The submission ended first and badly (a limit, a crash, an exit status): that is its verdict,
 *    whatever the validator makes of the end of the conversation.
 * 2. The submission waited until its wall time was over while the validator was busy for most of it, or
 *    slept although there was something to read for it and room for what it writes: an error of the
 *    judge.
 * 3. The validator ended without 42 or 43: an error of the judge.
 * 4. The validator said that the answer is wrong: wrong answer, whatever the submission does then.
 * 5. The validator accepted: the submission must still end within its limits and without a signal. An
 *    exit status or SIGPIPE is forgiven if the validator ended first, for nobody reads any more.
 *
 * Neither notices the end of the other one before it is known here, so that it is certain who ended first.
 * The end of input then comes with the end of the other one, not when that closes its output.
 *
 * Who waits for each other for ever is ended by the submission's wall time: too slow.
 */

import type { Box, Outcome, PairOutcome, RunOptions } from "../../mod.ts";
import { runPair, Transcript } from "../../mod.ts";
import { type IdleWatchdog, wallTimeMs } from "./idle_watchdog.ts";
import type { TranscriptLine } from "../types.ts";
import {
  type Feedback,
  prepareValidator,
  readFeedback,
  type Validator,
  type ValidatorRun,
} from "./validator.ts";
import type { Judgement } from "../grading/verdict.ts";

const ACCEPTED = 42;
const SIGPIPE = 13;
/** Whoever waited had to wait for a validator that used at least this part of the wall time. */
const BUSY_PART = 0.5;

/** A submission that talks. */
export interface Talker {
  /** Its box. */
  readonly box: Box;
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** How it is run, without standard input and output. */
  readonly options: RunOptions;
  /** Its wall time in milliseconds. */
  readonly wallTimeMs: number;
  /** Ends it when both are idle. */
  readonly watchdog: IdleWatchdog;
  /** What is said of how it ended; undefined: it ended well. */
  readonly judge: (outcome: Outcome) => Judgement | undefined;
}

/** How a conversation went. */
export interface Conversation {
  /** What became of the submission. */
  readonly outcome: Outcome;
  /** What is said of it. */
  readonly feedback: Feedback;
  /** The beginning of what was said. */
  readonly transcript: readonly TranscriptLine[] | undefined;
}

/** Lets a submission and a validator talk with each other. */
export async function converse(talker: Talker, validator: Validator, options: {
  run: ValidatorRun;
  transcriptBytes: number;
  signal: AbortSignal;
}): Promise<Conversation> {
  const { run, transcriptBytes, signal } = options;
  const prepared = await prepareValidator(validator, run);
  const transcript = transcriptBytes > 0
    ? new Transcript({ limitBytes: transcriptBytes })
    : undefined;
  const { watchdog } = talker;
  const judge = (outcome: Outcome) => talker.judge(watchdog.outcome(outcome));
  // So that the submission's time is over first, and the validator has time to see its end.
  const limits = { ...prepared.options.limits };
  limits.wallTimeMs = talker.wallTimeMs + wallTimeMs(validator.limits.validationTimeMs);
  const pair = await runPair({
    first: {
      box: talker.box,
      command: talker.command,
      options: { ...talker.options, ...watchdog.options(signal) },
    },
    second: {
      box: run.box,
      command: prepared.command,
      options: { ...prepared.options, ...watchdog.otherOptions(), limits },
    },
    // The verdict is known then.
    stopOther: ({ which, outcome }) =>
      which === "first" ? judge(outcome) !== undefined : !isAccepted(outcome),
    // Who reads of a wrong answer, or runs into the end of the conversation, did not end first.
    announceEnds: true,
    signal,
    ...transcript && { transcript },
  });
  const { second, endedFirst } = pair;
  const outcome = watchdog.outcome(pair.first);
  const own = judge(outcome);
  const submissionDecides = endedFirst === "first" && own !== undefined;
  const heard = submissionDecides ? undefined : await readFeedback(validator, {
    box: run.box,
    outcome: second,
    stderr: prepared.stderr,
  });
  return {
    outcome,
    feedback: decide({ own, outcome, pair, heard, talker }),
    transcript: transcript && linesOf(transcript),
  };
}

function decide({ own, outcome, pair: { second, endedFirst, unread }, heard, talker }: {
  own: Judgement | undefined;
  outcome: Outcome;
  pair: PairOutcome;
  heard: Feedback | undefined;
  talker: Talker;
}): Feedback {
  if (outcome.kind === "time-limit" && outcome.limit === "wall" && endedFirst === "first") {
    if (second.usage.cpuTimeMs > BUSY_PART * talker.wallTimeMs) {
      const message = "The output validator was busy until the submission's time was over";
      return { verdict: "JE", message };
    }
    if (unread && unread.second > 0 && unread.first === 0) {
      const message = "The output validator did not read what the submission wrote, and did not " +
        "end, until the submission's time was over";
      return { verdict: "JE", message };
    }
  }
  if (!heard) return own!;
  if (heard.verdict !== "AC" || !own) return heard;
  const isForgiven = endedFirst === "second" && own.verdict === "RTE" &&
    (outcome.kind === "exit" || outcome.kind === "signal" && outcome.signal === SIGPIPE);
  return isForgiven ? heard : { ...heard, ...own };
}

function isAccepted(outcome: Outcome): boolean {
  return outcome.kind === "exit" && outcome.exitCode === ACCEPTED;
}

function linesOf({ pieces }: Transcript): TranscriptLine[] {
  const decoders = { first: new TextDecoder(), second: new TextDecoder() };
  return pieces.map(({ from, bytes }) => ({
    from: from === "first" ? "submission" : "interactor",
    text: decoders[from].decode(bytes, { stream: true }),
  }));
}
