/** `isolate judge` as people and scripts start it. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { stripAnsiCode } from "../../vendor/std/colors.ts";
import { withFolder } from "../support/folder.ts";
import { isolate, start, startIsolate } from "../support/isolate.ts";
import { COMMAND, DIRECT } from "../support/isolate.ts";
import { writeFiles } from "../support/package.ts";

const BOXES = "--box-ids=1-8";

/** A task with three tests: print twice the number. */
const TWICE = {
  "task.yaml": "title: Twice\nlimits:\n  time: 1s\n  memory: 128MiB\n",
  "tests/1.in": "1\n",
  "tests/1.ans": "2\n",
  "tests/2.in": "21\n",
  "tests/2.ans": "42\n",
  "tests/3.in": "500\n",
  "tests/3.ans": "1000\n",
  "submissions/accepted/twice.sh": "read n\necho $((n * 2))\n",
  "submissions/wrong_answer/square.sh": "read n\necho $((n * n + 1))\n",
};

/** Boxes and the configuration of a test, so that others' boxes are not touched. */
async function withTask(
  files: Readonly<Record<string, string>>,
  test: (task: { folder: string; options: string[] }) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const config = `${folder}/isolate.yaml`;
    await Deno.writeTextFile(
      config,
      `box_root: ${folder}/boxes\nlock_root: ${folder}/locks\nnum_boxes: 20\nfirst_uid: 61500\n` +
        "first_gid: 61500\n",
    );
    await writeFiles(`${folder}/task`, files);
    await test({
      folder,
      options: [`--config=${config}`, BOXES, `--cache=${folder}/cache`],
    });
  });
}

/** What a judge has left in its boxes. */
async function leftBoxes(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(`${folder}/boxes`))).map(({ name }) => name);
}

Deno.test("isolate judge verifies a package, says a line for each submission, and ends with 0", async () => {
  await withTask(TWICE, async ({ folder, options }) => {
    const { code, stdout, stderr } = await isolate(["judge", ...options, `${folder}/task`]);
    assertEquals([code, stderr], [0, ""], stdout);
    const [first, second, ...rest] = stdout.trimEnd().split("\n");
    assertMatch(first!, /^ok {2}accepted\/twice\.sh +AC {3}[\d.]+ s {2}[\d.]+ [KM]iB {2}3 tests$/);
    assertMatch(second!, /^ok {2}wrong_answer\/square\.sh +WA .*wrong answer on tests\/2: Line 1/);
    assertEquals(rest.length, 2);
    assertMatch(rest[1]!, /^2 of 2 submissions as expected, [\d.]+ s$/);
    assertEquals(await leftBoxes(folder), []);
  });
});

Deno.test("isolate judge ends with 0 for an accepted submission and with 1 for another", async () => {
  await withTask(TWICE, async ({ folder, options }) => {
    await writeFiles(folder, { "good.py": "print(2 * int(input()))\n", "bad.py": "print(3)\n" });
    const judge = (name: string) =>
      isolate(["judge", ...options, `${folder}/task`, `${folder}/${name}`]);
    assertEquals((await judge("good.py")).code, 0);
    const bad = await judge("bad.py");
    assertEquals(bad.code, 1);
    assertStringIncludes(
      bad.stdout,
      'wrong answer on tests/1: Line 1, word 1: expected "2", got "3"',
    );
  });
});

Deno.test("isolate judge takes the language that is named, whatever the file is called", async () => {
  await withTask(TWICE, async ({ folder, options }) => {
    await writeFiles(folder, { solution: "print(2 * int(input()))\n" });
    const args = ["judge", ...options, `${folder}/task`, `${folder}/solution`];
    const unknown = await isolate(args);
    assertEquals(unknown.code, 1);
    assertMatch(unknown.stdout, /CE .*Cannot tell the language of solution/);
    assertEquals((await isolate([...args, "--language=python3"])).code, 0);
  });
});

