/** Clients of Judge0 CE's API, with real programs. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ApiServer } from "isolate/tests/support/api_server.ts";
import { boxProcesses, until } from "isolate/tests/support/executor.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";
import { makeZip, type ZipPart } from "isolate/tests/support/zip.ts";

const base = [needs.root(), needs.command("python3"), needs.command("gcc")];
const [C, PYTHON] = [50, 71];

interface Answer {
  token: string;
  status: { id: number; description: string };
  stdout: string | null;
  stderr: string | null;
  compile_output: string | null;
  message: string | null;
  time: string | null;
  memory: number | null;
  // deno-lint-ignore no-explicit-any
  [field: string]: any;
}

/** What is tested with one server, whose options are the usual ones. */
const steps: [name: string, body: (server: ApiServer) => Promise<void>][] = [];

/** Runs a test with a server; with one of its own, if it needs other options. */
function test(
  name: string,
  body: (server: ApiServer) => Promise<void>,
  options: readonly string[] = [],
) {
  if (options.length === 0) {
    steps.push([name, body]);
    return;
  }
  testWith(base, name, async () => {
    await using server = await ApiServer.start(...options);
    await body(server);
  });
}

testWith(base, "clients of Judge0 work as there", async (context) => {
  await using server = await ApiServer.start();
  for (const [name, body] of steps) await context.step(name, () => body(server));
});

const utf8Base64 = (text: string) => new TextEncoder().encode(text).toBase64();

async function submit(
  server: ApiServer,
  submission: Record<string, unknown>,
  query = "",
): Promise<Answer> {
  const response = await server.post(`submissions?wait=true${query}`, submission);
  const text = await response.text();
  assertEquals(response.status, 201, text);
  return JSON.parse(text);
}

/** What is answered, without waiting. */
async function ask(
  server: ApiServer,
  path: string,
  init: RequestInit & { json?: unknown } = {},
  // deno-lint-ignore no-explicit-any
): Promise<{ status: number; body: any; headers: Headers }> {
  const { json, ...others } = init;
  const response = json === undefined
    ? await fetch(`${server.url}${path}`, others)
    : await server.post(path, json, others);
  const text = await response.text();
  const isJson = response.headers.get("Content-Type")?.includes("json");
  return {
    status: response.status,
    body: isJson ? JSON.parse(text) : text,
    headers: response.headers,
  };
}

async function finished(server: ApiServer, token: string, query = ""): Promise<Answer> {
  let answer: Answer | undefined;
  await until(async () => {
    answer = (await ask(server, `submissions/${token}?${query}`)).body;
    return answer!.status.id > 2;
  });
  return answer!;
}

