/**
 * Judges interactive problems: the submission and the output validator talk to each other.
 *
 * The first of these rules that holds decides:
 *
 * 1. The submission ended first and badly (a limit, a crash, an exit status): that is its verdict,
 *    whatever the validator makes of the end of the conversation.
 * 2. The submission waited until its wall time was over while the validator was busy for most of it, or
 *    slept although there was something to read for it and room for what it writes: an error of the
 *    judge.
 * 3. The validator ended without 42 or 43: an error of the judge.
 * 4. The validator rejected the answer: wrong answer, whatever the submission does then.
 * 5. The validator accepted: the submission must still end within its limits and without a signal. An
 *    exit status or SIGPIPE is forgiven if the validator ended first, for its end of the pipes is gone.
 *
 * Neither side notices the end of the other before it is known here, so that it is certain which ended
 * first. The end of input then comes with the end of the other, not when that closes its output.
 *
 * If both wait for each other for ever, the submission's wall time ends it: time limit exceeded.
 */

import type { Outcome, PairOutcome, RunOptions } from "../../mod.ts";
import type { JudgeBox } from "../boxes.ts";
import { runPair, SIGNALS, Transcript } from "../../mod.ts";
import type { Judgement } from "../grading/outcome_verdict.ts";
import type { TranscriptLine } from "../types.ts";
import { type IdleWatchdog, wallTimeMs } from "./idle_watchdog.ts";
import type { NextPass } from "./feedback.ts";
import {
  type Feedback,
  prepareValidator,
  readVerdict,
  type Validator,
  VALIDATOR_ACCEPTED,
} from "./validator.ts";
import type { Assignment } from "./workers.ts";

/** A submission that waits had to wait for a validator that used at least this part of the wall time. */
const BUSY_PART = 0.5;

/** The contestant's side of a test: the submission, ready to run but for its input and output. */
export interface ContestantSide {
  readonly box: JudgeBox;
  readonly command: readonly string[];
  readonly options: RunOptions;
  readonly wallTimeMs: number;
  /** Ends it when it is idle; in a conversation, when both sides are. */
  readonly watchdog: IdleWatchdog;
  /** Judges how it ended; undefined: it ended well. */
  readonly judge: (outcome: Outcome) => Judgement | undefined;
}

/** Lets a submission and a validator talk to each other. */
export async function converse(
  contestant: ContestantSide,
  validator: Validator,
  { run, transcriptBytes, pass }: {
    run: Assignment;
    transcriptBytes: number;
    /** What the conversation before has left. */
    pass?: NextPass | undefined;
  },
): Promise<Feedback & { outcome: Outcome }> {
  const { signal } = run;
  const { box, command, watchdog } = contestant;
  const prepared = await prepareValidator(validator, run, pass);
  await using tree = prepared.tree;
  const transcript = transcriptBytes > 0
    ? new Transcript({ limitBytes: transcriptBytes })
    : undefined;
  const judge = (outcome: Outcome) => contestant.judge(watchdog.outcome(outcome));
  // So that the submission's time is over first, and the validator has time to see its end.
  const limits = {
    ...prepared.options.limits,
    wallTimeMs: contestant.wallTimeMs + wallTimeMs(validator.limits.validationTimeMs),
  };
  const pair = await runPair({
    first: { box, command, options: { ...contestant.options, ...watchdog.options(signal) } },
    second: {
      box: prepared.box,
      command: prepared.command,
      options: { ...prepared.options, ...watchdog.otherOptions(), limits },
      // Its last words are no mistake if the submission is gone by then.
      outlivesOther: true,
    },
    // The verdict is known then.
    stopOther: ({ which, outcome }) =>
      which === "first" ? judge(outcome) !== undefined : !isAccepted(outcome),
    // A submission that reads of a wrong answer, or runs into the end of the conversation, did not end
    // first.
    announceEnds: true,
    signal: AbortSignal.any([signal, tree.signal]),
    ...transcript && { transcript },
  });
  const outcome = watchdog.outcome(pair.first);
  const ending = judge(outcome);
  const feedback = pair.endedFirst === "first" && ending && !tree.isTooLarge
    ? undefined
    : await readVerdict(validator, { ...prepared, outcome: pair.second, run });
  if (feedback && tree.isTooLarge) return { outcome, ...feedback };
  const judgement = decide({
    outcome,
    ending,
    feedback: feedback?.judgement,
    pair,
    wallTimeMs: contestant.wallTimeMs,
  });
  return {
    outcome,
    judgement: { ...judgement, transcript: transcript && linesOf(transcript) },
    next: judgement.verdict === "AC" ? feedback?.next : undefined,
  };
}

function decide({ outcome, ending, feedback, pair: { second, endedFirst, unread }, wallTimeMs }: {
  outcome: Outcome;
  /** Judges how the submission ended; undefined: it ended well. */
  ending: Judgement | undefined;
  /** The validator's verdict; undefined: the end of the submission decides. */
  feedback: Judgement | undefined;
  pair: PairOutcome;
  wallTimeMs: number;
}): Judgement {
  if (outcome.kind === "time-limit" && outcome.limit === "wall" && endedFirst === "first") {
    if (second.usage.cpuTimeMs > BUSY_PART * wallTimeMs) {
      const message = "The output validator was busy until the submission's time was over";
      return { verdict: "JE", message };
    }
    if (unread && unread.second > 0 && unread.first === 0) {
      const message = "The output validator neither read what the submission wrote nor ended " +
        "before the submission's time was over";
      return { verdict: "JE", message };
    }
  }
  if (!feedback) return ending!;
  if (feedback.verdict !== "AC" || !ending) return feedback;
  const isForgiven = endedFirst === "second" && ending.verdict === "RTE" &&
    (outcome.kind === "exit" || outcome.kind === "signal" && outcome.signal === SIGNALS.SIGPIPE);
  return isForgiven ? feedback : { ...feedback, ...ending };
}

function isAccepted(outcome: Outcome): boolean {
  return outcome.kind === "exit" && outcome.exitCode === VALIDATOR_ACCEPTED;
}

function linesOf({ pieces }: Transcript): TranscriptLine[] {
  const decoders = { first: new TextDecoder(), second: new TextDecoder() };
  return pieces.map(({ from, bytes }) => ({
    from: from === "first" ? "submission" : "interactor",
    text: decoders[from].decode(bytes, { stream: true }),
  }));
}