Deno.test("a given submission cannot say what it should get, neither by a tag nor by its folder", async () => {
  const tagged = "# @EXPECTED_RESULTS@: WRONG_ANSWER\nread n\necho 0\n";
  await withTask({ ...TWICE, "../mine.sh": tagged }, async ({ folder, options }) => {
    const own = `${folder}/task/submissions/wrong_answer/square.sh`;
    for (const [path, name] of [[own, "square.sh"], [`${folder}/mine.sh`, "mine.sh"]] as const) {
      const { code, stdout } = await isolate(["judge", ...options, `${folder}/task`, path]);
      assertEquals(code, 1, stdout);
      assertMatch(stdout, new RegExp(`^WA   [^ ]*${name} .*wrong answer on tests/`));
      assertMatch(stdout, /^0 of 1 submission accepted, /m);
      assert(!stdout.includes("as expected"), stdout);
    }
    const good = `${folder}/task/submissions/accepted/twice.sh`;
    const { code, stdout } = await isolate(["judge", ...options, `${folder}/task`, good]);
    assertEquals(code, 0, stdout);
    assertMatch(stdout, /^AC {3}[^ ]*twice\.sh [^]*^1 of 1 submission accepted, /m);
  });
});

Deno.test("isolate judge ends with 1 if a submission gets what was not promised, and says so", async () => {
  await withTask(
    { ...TWICE, "submissions/accepted/thrice.sh": "read n\necho $((n * 3))\n" },
    async ({ folder, options }) => {
      const { code, stdout } = await isolate(["judge", ...options, `${folder}/task`]);
      assertEquals(code, 1);
      assertMatch(stdout, /NO {2}accepted\/thrice\.sh +WA +\(expected AC\)/);
      assertMatch(stdout, /wrong: accepted\/thrice\.sh got WA, expected AC/);
      assertMatch(stdout, /2 of 3 submissions as expected/);
    },
  );
});

Deno.test("isolate judge ends with 2 if a submission could not be judged, and judges the others", async () => {
  const checker = "import sys\nsys.exit(7)\n";
  await withTask(
    { ...TWICE, "task.yaml": "title: Twice\nchecker: check.py\n", "check.py": checker },
    async ({ folder, options }) => {
      const { code, stdout } = await isolate(["judge", ...options, `${folder}/task`]);
      assertEquals(code, 2, stdout);
      assertMatch(stdout, /accepted\/twice\.sh +JE/);
      assertMatch(stdout, /wrong_answer\/square\.sh +JE/);
    },
  );
});

Deno.test("who is killed, and no limit says why, is never to blame", async () => {
  const files = {
    ...TWICE,
    "submissions/accepted/killed.sh": "kill -9 $$\n",
    "submissions/accepted/compiled.kill": "nothing",
    "submissions/accepted/part.part": "nothing",
    "languages.yaml": `\
killed:
  name: Killed
  extensions: [.kill]
  tools: { shell: [sh] }
  version: ["{shell}", -c, "echo 1"]
  compile: { command: ["{shell}", -c, "kill -9 $$"] }
  run: { command: ["{shell}"] }
part:
  name: Part
  extensions: [.part]
  tools: { shell: [sh] }
  version: ["{shell}", -c, "echo 1"]
  compile: { command: ["{shell}", -c, "echo 'gcc: fatal error: Killed signal terminated program cc1'; exit 1"] }
  run: { command: ["{shell}"] }
`,
  };
  await withTask(files, async ({ folder, options }) => {
    const args = ["judge", ...options, `--languages=${folder}/task/languages.yaml`];
    const { code, stdout } = await isolate([...args, `${folder}/task`]);
    assertEquals(code, 2, stdout);
    assertMatch(stdout, /accepted\/killed\.sh +JE .*Killed by SIGKILL, which no limit explains/);
    for (const name of ["compiled\\.kill", "part\\.part"]) {
      assertMatch(stdout, new RegExp(`${name} +JE .*compiler was killed by SIGKILL, which no`));
    }
    assertMatch(stdout, /ok {2}accepted\/twice\.sh/);
  });
});

Deno.test("isolate judge --json prints the report alone on standard output", async () => {
  await withTask(TWICE, async ({ folder, options }) => {
    const { code, stdout, stderr } = await isolate([
      "judge",
      ...options,
      "--json",
      `${folder}/task`,
    ]);
    assertEquals(code, 0, stderr);
    const report = JSON.parse(stdout);
    assertEquals(report.submissions.map(({ verdict }: { verdict: string }) => verdict), [
      "AC",
      "WA",
    ]);
    assertStringIncludes(stderr, "2 of 2 submissions as expected");
  });
});