test("a submission that is waited for is answered with the usual fields", async (server) => {
  const { token, time, memory, ...answer } = await submit(server, {
    source_code: "print(input()[::-1])\nimport sys\nprint('x', file=sys.stderr)",
    language_id: PYTHON,
    stdin: "abc",
  });
  assertMatch(token, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assertMatch(time!, /^\d+\.\d{1,3}$/);
  assert(memory! > 500, `${memory}`);
  assertEquals(answer, {
    stdout: "cba\n",
    stderr: "x\n",
    compile_output: null,
    message: null,
    status: { id: 3, description: "Accepted" },
  });
});

test("a submission can be asked for by its token, while it runs and later", async (server) => {
  const source = "import time\ntime.sleep(1)\nprint(1)";
  const { status, body } = await ask(server, "submissions", {
    json: { source_code: source, language_id: PYTHON },
  });
  assertEquals([status, Object.keys(body)], [201, ["token"]]);
  const first = await ask(server, `submissions/${body.token}`);
  assert([1, 2].includes(first.body.status.id), JSON.stringify(first.body));
  assertEquals([first.body.stdout, first.body.time], [null, null]);
  const running = async () =>
    (await ask(server, `submissions/${body.token}?fields=status_id`)).body.status_id === 2;
  await until(running);
  const answer = await finished(server, body.token, "fields=*");
  assertEquals([answer.stdout, answer.exit_code, answer.language.id], ["1\n", 0, PYTHON]);
  assertEquals([answer.cpu_time_limit, answer.source_code], ["5.0", source]);
  assert(Date.parse(answer.finished_at) - Date.parse(answer.created_at) >= 1000);
  assert(Number(answer.wall_time) >= 1);
});

test("each end of a program has its status", async (server) => {
  const c = (statement: string) =>
    `#include <stdlib.h>\n#include <unistd.h>\n#include <stdio.h>\n` +
    `int main() { volatile int zero = 0; ${statement}; }`;
  const cases: [source: string, more: Record<string, unknown>, expected: unknown[]][] = [
    [c("*(int *)0 = 1"), {}, [7, 139, 11, "Caught fatal signal 11"]],
    [c("return 77 / zero"), {}, [9, 136, 8, "Caught fatal signal 8"]],
    [c("abort()"), {}, [10, 134, 6, "Caught fatal signal 6"]],
    [c("return 3"), {}, [11, 3, null, "Exited with error status 3"]],
    [
      c("while (1) ;"),
      { cpu_time_limit: 0.2, cpu_extra_time: 0 },
      [5, 137, 9, "Time limit exceeded"],
    ],
    [
      c("sleep(60)"),
      { wall_time_limit: 1 },
      [5, 137, 9, "Time limit exceeded (wall clock)"],
    ],
    [c('while (1) puts("much")'), { max_file_size: 1 }, [8, 137, 9, "Output limit exceeded"]],
    [
      c('FILE *f = fopen("/tmp/x", "w"); while (1) fputs("much", f)'),
      { max_file_size: 1 },
      [8, 153, 25, "Caught fatal signal 25"],
    ],
    [
      c("while (1) { volatile char *p = malloc(1 << 20); for (int i = 0; i < 1 << 20; i += 4096) p[i] = 1; }"),
      { memory_limit: 16_000 },
      [12, 137, 9, "Memory limit exceeded"],
    ],
  ];
  for (const [source_code, more, expected] of cases) {
    const answer = await submit(server, { source_code, language_id: C, ...more }, "&fields=*");
    const { status_id, exit_code, exit_signal, message } = answer;
    const said = status_id === 8 ? message?.replace(/^Output.*/, "Output limit exceeded") : message;
    assertEquals([status_id, exit_code, exit_signal, said], expected, source_code);
  }
});

test("outputs are compared as there: white space at ends does not count", async (server) => {
  const judge = async (expected_output: string) => {
    const source_code = "print(' a b  \\nc', end='\\n\\n')";
    const answer = await submit(server, { source_code, language_id: PYTHON, expected_output });
    return [answer.status.id, answer.message];
  };
  assertEquals(await judge(" a b\nc"), [3, null]);
  assertEquals(await judge(" a b\r\nc   \n\n\n"), [3, null]);
  assertEquals(await judge("a b\nc"), [4, null]);
  assertEquals(await judge(" a  b\nc"), [4, null]);
});

test("what a compiler says is answered, also if nothing is wrong", async (server) => {
  const wrong = await submit(server, { source_code: "int main() { retrn 0; }", language_id: C });
  assertEquals([wrong.status.id, wrong.stdout, wrong.time, wrong.memory], [6, null, null, null]);
  assertMatch(wrong.compile_output!, /main\.c:1:.*retrn/s);
  const source_code = "#include <stdio.h>\n#warning mind\nint main() { puts(TEXT); }";
  const compiler_options = '-DTEXT="a;$(b)" -O2';
  const warned = await submit(server, { source_code, language_id: C, compiler_options });
  assertEquals([warned.status.id, warned.stdout], [3, "a;$(b)\n"]);
  assertMatch(warned.compile_output!, /#warning mind/);
});

test("arguments, merged streams and repeated runs", async (server) => {
  const answer = await submit(server, {
    source_code: "import sys\nprint(sys.argv[1:])\nsys.stdout.flush()\nprint(2, file=sys.stderr)",
    language_id: PYTHON,
    command_line_arguments: "a $(b) 'c",
    redirect_stderr_to_stdout: true,
    number_of_runs: 3,
  });
  assertEquals(answer.stdout, "['a', '$(b)', \"'c\"]\n2\n");
  assertEquals([answer.stderr, answer.status.id], [null, 3]);
});

test("texts in base64 can be any bytes, others must be UTF-8", async (server) => {
  const source = "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])";
  const submission = {
    source_code: utf8Base64(source),
    language_id: PYTHON,
    stdin: "AP/+\n",
    expected_output: "/v8A",
  };
  const answer = await submit(
    server,
    submission,
    "&base64_encoded=true&fields=token,stdout,status",
  );
  assertEquals([answer.stdout, answer.status.id], ["/v8A", 3]);
  const plain = await ask(server, `submissions/${answer.token}`);
  const error = "some attributes for this submission cannot be converted to UTF-8, use " +
    "base64_encoded=true query parameter";
  assertEquals([plain.status, plain.body], [400, { error, token: answer.token }]);
  const fields = await ask(server, `submissions/${answer.token}?fields=status_id,time`);
  assertEquals([fields.status, fields.body.status_id], [200, 3]);
  const unknown = await ask(server, `submissions/${answer.token}?fields=status,colour`);
  assertEquals([unknown.status, unknown.body], [400, { error: "invalid fields: [colour]" }]);
});

test("a batch is answered one by one, and asked for together", async (server) => {
  const good = { source_code: "print(1)", language_id: PYTHON };
  const { status, body } = await ask(server, "submissions/batch", {
    json: { submissions: [good, { ...good, language_id: 9999 }, good] },
  });
  assertEquals(status, 201);
  assertEquals(body[1], { language_id: ["language with id 9999 doesn't exist"] });
  const tokens = [body[0].token, "none", body[2].token];
  for (const token of [tokens[0], tokens[2]]) await finished(server, token);
  const found = await ask(server, `submissions/batch?tokens=${tokens}&fields=stdout,token`);
  assertEquals(found.body, {
    submissions: [
      { stdout: "1\n", token: tokens[0] },
      null,
      { stdout: "1\n", token: tokens[2] },
    ],
  });
  const many = { submissions: Array.from({ length: 21 }, () => good) };
  const refused = await ask(server, "submissions/batch", { json: many });
  const error = "number of submissions in a batch should be less than or equal to 20";
  assertEquals([refused.status, refused.body], [400, { error }]);
  const empty = await ask(server, "submissions/batch?tokens=");
  assertEquals(empty.status, 400);
  const wrong = await ask(server, "submissions/batch", { json: [good] });
  assertEquals([wrong.status, wrong.body], [400, { error: "submissions is required as an array" }]);
});

test("additional files lie beside the program", async (server) => {
  const zip = await makeZip([{ name: "helper.py", text: "x = 7" }, { name: "data/a", text: "A" }]);
  const answer = await submit(server, {
    source_code: "import helper\nprint(helper.x, open('data/a').read())",
    language_id: PYTHON,
    additional_files: zip.toBase64(),
  });
  assertEquals([answer.stdout, answer.stderr], ["7 A\n", null]);
  const header = await makeZip([{ name: "my.h", text: "#define N 5" }]);
  const compiled = await submit(server, {
    source_code: '#include "my.h"\n#include <stdio.h>\nint main() { printf("%d", N); }',
    language_id: C,
    additional_files: header.toBase64(),
  });
  assertEquals([compiled.stdout, compiled.compile_output], ["5", null]);
});

test("archives that lead out, lie or burst are refused", async (server) => {
  const refuse = async (additional_files: string) => {
    const json = { source_code: "x", language_id: PYTHON, additional_files };
    const { status, body } = await ask(server, "submissions", { json });
    assertEquals(status, 422);
    return body.additional_files.join();
  };
  const pack = async (...parts: ZipPart[]) => refuse((await makeZip(parts)).toBase64());
  assertMatch(await pack({ name: "../x" }), /leads out of it/);
  assertMatch(await pack({ name: "/etc/passwd" }), /leads out of it/);
  assertMatch(await pack({ name: "a", mode: 0o120777, text: "/etc" }), /is a link/);
  assertMatch(await pack({ name: "a", text: "x".repeat(11 << 20) }), /more than 10485760 bytes/);
  const bomb = { name: "a", text: "x".repeat(2 << 20), sizeBytes: 10 };
  assertMatch(await pack(bomb), /larger than it says/);
  assertMatch(await refuse("AAAA"), /is no zip archive/);
  assertMatch(await refuse("?"), /is not base64/);
});

test("what is wrong with a submission is told by field, with status 422", async (server) => {
  const refused = async (json: unknown) => await ask(server, "submissions", { json });
  const empty = await refused({});
  assertEquals([empty.status, empty.body], [422, {
    language_id: ["can't be blank"],
    source_code: ["can't be blank"],
  }]);
  const { body } = await refused({
    source_code: "x",
    language_id: PYTHON,
    cpu_time_limit: 16,
    enable_network: true,
    callback_url: "http://127.0.0.1/",
  });
  assertEquals(body, {
    cpu_time_limit: ["must be less than or equal to 15.0"],
    enable_network: ["cannot be true: programs have no network on this server"],
    callback_url: ["is not allowed: this server sends no callbacks"],
  });
  assertEquals((await refused([])).status, 422);
  assertEquals((await refused("{")).status, 400);
  const text = await ask(server, "submissions", { method: "POST", body: "a=b" });
  assertEquals([text.status, text.body], [415, {
    error: "requests must be of type application/json",
  }]);
  const unknown = await ask(server, "submissions/0");
  assertEquals(unknown.status, 404);
  assertMatch(unknown.body.error, /no submission with this token/);
});

test("limits can be set, and are told", async (server) => {
  const { body } = await ask(server, "config_info");
  assertEquals([body.max_cpu_time_limit, body.cpu_time_limit, body.max_queue_size], [60, 2, 256]);
  const json = { source_code: "x", language_id: PYTHON, cpu_time_limit: 61 };
  assertEquals((await ask(server, "submissions", { json })).body, {
    cpu_time_limit: ["must be less than or equal to 60.0"],
  });
}, ["--judge0=max_cpu_time_limit=60", "--judge0=cpu_time_limit=2"]);

test("languages, statuses and the server itself are described", async (server) => {
  const languages: { id: number; name: string }[] = (await ask(server, "languages")).body;
  const python = languages.find(({ id }) => id === PYTHON)!;
  assertMatch(python.name, /^Python \(3\.\d+(\.\d+)?\)$/);
  assertEquals((await ask(server, `languages/${PYTHON}`)).body.name, python.name);
  assertEquals((await ask(server, "languages/9999")).status, 404);
  const all: { id: number; is_archived: boolean }[] = (await ask(server, "languages/all")).body;
  assertEquals(
    all.filter(({ is_archived }) => !is_archived).map(({ id }) => id),
    languages.map(({ id }) => id),
  );
  const statuses = (await ask(server, "statuses")).body;
  assertEquals([statuses.length, statuses[13]], [14, { id: 14, description: "Exec Format Error" }]);
  assertEquals((await ask(server, "version")).body, "1.13.1");
  assertEquals((await ask(server, "about")).body.version, "1.13.1");
  const [worker] = (await ask(server, "workers")).body;
  assertEquals([worker.available, worker.working, worker.size], [3, 0, 0]);
  assertEquals(typeof (await ask(server, "system_info")).body["CPU(s)"], "string");
}, ["--jobs=3"]);

testWith(base, "a callback gets the usual fields in base64", async () => {
  const { promise: called, resolve } = Promise.withResolvers<[string, Answer]>();
  await using receiver = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      resolve([request.method, await request.json()]);
      return new Response();
    },
  );
  await using server = await ApiServer.start("--callbacks=127.0.0.1");
  const callback_url = `http://127.0.0.1:${receiver.addr.port}/hook`;
  const json = { source_code: "print('é')", language_id: PYTHON, callback_url };
  const { body } = await ask(server, "submissions", { json });
  const [method, { token, time: _, memory: __, ...answer }] = await called;
  assertEquals([method, token], ["PUT", body.token]);
  assertEquals(answer, {
    stdout: utf8Base64("é\n"),
    stderr: null,
    compile_output: null,
    message: null,
    status: { id: 3, description: "Accepted" },
  });
  const other = { ...json, callback_url: "http://169.254.169.254/latest" };
  const refused = await ask(server, "submissions", { json: other });
  assertEquals([refused.status, refused.body], [422, {
    callback_url: ["must not lead to 169.254.169.254: this server does not send callbacks there"],
  }]);
});

