/** Clients of Piston's API, version 2, with real programs. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { PistonStage } from "isolate/server/piston/stage_answer.ts";
import { ApiServer } from "isolate/tests/support/api_server.ts";
import { boxProcesses, until } from "isolate/tests/support/executor.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";

interface Answer {
  language: string;
  version: string;
  compile?: PistonStage;
  run: PistonStage;
  message?: string;
}

const base = [needs.root(), needs.command("python3"), needs.command("gcc")];
const EXECUTE = "api/v2/execute";

/** Runs a test with a server. */
function test(
  name: string,
  body: (server: ApiServer) => Promise<void>,
  options: readonly string[] = [],
) {
  testWith(base, name, async () => {
    await using server = await ApiServer.start(...options);
    await body(server);
  });
}

/** Executes a program of one file, with more fields in the request. */
async function execute(
  server: ApiServer,
  language: string,
  content: string,
  more: Record<string, unknown> = {},
): Promise<Answer> {
  const request = { language, version: "*", files: [{ content }], ...more };
  const response = await server.post(EXECUTE, request);
  assertEquals(response.status, 200);
  return await response.json();
}

test("a program in Python runs, and nothing is compiled", async (server) => {
  const answer = await execute(server, "python", "print(input())\nprint(2/1)", {
    version: "3.x",
    stdin: "hello",
    args: ["1"],
  });
  assertEquals([answer.language, answer.compile], ["python", undefined]);
  assertMatch(answer.version, /^3\.\d+\.\d+$/);
  const { cpu_time, wall_time, memory, ...run } = answer.run;
  assertEquals(run, {
    stdout: "hello\n2.0\n",
    stderr: "",
    output: "hello\n2.0\n",
    code: 0,
    signal: null,
    message: null,
    status: null,
  });
  assert(cpu_time >= 0 && wall_time > 0 && memory > 100_000, JSON.stringify(answer.run));
});

test("languages have their aliases, and the public address works, too", async (server) => {
  const request = { language: "py", version: "*", files: [{ content: "print(1)" }] };
  for (const language of ["py", "python3", "PY"]) {
    const response = await server.post("api/v2/piston/execute", { ...request, language });
    const { language: name, run } = await response.json() as Answer;
    assertEquals([name, run.stdout], ["python", "1\n"]);
  }
  const answer = await execute(server, "gcc", "int main() { return 7; }");
  assertEquals([answer.language, answer.run.code, answer.run.status], ["c", 7, "RE"]);
});

test("where compiling fails the run is the same as the compilation", async (server) => {
  const answer = await execute(server, "c", "int main() { return x; }");
  assertEquals(answer.compile, answer.run);
  assertEquals([answer.run.code, answer.run.status], [1, "RE"]);
  assertMatch(answer.run.stderr, /undeclared/);
});

test("each way to end has its status", async (server) => {
  const status = async (content: string, more: Record<string, unknown> = {}) => {
    const { run: { status, code, signal } } = await execute(server, "python", content, more);
    return [status, code, signal];
  };
  assertEquals(await status("exit(3)"), ["RE", 3, null]);
  assertEquals(await status("import os; os.abort()"), ["SG", null, "SIGABRT"]);
  assertEquals(await status("import time; time.sleep(9)", { run_timeout: 300 }), [
    "TO",
    null,
    "SIGKILL",
  ]);
  assertEquals(await status("while True: pass", { run_cpu_time: 200 }), ["TO", null, "SIGKILL"]);
  assertEquals(await status("print('x' * 2000)"), ["OL", null, "SIGKILL"]);
  assertEquals(await status("import sys; sys.stderr.write('x' * 2000)"), ["EL", null, "SIGKILL"]);
  const [memory] = await status("x = bytearray(10**9)", { run_memory_limit: 50_000_000 });
  assertEquals(memory, "SG");
});

test("the first file in utf8 is the main one, and the others lie beside it", async (server) => {
  const response = await server.post(EXECUTE, {
    language: "python",
    version: "*",
    files: [
      { name: "data.bin", content: btoa("\x00\xff"), encoding: "base64" },
      { name: "main.py", content: "import other\nprint(open('data.bin','rb').read(), other.X)" },
      { name: "other.py", content: "583d31", encoding: "hex" },
      { name: "sub/more.txt", content: "x" },
    ],
  });
  assertEquals((await response.json() as Answer).run.stdout, "b'\\x00\\xff' 1\n");
});

test(
  "output is cut where it passes the limit of the server, which can be raised",
  async (server) => {
    const { run } = await execute(server, "python", "print('x' * 2000)");
    assertEquals([run.stdout.length, run.status], [2001, null]);
  },
  ["--output-limit=4096"],
);

