/** Makes small packages that verify at once, for authors to start from. */

import type { HostFiles } from "../../mod.ts";
import { PackageError } from "./errors.ts";

/** What a new package is an example of. */
export type NewPackageKind = "pass-fail" | "checker" | "interactive" | "scored";

/** All kinds of new packages. */
export const NEW_PACKAGE_KINDS: readonly NewPackageKind[] = [
  "pass-fail",
  "checker",
  "interactive",
  "scored",
];

type Files = Readonly<Record<string, string>>;

/**
 * Makes a problem package in a new folder: a statement, tests, an input validator, and submissions that
 * get the verdicts their folders promise.
 *
 * @param host the host's files
 * @param folder the folder; it must not exist yet, or be empty
 * @param options what the package is an example of
 * @throws {PackageError} if the folder has something in it, or is no folder
 * @throws {SandboxError} if a file cannot be written
 *
 * @example
 * ```ts
 * import { HostFiles, sharedSandbox } from "@isolate/isolate";
 * import { newPackage, readPackage } from "@isolate/isolate/judge";
 * import { assertEquals } from "@std/assert";
 *
 * const host = new HostFiles(await sharedSandbox());
 * const directory = host.makeTemporaryDirectory();
 * newPackage(host, `${directory}/mine`, { kind: "interactive" });
 * assertEquals((await readPackage(host, `${directory}/mine`)).title, "mine");
 * host.removeTree(directory);
 * ```
 */