testWith(base, "tokens are needed where the administrator says so", async () => {
  await withFolder(async (folder) => {
    const [secret, user] = ["the-clients-secret", "the-listers-secret"];
    await Deno.writeTextFile(`${folder}/token`, `${secret}\n`);
    await Deno.writeTextFile(`${folder}/user`, `${user}\n`);
    await using server = await ApiServer.start(
      `--token-file=${folder}/token`,
      `--user-token-file=${folder}/user`,
      "--allow-delete",
    );
    const headers = { "X-Auth-Token": secret };
    const both = { ...headers, "X-Auth-User": user };
    assertEquals((await ask(server, "languages")).status, 401);
    assertEquals(
      (await ask(server, "languages", { headers: { "X-Auth-Token": "x" } })).status,
      401,
    );
    assertEquals((await ask(server, "languages", { headers })).status, 200);
    assertEquals((await ask(server, `languages?X-Auth-Token=${secret}`)).status, 200);
    assertEquals((await ask(server, "authenticate", { method: "POST", headers })).status, 200);
    assertEquals((await ask(server, "authenticate", { method: "POST" })).status, 401);
    assertEquals((await ask(server, "authorize", { method: "POST", headers })).status, 403);
    assertEquals((await ask(server, "authorize", { method: "POST", headers: both })).status, 200);

    const json = { source_code: "print(1)", language_id: PYTHON };
    const tokens: string[] = [];
    for (let i = 0; i < 3; i++) {
      tokens.push((await ask(server, "submissions?wait=true", { json, headers })).body.token);
    }
    assertEquals((await ask(server, "submissions", { headers })).status, 403);
    const page = await ask(server, "submissions?per_page=2&fields=token", { headers: both });
    assertEquals(page.body, {
      submissions: [{ token: tokens[2] }, { token: tokens[1] }],
      meta: { current_page: 1, next_page: 2, prev_page: null, total_pages: 2, total_count: 3 },
    });
    const wrong = await ask(server, "submissions?page=-4", { headers: both });
    assertEquals([wrong.status, wrong.body], [400, { error: "invalid page: -4" }]);
    const path = `submissions/${tokens[0]}`;
    assertEquals((await ask(server, path, { method: "DELETE", headers })).status, 403);
    const removed = await ask(server, path, { method: "DELETE", headers: both });
    assertEquals([removed.status, removed.body.stdout], [200, utf8Base64("1\n")]);
    assertEquals((await ask(server, path, { headers })).status, 404);
  });
});