test("runtimes and packages list what is installed, and installing is refused", async (server) => {
  const runtimes = await (await fetch(`${server.url}api/v2/runtimes`)).json();
  const python = runtimes.find(({ language }: { language: string }) => language === "python");
  assert(python.aliases.includes("py3") && /^3\./.test(python.version), JSON.stringify(python));
  const packages = await (await fetch(`${server.url}api/v2/packages`)).json();
  assert(
    packages.some((one: Record<string, unknown>) =>
      one["language"] === "python" && one["language_version"] === python.version &&
      one["installed"] === true
    ),
  );
  const refused = await server.post("api/v2/packages", { language: "cow", version: "1.0.0" });
  assertEquals(refused.status, 403);
  assertMatch((await refused.json()).message, /administrator/);
});

test("a wrong request is answered with one sentence", async (server) => {
  const good = { language: "python", version: "*", files: [{ content: "" }] };
  const refused = async (change: Record<string, unknown>) => {
    const response = await server.post(EXECUTE, { ...good, ...change });
    const { message, ...more } = await response.json();
    assertEquals([response.status, more], [400, {}], JSON.stringify(change));
    return message;
  };
  const sentences: [Record<string, unknown>, RegExp][] = [
    [{ language: undefined }, /^language is required as a string$/],
    [{ language: 1 }, /^language is required as a string$/],
    [{ version: undefined }, /^version is required as a string$/],
    [{ version: "three" }, /^version must be a version or a range/],
    [{ language: "cow" }, /^cow-\* runtime is unknown \(languages: .*python/],
    [{ version: "1.x" }, /^python-1\.x runtime is unknown \(there is python-3/],
    [{ files: undefined }, /^files is required as an array$/],
    [{ files: "x" }, /^files is required as an array$/],
    [{ files: [] }, /^files must include at least one utf8 encoded file$/],
    [{ files: [{ content: "YQ==", encoding: "base64" }] }, /at least one utf8 encoded file/],
    [{ files: Array(5000).fill({ content: "" }) }, /^files must be at most \d+$/],
    [{ files: [null] }, /^files\[0\] must be an object$/],
    [{ files: [{}] }, /^files\[0\]\.content is required as a string$/],
    [{ files: [{ content: "", name: 1 }] }, /^files\[0\]\.name must be a string$/],
    [{ files: [{ content: "", name: "../x" }] }, /^files\[0\]\.name: .*must not lead out/],
    [{ files: [{ content: "", name: "/x" }] }, /must be relative/],
    [
      { files: [{ content: "" }, { content: "%", encoding: "base64" }] },
      /^files\[1\]\.content must be valid base64$/,
    ],
    [{ files: [{ content: "" }, { content: "abc", encoding: "hex" }] }, /must be valid hex$/],
    [
      { files: [{ content: "", name: "a" }, { content: "", name: "a" }] },
      /two files have the name "a"/,
    ],
    [{ files: Array.from({ length: 300 }, () => ({ content: "" })) }, /must be at most 256$/],
    [{ args: "x" }, /^args must be an array of strings$/],
    [{ args: [1] }, /^args must be an array of strings$/],
    [{ stdin: 1 }, /^stdin must be a string$/],
    [{ run_timeout: "1" }, /^If specified, run_timeout must be a number$/],
    [{ run_timeout: 3001 }, /^run_timeout cannot exceed the configured limit of 3000$/],
    [{ compile_cpu_time: 1e9 }, /^compile_cpu_time cannot exceed the configured limit of 10000$/],
    [{ run_timeout: -1 }, /^run_timeout must be non-negative$/],
    [{ run_memory_limit: -2 }, /^run_memory_limit must be non-negative$/],
    [{ run_memory_limit: 1e15 }, /^run_memory_limit cannot exceed the configured limit of \d+$/],
  ];
  for (const [change, sentence] of sentences) assertMatch(await refused(change), sentence);
  assertEquals((await server.post(EXECUTE, [])).status, 400);
  assertEquals((await server.post(EXECUTE, "{")).status, 400);
  const unlimited = await server.post(EXECUTE, { ...good, run_memory_limit: -1, unknown: 1 });
  assertEquals(unlimited.status, 200);
});

/** A socket, what came on it, and how it was closed. */
interface Talk {
  socket: WebSocket;
  messages: Record<string, unknown>[];
  closed: Promise<{ code: number; reason: string }>;
  send(message: unknown): void;
  said(stream: string): string;
}

async function talk(server: ApiServer): Promise<Talk> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}api/v2/connect`);
  const messages: Record<string, unknown>[] = [];
  socket.addEventListener("message", ({ data }) => messages.push(JSON.parse(data)));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  return {
    socket,
    messages,
    closed,
    send: (message) => socket.send(JSON.stringify(message)),
    said: (stream) =>
      messages.filter((one) => one["type"] === "data" && one["stream"] === stream)
        .map((one) => one["data"]).join(""),
  };
}

const init = (content: string, more: Record<string, unknown> = {}) => ({
  type: "init",
  language: "python",
  version: "*",
  files: [{ content }],
  ...more,
});

test("a socket tells of stages and output, and is closed as done", async (server) => {
  const { send, messages, closed } = await talk(server);
  send({
    ...init('#include <stdio.h>\nint main() { puts("hi"); return 2; }'),
    language: "c",
  });
  assertEquals(await closed, { code: 4999, reason: "Job Completed" });
  assertEquals(
    messages.map(({ type, stage, data, code, signal }) => [type, stage ?? data, code, signal]),
    [
      ["runtime", undefined, undefined, undefined],
      ["stage", "compile", undefined, undefined],
      ["exit", "compile", 0, null],
      ["stage", "run", undefined, undefined],
      ["data", "hi\n", undefined, undefined],
      ["exit", "run", 2, null],
    ],
  );
  assertEquals(messages[0]!["language"], "c");
});

test("a socket passes on input, its end, and signals", async (server) => {
  const { send, said, closed } = await talk(server);
  send(init(
    "import signal, sys\nsignal.signal(signal.SIGUSR1, lambda *_: print('USR1', flush=True))\n" +
      "for line in sys.stdin: print(line.strip()[::-1], flush=True)\nprint('over')",
    { stdin: "first\n" },
  ));
  send({ type: "data", stream: "stdin", data: "abc\n" });
  await until(() => said("stdout") === "tsrif\ncba\n");
  send({ type: "signal", signal: "SIGUSR1" });
  await until(() => said("stdout").endsWith("USR1\n"));
  send({ type: "data", stream: "stdin", data: "é\n", end: true });
  assertEquals((await closed).code, 4999);
  assertEquals(said("stdout"), "tsrif\ncba\nUSR1\né\nover\n");
});

test("a program that is told to end by a signal says so", async (server) => {
  const { send, said, messages, closed } = await talk(server);
  send(init("import time\nprint(1, flush=True)\ntime.sleep(60)"));
  await until(() => said("stdout") === "1\n");
  send({ type: "signal", signal: "SIGTERM" });
  assertEquals((await closed).code, 4999);
  const { type, stage, code, signal } = messages.at(-1)!;
  assertEquals([type, stage, code, signal], ["exit", "run", null, "SIGTERM"]);
});

test("output on a socket has the same limit", async (server) => {
  const { send, said, messages, closed } = await talk(server);
  send(init("while True: print('x' * 100)"));
  await closed;
  assertEquals([said("stdout").length, messages.at(-1)!["status"]], [1024, "OL"]);
});

test("mistakes on a socket have their codes", async (server) => {
  const code = async (...sent: unknown[]) => {
    const { socket, send, messages, closed } = await talk(server);
    for (const message of sent) typeof message === "string" ? socket.send(message) : send(message);
    const { code } = await closed;
    return [code, ...messages.filter(({ type }) => type === "error").map((one) => one["message"])];
  };
  const sleep = init("import time\ntime.sleep(60)");
  assertEquals(await code(sleep, sleep), [4000]);
  assertEquals(await code(), [4001]);
  assertEquals(await code("no json"), [4002, "messages must be JSON"]);
  assertEquals(await code("[]"), [4002, "a message must be an object"]);
  assertEquals(await code({ type: "what" }), [
    4002,
    "the type of a message must be init, data or signal",
  ]);
  assertEquals(await code({ ...sleep, language: 1 }), [4002, "language is required as a string"]);
  assertEquals(await code({ type: "data", stream: "stdin", data: "" }), [4003]);
  assertEquals(await code({ type: "signal", signal: "SIGTERM" }), [4003]);
  assertEquals(await code(sleep, { type: "data", stream: "stdout", data: "" }), [4004]);
  assertEquals(await code(sleep, { type: "signal", signal: "SIGNOTHING" }), [4005]);
  assertEquals(await code(sleep, { type: "signal", signal: "constructor" }), [4005]);
  const flood = Array.from({ length: 10 }, () => ({
    type: "data",
    stream: "stdin",
    data: "x".repeat(1 << 20),
  }));
  assertMatch(String((await code(sleep, ...flood))[1]), /has not read \d+ bytes/);
  await until(() => boxProcesses() === 0);
});

test("a client that leaves its socket has its box killed", async (server) => {
  const { socket, send, said } = await talk(server);
  send(init("import time\nprint(1, flush=True)\ntime.sleep(60)", {}));
  await until(() => said("stdout") === "1\n");
  assert(boxProcesses() > 0);
  socket.close();
  await until(() => boxProcesses() === 0);
}, ["--run-time=100"]);

test("characters that are split between pieces come out whole", async (server) => {
  const { send, said, closed } = await talk(server);
  send(init(
    "import os, time\nfor b in 'é€😀'.encode():\n  os.write(1, bytes([b])); time.sleep(0.01)\n" +
      "os.write(1, b'\\xe2')",
  ));
  await closed;
  assertEquals(said("stdout"), "é€😀\ufffd");
});
