/** `isolate judge` on bad input: one clear sentence, and the right verdict. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  assertOneSentence,
  type Files,
  GOOD_NAME,
  judgeBad,
  lineOf,
  TWICE,
} from "../support/bad_judging.ts";
import { needsJudge } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

const { "task.yaml": _, ...NO_PACKAGE_FILE } = TWICE;

const PACKAGES: readonly [name: string, files: Files, sentence: string][] = [
  [
    "no package file",
    NO_PACKAGE_FILE,
    "FOLDER/task: not a problem package: it needs a problem.yaml or a task.yaml, but has only " +
    "submissions/, tests/",
  ],
  [
    "a string without an end",
    { ...TWICE, "task.yaml": 'title: "Twice\nlimits: {time: 1s}\n' },
    "FOLDER/task/task.yaml:3: not valid YAML: Unexpected end of the stream within a double quoted " +
    "scalar (column 1)",
  ],
  [
    "a tab for an indentation",
    { ...TWICE, "task.yaml": "title: Twice\nlimits:\n\ttime: 1s\n" },
    "FOLDER/task/task.yaml:3: time: unknown key; its line begins with a tab, which YAML ignores: " +
    "indent with spaces",
  ],
  [
    "a list of settings",
    { ...TWICE, "task.yaml": "- title\n" },
    "FOLDER/task/task.yaml:1: must be a mapping of keys to values",
  ],
  [
    "bytes that are not text",
    { ...TWICE, "task.yaml": new Uint8Array([0x74, 0x3a, 0x20, 0xe9, 0x0a]) },
    "FOLDER/task/task.yaml: is not valid UTF-8",
  ],
  [
    "an unknown alias",
    { ...TWICE, "task.yaml": "title: *name\n" },
    'FOLDER/task/task.yaml:1: not valid YAML: Cannot read alias: unidentified alias "name" ' +
    "(column 13)",
  ],
  [
    "a test without an answer",
    { ...TWICE, "tests/3.in": "3\n" },
    "FOLDER/task/tests/3.in: has no answer 3.ans or 3.out",
  ],
  [
    "a folder in the place of a test",
    { ...TWICE, "tests/3.in/": "", "tests/3.ans": "" },
    "FOLDER/task/tests/3.in: must be a file, not a folder",
  ],
  [
    "a checker that is missing",
    { ...TWICE, "task.yaml": "title: Twice\nchecker: check.py\n" },
    "FOLDER/task/task.yaml:2: checker: names check.py, which is missing",
  ],
];

for (const [name, files, sentence] of PACKAGES) {
  testWith(needsJudge, `isolate judge refuses a package with ${name}`, async () => {
    assertOneSentence(await judgeBad({ files }), sentence);
  });
}

testWith(needsJudge, "isolate judge refuses a test that is a pipe", async () => {
  const prepare = async (folder: string) => {
    await Deno.remove(`${folder}/task/tests/2.in`);
    await new Deno.Command("mkfifo", { args: [`${folder}/task/tests/2.in`] }).output();
  };
  assertOneSentence(
    await judgeBad({ prepare }),
    "FOLDER/task/tests/2.in: must be a regular file, not a pipe, a socket or a device",
  );
});

function checker(source: string, name = "check.py"): Files {
  const limits = "{time: 500ms, memory: 64MiB, checker_time: 500ms, checker_memory: 64MiB}";
  return {
    ...TWICE,
    "task.yaml": `title: Twice\nchecker: ${name}\nlimits: ${limits}\n`,
    [name]: source,
    "submissions/run_time_error/fails.sh": "exit 3\n",
  };
}

const SAYS = "judge error on tests/1: The output validator";
const VALIDATORS: readonly [what: string, files: Files, reason: string | RegExp][] = [
  [
    "is killed by a signal",
    checker("import os\nos.kill(os.getpid(), 11)\n"),
    `${SAYS} failed: Killed by signal 11 (SIGSEGV)`,
  ],
  [
    "raises an exception",
    checker("raise ValueError('no such answer')\n"),
    `${SAYS} exited with status 1 instead of 42 or 43; its standard error ends with: ` +
    "ValueError: no such answer",
  ],
  [
    "ends with 44",
    checker("import sys\nsys.exit(44)\n"),
    `${SAYS} exited with status 44 instead of 42 or 43`,
  ],
  [
    "writes for ever",
    checker("while True: print('x' * 65536)\n"),
    `${SAYS} wrote more than 8 MiB on standard output`,
  ],
  [
    "writes a feedback without end",
    checker(
      "import sys\nfile = open(sys.argv[3] + 'judgemessage.txt', 'w')\n" +
        "while True: file.write('x' * 65536)\n",
    ),
    `${SAYS} exited with status 1 instead of 42 or 43; its standard error ends with: ` +
    "OSError: [Errno 27] File too large",
  ],
  [
    "does not compile",
    checker("int main() { return unknown; }\n", "check.cpp"),
    /^judge error: The output validator check\.cpp cannot be used: check\.cpp:1:\d+: error: /,
  ],
  [
    "is in an unknown language",
    checker("hello\n", "check.xyz"),
    /^judge error: The output validator check\.xyz cannot be used: Cannot tell the language of /,
  ],
];

for (const [what, files, reason] of VALIDATORS) {
  testWith(needsJudge, `a validator that ${what} is not the contestant's fault`, async () => {
    const result = await judgeBad({ files });
    assertEquals(result.code, 2, result.stdout);
    const line = lineOf(result, GOOD_NAME);
    if (typeof reason === "string") assertEquals(line, `JE ${reason}`);
    else assertMatch(line.replace(/^JE /, ""), reason);
    assertStringIncludes(result.stdout, `wrong: ${GOOD_NAME} could not be judged (`);
    // A submission that needs no validator is judged.
    const fails = lineOf(result, "run_time_error/fails.sh");
    if (line.includes("on tests/1")) assertMatch(fails, /^RTE .*tests\/1: Exit status 3$/);
  });
}

testWith(
  needsJudge,
  "a validator that sleeps is ended, long before its wall time is over",
  async () => {
    const files = {
      ...checker("import time\ntime.sleep(600)\n"),
      "task.yaml": "title: Twice\nchecker: check.py\nlimits: {checker_time: 2s}\n",
    };
    const result = await judgeBad({ files, args: ["-j1"] });
    assertEquals(result.code, 2, result.stdout);
    const line = lineOf(result, GOOD_NAME);
    const [, seconds] = /was still running after ([\d.]+) s, with [\d.]+ s of CPU/.exec(line) ??
      [];
    // On a busy machine it may take up to 30 s.
    assertMatch(seconds ?? line, /^([3-9]|[12]\d|30)\./);
  },
);

/** A language whose compiler does what a script says. */
function compiler(script: string): Files {
  return {
    ...TWICE,
    "task.yaml": "title: Twice\nlimits: {time: 1s, compile_time: 500ms}\n",
    "submissions/accepted/a.slow": "#!/bin/sh\nread n; echo $((n * 2))\n",
    "languages.yaml": `
slow:
  name: Slow
  extensions: [.slow]
  tools: {sh: [sh]}
  version: ["{sh}", -c, echo 1]
  compile: {command: ["{sh}", -c, ${JSON.stringify(script)}], processes: 50}
  run: {command: [/program/a.slow], memory: any}
`,
  };
}