test("a full queue is told, and a batch is all or nothing", async (server) => {
  const slow = { source_code: "import time\ntime.sleep(20)", language_id: PYTHON };
  for (let i = 0; i < 2; i++) {
    assertEquals((await ask(server, "submissions", { json: slow })).status, 201);
  }
  const refused = await ask(server, "submissions", { json: slow });
  assertEquals([refused.status, refused.body], [503, { error: "queue is full" }]);
  assert(Number(refused.headers.get("Retry-After")) >= 1);
  const batch = await ask(server, "submissions/batch", { json: { submissions: [slow, slow] } });
  assertEquals([batch.status, batch.body], [503, { error: "queue is full" }]);
}, ["--jobs=1", "--queue-limit=1", "--stop-wait=0.1"]);

test("a client that goes away does not leave its program behind", async (server) => {
  const gone = new AbortController();
  const request = server.post(
    "submissions?wait=true",
    { source_code: "import time\ntime.sleep(60)", language_id: PYTHON, wall_time_limit: 20 },
    { signal: gone.signal },
  ).catch(() => {});
  await until(() => boxProcesses() > 0);
  await until(async () => (await ask(server, "workers")).body[0].working === 1);
  gone.abort();
  await request;
  await until(() => boxProcesses() === 0);
});

testWith(
  base,
  "programs have the network only if the administrator and the client say so",
  async () => {
    await using listener = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      () => new Response("reached"),
    );
    const source_code = `
import urllib.request
try: print(urllib.request.urlopen("http://127.0.0.1:${listener.addr.port}/").read().decode())
except OSError: print("not reached")`;
    await using server = await ApiServer.start("--allow-network");
    for (const enable_network of [false, true]) {
      const { stdout } = await submit(server, { source_code, language_id: PYTHON, enable_network });
      assertEquals(stdout, enable_network ? "reached\n" : "not reached\n");
    }
  },
);

testWith(base, "results in a file outlive the server, and what was lost says so", async () => {
  await withFolder(async (folder) => {
    const option = `--results=${folder}/results.db`;
    let [done, lost] = ["", ""];
    {
      await using server = await ApiServer.start(option, "--stop-wait=0.1");
      const json = { source_code: "print(1)", language_id: PYTHON };
      done = (await submit(server, json)).token;
      const slow = { source_code: "import time\ntime.sleep(60)", language_id: PYTHON };
      lost = (await ask(server, "submissions", { json: slow })).body.token;
      await until(() => boxProcesses() > 0);
      await server.stop("SIGKILL");
    }
    await until(() => boxProcesses() === 0);
    await using server = await ApiServer.start(option);
    assertEquals((await ask(server, `submissions/${done}`)).body.stdout, "1\n");
    const { status, message } = (await ask(server, `submissions/${lost}`)).body;
    assertEquals([status.id, message], [
      13,
      "The server ended before the submission was executed",
    ]);
  });
});
