/** Tests are held against `generators/generators.yaml`. */

import { assertEquals } from "@std/assert";
import { CHECKED, complaintsOf } from "../support/data_checks.ts";
import { needsJudge } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

testWith(needsJudge, "tests that are not as generators.yaml says are noted", async () => {
  const generated = {
    ...CHECKED,
    "generators/generators.yaml": `
data:
  secret:
    data:
      "1": count.py 1 2
      "2":
        in: 20 22
      "3": file.py
      "4": count.py 4 {seed}
      "5": crash.py
`,
    "generators/count.py": "import sys\nprint(*[len(word) for word in sys.argv[1:]])\n",
    "generators/file.py": "open('testcase.in', 'w').write('3 3\\n')\nprint('no input')\n",
    "generators/crash.py": "raise SystemExit(4)\n",
    "data/secret/3.in": "3 3\n",
    "data/secret/3.ans": "6\n",
    "data/secret/5.in": "1 1\n",
    "data/secret/5.ans": "2\n",
    "data/secret/6.in": "1 1\n",
    "data/secret/6.ans": "2\n",
  };
  const { complaints, warnings } = await complaintsOf(generated);
  assertEquals(complaints, []);
  assertEquals(warnings.filter((text) => /generator|up to date/.test(text)), [
    "secret/1.in is not up to date: count.py 1 2",
    "secret/4.in is missing, but generators.yaml lists it",
    "secret/5: the generator crash.py fails: Exit status 4",
    "generators.yaml does not list secret/6",
  ]);
});

testWith(needsJudge, "numbered tests and tests with a count are held against it, too", async () => {
  const { complaints, warnings } = await complaintsOf({
    ...CHECKED,
    "generators/generators.yaml": `
data:
  secret:
    data:
      - "":
          in: 1 2
      - pair:
          generate: pair.py {count} {seed}
          count: 2
      - small:
          data:
            - one: pair.py 1 1
`,
    "generators/pair.py": "import sys\nprint(sys.argv[1], int(sys.argv[2]) % 10)\n",
    "data/secret/2.in": "20 22\n",
    "data/secret/2-pair-1.in": "1 9\n",
    "data/secret/2-pair-1.ans": "10\n",
    "data/secret/3-pair-2.in": "2 7\n",
    "data/secret/3-pair-2.ans": "9\n",
    "data/secret/1-small/4-one.in": "1 1\n",
    "data/secret/1-small/4-one.ans": "2\n",
  });
  assertEquals(complaints, []);
  assertEquals(warnings.filter((text) => /generator|up to date/.test(text)), [
    "generators.yaml does not list secret/2",
  ]);
});
