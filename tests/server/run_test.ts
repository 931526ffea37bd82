/** Our own API: several tests for one program, results as they come. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { RunAnswer } from "isolate/server/run/run_answer.ts";
import { ApiServer } from "isolate/tests/support/api_server.ts";
import { boxProcesses, until } from "isolate/tests/support/executor.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";

const base = [needs.root(), needs.command("python3"), needs.command("gcc")];

/** What is tested with one server. */
const steps: [name: string, body: (server: ApiServer) => Promise<void>][] = [];

function test(name: string, body: (server: ApiServer) => Promise<void>): void {
  steps.push([name, body]);
}

testWith(base, "programs are run with several tests", async (context) => {
  await using server = await ApiServer.start();
  for (const [name, body] of steps) await context.step(name, () => body(server));
});

async function run(
  server: ApiServer,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<RunAnswer> {
  const response = await server.post("run", body, { headers });
  const text = await response.text();
  assertEquals(response.status, 200, text);
  return JSON.parse(text);
}

async function refuse(server: ApiServer, body: unknown): Promise<[number, string]> {
  const response = await server.post("run", body);
  return [response.status, (await response.json()).message];
}

/** Events of a stream as they come, with the time since the beginning. */
// deno-lint-ignore no-explicit-any
async function* events(response: Response): AsyncGenerator<any> {
  let rest = "";
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line !== "") yield JSON.parse(line);
  }
  assertEquals(rest, "");
}

const SUM = {
  language: "python3",
  source: "print(sum(map(int, input().split())))",
  tests: [
    { name: "small", stdin: "1 2\n", expected: "3\n" },
    { stdin: "20 22\n", expected: "43\n" },
    { stdin: "x\n" },
  ],
};

test("one program is compiled once and run with each test", async (server) => {
  const source = '#include <stdio.h>\nint main() { int a; scanf("%d", &a); printf("%d", 2 * a); }';
  const answer = await run(server, {
    language: "c",
    source,
    tests: [{ stdin: "4", expected: "8\n" }, { stdin: "5" }],
  }, { "X-Request-Id": "my-run" });
  assertEquals([answer.id, answer.status, answer.compile?.status], ["my-run", "ok", "ok"]);
  assertEquals(answer.tests.map(({ index, status, stdout }) => [index, status, stdout]), [
    [0, "accepted", "8"],
    [1, "ok", "10"],
  ]);
  assertMatch(answer.version, /gcc/);
  assertEquals((await run(server, { language: "c", source })).isCached, true);
});

test("each test has its status, and the request that of the first bad one", async (server) => {
  const answer = await run(server, SUM);
  assertEquals(answer.status, "wrong-answer");
  assertEquals(answer.compile, null);
  const [small, wrong, failed] = answer.tests;
  assertEquals([small!.name, small!.status, small!.stdout], ["small", "accepted", "3\n"]);
  assertEquals([wrong!.status, wrong!.exitCode], ["wrong-answer", 0]);
  assertMatch(wrong!.difference!, /43.*42/);
  assertEquals([failed!.status, failed!.exitCode], ["runtime-error", 1]);
  assertMatch(failed!.stderr, /ValueError/);
  const stopped = await run(server, { ...SUM, stopAtFirstFailure: true });
  assertEquals(stopped.tests.map(({ status }) => status), ["accepted", "wrong-answer"]);
});

test("limits hold for all tests or for one", async (server) => {
  const source = "import sys\nwhile sys.argv[1:] == ['forever']: pass\nprint('x' * 5000)";
  const { tests } = await run(server, {
    language: "python3",
    source,
    limits: { outputBytes: 1000 },
    tests: [
      { args: ["forever"], limits: { cpuTimeMs: 100 } },
      {},
      { limits: { outputBytes: 10_000 } },
    ],
  });
  assertEquals(tests.map(({ status }) => status), ["time-limit", "output-limit", "ok"]);
  assertEquals(tests.map(({ stdout }) => stdout.length), [0, 1000, 5001]);
  assertEquals(tests.map(({ isStdoutTruncated }) => isStdoutTruncated), [false, true, false]);
});

test("a compile error runs nothing", async (server) => {
  const answer = await run(server, { ...SUM, language: "c", source: "int main() { retrn; }" });
  assertEquals([answer.status, answer.tests], ["compile-error", []]);
  assertMatch(answer.compile!.stderr, /retrn/);
});

