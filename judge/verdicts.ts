/** All verdicts in one table: whatever differs from verdict to verdict is written here. */

/**
 * The verdict on a submission or on one test: accepted, wrong answer, output, time or memory limit
 * exceeded, run-time error, compile error; and judge error, which is never the contestant's fault.
 */
export type Verdict = "AC" | "WA" | "OLE" | "TLE" | "MLE" | "RTE" | "CE" | "JE";

/** How a verdict is shown and ranked. */
export interface VerdictInfo {
  /** The verdict in words. */
  readonly name: string;
  /** The colour on a terminal: a function of `@std/fmt/colors`. */
  readonly terminal: "green" | "red" | "yellow" | "cyan" | "magenta";
  /** The colour on a light and on a dark page. */
  readonly page: readonly [light: string, dark: string];
  /** The element of JUnit XML for a submission that should not have got it. */
  readonly junit: "failure" | "error";
}

/** From the best to the worst: the worst verdict of a group is the one that comes last here. */
export const VERDICTS = {
  AC: { name: "accepted", terminal: "green", page: ["#2d8a4e", "#3fa55f"], junit: "failure" },
  WA: { name: "wrong answer", terminal: "red", page: ["#cf222e", "#f0524f"], junit: "failure" },
  OLE: {
    name: "output limit exceeded",
    terminal: "yellow",
    page: ["#0f7b8a", "#2aa7b8"],
    junit: "failure",
  },
  TLE: {
    name: "time limit exceeded",
    terminal: "yellow",
    page: ["#b35900", "#e08a2b"],
    junit: "failure",
  },
  MLE: {
    name: "memory limit exceeded",
    terminal: "yellow",
    page: ["#8250df", "#a47ff0"],
    junit: "failure",
  },
  RTE: { name: "run-time error", terminal: "red", page: ["#bf3989", "#e160ac"], junit: "failure" },
  CE: { name: "compile error", terminal: "cyan", page: ["#6e5a00", "#bda32a"], junit: "failure" },
  JE: { name: "judge error", terminal: "magenta", page: ["#3d444d", "#9aa5b1"], junit: "error" },
} as const satisfies Readonly<Record<Verdict, VerdictInfo>>;

/** All verdicts, from the best to the worst. */
export const VERDICTS_BEST_FIRST = Object.keys(VERDICTS) as readonly Verdict[];
