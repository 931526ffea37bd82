/** Jobs in real boxes: compiled, interpreted, limited, cancelled, talked to. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { SIGNALS } from "isolate/mod.ts";
import { BusyError, JobError } from "isolate/server/engine/executor.ts";
import type { JobEvent } from "isolate/server/engine/types.ts";
import {
  boxProcesses,
  bytesOf,
  jobOf,
  LIMITS,
  openExecutor,
  runOf,
  textOf,
  until,
} from "isolate/tests/support/executor.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";
import { languages } from "isolate/tests/support/workbench.ts";

const known = await languages();
const base = [needs.root(), needs.command("python3"), needs.command("gcc")];
const test = (name: string, body: () => Promise<void>) => testWith(base, name, body);

test("a program in Python runs with its input, and tells of its end", async () => {
  await using executor = await openExecutor();
  const source = "import sys\nprint(input()[::-1])\nprint('x', file=sys.stderr)\nsys.exit(3)\n";
  const result = await executor.execute(jobOf("python3", source, { input: "abc\n" }));
  const [run] = result.runs;
  assertEquals(run!.ending, { kind: "exited", exitCode: 3 });
  assertEquals([textOf(run!.stdout), textOf(run!.stderr)], ["cba\n", "x\n"]);
  assertEquals([run!.exitCode, run!.message], [3, "Exited with error status 3"]);
  assertEquals([result.compile, result.isCached], [undefined, false]);
  assertMatch(result.version, /^Python 3/);
  assert(run!.memoryKib > 1000 && run!.wallTimeMs > 0, JSON.stringify(run));
});

test("a program in C is compiled once, and its warnings come back each time", async () => {
  await using executor = await openExecutor();
  const source = '#include <stdio.h>\n#warning mind\nint main() { puts("hi"); }\n';
  const first = await executor.execute(jobOf("c", source));
  const second = await executor.execute(jobOf("c", source));
  for (const { compile, runs } of [first, second]) {
    assertEquals(compile!.ending, { kind: "exited", exitCode: 0 });
    assertMatch(textOf(compile!.stderr), /#warning mind/);
    assertEquals(textOf(runs[0]!.stdout), "hi\n");
  }
  assertEquals([first.isCached, second.isCached], [false, true]);
});

test("arguments of the compiler make another program", async () => {
  await using executor = await openExecutor();
  const source = '#include <stdio.h>\nint main() { printf("%d", N); }\n';
  const run = async (n: number) => {
    const compile = { args: [`-DN=${n}`], limits: LIMITS };
    const { runs } = await executor.execute(jobOf("c", source, { compile }));
    return textOf(runs[0]!.stdout);
  };
  assertEquals([await run(1), await run(2), await run(1)], ["1", "2", "1"]);
});

test("a compile error is the result of the compiler, and nothing runs", async () => {
  await using executor = await openExecutor();
  const { compile, runs } = await executor.execute(jobOf("c", "int main() { return x; }\n"));
  assertEquals([compile!.ending, runs], [{ kind: "exited", exitCode: 1 }, []]);
  assertMatch(textOf(compile!.stderr), /undeclared/);
});

test("each limit has its ending", async () => {
  await using executor = await openExecutor();
  const end = async (text: string, limits: Partial<typeof LIMITS>) => {
    const runs = [runOf({ limits: { ...LIMITS, ...limits } })];
    const { runs: [run] } = await executor.execute(jobOf("python3", text, { runs }));
    return { ending: run!.ending, signal: run!.signal };
  };
  const killed = { signal: SIGNALS.SIGKILL };
  assertEquals(await end("while True: pass", { cpuTimeMs: 100 }), {
    ending: { kind: "time-limit", limit: "cpu" },
    ...killed,
  });
  assertEquals(await end("import time; time.sleep(60)", { wallTimeMs: 300 }), {
    ending: { kind: "time-limit", limit: "wall" },
    ...killed,
  });
  assertEquals(await end("while True: print('x' * 100)", { outputBytes: 1000 }), {
    ending: { kind: "output-limit", stream: "stdout" },
    ...killed,
  });
  const { ending } = await end("x = [0] * 10**9", { memoryKib: 64 << 10 });
  assertEquals(ending, { kind: "memory-limit" });
  const abort = await end("import os; os.abort()", {});
  assertEquals(abort.ending, { kind: "signal", signal: SIGNALS.SIGABRT });
});

test("output is kept in order of arrival, up to the limit of each stream", async () => {
  await using executor = await openExecutor();
  const source = "import os, time\nfor i in range(3):\n" +
    "  os.write(1, b'a'); time.sleep(0.05); os.write(2, b'b'); time.sleep(0.05)\n";
  const { runs: [run] } = await executor.execute(jobOf("python3", source));
  assertEquals(textOf(run!.output), "ababab");
  const limits = { ...LIMITS, outputBytes: 10 };
  const long = await executor.execute(
    jobOf("python3", "print('x' * 99)", { runs: [runOf({ limits })] }),
  );
  assertEquals([textOf(long.runs[0]!.stdout), long.runs[0]!.isStdoutTruncated], [
    "x".repeat(10),
    true,
  ]);
});

test("several runs of one program are independent, and are judged", async () => {
  await using executor = await openExecutor();
  const source = "import os\nprint(os.path.exists('left'))\nopen('left', 'w')\nprint(input())\n";
  const run = (input: string) =>
    runOf({ input, expectedOutput: bytesOf(`False\n${input} \n\n`), comparison: "lines" });
  const runs = [run("1"), { ...run("2"), stdin: bytesOf("3") }, run("4")];
  const job = jobOf("python3", source, { runs });
  const all = await executor.execute(job);
  assertEquals(all.runs.map(({ isAccepted }) => isAccepted), [true, false, true]);
  assertEquals(all.runs[1]!.difference, 'Line 2: expected "2", got "3"');
  const some = await executor.execute({ ...job, stopAtFirstFailure: true });
  assertEquals(some.runs.map(({ isAccepted }) => isAccepted), [true, false]);
});

test("all files lie in the working directory, which can be written to", async () => {
  await using executor = await openExecutor();
  const files = (main: string, other: string) => [
    { name: "main", content: bytesOf(main) },
    { name: other, content: bytesOf("VALUE = 42\n") },
    { name: "data/in.txt", content: bytesOf("read") },
  ];
  const python = "import mine\nopen('new', 'w').write('1')\n" +
    "print(mine.VALUE, open('data/in.txt').read(), open('new').read())\n";
  const first = await executor.execute(jobOf("python3", "", { files: files(python, "mine.py") }));
  assertEquals(textOf(first.runs[0]!.output), "42 read 1\n");
  const c = "#include <stdio.h>\n#include <unistd.h>\nint main() { char t[5] = {0}; " +
    'fread(t, 1, 4, fopen("data/in.txt", "r")); puts(t); return !fopen("new", "w"); }\n';
  const second = await executor.execute(jobOf("c", "", { files: files(c, "mine.h") }));
  assertEquals([textOf(second.runs[0]!.output), second.runs[0]!.exitCode], ["read\n", 0]);
});

test("nothing of a job is left for the next one in its box", async () => {
  await using executor = await openExecutor({ boxes: 1 });
  const leave = "import os\nfor d in ('.', '/tmp', '/dev/shm'):\n  open(d + '/secret', 'w')\n" +
    "if os.fork() == 0:\n  os.setsid()\n  import time\n  time.sleep(60)\n";
  const look = "import os\nprint([d for d in ('.', '/tmp', '/dev/shm', '/box', '/program') " +
    "if 'secret' in os.listdir(d)], sum(p.isdigit() for p in os.listdir('/proc')))\n";
  await executor.execute(jobOf("python3", leave));
  const { runs: [run] } = await executor.execute(jobOf("python3", look));
  assertEquals(textOf(run!.stdout), "[] 1\n", textOf(run!.stderr));
  assertEquals(boxProcesses(), 0);
});

test("a cancelled job has its box killed at once", async () => {
  await using executor = await openExecutor();
  const gone = new AbortController();
  const running = executor.execute(jobOf("python3", "import time\ntime.sleep(60)"), {
    signal: gone.signal,
  });
  await until(() => boxProcesses() > 0);
  gone.abort();
  const { runs: [run] } = await running;
  assertEquals(run!.ending, { kind: "cancelled" });
  assertEquals([boxProcesses(), executor.load().running], [0, 0]);
});

test("a job that is cancelled while it is compiled says so", async () => {
  await using executor = await openExecutor();
  const gone = new AbortController();
  const slow = "#define A(x) x x x x x x x x x x\n" +
    "int main() { int a = 0; A(A(A(A(A(a++;))))) return a; }\n";
  await executor.execute(jobOf("c", "int main() {}\n"));
  const running = executor.execute(jobOf("c", slow), { signal: gone.signal });
  await until(() => boxProcesses() > 0);
  gone.abort();
  const { compile, runs } = await running;
  assertEquals([compile!.ending, runs], [{ kind: "cancelled" }, []]);
});

test("jobs wait for a box, and one too many is refused with a time", async () => {
  await using executor = await openExecutor({ boxes: 1, waiting: 1 });
  const gone = new AbortController();
  const sleep = jobOf("python3", "import time\ntime.sleep(60)");
  const first = executor.execute(sleep, { signal: gone.signal });
  const second = executor.execute(jobOf("python3", "print(2)"));
  await until(() => executor.load().waiting === 1);
  const error = await assertRejects(() => executor.execute(sleep), BusyError, "Too many jobs");
  assert(error.retryAfterSeconds >= 1);
  gone.abort();
  await first;
  assertEquals(textOf((await second).runs[0]!.stdout), "2\n");
});

test("what happens is told as it happens", async () => {
  await using executor = await openExecutor();
  const events: JobEvent[] = [];
  const source = '#include <stdio.h>\nint main() { puts("out"); }\n';
  await executor.execute(jobOf("c", source), { onEvent: (event) => events.push(event) });
  const told = events.map((event) =>
    `${event.stage} ${event.kind}` +
    (event.kind === "output" ? ` ${event.stream} ${textOf(event.bytes)}` : "")
  );
  assertEquals(told, [
    "compile begin",
    "compile end",
    "run begin",
    "run output stdout out\n",
    "run end",
  ]);
});

test("a session writes to the program, sends signals, and ends its input", async () => {
  await using executor = await openExecutor();
  const source =
    "import signal, sys\nsignal.signal(signal.SIGUSR1, lambda *_: print('signal', flush=True))\n" +
    "print('ready', flush=True)\nfor line in sys.stdin: print(line.strip() + '!', flush=True)\n" +
    "print('end')\n";
  let said = "";
  const session = executor.open(jobOf("python3", source), {
    onEvent: (event) => {
      if (event.kind === "output") said += textOf(event.bytes);
    },
  });
  await until(() => said === "ready\n");
  await session.write(bytesOf("one\n"));
  await until(() => said === "ready\none!\n");
  assertEquals(session.signal(SIGNALS.SIGUSR1), true);
  await until(() => said.endsWith("signal\n"));
  session.end();
  const { runs: [run] } = await session.result;
  assertEquals([run!.exitCode, textOf(run!.stdout)], [0, "ready\none!\nsignal\nend\n"]);
  assertEquals(session.signal(SIGNALS.SIGUSR1), false);
  await session.write(bytesOf("late"));
});

test("wrong jobs are refused before they take a place", async () => {
  await using executor = await openExecutor();
  const refused = async (job: ReturnType<typeof jobOf>, message: string) => {
    await assertRejects(() => executor.execute(job), JobError, message);
  };
  const named = (...names: string[]) =>
    jobOf("python3", "", { files: names.map((name) => ({ name, content: bytesOf("") })) });
  await refused(jobOf("cobol", ""), "unknown language cobol (known: ");
  await refused(jobOf("script", ""), "unknown language script");
  await refused(named(), "at least one file");
  await refused(named("../a"), 'file name "../a" must not lead out of the folder (..)');
  await refused(named("/etc/passwd"), 'file name "/etc/passwd" must be relative');
  await refused(named("a//b"), "has an empty part");
  await refused(named("a\0"), "NUL");
  await refused(named("a", "a"), 'two files have the name "a"');
  await refused(named("a", "a/b"), "is a file, and the folder of another one");
  await refused(named("x".repeat(256)), "too long");
  await refused(jobOf("python3", "", { runs: [runOf({ network: true })] }), "no network");
  await refused(jobOf("python3", "", { runs: [runOf({ args: ["a\0"] })] }), "NUL");
});

test("languages are listed with the versions of their tools", async () => {
  await using executor = await openExecutor();
  const languages = await executor.languages();
  const python = languages.find(({ id }) => id === "python3")!;
  assertMatch(python.version!, /^Python 3\./);
  assertEquals([python.isCompiled, languages.find(({ id }) => id === "c")!.isCompiled], [
    false,
    true,
  ]);
  for (const { version, missing } of languages) {
    assert((version === undefined) !== (missing === undefined));
  }
});

for (
  const [id, text] of [
    ["cpp", '#include <iostream>\nint main() { std::cout << "1\\n"; }\n'],
    ["java", "class Any { public static void main(String[] a) { System.out.println(1); } }\n"],
    ["javascript", "console.log(1)\n"],
    ["perl", 'print "1\\n"\n'],
    ["rust", 'fn main() { println!("1"); }\n'],
    ["shell", "echo 1\n"],
  ] as const
) {
  testWith(
    [...base, known.needs(id)],
    `a file without a name of its own runs in ${id}`,
    async () => {
      await using executor = await openExecutor({ languages: known.table });
      const files = [{ name: "file0.code", content: bytesOf(text) }];
      const { runs: [run], compile } = await executor.execute(jobOf(id, "", { files }));
      assertEquals(run && textOf(run.stdout), "1\n", compile && textOf(compile.stderr));
    },
  );
}

test("compiled programs that are not used make room for others", async () => {
  await using executor = await openExecutor({ cacheLimitBytes: 1 });
  const source = '#include <stdio.h>\nint main() { puts("hi"); }\n';
  const job = jobOf("c", source);
  for (let i = 0; i < 2; i++) {
    const { isCached, runs } = await executor.execute(job);
    assertEquals([isCached, textOf(runs[0]!.stdout)], [false, "hi\n"]);
  }
});

test("an executor that closes ends what runs, and refuses the rest", async () => {
  const executor = await openExecutor();
  const running = executor.execute(jobOf("python3", "import time\ntime.sleep(0.5)\nprint(1)"));
  await until(() => executor.load().running === 1);
  const closed = executor.close();
  await assertRejects(() => executor.execute(jobOf("python3", "")), BusyError, "being stopped");
  await closed;
  assertEquals(textOf((await running).runs[0]!.stdout), "1\n");
  assertEquals(boxProcesses(), 0);
});