test("files, arguments, variables and options of the compiler reach where they belong", async (server) => {
  const answer = await run(server, {
    language: "c",
    files: [
      {
        name: "main.c",
        content: '#include "a/my.h"\nint main(int n, char **v) { return show(v); }',
      },
      {
        name: "a/my.h",
        content: "#include <stdio.h>\n#include <stdlib.h>\nint show(char **v) {" +
          ' printf("%s %s %d %d", v[1], getenv("MINE"), N, fopen("data/x", "r") != 0); return 0; }',
      },
    ],
    compile: { args: ["-DN=5"] },
    tests: [
      { args: ["a b"], environment: { MINE: "$x" }, files: [{ name: "data/x", content: "" }] },
      { args: ["c"], environment: { MINE: "" } },
    ],
  });
  assertEquals(answer.tests.map(({ stdout }) => stdout), ["a b $x 5 1", "c  5 0"]);
});

test("bytes come and go in base64", async (server) => {
  const { tests } = await run(server, {
    language: "python3",
    source: {
      base64: new TextEncoder().encode(
        "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])",
      ).toBase64(),
    },
    tests: [{ stdin: { base64: "AP8=" }, expected: { base64: "/wA=" }, comparison: "exact" }],
    encoding: "base64",
  });
  assertEquals([tests[0]!.stdout, tests[0]!.status], ["/wA=", "accepted"]);
});

test("a checker judges instead of a comparison", async (server) => {
  const checker = {
    language: "python3",
    kind: "testlib",
    source: "import sys\nout = open(sys.argv[2]).read()\n" +
      "print('even' if int(out) % 2 == 0 else 'odd', file=sys.stderr)\nsys.exit(int(out) % 2)",
  };
  const { tests, status } = await run(server, { ...SUM, checker });
  assertEquals(tests.map(({ status, difference }) => [status, difference]), [
    ["wrong-answer", "odd"],
    ["accepted", "even"],
    ["runtime-error", undefined],
  ]);
  assertEquals(status, "wrong-answer");
});

test("results come as they are there, a line of JSON each", async (server) => {
  const response = await server.post("run", {
    language: "python3",
    source: "import time\nprint('ä', flush=True)\ntime.sleep(float(input()))",
    tests: [{ stdin: "0" }, { stdin: "1" }],
    output: "pieces",
  }, { headers: { Accept: "application/x-ndjson", "X-Request-Id": "lines" } });
  assertEquals(response.headers.get("Content-Type"), "application/x-ndjson");
  const seen: unknown[] = [];
  const times: Record<string, number> = {};
  for await (const event of events(response)) {
    seen.push([event.event, event.index, event.text ?? event.status]);
    times[`${event.event} ${event.index}`] = performance.now();
  }
  assertEquals(seen, [
    ["accepted", undefined, undefined],
    ["begin", 0, undefined],
    ["output", 0, "ä\n"],
    ["test", 0, "ok"],
    ["begin", 1, undefined],
    ["output", 1, "ä\n"],
    ["test", 1, "ok"],
    ["end", undefined, "ok"],
  ]);
  assert(times["test 1"]! - times["output 1"]! > 900, "the output came with the result");
});

test("results come as server-sent events", async (server) => {
  const headers = { Accept: "text/event-stream" };
  const response = await server.post("run", { ...SUM, language: "python3" }, { headers });
  assertEquals(response.headers.get("Content-Type"), "text/event-stream");
  const text = await response.text();
  const names = [...text.matchAll(/^event: (\w+)\ndata: (\{.*\})\n$/gm)].map(([, name, data]) => {
    assertEquals(JSON.parse(data!).event, name);
    return name;
  });
  assertEquals(names.filter((name) => name !== "begin"), [
    ...["accepted", "test", "test", "test", "end"],
  ]);
});

const SLEEP = {
  language: "python3",
  source: "import time\ntime.sleep(60)",
  limits: { wallTimeMs: 3000 },
};

test("a run can be cancelled by its id", async (server) => {
  const running = run(server, { ...SLEEP, tests: [{}, {}] }, { "X-Request-Id": "to-cancel" });
  await until(() => boxProcesses() > 0);
  const again = await server.post("run", SLEEP, { headers: { "X-Request-Id": "to-cancel" } });
  assertEquals([again.status, (await again.json()).message], [
    409,
    "a request with the X-Request-Id to-cancel is being worked on",
  ]);
  const cancelled = await fetch(`${server.url}run/to-cancel`, { method: "DELETE" });
  assertEquals(cancelled.status, 202);
  const { status, tests } = await running;
  assertEquals([status, tests.length], ["cancelled", 1]);
  await until(() => boxProcesses() === 0);
  const gone = await fetch(`${server.url}run/to-cancel`, { method: "DELETE" });
  assertEquals([gone.status, (await gone.json()).message], [
    404,
    "there is no run with this id, or it has ended",
  ]);
});

test("a client that goes away takes its run with it", async (server) => {
  for (const accept of ["application/json", "application/x-ndjson"]) {
    const gone = new AbortController();
    const request = server.post("run", SLEEP, { headers: { Accept: accept }, signal: gone.signal })
      .then((response) => response.text()).catch(() => {});
    await until(() => boxProcesses() > 0);
    gone.abort();
    await request;
    await until(() => boxProcesses() === 0);
  }
});

