/** What names of folders and words in sources say of the verdicts that submissions must get. */

import { nearestHint } from "../../text/yaml_node.ts";
import type { Verdict } from "../types.ts";

/** Verdicts of the format that cover several of ours: it knows no memory limit. */
const RUN_TIME_ERROR: readonly Verdict[] = ["RTE", "MLE"];
const REJECTED: readonly Verdict[] = ["WA", "TLE", "MLE", "OLE", "RTE"];
/** Whatever a submission that compiles can get. */
export const ANY: readonly Verdict[] = ["AC", ...REJECTED];

/** The verdicts that submissions in these folders must get. */
const FOLDERS: Readonly<Record<string, readonly Verdict[]>> = {
  accepted: ["AC"],
  partially_accepted: ["AC"],
  wrong_answer: ["WA"],
  time_limit_exceeded: ["TLE"],
  run_time_error: RUN_TIME_ERROR,
  memory_limit_exceeded: ["MLE"],
  output_limit_exceeded: ["OLE"],
  compile_error: ["CE"],
  compiler_error: ["CE"],
  rejected: REJECTED,
  brute_force: ["TLE", ...RUN_TIME_ERROR],
  mixed: ANY,
};

/** Other names that packages have for those folders. */
const OTHER_FOLDERS: Readonly<Record<string, string>> = {
  ac: "accepted",
  correct: "accepted",
  partial: "partially_accepted",
  wa: "wrong_answer",
  no_output: "wrong_answer",
  tle: "time_limit_exceeded",
  timelimit: "time_limit_exceeded",
  time_limit: "time_limit_exceeded",
  timelimit_exceeded: "time_limit_exceeded",
  rte: "run_time_error",
  run_error: "run_time_error",
  runtime_error: "run_time_error",
  run_time_exception: "run_time_error",
  runtime_exception: "run_time_error",
  mle: "memory_limit_exceeded",
  memory_limit: "memory_limit_exceeded",
  ole: "output_limit_exceeded",
  output_limit: "output_limit_exceeded",
  ce: "compile_error",
  compilation_error: "compile_error",
  bruteforce: "brute_force",
  different: "mixed",
  varied: "mixed",
};

/** What the words behind `@EXPECTED_RESULTS@:` mean. */
const WORDS: Readonly<Record<string, readonly Verdict[]>> = {
  AC: ["AC"],
  CORRECT: ["AC"],
  ACCEPTED: ["AC"],
  WA: ["WA"],
  WRONG_ANSWER: ["WA"],
  NO_OUTPUT: ["WA"],
  TLE: ["TLE"],
  TIMELIMIT: ["TLE"],
  TIME_LIMIT_EXCEEDED: ["TLE"],
  RTE: ["RTE"],
  RUN_ERROR: RUN_TIME_ERROR,
  RUN_TIME_ERROR: RUN_TIME_ERROR,
  MLE: ["MLE"],
  MEMORY_LIMIT: ["MLE"],
  MEMORY_LIMIT_EXCEEDED: ["MLE"],
  OLE: ["OLE"],
  OUTPUT_LIMIT: ["OLE"],
  OUTPUT_LIMIT_EXCEEDED: ["OLE"],
  CE: ["CE"],
  COMPILER_ERROR: ["CE"],
  COMPILE_ERROR: ["CE"],
};

/** Gives the name by which a folder of submissions is known; undefined: nobody knows it. */
export function knownFolder(name: string): string | undefined {
  const key = name.toLowerCase().replaceAll("-", "_");
  if (Object.hasOwn(FOLDERS, key)) return key;
  return Object.hasOwn(OTHER_FOLDERS, key) ? OTHER_FOLDERS[key] : undefined;
}

/** Gives the verdicts that a folder promises. */
export function verdictsOfFolder(name: string): readonly Verdict[] | undefined {
  const known = knownFolder(name);
  return known === undefined ? undefined : FOLDERS[known];
}

/** Gives the verdicts that a word behind `@EXPECTED_RESULTS@:` means. */
export function verdictsOfWord(word: string): readonly Verdict[] {
  const key = word.toUpperCase().replaceAll("-", "_");
  return Object.hasOwn(WORDS, key) ? WORDS[key]! : [];
}

/** Says what a folder of submissions that nobody knows should be called. */
export function folderHint(name: string): string {
  return nearestHint(name, Object.keys(FOLDERS)) ??
    `known names: ${Object.keys(FOLDERS).join(", ")}`;
}
