/** `isolate judge stress`, and what it does in the library. */

import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { withFolder } from "../support/folder.ts";
import { isolate } from "../support/isolate.ts";
import { needsJudge } from "../support/judging.ts";
import { writeFiles } from "../support/package.ts";
import { testWith } from "../support/skip.ts";

/** Prints the largest of some numbers. */
const MAXIMUM = {
  "problem.yaml": "name: Maximum\nlimits:\n  time_limit: 5\n  memory: 256\n",
  "data/secret/1.in": "2\n3 4\n",
  "data/secret/1.ans": "4\n",
  "input_validators/check.py": "import re, sys\n" +
    "text = sys.stdin.read()\n" +
    "m = re.fullmatch(r'(\\d+)\\n(-?\\d+(?: -?\\d+)*)\\n', text)\n" +
    "ok = m and int(m[1]) == len(m[2].split()) and all(-100 <= int(x) <= 100 for x in m[2].split())\n" +
    "if not ok: print('line 1: n is wrong')\n" +
    "sys.exit(42 if ok else 43)\n",
  "generators/generate.py": "import random, sys\n" +
    "n, seed = map(int, sys.argv[1:])\n" +
    "random.seed(seed)\n" +
    "print(n)\nprint(*(random.randint(-100, 100) for _ in range(n)))\n",
  "submissions/accepted/max.py": "input()\nprint(max(map(int, input().split())))\n",
  "submissions/accepted/sort.py": "input()\nprint(sorted(map(int, input().split()))[-1])\n",
  // It is right as long as the largest number is not negative.
  "submissions/wrong_answer/zero.py":
    "input()\nbest = 0\nfor x in map(int, input().split()): best = max(best, x)\nprint(best)\n",
  "submissions/run_time_error/long.py":
    "n = int(input())\nassert n < 9\nprint(max(map(int, input().split())))\n",
};