Deno.test("isolate judge writes reports for programs and for browsers", async () => {
  await withTask(TWICE, async ({ folder, options }) => {
    const [junit, html] = [`${folder}/report.xml`, `${folder}/report.html`];
    const args = ["judge", ...options, "-q", `--junit=${junit}`, `--html=${html}`];
    const { code, stdout, stderr } = await isolate([...args, `${folder}/task`]);
    assertEquals([code, stdout, stderr], [0, "", ""]);
    assertMatch(
      await Deno.readTextFile(junit),
      /^<\?xml[^]*<testsuites[^]*secret|tests\/2[^]*<\/testsuites>\s*$/,
    );
    assertMatch(await Deno.readTextFile(html), /^<!doctype html>[^]*twice\.sh[^]*<\/html>\s*$/i);
  });
});

Deno.test("isolate judge -v says a line for each test", async () => {
  await withTask(TWICE, async ({ folder, options }) => {
    const { stdout } = await isolate(["judge", ...options, "-v", "-j1", `${folder}/task`]);
    assertEquals(stdout.match(/^ {8}tests\/[123] +(AC|WA)/gm)?.length, 5);
  });
});

Deno.test("isolate judge takes compiled programs from the cache the second time", async () => {
  const source =
    '#include <stdio.h>\nint main(void) { int n; scanf("%d", &n); printf("%d\\n", 2 * n); }\n';
  await withTask(
    { ...TWICE, "submissions/accepted/twice.c": source },
    async ({ folder, options }) => {
      const cached = async () => {
        const { stdout } = await isolate(["judge", ...options, "--json", `${folder}/task`]);
        const { submissions } = JSON.parse(stdout);
        return submissions.find(({ submission }: { submission: string }) =>
          submission.endsWith(".c")
        ).compile.cached;
      };
      assertEquals([await cached(), await cached()], [false, true]);
    },
  );
});

Deno.test("isolate judge --keep leaves the boxes and names them", async () => {
  await withTask(TWICE, async ({ folder, options }) => {
    const { code, stdout } = await isolate([
      "judge",
      ...options,
      "--keep",
      "-j1",
      `${folder}/task`,
    ]);
    assertEquals(code, 0, stdout);
    const [left, ...others] = await leftBoxes(folder);
    assertEquals(others, []);
    assertStringIncludes(stdout, `${folder}/boxes/${left}`);
    const cleanup = await isolate([options[0]!, "--cg", `--box-id=${left}`, "--cleanup"]);
    assertEquals(cleanup.code, 0, cleanup.stderr);
    assertEquals(await leftBoxes(folder), []);
  });
});