test("an equal request with the same key is done once", async (server) => {
  const source = "import random\nprint(random.random())";
  const body = { language: "python3", source };
  const post = async (key: string, body: unknown, accept = "application/json") => {
    const headers = { "Idempotency-Key": key, Accept: accept };
    const response = await server.post("run", body, { headers });
    return { response, text: await response.text() };
  };
  const [first, second] = await Promise.all([post("a", body), post("a", body)]);
  const third = await post("a", body);
  assertEquals([second.text, third.text], [first.text, first.text]);
  assertEquals(third.response.headers.get("Idempotency-Replayed"), "true");
  const { tests: [ran] }: RunAnswer = JSON.parse(first.text);
  const lines = (await post("a", body, "application/x-ndjson")).text.trim().split("\n");
  assertEquals(lines.map((line) => JSON.parse(line).event), ["accepted", "test", "end"]);
  assertEquals(JSON.parse(lines[1]!).stdout, ran!.stdout);
  const other = await post("b", body);
  assert(other.text !== first.text, "another key is another run");
  const wrong = await post("a", { ...body, source: "print(1)" });
  assertEquals([wrong.response.status, JSON.parse(wrong.text).message], [
    422,
    "this Idempotency-Key was used for another request",
  ]);
  const bad = await post("x".repeat(256), body);
  assertEquals(bad.response.status, 400);
});

test("a run with a key goes on when its connection breaks", async (server) => {
  const body = { language: "python3", source: "import time\ntime.sleep(1)\nprint('done')" };
  const gone = new AbortController();
  const headers = { "Idempotency-Key": "broken" };
  const request = server.post("run", body, { headers, signal: gone.signal }).catch(() => {});
  await until(() => boxProcesses() > 0);
  gone.abort();
  await request;
  const answer = await run(server, body, headers);
  assertEquals(answer.tests[0]!.stdout, "done\n");
});

const MANY_FILES = Array.from({ length: 5000 }, (_, i) => ({ name: `${i}`, content: "" }));

test("what is wrong with a request is one sentence with its place", async (server) => {
  const good = { language: "python3", source: "" };
  const cases: [body: unknown, message: RegExp][] = [
    [[], /^the body must be an object$/],
    [{ language: "python3" }, /^either source or files is needed$/],
    [{ ...good, files: [] }, /^either source or files is needed$/],
    [{ language: "python3", files: [] }, /^files must have at least one file$/],
    [{ ...good, tests: [] }, /^tests must have at least one test$/],
    [{ ...good, tests: {} }, /^tests must be a list$/],
    [
      { ...good, tests: [{}, { stdinn: "" }] },
      /^tests\[1\] has the unknown key "stdinn"; did you mean stdin\?$/,
    ],
    [{ ...good, tests: [{ stdin: 1 }] }, /^tests\[0\]\.stdin must be a text or/],
    [
      { ...good, tests: [{ stdin: { base64: "?" } }] },
      /^tests\[0\]\.stdin\.base64 must be base64$/,
    ],
    [{ ...good, tests: [{ args: "a" }] }, /^tests\[0\]\.args must be a list$/],
    [{ ...good, tests: [{ args: [1] }] }, /^tests\[0\]\.args\[0\] must be a text$/],
    [{ ...good, tests: [{ network: true }] }, /^tests\[0\]\.network cannot be true/],
    [{ ...good, tests: [{ environment: { "a=b": "" } }] }, /cannot be the name of a variable$/],
    [
      { ...good, limits: { cpuTimeMs: 3001 } },
      /^limits\.cpuTimeMs must be a whole number from 1 to 3000$/,
    ],
    [{ ...good, limits: { cpuTimeMs: 1.5 } }, /^limits\.cpuTimeMs must be a whole number/],
    [{ ...good, comparison: "fuzzy" }, /^comparison must be "words" or "lines" or "exact"$/],
    [
      { ...good, checker: { language: "c" } },
      /^either checker\.source or checker\.files is needed$/,
    ],
    [{ ...good, language: "klingon" }, /^unknown language klingon \(known: c, /],
    [{ ...good, limits: { outputBytes: 60 << 20 }, tests: [{}, {}] }, /64 MiB together$/],
    [{ language: "python3", files: [{ name: "../a", content: "" }] }, /must not lead out/],
    [{ language: "python3", files: MANY_FILES }, /^files must have at most \d+ entries$/],
  ];
  for (const [body, message] of cases) {
    const [status, said] = await refuse(server, body);
    assertEquals(status, 400, said);
    assertMatch(said, message);
  }
  const headers = { Accept: "application/x-ndjson" };
  const early = await server.post("run", { ...good, language: "klingon" }, { headers });
  assertEquals([early.status, early.headers.get("Content-Type")], [400, "application/json"]);
  await early.body?.cancel();
});
