import { JUDGE_OPTIONS } from "./judge_options.ts";
import type { ManualBlock, ManualSection } from "./manual_text.ts";

const OPTIONS: readonly ManualBlock[] = JUDGE_OPTIONS.map(
  ({ long, short, valueName, summary }) => {
    const letter = short === undefined ? "" : `\`-${short}\`, `;
    const value = valueName === undefined ? "" : `\`=\`_${valueName}_`;
    return { term: `${letter}\`--${long}\`${value}`, meaning: `${summary}.` };
  },
);

/** What the manual says of `isolate judge`. */
export const JUDGE_SECTION: ManualSection = {
  title: "JUDGING",
  blocks: [
    "`isolate judge` _PACKAGE_ verifies a problem package: each of its submissions is compiled and run on the " +
    "tests, and must get what the name of its folder promises. With _SUBMISSION_s after it these are judged " +
    "instead. A package is a folder in the ICPC/Kattis format (legacy and 2023-07-draft, as far as both agree: " +
    "`problem.yaml`, `data/`, `submissions/`, `output_validators/`), or a folder of tests with a `task.yaml`, " +
    "which `judge/TASK.md` describes.",
    "Everything that comes from others runs in boxes: compilers, submissions, validators, interactors. A " +
    "submission is run in an empty `/box`, its compiled program is in `/program` and cannot be written, and " +
    "nothing of a test is left for the next one. Boxes have control groups where these can be used (see " +
    "CONTROL GROUPS); without them Java, Node, Deno, Go and C# cannot be judged, as their address space says " +
    "nothing about their memory.",
    { term: "`AC`", meaning: "Accepted." },
    { term: "`WA`", meaning: "Wrong answer, says the checker or the package's validator." },
    {
      term: "`TLE`, `MLE`, `OLE`",
      meaning: "More CPU or wall time, memory, or output than the limit.",
    },
    {
      term: "`RTE`",
      meaning: "The program was killed by a signal or returned a status other than 0.",
    },
    { term: "`CE`", meaning: "The compiler refused it, or needed too much." },
    {
      term: "`JE`",
      meaning:
        "The judge failed: a validator that crashes, a missing compiler, a full disk. It is never the " +
        "contestant's fault.",
    },
    "Languages are C, C++, Python 3, Java, JavaScript and TypeScript (Node and Deno), Go, Rust, C#, Pascal and " +
    "shell. `judge/languages.yaml` is the table of how they are recognised, compiled and run, and explains " +
    "itself; a file of the same form, given by `--languages`, adds to it or overrides it key by key. A language " +
    "whose tools are missing is reported, with the places that were looked at.",
    "A package without a time limit gets one: a multiple of what its slowest accepted submission takes, rounded " +
    "up. When a package is verified, it is also checked that the limit leaves room to the slowest accepted and " +
    "to the fastest submission that must be too slow.",
    "The exit status is 0 if all is as expected (a submission of which nothing is promised: accepted), 1 if " +
    "not, and 2 if the judge could not work or was interrupted. The report of `--json` is described by " +
    "`judge/report/report.schema.json`.",
    ...OPTIONS,
  ],
};