const COMPILERS: readonly [what: string, script: string, reason: string][] = [
  ["hangs", "sleep 600", "The compiler took more than 6 s"],
  ["runs for ever", "while :; do :; done", "The compiler took more than 0.500 s of CPU time"],
  ["forks for ever", "f() { f | f & }; f; while :; do :; done", "The compiler took more than "],
  [
    "writes gigabytes",
    "while i=$((i + 1)); do head -c 60000000 /dev/zero > $i; done",
    "The compiler wrote more than 512 MiB to files",
  ],
  ["crashes", "kill -SEGV $$", "The compiler was killed by signal 11"],
  ["makes nothing", "rm a.slow", "The compiler made no a.slow"],
];

for (const [what, script, reason] of COMPILERS) {
  testWith(
    needsJudge,
    `a compiler that ${what} is a compile error, and the rest goes on`,
    async () => {
      const result = await judgeBad({
        files: {
          ...compiler(script),
          ...script.includes("head") && {
            "task.yaml": "title: Twice\nlimits: {time: 1s, compile_time: 20s}\n",
          },
        },
        args: ["--languages=FOLDER/task/languages.yaml"],
      });
      assertEquals(result.code, 1, result.stdout);
      assertStringIncludes(lineOf(result, "accepted/a.slow"), `CE compile error: ${reason}`);
      assertMatch(lineOf(result, GOOD_NAME), /^AC/);
    },
  );
}

testWith(
  needsJudge,
  "isolate judge -q spells out what a compiler prints to deceive a reader",
  async () => {
    const { code, stdout, stderr } = await judgeBad({
      files: compiler("printf 'error: \\342\\200\\256gone\\n' >&2; exit 1"),
      args: ["--languages=FOLDER/task/languages.yaml", "--quiet"],
    });
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "a.slow got CE, expected AC (");
    assertStringIncludes(stderr, "\\u202egone");
    assertEquals(stderr.includes("\u202e"), false);
  },
);