Deno.test("isolate judge ends cleanly with partial results when it is interrupted", async () => {
  await withTask(
    {
      ...TWICE,
      "task.yaml": "title: Twice\nlimits:\n  time: 60s\n",
      "submissions/wrong_answer/waits.sh": "sleep 600\n",
    },
    async ({ folder, options }) => {
      await using judge = startIsolate(["judge", ...options, "--json", `${folder}/task`]);
      // The fast ones are done, and the last one runs, when its box has a sleeping process.
      const sleeps = async () => {
        const { stdout } = await start(["ps", "-e", "-o", "uid=,args="]).result;
        return /^ *615\d\d sleep 600$/m.test(stdout);
      };
      for (let tries = 0; tries < 300 && !await sleeps(); tries++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      judge.kill("SIGINT");
      const { code, stdout, stderr } = await judge.result;
      assertEquals(code, 2, stderr);
      const report = JSON.parse(stdout);
      assertEquals(report.interrupted, true);
      assertEquals(report.submissions[0].verdict, "AC");
      assertStringIncludes(stderr, "interrupted");
      assertEquals(await leftBoxes(folder), []);
      assert(!await sleeps());
    },
  );
});

Deno.test("isolate judge has a changing line, colours and a table on a terminal", async () => {
  const slow = { "submissions/accepted/slow.sh": "sleep .2\nread n\necho $((n * 2))\n" };
  await withTask({ ...TWICE, ...slow }, async ({ folder, options }) => {
    const command = [...COMMAND, "judge", ...options, `${folder}/task`].join(" ");
    const script = ["script", "-qec", command, "/dev/null"];
    const { code, stdout } = await start(script, { env: { TERM: "xterm", NO_COLOR: "" } }).result;
    assertEquals(code, 0, stdout);
    assertStringIncludes(stdout, "\r\x1b[K");
    assertStringIncludes(stdout, "\x1b[32m");
    assertMatch(
      stripAnsiCode(stdout),
      /submission.* language.* verdict.* expected.* time.* memory/,
    );
    assertStringIncludes(stdout, "wrong_answer/square.sh  Shell");
    assertMatch(stdout, /░ \d\/3 {2}worst \d/);
    const plain = await start(script, { env: { TERM: "xterm", NO_COLOR: "1" } }).result;
    assert(!plain.stdout.includes("\x1b[32m"), plain.stdout);
  });
});

const REFUSED: readonly [name: string, args: readonly string[], sentence: string][] = [
  ["no package", [], "judge needs the folder of a problem package"],
  ["a package that is not there", ["/nowhere/at/all"], "/nowhere/at/all"],
  [
    "an unknown language",
    ["-l", "klingon", "TASK", "TASK/task.yaml"],
    "Unknown language: klingon (known: c, cpp,",
  ],
  ["a submission that is not there", ["TASK", "TASK/nothing.py"], "nothing.py"],
  ["a report that has no place", ["--html=/nowhere/x.html", "TASK"], "/nowhere is not a directory"],
  ["a missing table of languages", ["--languages=/nowhere.yaml", "TASK"], "/nowhere.yaml"],
  [
    "a malformed table of languages",
    ["--languages=TASK/submissions/accepted/twice.sh", "TASK"],
    "twice.sh:1: a table of languages must be a mapping of ids to languages",
  ],
];
for (const [name, args, sentence] of REFUSED) {
  Deno.test(`isolate judge refuses ${name} in one sentence, before anything is judged`, async () => {
    await withTask(TWICE, async ({ folder, options }) => {
      const real = args.map((arg) => arg.replace("TASK", `${folder}/task`));
      const { code, stdout, stderr } = await isolate(["judge", ...options, ...real]);
      assertEquals([code, stdout], [2, ""]);
      assertStringIncludes(stderr, sentence);
      assert(!stderr.includes("Internal error"), stderr);
      assert(stderr.trimEnd().split("\n").length <= 2, stderr);
    });
  });
}

Deno.test("isolate judge takes arguments that are no UTF-8 as they are", async () => {
  await withTask(TWICE, async ({ folder, options }) => {
    const script = `cp $1/task/submissions/accepted/twice.sh $1/$'good\\xff.sh'
shift
exec "$@" $'${folder}/good\\xff.sh' $'${folder}/bad\\xff.sh'`;
    const command = [...DIRECT, "judge", ...options, `${folder}/task`];
    const { code, stderr } = await start(["bash", "-c", script, "bash", folder, ...command]).result;
    assertEquals(code, 2);
    assertStringIncludes(stderr, "bad\\xff.sh");
    assert(!stderr.includes("good"), stderr);
  });
});

Deno.test("isolate judge --help prints its options", async () => {
  const { code, stdout } = await isolate(["judge", "--help"]);
  assertEquals(code, 0);
  assertStringIncludes(stdout, "-j, --jobs=N");
});

Deno.test("isolate judge -q also prints the notes if something is wrong", async () => {
  const files = { ...TWICE, "submissions/notes.md": "", "submissions/accepted/bad.sh": "echo 7\n" };
  await withTask(files, async ({ folder, options }) => {
    const { code, stdout, stderr } = await isolate(["judge", "-q", ...options, `${folder}/task`]);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "accepted/bad.sh got WA, expected AC");
    assertStringIncludes(stderr, "note: ");
    assertStringIncludes(stderr, "notes.md: ignored; submissions belong in folders");
  });
});