export function newPackage(
  host: HostFiles,
  folder: string,
  { kind }: { kind: NewPackageKind },
): void {
  const status = host.status(folder);
  if (status && (status.kind !== "directory" || host.list(folder).length > 0)) {
    const what = status.kind === "directory" ? "is not empty" : "exists and is no folder";
    throw new PackageError(`${what}: name a new folder for the package`, { file: folder });
  }
  const title = folder.replace(/\/+$/, "").replace(/^.*\//, "");
  for (const [path, content] of Object.entries(PACKAGES[kind](JSON.stringify(title)))) {
    const file = `${folder}/${path}`;
    host.makeDirectory(file.replace(/\/[^/]*$/, ""));
    host.write(file, content);
  }
}

function problemYaml(title: string, more: string): string {
  return `name: ${title}\nlicense: public domain\n${more}limits:\n  memory: 256\n`;
}

/** Tests by their paths without the ending: an input and its answer. */
function tests(all: Readonly<Record<string, readonly [string, string]>>): Files {
  return Object.fromEntries(
    Object.entries(all).flatMap(([path, [input, answer]]) => [
      [`data/${path}.in`, input],
      [`data/${path}.ans`, answer],
    ]),
  );
}

const SUM_OF_LIST: Files = {
  "problem_statement/problem.en.tex":
    "The first line of the input has a number $n$ from 1 to 1000. The second line has $n$ integers from\n" +
    "$-10^9$ to $10^9$. Print their sum.\n",
  "input_validators/check.py": `import re
import sys

text = sys.stdin.read()
if not re.fullmatch(r"[1-9]\\d{0,3}\\n-?\\d{1,10}( -?\\d{1,10})*\\n", text):
    sys.exit("must have two lines of integers, separated by single blanks")
count, *numbers = map(int, text.split())
if count > 1000 or len(numbers) != count or max(map(abs, numbers)) > 10**9:
    sys.exit("is not within its limits")
sys.exit(42)
`,
  "submissions/accepted/sum.py": "input()\nprint(sum(map(int, input().split())))\n",
};

const LIST_TESTS = {
  "sample/1": ["3\n1 2 3\n", "6\n"],
  "secret/1-small/1-one": ["1\n-7\n", "-7\n"],
  "secret/1-small/2-zero": ["2\n5 -5\n", "0\n"],
  "secret/2-large/1-many": [`1000\n${"1 -1 ".repeat(499)}20 22\n`, "42\n"],
  "secret/2-large/2-largest": ["5\n" + "1000000000 ".repeat(4) + "1000000000\n", "5000000000\n"],
} as const;

const CHECKER_TESTS = {
  "sample/1": ["5\n", "2 3\n"],
  "secret/1-least": ["2\n", "1 1\n"],
  "secret/2-large": ["1000000000\n", "1 999999999\n"],
} as const;

const GUESS_TESTS = {
  "sample/1": ["37\n", ""],
  "secret/1-first": ["1\n", ""],
  "secret/2-last": ["100\n", ""],
} as const;

const PACKAGES: Readonly<Record<NewPackageKind, (title: string) => Files>> = {
  "pass-fail": (title) => ({
    "problem.yaml": problemYaml(title, ""),
    ...SUM_OF_LIST,
    ...tests(LIST_TESTS),
    "submissions/wrong_answer/positive.py":
      "input()\nprint(sum(n for n in map(int, input().split()) if n > 0))\n",
    "submissions/time_limit_exceeded/forever.py": "while True:\n    pass\n",
  }),

  "checker": (title) => ({
    "problem.yaml": problemYaml(title, "validation: custom\n"),
    "problem_statement/problem.en.tex":
      "The input is a number $n$ from 2 to $10^9$. Print two positive integers whose sum is $n$; each such\n" +
      "pair is right.\n",
    "input_validators/check.py": `import re
import sys

text = sys.stdin.read()
if not re.fullmatch(r"[1-9]\\d*\\n", text) or not 2 <= int(text) <= 10**9:
    sys.exit("must be one number from 2 to 1000000000")
sys.exit(42)
`,
    "output_validators/check.py":
      `"""Called as: check INPUT ANSWER FEEDBACKDIR. Reads what the submission has printed, and ends with 42
if it is right, else with 43. Whatever else happens is an error of the judge."""

import re
import sys


def wrong(reason):
    with open(f"{sys.argv[3]}/judgemessage.txt", "w") as file:
        file.write(reason + "\\n")
    sys.exit(43)


with open(sys.argv[1]) as file:
    total = int(file.read())
words = sys.stdin.read(1000).split()
if len(words) != 2 or not all(re.fullmatch(r"[0-9]{1,10}", word) for word in words):
    wrong("The output is not two numbers.")
first, second = map(int, words)
if first < 1 or second < 1:
    wrong("A number is not positive.")
if first + second != total:
    wrong(f"The sum is {first + second}, not {total}.")
sys.exit(42)
`,
    ...tests(CHECKER_TESTS),
    "submissions/accepted/one.py": "print(1, int(input()) - 1)\n",
    "submissions/accepted/half.py": "n = int(input())\nprint(n // 2, n - n // 2)\n",
    "submissions/wrong_answer/zero.py": "print(0, int(input()))\n",
  }),

  "interactive": (title) => ({
    "problem.yaml": problemYaml(title, "validation: custom interactive\n"),
    "problem_statement/problem.en.tex":
      "Guess a number from 1 to 100. Print a guess and flush the output; then read \\texttt{higher},\n" +
      "\\texttt{lower} or \\texttt{correct}, and end after the latter. You have 7 guesses.\n",
    "input_validators/check.py": `import re
import sys

text = sys.stdin.read()
if not re.fullmatch(r"[1-9]\\d{0,2}\\n", text) or int(text) > 100:
    sys.exit("must be one number from 1 to 100")
sys.exit(42)
`,
    "output_validators/interact.py":
      `"""Called as: interact INPUT ANSWER FEEDBACKDIR. Talks with the submission, and ends with 42 if the
number was guessed, else with 43. Whatever else happens is an error of the judge."""

import sys

GUESSES_MAX = 7


def wrong(reason):
    with open(f"{sys.argv[3]}/judgemessage.txt", "w") as file:
        file.write(reason + "\\n")
    sys.exit(43)


with open(sys.argv[1]) as file:
    number = int(file.read())
for guesses in range(GUESSES_MAX):
    line = sys.stdin.readline(100).strip()
    if not line.isdecimal() or not 1 <= int(line) <= 100:
        wrong(f"After {guesses} guesses came {line!r}, which is no number from 1 to 100.")
    guess = int(line)
    answer = "higher" if guess < number else "lower" if guess > number else "correct"
    try:
        print(answer, flush=True)
    except BrokenPipeError:
        # A submission that was right need not read it.
        sys.stdout = None
    if guess == number:
        sys.exit(42)
wrong(f"The number was not found with {GUESSES_MAX} guesses.")
`,
    ...tests(GUESS_TESTS),
    "submissions/accepted/halves.py": `low, high = 1, 100
while True:
    guess = (low + high) // 2
    print(guess, flush=True)
    answer = input()
    if answer == "correct":
        break
    if answer == "higher":
        low = guess + 1
    else:
        high = guess - 1
`,
    "submissions/wrong_answer/count.py": `guess = 1
while True:
    print(guess, flush=True)
    if input() == "correct":
        break
    guess += 1
`,
  }),

  "scored": (title) => ({
    "problem.yaml": problemYaml(title, "type: scoring\n"),
    ...SUM_OF_LIST,
    "data/testdata.yaml":
      "# The samples give no points: the score is that of data/secret.\non_reject: continue\n" +
      "grader_flags: ignore_sample\n",
    "data/secret/testdata.yaml":
      "# Each group that is solved gives its points.\non_reject: continue\n" +
      "grader_flags: sum accept_if_any_accepted\nrange: 0 100\n",
    "data/secret/1-small/testdata.yaml":
      "# All tests or nothing.\non_reject: break\ngrader_flags: min\naccept_score: 40\nrange: 0 40\n",
    "data/secret/2-large/testdata.yaml":
      "on_reject: break\ngrader_flags: min\naccept_score: 60\nrange: 0 60\n",
    ...tests(LIST_TESTS),
    "submissions/partially_accepted/first_ten.py":
      "input()\nprint(sum(map(int, input().split()[:10])))\n",
  }),
};
