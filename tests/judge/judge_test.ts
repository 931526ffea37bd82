/** The course of judging: time limits, verified packages, interruptions. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { collectGarbage } from "isolate/ffi/garbage.ts";
import { Box } from "isolate/mod.ts";
import { type JudgeOptions, readPackage, readSubmission } from "isolate/judge/mod.ts";
import {
  existingBoxes,
  JUDGE_BOXES,
  needsJudge,
  resultOf,
  SUM,
  verdicts,
  withPackage,
} from "../support/judging.ts";
import { eventually } from "../support/isolate.ts";
import { testWith } from "../support/skip.ts";

const GOOD = "print(sum(map(int, input().split())))\n";

/** Burns CPU time before it answers. */
function burn(seconds: number): string {
  return `import time\nwhile time.process_time() < ${seconds}: pass\n${GOOD}`;
}

const NO_LIMIT = {
  ...SUM,
  "problem.yaml": "problem_format_version: 2023-07-draft\nname: Sum\nlimits:\n" +
    "  time_multipliers: {ac_to_time_limit: 2}\n  time_resolution: 0.1\n  memory: 128\n",
};

/** The limit that follows from what is said of the slowest accepted submission. */
function limitFrom(timeLimitSource: string): number {
  const [, seconds] =
    /^2 times the CPU time of accepted\/slow\.py \((0\.[1-9]\d\d) s on /.exec(timeLimitSource) ??
      [];
  return Math.ceil(20 * Number(seconds)) * 100;
}

testWith(
  needsJudge,
  "a package without a time limit gets one from its accepted submissions",
  async () => {
    const files = {
      ...NO_LIMIT,
      "submissions/accepted/fast.py": GOOD,
      "submissions/accepted/slow.py": burn(0.12),
      "submissions/time_limit_exceeded/loop.py": "while True: pass\n",
    };
    await withPackage(files, async (judge) => {
      const report = await judge.judge({ verify: true });
      assertEquals(report.timeLimitMs, limitFrom(report.timeLimitSource));
      assertEquals(report.submissions.map(({ verdict }) => verdict), ["AC", "AC", "TLE"]);
      assertEquals(report.complaints, []);
      assertEquals(judge.events.filter(({ kind }) => kind === "time-limit").length, 1);
      assertEquals(judge.events.filter(({ kind }) => kind === "judged").length, 3);
    });
  },
);

testWith(
  needsJudge,
  "a submission of one's own is judged with the limit that the package gives",
  async () => {
    const files = { ...NO_LIMIT, "submissions/accepted/slow.py": burn(0.12), "mine.py": burn(2.2) };
    await withPackage(files, async (judge) => {
      const mine = {
        name: "mine.py",
        source: {
          name: "mine.py",
          files: [{ name: "mine.py", hostFile: `${judge.folder}/mine.py`, sizeBytes: 100 }],
        },
        expected: undefined,
      };
      const report = await judge.judge({ submissions: [mine] });
      const limitMs = limitFrom(report.timeLimitSource);
      assertEquals([report.timeLimitMs, report.submissions[0]!.verdict], [limitMs, "TLE"]);
      assertEquals(report.submissions[0]!.asExpected, true);
      // The others were not needed.
      const told = judge.events.flatMap((event) => event.kind === "judged" ? [event.result] : []);
      assertEquals(told.map(({ submission }) => submission), ["mine.py"]);
    });
  },
);

testWith(
  needsJudge,
  "a time limit that was found is known the next time, until something changes that it follows from",
  async () => {
    const files = { ...NO_LIMIT, "submissions/accepted/good.py": GOOD, "mine.py": GOOD };
    await withPackage(files, async (judge) => {
      const cacheDirectory = `${judge.folder}/cache`;
      const mine = readSubmission(judge.host, `${judge.folder}/mine.py`);
      const isKnown = async (options: Partial<JudgeOptions> = {}) => {
        const report = await judge.judge({ cacheDirectory, submissions: [mine], ...options });
        assertEquals(report.submissions[0]!.verdict, "AC");
        return report.timeLimitSource.endsWith(", as measured before");
      };
      assertEquals([await isKnown(), await isKnown(), await isKnown()], [false, true, true]);
      await Deno.writeTextFile(`${judge.folder}/data/secret/2.in`, "1 41\n");
      assertEquals([await isKnown(), await isKnown()], [false, true]);
      await Deno.writeTextFile(`${judge.folder}/submissions/accepted/good.py`, `${GOOD}\n`);
      assertEquals([await isKnown(), await isKnown()], [false, true]);
      await Deno.writeTextFile(`${judge.folder}/data/secret/testdata.yaml`, "grader_flags: sum\n");
      // Verifying always measures, and others profit.
      const problem = await readPackage(judge.host, judge.folder);
      const verified = { verify: true, problem, submissions: problem.submissions };
      assertEquals([await isKnown(verified), await isKnown()], [false, true]);
    });
  },
);

testWith(needsJudge, "a package is checked: verdicts, and margins of the time limit", async () => {
  const files = {
    ...SUM,
    "problem.yaml": `
name: Sum
limits: {time_limit: 0.4, time_multiplier: 2, time_safety_margin: 2, memory: 128}
`,
    "submissions/accepted/tight.py": burn(0.3),
    "submissions/accepted/wrong.py": "print(7)\n",
    "submissions/time_limit_exceeded/hardly.py": burn(0.55),
    "submissions/time_limit_exceeded/much.py": burn(5),
  };
  await withPackage(files, async (judge) => {
    const { complaints, submissions } = await judge.judge({ verify: true });
    assertEquals(submissions.map(({ asExpected }) => asExpected), [true, false, true, true]);
    assertEquals(complaints.length, 3);
    assertMatch(complaints[0]!, /^accepted\/wrong\.py got WA, expected AC \(secret\/1: /);
    assertMatch(
      complaints[1]!,
      /^The time limit of 0\.400 s is less than 2 times the CPU time of accepted\/tight\.py \(0\.3/,
    );
    assertMatch(
      complaints[2]!,
      /^time_limit_exceeded\/hardly\.py \(0\.5\d\d s on secret.* should be slower: /,
    );
  });
});

testWith(needsJudge, "a slow test behind the first slow one counts for the margin", async () => {
  const files = {
    ...SUM,
    "problem.yaml": "name: Sum\nlimits: {time_limit: 0.4, time_safety_margin: 2, memory: 128}\n",
    "submissions/accepted/good.py": GOOD,
    "submissions/time_limit_exceeded/later.py": `
import time
a, b = map(int, input().split())
while time.process_time() < (0.5 if a == 1 else 2): pass
`,
  };
  await withPackage(files, async (judge) => {
    const report = await judge.judge({ verify: true });
    const result = resultOf(report, "time_limit_exceeded/later.py");
    assertEquals([result.decidedBy, result.tests.length], ["secret/1", 1]);
    assertEquals(report.complaints, []);
  });
});

testWith(needsJudge, "a package without an accepted submission gets a complaint", async () => {
  await withPackage({ ...SUM, "submissions/wrong_answer/a.py": "print(0)\n" }, async (judge) => {
    assertMatch((await judge.judge({ verify: true })).complaints[0]!, /no accepted submission/);
    assertEquals((await judge.judge()).complaints, []);
  });
});

testWith(
  needsJudge,
  "a test that has vanished is a judge error, and the rest goes on",
  async () => {
    const files = {
      ...SUM,
      "data/testdata.yaml": "on_reject: continue\n",
      "submissions/accepted/a.py": GOOD,
      "submissions/compile_error/b.py": "(\n",
    };
    await withPackage(files, async (judge) => {
      const path = `${judge.folder}/data/secret/1`;
      let removed = false;
      const report = await judge.judge({
        onEvent: ({ kind }) => {
          if (kind !== "compile" || removed) return;
          removed = true;
          Deno.removeSync(`${path}.in`);
          Deno.removeSync(`${judge.folder}/data/secret/2.ans`);
        },
      });
      const result = resultOf(report, "accepted/a.py");
      assertEquals(result.verdict, "JE");
      assertEquals(result.tests.map(({ verdict }) => verdict), ["JE", "JE"]);
      assertMatch(result.tests[0]!.message, /^The judge failed: .*secret\/1\.in/);
      assertMatch(result.tests[1]!.message, /^The judge failed: .*secret\/2\.ans/);
      assertEquals(resultOf(report, "compile_error/b.py").verdict, "CE");
    });
  },
);

testWith(needsJudge, "an abort ends everything, and the report has partial results", async () => {
  const files = {
    ...SUM,
    "submissions/accepted/a.py": GOOD,
    "submissions/accepted/b.py": "import time\ntime.sleep(100)\n",
    "submissions/accepted/c.py": GOOD,
  };
  await withPackage(files, async (judge) => {
    const stop = new AbortController();
    let seen = 0;
    const report = await judge.judge({
      signal: stop.signal,
      onEvent: (event) => {
        if (event.kind === "compiled" && ++seen === 2) setTimeout(() => stop.abort(), 200);
      },
    });
    assertEquals(report.interrupted, true);
    assertEquals(report.submissions.map(({ submission, verdict }) => [submission, verdict]), [
      ["accepted/a.py", "AC"],
      ["accepted/b.py", "JE"],
    ]);
    assertMatch(report.submissions[1]!.message, /^Judging was interrupted after 0 of 2 tests$/);
    assertEquals(report.complaints, []);
    const none = await judge.judge({ signal: AbortSignal.abort() });
    assertEquals([none.interrupted, none.submissions], [true, []]);
  });
  assertEquals(existingBoxes(), []);
});

testWith(
  needsJudge,
  "a report is partial if the search for another failure was broken off",
  async () => {
    const files = {
      ...SUM,
      "submissions/accepted/a.py": GOOD,
      "submissions/wrong_answer/b.py":
        "import time\nif input() != '1 2': time.sleep(100)\nprint(0)\n",
    };
    await withPackage(files, async (judge) => {
      const stop = new AbortController();
      const report = await judge.judge({
        jobs: 1,
        verify: true,
        timeLimitMs: 20_000,
        signal: stop.signal,
        onEvent: (event) => {
          const isFirst = event.kind === "test" && event.submission === "wrong_answer/b.py";
          if (isFirst) setTimeout(() => stop.abort(), 300);
        },
      });
      assertEquals(report.interrupted, true);
      assertEquals(report.submissions.map(({ verdict }) => verdict), ["AC", "WA"]);
      assertEquals(report.complaints, []);
    });
  },
);

testWith(
  needsJudge,
  "a check of the tests that was broken off is not said to be over",
  async () => {
    const files = { ...SUM, "input_validators/sleeps.py": "import time\ntime.sleep(100)\n" };
    await withPackage(files, async (judge) => {
      const stop = new AbortController();
      const report = await judge.judge({
        onlyTests: true,
        submissions: [],
        signal: stop.signal,
        onEvent: (event) => {
          if (event.kind === "start") setTimeout(() => stop.abort(), 1000);
        },
      });
      assertEquals([report.interrupted, report.complaints], [true, []]);
    });
  },
);

testWith(needsJudge, "boxes are kept on request, with the last program", async () => {
  await withPackage({ ...SUM, "submissions/accepted/a.py": GOOD }, async (judge) => {
    const report = await judge.judge({ keep: true, jobs: 1 });
    const [id, ...others] = existingBoxes();
    try {
      assertEquals([others, report.warnings.length], [[], 1]);
      assertMatch(report.warnings[0]!, new RegExp(`isolate/${id} is kept`));
      const path = `/var/local/lib/isolate/${id}/box/program/a.py`;
      assertEquals(await Deno.readTextFile(path), GOOD);
    } finally {
      for (const boxId of existingBoxes()) await Box.remove({ boxId });
    }
  });
});

testWith(needsJudge, "fewer boxes than asked for are enough", async () => {
  await withPackage({ ...SUM, "submissions/accepted/a.py": GOOD }, async (judge) => {
    const boxIds = { first: JUDGE_BOXES.first, count: 1 };
    const report = await judge.judge({ boxIds, jobs: 2 });
    assertEquals(verdicts(report), { "accepted/a.py": "AC: Accepted" });
    assert(report.warnings.some((warning) => warning.startsWith("Only 1 of 2 tests")));
  });
});

testWith(needsJudge, "a number of jobs that makes no sense is refused", async () => {
  await withPackage(SUM, async (judge) => {
    await assertRejects(() => judge.judge({ jobs: 0 }), RangeError, "jobs must be an integer >= 1");
  });
});

/** What a descriptor of this process is; empty if it is closed again, as that of the listing. */
function linkOf(fd: string): string {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}

testWith(needsJudge, "nothing is left open", async () => {
  // A package that nobody uses any more is let go with its object.
  const count = async () => {
    await collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 0));
    // A sandbox remembers some dozens of programs for each box, which depend on what ran where.
    const files = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => linkOf(name));
    return files.filter((file) => !file.startsWith("/memfd:isolate-plan")).length;
  };
  const files = {
    ...SUM,
    "submissions/accepted/a.py": GOOD,
    "submissions/wrong_answer/b.py": "print(0)\n",
    "submissions/run_time_error/c.py": "(1 / 0)\n",
  };
  await withPackage(files, async (judge) => {
    await judge.judge();
    const before = await count();
    for (let i = 0; i < 3; i++) await judge.judge();
    await eventually("no more is open than before", async () => await count() <= before);
  });
});