testWith(
  needsJudge,
  "submissions that cannot be run are judged, and so are the others",
  async () => {
    const files: Record<string, Files[string]> = {
      ...TWICE,
      "languages.yaml": `
nim:
  name: Nim
  extensions: [.nim]
  tools: {compiler: [no-such-compiler]}
  version: ["{compiler}", --version]
  run: {command: ["{compiler}", "{main}"], memory: any}
`,
      "submissions/accepted/large.py": `#${"x".repeat(10 << 20)}`,
      "submissions/accepted/tool.nim": "echo 1\n",
      "submissions/accepted/what.xyz": "what?\n",
      "submissions/compile_error/empty.c": "",
      "submissions/wrong_answer/empty.py": "",
    };
    for (let i = 10; i < 50; i++) {
      files[`submissions/accepted/${i}.sh`] = i % 4
        ? TWICE[`submissions/${GOOD_NAME}`]!
        : "exit 1\n";
    }
    const args = ["--languages=FOLDER/task/languages.yaml"];
    const result = await judgeBad({ files, args });
    const says = (name: string) => lineOf(result, name);
    assertEquals(
      says("accepted/large.py"),
      "CE compile error: The source has 10241 KiB, more than the 128 KiB allowed",
    );
    assertMatch(
      says("accepted/tool.nim"),
      /^JE judge error: Nim is not set up: install no-such-compiler, or see --languages/,
    );
    assertMatch(
      says("accepted/what.xyz"),
      /^CE compile error: Cannot tell the language of what\.xyz \(no language of the table has such/,
    );
    assertMatch(
      says("compile_error/empty.c"),
      /^CE compile error: .*undefined reference to .main'/,
    );
    assertEquals(
      says("wrong_answer/empty.py"),
      'WA wrong answer on tests/1: The output is empty: expected "2"',
    );
    for (let i = 10; i < 50; i++) assertMatch(says(`accepted/${i}.sh`), i % 4 ? /^AC/ : /^RTE/);
    assertEquals(result.code, 2);
    assertStringIncludes(result.stdout, "33 of 46 submissions as expected");
  },
);

/** An interactor, and a submission that writes a line to it and waits for one. */
function interactor(source: string): Files {
  const limits = "{time: 200ms, memory: 64MiB, checker_time: 300ms, checker_memory: 64MiB}";
  return {
    "task.yaml": `title: Talk\ninteractor: talk.py\nlimits: ${limits}\n`,
    "tests/1.in": "1\n",
    "tests/1.ans": "1\n",
    "talk.py": source,
    [`submissions/${GOOD_NAME}`]: "echo 1\nread n\n",
  };
}

const INTERACTORS: readonly [what: string, source: string, reason: string][] = [
  ["is killed", "import os\nos.kill(os.getpid(), 9)\n", "failed: Killed by signal 9 (SIGKILL)"],
  [
    "takes too much memory",
    "x = []\nwhile True: x.append(bytearray(1 << 20))\n",
    "failed: Out of memory",
  ],
  [
    "never reads",
    "import time\ntime.sleep(600)\n",
    "neither read what the submission wrote nor ended before the submission's time was over",
  ],
  [
    "does not read what comes second",
    "import os, time\nos.read(0, 1)\ntime.sleep(600)\n",
    "neither read what the submission wrote nor ended before the submission's time was over",
  ],
];

for (const [what, source, reason] of INTERACTORS) {
  for (const transcript of what === "never reads" ? [[], ["--transcript"]] : [[]]) {
    const how = transcript.length > 0 ? ", also when the conversation is kept" : "";
    testWith(
      needsJudge,
      `an interactor that ${what} is not the contestant's fault${how}`,
      async () => {
        const result = await judgeBad({ files: interactor(source), args: transcript });
        assertEquals(result.code, 2, result.stdout);
        assertEquals(lineOf(result, GOOD_NAME), `JE ${SAYS} ${reason}`);
      },
    );
  }
}

testWith(
  needsJudge,
  "a submission that does not speak to a waiting interactor is too slow",
  async () => {
    const files = {
      ...interactor("import sys\nsys.stdin.readline()\nsys.exit(42)\n"),
      "submissions/time_limit_exceeded/silent.sh": "read n\n",
    };
    const result = await judgeBad({ files });
    assertMatch(lineOf(result, "time_limit_exceeded/silent.sh"), /^TLE .* of wall time, with /);
  },
);
