/** What a judge is asked to do. */

import type { Sandbox } from "../mod.ts";
import type { HostFiles } from "../host/files.ts";
import type { LanguageTable } from "./languages/languages.ts";
import type { JudgeEvent, Problem, Submission } from "./types.ts";

/** What is judged, and how. */
export interface JudgeOptions {
  /** The sandbox. */
  readonly sandbox: Sandbox;
  /** Files of the host. */
  readonly host: HostFiles;
  /** The problem. */
  readonly problem: Problem;
  /** The submissions. */
  readonly submissions: readonly Submission[];
  /** Whether the package itself is checked: its time limit, and that something is accepted. */
  readonly verify: boolean;
  /** The languages. */
  readonly languages: LanguageTable;
  /** How many tests are run at the same time, each on a CPU of its own. */
  readonly jobs: number;
  /** Which boxes may be used; default: all. */
  readonly boxIds?: { readonly first: number; readonly count: number } | undefined;
  /** Instead of the time limit of the package; CPU time in milliseconds. */
  readonly timeLimitMs?: number | undefined;
  /** Where compiled programs are kept; default: a directory that is removed in the end. */
  readonly cacheDirectory?: string | undefined;
  /** How much of the conversation of an interactive test is kept, in bytes. Default: 0, faster. */
  readonly transcriptBytes?: number | undefined;
  /** Leave the boxes in the end as they are, with the last program. */
  readonly keep?: boolean | undefined;
  /** Breaks everything off; the report tells what is known then. */
  readonly signal?: AbortSignal | undefined;
  /** Is told what happens. */
  readonly onEvent?: ((event: JudgeEvent) => void) | undefined;
}
