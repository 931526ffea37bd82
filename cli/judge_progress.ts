/**
 * Shows the progress of `isolate judge`: a line that changes on a terminal, a line per submission
 * elsewhere.
 */

import { dim, green, red } from "../vendor/std/colors.ts";
import type { JudgeEvent, SubmissionResult, TestResult, Verdict } from "../judge/types.ts";
import { columns, cutToColumns, padToColumns } from "../text/columns.ts";
import { countText, scoreText, sizeText, timeText } from "../text/quantities.ts";
import { visibleText } from "../text/visible.ts";
import { isPromised, paintVerdict, reasonText } from "./judge_table.ts";

const REDRAW_MS = 80;
const BAR_WIDTH = 20;
const CLEAR_LINE = "\r\x1b[K";
const NAME_WIDTH_MAX = 40;

/** Where progress goes, and how. */
export interface ProgressOptions {
  /** Writes text as it is. */
  readonly write: (text: string) => void;
  /** Columns of the terminal; undefined if it is not one. */
  readonly width: () => number | undefined;
  /** -1 nothing, 0 a line per submission, 1 also a line per test. */
  readonly verbosity: -1 | 0 | 1;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: () => number;
}

/** The submission that is judged now. */
interface Current {
  readonly name: string;
  phase: "compiling" | "running";
  done: number;
  total: number;
  worstTimeMs: number;
  verdict: Verdict;
}

/** Shows what happens. */
export class JudgeProgress {
  readonly #options: ProgressOptions;
  #current: Current | undefined;
  #total = 0;
  #submissions = 0;
  #judged = 0;
  #startMs: number | undefined;
  #hasLine = false;
  #drawnMs = -Infinity;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** Shows an event. */
  tell(event: JudgeEvent): void {
    switch (event.kind) {
      case "start":
        this.#total = event.tests;
        this.#submissions = event.submissions;
        this.#startMs = this.#options.nowMs();
        return;
      case "compile":
        this.#current = {
          name: visibleText(event.submission),
          phase: "compiling",
          done: 0,
          total: this.#total,
          worstTimeMs: 0,
          verdict: "AC",
        };
        return this.#draw();
      case "compiled":
        if (this.#current) this.#current.phase = "running";
        return this.#draw();
      case "test":
        return this.#test(event);
      case "judged":
        this.#current = undefined;
        this.#judged++;
        if (this.#options.verbosity >= 0) this.#say(submissionLine(event.result));
        else this.end();
        return;
      case "time-limit":
        return this.#say(
          `time limit: ${timeText(event.timeLimitMs)} (${visibleText(event.source)})`,
        );
    }
  }

  /** Removes the changing line. */
  end(): void {
    if (!this.#hasLine) return;
    this.#options.write(CLEAR_LINE);
    this.#hasLine = false;
  }

  #test({ result, done, total }: Extract<JudgeEvent, { kind: "test" }>): void {
    const current = this.#current;
    if (current) {
      current.done = done;
      current.total = total;
      current.worstTimeMs = Math.max(current.worstTimeMs, result.cpuTimeMs);
      if (current.verdict === "AC") current.verdict = result.verdict;
    }
    if (this.#options.verbosity > 0) this.#say(testLine(result));
    this.#draw();
  }

  #say(text: string): void {
    if (this.#options.verbosity < 0) return;
    this.end();
    this.#options.write(`${text}\n`);
    this.#drawnMs = -Infinity;
    this.#draw();
  }

  #draw(): void {
    const width = this.#options.width();
    const nowMs = this.#options.nowMs();
    if (!this.#current || width === undefined || this.#options.verbosity < 0) return;
    if (nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    this.#hasLine = true;
    this.#options.write(CLEAR_LINE + progressLine(this.#current, width, this.#overall(nowMs)));
  }

  /** Says how far all is. */
  #overall(nowMs: number): string {
    if (this.#startMs === undefined) return "";
    // The reference solutions come first where they give the time limit, and count on top.
    const place = Math.min(this.#judged + 1, this.#submissions);
    return `${place} of ${this.#submissions}, ${Math.round((nowMs - this.#startMs) / 1000)} s  `;
  }
}

function progressLine(current: Current, width: number, overall: string): string {
  const { phase, done, total, worstTimeMs, verdict } = current;
  const state = phase === "compiling"
    ? "compiling…"
    : `${bar(done, total)} ${done}/${total}  worst ${timeText(worstTimeMs)}  ${verdict} so far`;
  const name = cutToColumns(current.name, Math.max(8, width - columns(overall + state) - 4));
  // One column less: some terminals wrap after the last one.
  return dim(cutToColumns(`${overall}${name}  ${state}`, width - 1));
}

function bar(done: number, total: number): string {
  const filled = total === 0 ? 0 : Math.round(BAR_WIDTH * done / total);
  return "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
}

function submissionLine(result: SubmissionResult): string {
  const { verdict, asExpected, expected, tests, maxCpuTimeMs, maxMemoryKib } = result;
  const short = paintVerdict(verdict, verdict.padEnd(3), { isExpected: isPromised(result) });
  // Nothing is promised of a submission that somebody hands in: its verdict comes first.
  const mark = !expected ? short : asExpected ? green("ok") : red("NO");
  const promised = asExpected ? "" : ` (expected ${expected?.join(" or ")})`;
  const score = result.score === undefined ? "" : `  score ${scoreText(result.score)}`;
  const figures = tests.length === 0
    ? ""
    : `  ${timeText(maxCpuTimeMs)}  ${sizeText(maxMemoryKib)}  ${countText(tests.length, "test")}`;
  const name = padToColumns(visibleText(result.submission), NAME_WIDTH_MAX);
  const reason = verdict === "AC" ? "" : `  ${reasonText(result)}`;
  const got = expected ? `  ${short}${promised}` : "";
  return `${mark}  ${name}${got}${score}${figures}${reason}`;
}

function testLine({ test, verdict, cpuTimeMs, memoryKib, message, score }: TestResult): string {
  const figures = `${timeText(cpuTimeMs)}  ${sizeText(memoryKib)}`;
  const points = score === undefined ? "" : `  score ${scoreText(score)}`;
  const why = verdict === "AC" ? "" : `  ${visibleText(message)}`;
  const name = padToColumns(visibleText(test), NAME_WIDTH_MAX - 4);
  return `        ${name}  ${paintVerdict(verdict, verdict.padEnd(3))}  ${figures}${points}${why}`;
}
