/** Results that are remembered from one judging to the next. */

import { assert, assertEquals } from "@std/assert";
import { ResultMemory } from "isolate/judge/mod.ts";
import { needsJudge, resultOf, SUM, withPackage } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

/** Its judge's message tells one run from another: it is never the same. */
const CHECKER = "import sys, uuid\n" +
  "open(sys.argv[3] + '/judgemessage.txt', 'w').write(str(uuid.uuid4()))\n" +
  "sys.exit(42 if sys.stdin.read().split() == open(sys.argv[2]).read().split() else 43)\n";

testWith(needsJudge, "only what has changed is run again", async () => {
  const files = {
    ...SUM,
    "problem.yaml": `${SUM["problem.yaml"]}validation: custom\n`,
    "output_validators/check.py": CHECKER,
    "submissions/accepted/one.sh": "read a b; echo $((a + b))\n",
    "submissions/accepted/two.sh": "read a b; echo $((b + a))\n",
  };
  await withPackage(files, async (judge) => {
    const memory = new ResultMemory();
    const cacheDirectory = `${judge.folder}/cache`;
    let before: string[] = [];
    /** Which of the four tests were run again. */
    const again = async (change: () => Promise<void> | void) => {
      await change();
      memory.nextRound();
      const report = await judge.judge({ memory, cacheDirectory });
      const now = ["accepted/one.sh", "accepted/two.sh"].flatMap((name) => {
        const { verdict, tests } = resultOf(report, name);
        assertEquals([verdict, tests.length], ["AC", 2]);
        return tests.map(({ judgeMessage }) => judgeMessage!);
      });
      const fresh = now.map((message, i) => message !== before[i]);
      before = now;
      return fresh;
    };
    const write = (name: string, text: string) =>
      Deno.writeTextFile(`${judge.folder}/${name}`, text);
    assertEquals(await again(() => {}), [true, true, true, true]);
    assertEquals(await again(() => {}), [false, false, false, false]);
    assertEquals(
      await again(() => write("submissions/accepted/two.sh", "read a b\necho $((b + a))\n")),
      [false, false, true, true],
    );
    assertEquals(
      await again(() => write("data/secret/2.in", "21 21\n")),
      [false, true, false, true],
    );
    assertEquals(
      await again(() => write("data/secret/1.ans", "3  \n")),
      [true, false, true, false],
    );
    assertEquals(
      await again(() => write("output_validators/check.py", `#\n${CHECKER}`)),
      [true, true, true, true],
    );
    assertEquals(
      await again(() => write("problem.yaml", `${files["problem.yaml"]}# a comment\n`)),
      [false, false, false, false],
    );
    assertEquals(
      await again(() =>
        write("problem.yaml", files["problem.yaml"].replace("memory: 128", "memory: 64"))
      ),
      [true, true, true, true],
    );
    const { size } = memory;
    for (let round = 0; round < 5; round++) memory.nextRound();
    assert(size > 0 && memory.size === 0, `${size} ${memory.size}`);
  });
});

testWith(needsJudge, "an error of the judge is not remembered", async () => {
  const files = {
    ...SUM,
    "problem.yaml": `${SUM["problem.yaml"]}validation: custom\n`,
    "output_validators/check.py": "import sys\nsys.exit(1)\n",
    "submissions/accepted/one.sh": "read a b; echo $((a + b))\n",
  };
  await withPackage(files, async (judge) => {
    const memory = new ResultMemory();
    const report = await judge.judge({ memory });
    assertEquals([resultOf(report, "accepted/one.sh").verdict, memory.size], ["JE", 0]);
  });
});