async function withMaximum(
  more: Readonly<Record<string, string>>,
  test: (found: {
    folder: string;
    stress: (...args: string[]) => ReturnType<typeof isolate>;
  }) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/isolate.yaml`,
      `box_root: ${folder}/boxes\nlock_root: ${folder}/locks\nnum_boxes: 20\nfirst_uid: 61800\n` +
        "first_gid: 61800\n",
    );
    await writeFiles(`${folder}/maximum`, { ...MAXIMUM, ...more });
    await Deno.mkdir(`${folder}/found`);
    await test({
      folder,
      stress: (...args) =>
        isolate([
          ...["judge", "stress", `${folder}/maximum`, `--config=${folder}/isolate.yaml`],
          ...["--box-ids=1-8", `--cache=${folder}/cache`, `--into=${folder}/found`, ...args],
        ]),
    });
  });
}

async function found(folder: string): Promise<string[]> {
  const files = await Array.fromAsync(Deno.readDir(`${folder}/found`));
  return files.map(({ name }) => name).sort();
}

testWith(needsJudge, "a test on which submissions differ is kept and made smaller", async () => {
  await withMaximum({}, async ({ folder, stress }) => {
    const { code, stdout, stderr } = await stress(
      ...["--generator=generate.py 3 {seed}", "--against=max.py", "--submissions=zero.py"],
      "--tries=200",
    );
    assertEquals([code, stderr], [1, ""], stdout);
    const [, seed] =
      /^wrong_answer\/zero\.py gets WA with seed (\d+): Line 1, word 1: expected/m.exec(stdout) ??
        [];
    assertEquals(await found(folder), [
      `maximum-stress-${seed}.ans`,
      `maximum-stress-${seed}.in`,
    ]);
    const path = `${folder}/found/maximum-stress-${seed}`;
    assertEquals(await Deno.readTextFile(`${path}.in`), "1\n-1\n");
    assertEquals(await Deno.readTextFile(`${path}.ans`), "-1\n");
    assertMatch(stdout, /\.in and \.ans \(5 bytes, made smaller from \d+\)/);
  });
});

testWith(needsJudge, "without a difference a search ends with 0 and keeps nothing", async () => {
  await withMaximum({}, async ({ folder, stress }) => {
    const { code, stdout, stderr } = await stress("--generator=generate.py 3", "--tries=5");
    assertEquals([code, stderr], [0, ""], stdout);
    assertMatch(stdout, /^no difference between accepted\/max\.py, accepted\/sort\.py: 5 inputs, /);
    assertEquals(await found(folder), []);
  });
});

testWith(needsJudge, "a submission that crashes differs, too, and keeps its verdict", async () => {
  await withMaximum({}, async ({ folder, stress }) => {
    const own = `${folder}/maximum/submissions/run_time_error/long.py`;
    const { code, stdout } = await stress(
      "--generator=generators/generate.py 12",
      own,
      "--tries=3",
    );
    assertEquals(code, 1, stdout);
    assertMatch(stdout, /long\.py gets RTE with seed \d: Exit status 1/);
    const [, input] = await found(folder);
    assertEquals(await Deno.readTextFile(`${folder}/found/${input}`), `9\n${"0 ".repeat(8)}0\n`);
  });
});

testWith(needsJudge, "the submission that should be right may be the one that is not", async () => {
  const own = "import sys\n" +
    "words = sys.stdin.read().split()\n" +
    "sys.exit(43 if int(words[0]) < -50 else 42)\n";
  const files = {
    "problem.yaml": `${MAXIMUM["problem.yaml"]}validation: custom\n`,
    "output_validators/check.py": own,
  };
  await withMaximum(files, async ({ stress }) => {
    const { code, stdout } = await stress("--generator=generate.py 1", "--tries=100");
    assertEquals(code, 1, stdout);
    assertMatch(stdout, /^accepted\/max\.py gets WA with seed /m);
  });
});

testWith(needsJudge, "what cannot be searched for is said in one sentence", async () => {
  const crash = "import sys\nprint('no seed', file=sys.stderr)\nsys.exit(3)\n";
  const files = {
    "generators/crash.py": crash,
    "generators/wrong.py": "print('2')\nprint('1')\n",
  };
  await withMaximum(files, async ({ folder, stress }) => {
    const refused = async (...args: string[]) => {
      const { code, stderr } = await stress(...args, "--tries=2");
      assertEquals(code, 2, stderr);
      return stderr.split("\n")[0]!.replaceAll(`${folder}/`, "");
    };
    assertEquals(
      await refused("--generator=crash.py"),
      "The generator crash.py 1 fails: Exit status 3: no seed",
    );
    assertEquals(
      await refused("--generator=wrong.py", "-j1"),
      "The input of seed 1 is refused by the input validator check.py: Exit status 43: " +
        'line 1: n is wrong (line 1 is "2")',
    );
    assertStringIncludes(
      await refused("--generator=nothing.py"),
      'no generator is called "nothing.py"; generators/ has crash.py, generate.py, wrong.py',
    );
    assertStringIncludes(
      await refused("--generator=generate.py 3", "--against=nobody.py"),
      'no submission matches "nobody.py"; it has ',
    );
    assertStringIncludes(
      await refused("--generator=generate.py 3", "--against=accepted"),
      "Option --against must name one submission: accepted is accepted/max.py, accepted/sort.py",
    );
    assertStringIncludes(await refused(), "judge stress needs a package and a generator");
    assertEquals(await found(folder), []);
  });
});

testWith(needsJudge, "without input validators a test is kept as it is", async () => {
  await withFolder(async (folder) => {
    await writeFiles(folder, {
      "isolate.yaml": `box_root: ${folder}/boxes\nlock_root: ${folder}/locks\nnum_boxes: 20\n` +
        "first_uid: 61800\nfirst_gid: 61800\n",
      "echo/task.yaml": "title: Echo\nlimits: { time: 5s }\n",
      "echo/tests/1.in": "1\n",
      "echo/tests/1.ans": "1\n",
      "echo/submissions/accepted/cat.sh": "cat\n",
      "small.sh": "read n; echo $((n % 100))\n",
      "generate.sh": "echo $(($1 * 60))\n",
    });
    const { code, stdout } = await isolate([
      ...["judge", "stress", `${folder}/echo`, `--config=${folder}/isolate.yaml`, "-j1"],
      ...["--box-ids=1-8", "--no-cache", `--into=${folder}`, `--generator=${folder}/generate.sh`],
      `${folder}/small.sh`,
    ]);
    assertEquals(code, 1, stdout);
    assertStringIncludes(stdout, "note: The input is not made smaller: the package has no input ");
    const input = await Deno.readTextFile(`${folder}/echo-stress-2.in`);
    assertEquals(input, "120\n");
    assertLess(stdout.indexOf("note: "), stdout.indexOf("gets WA"));
    assert(await Deno.stat(`${folder}/echo-stress-2.ans`));
  });
});
