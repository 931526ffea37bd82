/** The options of `judge()`. */

import type { HostFiles, Sandbox } from "../../mod.ts";
import type { JudgeBoxes } from "../boxes.ts";
import type { LanguageTable } from "../languages/language_table.ts";
import type { ResultMemory } from "./result_memory.ts";
import type { JudgeEvent, Problem, Submission } from "../types.ts";

/** What to judge, and how. */
export interface JudgeOptions {
  /** The sandbox. */
  readonly sandbox: Sandbox;
  /** The files of the host. */
  readonly host: HostFiles;
  /** The problem. */
  readonly problem: Problem;
  /** The submissions. */
  readonly submissions: readonly Submission[];
  /** Whether to check the package itself: its time limit, and that something is accepted. */
  readonly verify: boolean;
  /** Whether to check only the tests, by the validators of the package: no submission is run. */
  readonly onlyTests?: boolean | undefined;
  /**
   * Whether to run also the tests that are not needed any more after one that was not accepted. They
   * change no verdict and no score.
   */
  readonly allTests?: boolean | undefined;
  /** The languages. */
  readonly languages: LanguageTable;
  /** Whether submissions in Python 3 are run by PyPy. Default: where the problem takes no other one. */
  readonly pypy?: boolean | undefined;
  /** How many tests run at the same time, each on a CPU of its own. */
  readonly jobs: number;
  /** The boxes that may be used; default: all. */
  readonly boxIds?: { readonly first: number; readonly count: number } | undefined;
  /** Where boxes come from; default: this process makes them. */
  readonly boxes?: JudgeBoxes | undefined;
  /** CPU time in milliseconds that replaces the time limit of the package. */
  readonly timeLimitMs?: number | undefined;
  /** The directory that keeps compiled programs; default: a temporary one. */
  readonly cacheDirectory?: string | undefined;
  /** How many bytes of the conversation of an interactive test are recorded. Default: 0, faster. */
  readonly transcriptBytes?: number | undefined;
  /** Knows results of earlier calls; what did not change is not run again. */
  readonly memory?: ResultMemory | undefined;
  /** Keeps the boxes for inspection, with the last program. */
  readonly keep?: boolean | undefined;
  /** Interrupts judging; the report then has partial results. */
  readonly signal?: AbortSignal | undefined;
  /** Follows the progress. */
  readonly onEvent?: ((event: JudgeEvent) => void) | undefined;
}
