/** The execution server with clients that are slow, gone, too many, strangers, or mistaken. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ApiServer, readToEnd } from "isolate/tests/support/api_server.ts";
import { boxProcesses, removeLeftBoxes, until } from "isolate/tests/support/executor.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";

const base = [needs.root(), needs.command("python3")];
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

const python = (content: string) => ({ language: "python", version: "*", files: [{ content }] });
const SLEEP = python("import time\ntime.sleep(60)");

/** Answers a status, and forgets the body. */
async function statusOf(response: Promise<Response>): Promise<number> {
  const { status, body } = await response;
  await body?.cancel();
  return status;
}

/** Sends bytes to a server that is expected to end the connection. */
async function exchange(server: ApiServer, text: string): Promise<{ text: string; ms: number }> {
  const connection = await server.connect();
  await connection.write(new TextEncoder().encode(text));
  return await readToEnd(connection);
}

test("addresses, methods and names of requests are what clients expect", async (server) => {
  assertEquals(await statusOf(fetch(`${server.url}healthz`)), 200);
  assertEquals(await statusOf(fetch(`${server.url}readyz/`)), 200);
  const missing = await fetch(`${server.url}nothing`);
  assertEquals([missing.status, await missing.json()], [404, {
    message: "there is no /nothing here",
  }]);
  const wrong = await fetch(`${server.url}${EXECUTE}`);
  assertEquals([wrong.status, wrong.headers.get("Allow")], [405, "POST"]);
  await wrong.body?.cancel();
  const head = await fetch(`${server.url}api/v2/runtimes`, { method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
  const named = await fetch(`${server.url}healthz`, { headers: { "X-Request-Id": "mine-1" } });
  assertEquals([named.headers.get("X-Request-Id"), await named.text()], ["mine-1", "ok\n"]);
  const odd = await fetch(`${server.url}healthz`, { headers: { "X-Request-Id": "a b" } });
  assertMatch(odd.headers.get("X-Request-Id") ?? "", /^[0-9a-f-]{36}$/);
  await odd.body?.cancel();
});

test(
  "a body that is no JSON is answered with 415, one that is too large with 413",
  async (server) => {
    const text = await server.post(EXECUTE, "print(1)", {
      headers: { "Content-Type": "text/plain" },
    });
    assertEquals([text.status, await text.json()], [415, {
      message: "requests must be of type application/json",
    }]);
    assertEquals(await statusOf(server.post(EXECUTE, "{")), 400);
    const types = ["text/plain;charset=UTF-8", "application/xml"];
    const statuses = types.map((type) =>
      statusOf(server.post(EXECUTE, python("1"), { headers: { "Content-Type": type } }))
    );
    assertEquals(await Promise.all(statuses), [200, 415], "published clients say text/plain");
    const large = JSON.stringify({ x: "x".repeat(1 << 20) });
    assertEquals(await statusOf(server.post(EXECUTE, large)), 413);
    // Without an announced length it is noticed as it comes.
    const chunk = "x".repeat(60_000);
    const chunks = `${chunk.length.toString(16)}\r\n${chunk}\r\n`.repeat(20);
    const { text: answer } = await exchange(
      server,
      `POST /${EXECUTE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
        `Transfer-Encoding: chunked\r\n\r\n${chunks}`,
    );
    assertMatch(answer, /^HTTP\/1\.1 413 /);
  },
  ["--body-limit=1"],
);

test("a client that sends its body too slowly is answered with 408", async (server) => {
  const { text, ms } = await exchange(
    server,
    `POST /${EXECUTE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
      "Content-Length: 100\r\n\r\n{",
  );
  assertMatch(text, /^HTTP\/1\.1 408 /);
  assert(ms > 1500 && ms < 30_000, `${ms}`);
}, ["--idle-time=2"]);

test("connections on which nothing is asked for are ended, others are not", async (server) => {
  const working = server.post(EXECUTE, python("import time\ntime.sleep(5)\nprint(1)"));
  const [silent, half, idle] = await Promise.all([
    exchange(server, ""),
    exchange(server, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"),
    exchange(server, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  ]);
  assertEquals([silent.text, half.text], ["", ""]);
  assertMatch(idle.text, /200 OK/);
  for (const { ms } of [silent, half, idle]) assert(ms > 1500 && ms < 30_000, `${ms}`);
  assertEquals((await (await working).json()).run.stdout, "1\n");
  const metrics = await (await fetch(`${server.url}metrics`)).text();
  assertMatch(metrics, /^isolate_api_connections_ended_total 3$/m);
}, ["--run-time=60", "--idle-time=2"]);

test("a client that goes away has its box killed", async (server) => {
  const gone = new AbortController();
  const answer = server.post(EXECUTE, SLEEP, { signal: gone.signal });
  answer.catch(() => {});
  await until(() => boxProcesses() > 0);
  gone.abort();
  await until(() => boxProcesses() === 0);
  const metrics = async () => await (await fetch(`${server.url}metrics`)).text();
  await until(async () => /ending="cancelled"} 1$/m.test(await metrics()));
  assert(!/Deno\.serve|warning/i.test(server.printed), server.printed);
}, ["--run-time=100"]);

test("clients that send half a body keep nobody else out", async (server) => {
  const head =
    `POST /${EXECUTE} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
    "Content-Length: 100\r\n\r\n{";
  const half = await Promise.all(Array.from({ length: 100 }, () => server.connect()));
  try {
    for (const connection of half) await connection.write(new TextEncoder().encode(head));
    // Until the server has read all of them.
    await until(async () => {
      const text = await (await fetch(`${server.url}metrics`)).text();
      return Number(/^isolate_api_requests (\d+)$/m.exec(text)?.[1]) > 100;
    });
    assertEquals(await statusOf(server.post(EXECUTE, python("print(1)"))), 200);
  } finally {
    for (const connection of half) connection.close();
  }
});

test("jobs that are too many are answered with 503 and a time", async (server) => {
  const gone = new AbortController();
  const { signal } = gone;
  const running = server.post(EXECUTE, SLEEP, { signal });
  await until(() => boxProcesses() > 0);
  const waiting = server.post(EXECUTE, SLEEP, { signal });
  const metrics = async () => await (await fetch(`${server.url}metrics`)).text();
  await until(async () => /^isolate_api_jobs_waiting 1$/m.test(await metrics()));
  const refused = await server.post(EXECUTE, SLEEP);
  assertEquals(refused.status, 503);
  assert(Number(refused.headers.get("Retry-After")) >= 1);
  assertMatch((await refused.json()).message, /^Too many jobs/);
  gone.abort();
  await Promise.allSettled([running, waiting]);
  await until(async () => /^isolate_api_jobs_running 0$/m.test(await metrics()));
}, ["--jobs=1", "--queue-limit=1", "--run-time=100"]);

test("a client that asks too often is answered with 429 and a time", async (server) => {
  const statuses: number[] = [];
  for (let i = 0; i < 10; i++) statuses.push(await statusOf(fetch(`${server.url}api/v2/runtimes`)));
  assertEquals(statuses.slice(0, 4), [200, 200, 200, 200]);
  const refused = await fetch(`${server.url}api/v2/runtimes`);
  assertEquals([refused.status, Number(refused.headers.get("Retry-After")) >= 1], [429, true]);
  await refused.body?.cancel();
  assertEquals(await statusOf(fetch(`${server.url}healthz`)), 200);
}, ["--rate-limit=2"]);

testWith(base, "a server with a token answers only who knows it", async () => {
  await withFolder(async (folder) => {
    const token = "correct-horse-battery";
    await Deno.writeTextFile(`${folder}/token`, `${token}\n`);
    await using server = await ApiServer.start(
      "--listen=0.0.0.0:0",
      `--token-file=${folder}/token`,
    );
    const url = server.url.replace("0.0.0.0", "127.0.0.1");
    const ask = async (path: string, authorization?: string) => {
      const headers = authorization === undefined ? {} : { Authorization: authorization };
      return await statusOf(fetch(url + path, { headers }));
    };
    assertEquals(await ask("api/v2/runtimes"), 401);
    assertEquals(await ask("api/v2/runtimes", "Bearer wrong"), 401);
    assertEquals(await ask("api/v2/runtimes", `Bearer ${token}x`), 401);
    assertEquals(await ask("api/v2/runtimes", `Bearer ${token}`), 200);
    assertEquals(await ask("api/v2/runtimes", token), 200);
    assertEquals([await ask("metrics"), await ask("healthz")], [401, 200]);
    assertEquals(await ask("api/v2/connect"), 401);
  });
});

/** Starts a server that must refuse to start, and gives what it says. */
async function refusal(...options: string[]): Promise<string> {
  try {
    await using server = await ApiServer.start(...options);
    return `it listens on ${server.url}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

testWith(
  base,
  "a server that strangers can reach needs a token, or is told that it needs none",
  async () => {
    assertMatch(
      await refusal("--listen=0.0.0.0:0"),
      /Option --listen names an address that others/,
    );
    await using open = await ApiServer.start("--listen=0.0.0.0:0", "--no-token");
    await until(() => /WARNING: whoever reaches this address/.test(open.printed));
  },
);

testWith(base, "options that cannot be are refused in one sentence", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/short`, "short\n");
    const sentences: [string[], RegExp][] = [
      [["--listen=nowhere"], /Invalid address: nowhere \(--listen takes/],
      [["--listen=127.0.0.1:99999"], /Invalid address/],
      [["--listen=127.0.0.1:1", "--token-file=/missing"], /cannot open \/missing/i],
      [[`--token-file=${folder}/short`], /must have at least 16 characters/],
      [[`--token-file=${folder}/short`, "--no-token"], /Only one of --token-file and --no-token/],
      [["--run-time=0"], /--run-time must be more than 0 seconds/],
      [["--jobs=0"], /out of range: 0/],
      [["--allow-origin=*"], /"\*" is no origin/],
      [["--trust-proxy=proxy.example.org"], /"proxy\.example\.org" is no proxy/],
      [["--jobs=41"], /--jobs must be at most 40/],
      [["extra"], /api takes no parameters/],
    ];
    for (const [options, sentence] of sentences) assertMatch(await refusal(...options), sentence);
  });
});

test("pages of other sites cannot use the server through a browser", async (server) => {
  // fetch() does not let a program choose the origin.
  const ask = async (origin: string) => {
    const { host } = new URL(server.url);
    const { text } = await exchange(
      server,
      `GET /api/v2/runtimes HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\nConnection: close\r\n\r\n`,
    );
    return text.split(" ")[1];
  };
  assertEquals(await ask("https://evil.example"), "403");
  assertEquals(await ask("null"), "403");
  assertEquals(await ask(server.url.slice(0, -1)), "200");
});

test("pages of allowed sites use the server through a browser", async (server) => {
  const ask = async (method: string, path: string, headers: string) => {
    const { host } = new URL(server.url);
    const { text } = await exchange(
      server,
      `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}Connection: close\r\n\r\n`,
    );
    return text;
  };
  const site = "Origin: https://course.example.org\r\n";
  const before = "Access-Control-Request-Method: POST\r\n";
  const asked = await ask("OPTIONS", "/run", site + before);
  assertMatch(asked, /^HTTP\/1\.1 204/);
  assertMatch(asked, /access-control-allow-origin: https:\/\/course\.example\.org\r\n/i);
  assertMatch(asked, /access-control-allow-headers: .*Authorization, Content-Type/i);
  // What goes wrong must be readable as well.
  for (const path of ["/run/languages", "/none"]) {
    assertMatch(await ask("GET", path, site), /access-control-allow-origin: https:\/\/course/i);
  }
  const other = "Origin: https://evil.example\r\n";
  assertMatch(await ask("OPTIONS", "/run", other + before), /^HTTP\/1\.1 405/);
  const refused = await ask("GET", "/run/languages", other);
  assertMatch(refused, /^HTTP\/1\.1 403/);
  assert(!/access-control-allow-origin/i.test(refused), refused);
}, ["--allow-origin=https://course.example.org"]);

test("clients of a trusted proxy are told apart", async (server) => {
  const ask = (client: string) =>
    statusOf(fetch(`${server.url}run/languages`, { headers: { "X-Forwarded-For": client } }));
  const first: number[] = [];
  for (let i = 0; i < 10; i++) first.push(await ask(`9.9.9.${i}, 203.0.113.1`));
  assert(first.includes(429), first.join());
  assertEquals(await ask("203.0.113.2"), 200);
}, ["--rate-limit=2", "--trust-proxy=127.0.0.1"]);

testWith(base, "a server that is stopped ends its requests first, and leaves nothing", async () => {
  const server = await ApiServer.start();
  const answer = server.post(EXECUTE, python("import time\ntime.sleep(1)\nprint(1)"));
  await until(() => boxProcesses() > 0);
  const stopped = server.stop();
  assertEquals((await (await answer).json()).run.stdout, "1\n");
  assertEquals([await stopped, boxProcesses()], [0, 0]);
});

testWith(base, "a server that is stopped does not wait longer than it should", async () => {
  const server = await ApiServer.start("--run-time=100", "--stop-wait=1");
  const answer = server.post(EXECUTE, SLEEP);
  answer.catch(() => {});
  await until(() => boxProcesses() > 0);
  assertEquals(await server.stop("SIGINT"), 0);
  assertEquals(boxProcesses(), 0);
  await answer.then((response) => response.body?.cancel(), () => {});
});

testWith(base, "a server that is killed leaves no box that runs", async () => {
  const server = await ApiServer.start("--run-time=100");
  const answer = server.post(EXECUTE, SLEEP);
  answer.catch(() => {});
  await until(() => boxProcesses() > 0);
  await server.stop("SIGKILL");
  await until(() => boxProcesses() === 0);
  await removeLeftBoxes();
});

testWith(
  base,
  "a server listens on a unix socket, also where a killed one left its own",
  async () => {
    await withFolder(async (folder) => {
      const path = `${folder}/api`;
      const ask = async () => {
        using client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
        return await (await fetch("http://localhost/healthz", { client })).text();
      };
      const killed = await ApiServer.start(`--listen=unix:${path}`);
      assertEquals(await ask(), "ok\n");
      await killed.stop("SIGKILL");
      await removeLeftBoxes();
      const server = await ApiServer.start(`--listen=unix:${path}`);
      assertEquals(await ask(), "ok\n");
      assertMatch(await refusal(`--listen=unix:${path}`), /Another server listens at .* already/);
      assertEquals(await ask(), "ok\n");
      assertEquals(await server.stop(), 0);
      assertEquals([...Deno.readDirSync(folder)], []);
    });
  },
);

test("many clients at once get their answers, or are told to come back", async (server) => {
  const all = await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    const response = await server.post(EXECUTE, python(`print(${i})`));
    const body = await response.json();
    if (response.status === 503) return 503;
    assertEquals([response.status, body.run.stdout], [200, `${i}\n`]);
    return 200;
  }));
  assert(all.filter((status) => status === 200).length >= 40, `${all}`);
}, ["--queue-limit=40"]);
