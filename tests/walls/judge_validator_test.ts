/** Output validators that attack the judge itself. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { needsJudge, resultOf, SUM, withPackage } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

const BOXES = { first: 925, count: 4 };

const PROBLEM = `
name: Sum
type: scoring
validation: custom score
limits:
  {time_limit: 1, memory: 128, output: 1, validation_time: 2, validation_memory: 128, validation_output: 1}
`;

/** What is planted, and what the judge says. */
const PLANTED: readonly (readonly [what: string, plant: string, verdict: string, says: RegExp])[] =
  [
    ["a link instead of its folder", "os.rmdir(fb); os.symlink('/etc', fb)", "JE", /no such file/],
    [
      "a file instead of its folder",
      "os.rmdir(fb); open(fb, 'w')",
      "JE",
      /is a regular file/,
    ],
    ["a FIFO instead of its folder", "os.rmdir(fb); os.mkfifo(fb)", "JE", /no such file/],
    ["no folder", "os.rmdir(fb)", "JE", /no such file/],
    ["a FIFO as its score", "os.mkfifo(fb + '/score.txt')", "AC", /^Accepted$/],
    [
      "a link to a secret as its score",
      "os.symlink('/etc/shadow', fb + '/score.txt')",
      "AC",
      /^Accepted$/,
    ],
    [
      "a hard link to the answer as its message",
      "\\ntry: os.link(sys.argv[2], fb + '/judgemessage.txt')\\nexcept OSError: pass",
      "AC",
      /^Accepted$/,
    ],
    [
      "a sparse file of a terabyte as its message",
      "\\ntry: os.truncate(os.open(fb + '/judgemessage.txt', os.O_CREAT | os.O_RDWR), 1 << 40)\\nexcept OSError: os.abort()",
      "JE",
      /Killed by signal (25|6)/,
    ],
    [
      "a folder that nobody may enter",
      "open(fb + '/score.txt', 'w').write('5'); os.chmod(fb, 0)",
      "AC",
      /^Accepted$/,
    ],
  ];

for (const [what, plant, verdict, says] of PLANTED) {
  testWith(needsJudge, `a validator that leaves ${what} gets nothing by it`, async () => {
    const validator = `import os, signal, sys
fb = sys.argv[3].rstrip("/")
assert sys.stdin.read().split() == ["3"]
${plant.replaceAll("\\n", "\n")}
sys.exit(42)
`;
    const files = {
      ...SUM,
      "problem.yaml": PROBLEM,
      "output_validators/v.py": validator,
      "submissions/accepted/a.py": "print(sum(map(int, input().split())))\n",
    };
    await withPackage({ ...files, "data/secret/2.in": "2 1\n" }, async (judge) => {
      const report = await judge.judge({ jobs: 1, boxIds: BOXES });
      const [test] = resultOf(report, "accepted/a.py").tests;
      assertEquals(test!.verdict, verdict, test!.message);
      assertMatch(test!.message, says);
      assert(!JSON.stringify(report).includes("root:"));
    });
  });
}

testWith(
  needsJudge,
  "a validator cannot change input, answer and output, nor keep anything",
  async () => {
    const validator = `import os, sys
given, answer, fb = sys.argv[1:4]
through = []
def attempt(name, work):
    try: work(); through.append(name)
    except OSError: pass
for path in (given, answer, "/dev/stdin", "/proc/self/fd/0"):
    for mode in (os.O_WRONLY, os.O_RDWR, os.O_TRUNC):
        attempt(f"open {path} {mode}", lambda: os.open(path, mode))
    attempt(f"chmod {path}", lambda: os.chmod(path, 0o777))
    attempt(f"utime {path}", lambda: os.utime(path))
    attempt(f"truncate {path}", lambda: os.truncate(path, 0))
    attempt(f"unlink {path}", lambda: os.unlink(path))
attempt("replace", lambda: os.rename("/box", "/judge"))
if os.path.exists("/box/mark") or os.path.exists("/tmp/mark"): through.append("mark")
for folder in ("/box", "/tmp"): open(folder + "/mark", "w")
open(fb + "judgemessage.txt", "w").write(repr(through))
sys.exit(43 if through else 42)
`;
    const files = {
      ...SUM,
      "problem.yaml": PROBLEM,
      "output_validators/v.py": validator,
      "submissions/accepted/a.py": "print(sum(map(int, input().split())))\n",
    };
    await withPackage(files, async (judge) => {
      // Careless: everybody may write them.
      for (const name of ["1.in", "1.ans"]) {
        await Deno.chmod(`${judge.folder}/data/secret/${name}`, 0o666);
      }
      const report = await judge.judge({ jobs: 1, boxIds: BOXES });
      const { verdict, message, tests } = resultOf(report, "accepted/a.py");
      assertEquals([verdict, tests.length], ["AC", 2], message);
      assertEquals(await Deno.readTextFile(`${judge.folder}/data/secret/1.ans`), "3\n");
    });
  },
);
