/** The text of `isolate judge --help`. */

import { JUDGE_OPTIONS } from "./judge_options.ts";
import { wrap } from "./help.ts";

const WIDTH = 96;
const NAME_WIDTH = 28;

/** Writes the text of `isolate judge --help`, at most 96 columns wide. */
export function judgeHelp(): string {
  const options = JUDGE_OPTIONS.flatMap(({ long, short, valueName, summary }) => {
    const letter = short === undefined ? "    " : `-${short}, `;
    const name = `  ${letter}--${long}${valueName === undefined ? "" : `=${valueName}`}`;
    const lines = wrap(summary, WIDTH - NAME_WIDTH);
    const [first = "", ...more] = name.length < NAME_WIDTH ? lines : ["", ...lines];
    return [name.padEnd(NAME_WIDTH) + first, ...more.map((line) => " ".repeat(NAME_WIDTH) + line)];
  });
  return [
    "Usage: isolate judge [OPTION...] PACKAGE [SUBMISSION...]",
    "",
    ...wrap(
      "Judges submissions by the tests of a problem package: a folder in the ICPC/Kattis format " +
        "(problem.yaml), or a folder of tests with a task.yaml. Each test runs in a box. Without a " +
        "SUBMISSION the package itself is verified: each of its submissions must get what the name " +
        "of its folder promises, and the time limit must leave room on both sides.",
      WIDTH,
    ),
    "",
    "Options:",
    ...options.map((line) => line.trimEnd()),
    "",
    "Verdicts: AC accepted, WA wrong answer, TLE, MLE, OLE time, memory, output limit exceeded,",
    "RTE run-time error, CE compile error, JE judge error (never the contestant's fault).",
    "",
    "Exit status: 0 if all is as expected (a given submission: accepted), 1 if not, 2 if the judge",
    "could not work.",
    "",
    "Example:",
    "  isolate judge examples/sums --html=report.html",
    "  isolate judge examples/sums mine.py && echo accepted",
    "",
  ].join("\n");
}
