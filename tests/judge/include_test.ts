/** Packages with files that every submission is compiled with. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  type Files,
  needsJudge,
  resultOf,
  SUM,
  verdicts,
  withPackage,
} from "../support/judging.ts";
import { needs, testWith } from "../support/skip.ts";

/** A driver for each language: the submission has only a function. */
const DRIVERS: Files = {
  ...SUM,
  "include/cpp/add.h": "int add(int a, int b);\n",
  "include/cpp/driver.cpp":
    '#include "add.h"\n#include <cstdio>\nint main() { int a, b; std::scanf("%d %d", &a, &b); ' +
    'std::printf("%d\\n", add(a, b)); }\n',
  "include/python3/main.py": "from add import add\nprint(add(*map(int, input().split())))\n",
};

testWith(
  [...needsJudge, needs.command("g++")],
  "a driver in include/ is compiled with submissions of its language, and is their main file",
  async () => {
    const files = {
      ...DRIVERS,
      "submissions/accepted/add.cpp": '#include "add.h"\nint add(int a, int b) { return a + b; }\n',
      "submissions/accepted/add.py": "def add(a, b): return a + b\n",
      "submissions/wrong_answer/add.py": "def add(a, b): return a - b\n",
    };
    await withPackage(files, async (judge) => {
      const report = await judge.judge();
      assertEquals(verdicts(report)["accepted/add.cpp"], "AC: Accepted");
      assertEquals(verdicts(report)["accepted/add.py"], "AC: Accepted");
      assertEquals(resultOf(report, "wrong_answer/add.py").verdict, "WA");
      assertEquals(report.warnings, []);
    });
  },
);

testWith(
  needsJudge,
  "files of include/default are for all languages, replace those of a submission, and never are main",
  async () => {
    const files = {
      ...SUM,
      "problem.yaml": `${SUM["problem.yaml"]}  code: 1\n`,
      "include/default/library.py": `# ${"long ".repeat(1000)}\ndef add(a, b): return a + b\n`,
      "include/cobol/x.cob": "",
      "submissions/accepted/solve.py":
        "from library import add\nprint(add(*map(int, input().split())))\n",
      // Its own library is not the one that counts.
      "submissions/accepted/folder/solve.py":
        "from library import add\nprint(add(*map(int, input().split())))\n",
      "submissions/accepted/folder/library.py": "def add(a, b): return 0\n",
    };
    await withPackage(files, async (judge) => {
      const report = await judge.judge();
      assertEquals(Object.values(verdicts(report)), ["AC: Accepted", "AC: Accepted"]);
      assertStringIncludes(report.warnings.join(), "include/cobol: ignored; no language is called");
    });
  },
);
