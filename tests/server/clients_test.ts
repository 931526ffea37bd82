/** Clients that others have published, unchanged: `tools/py/clients.txt` and `tools/npm-clients/` pin them. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { withFolder } from "../../tools/process.ts";
import { ApiServer } from "../support/api_server.ts";
import { needs, testWith } from "../support/skip.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const PYTHON_MODULES = `${ROOT}.tools/py-clients`;
const NODE_MODULES = `${ROOT}.tools/npm-clients/node_modules`;
const CLIENTS = `${ROOT}tests/server/clients`;
const ANSWER_MS = 60_000;

const PYTHON = [
  needs.root(),
  needs.command("gcc"),
  needs.path(`${PYTHON_MODULES}/judge0`, "clients from PyPI"),
];
const NODE = [
  needs.root(),
  needs.command("gcc"),
  needs.command("node"),
  needs.path(`${NODE_MODULES}/ws`, "clients from npm"),
];

/** Runs a client, and returns what it tells. */
async function run(
  command: readonly string[],
  env: Record<string, string> = {},
  // deno-lint-ignore no-explicit-any
): Promise<any> {
  const [program, ...args] = command;
  const child = new Deno.Command(program!, {
    args,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const { success, stdout, stderr } = await child.output();
  assert(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function runPython(
  client: string,
  args: readonly string[],
  env: Record<string, string> = {},
) {
  const isolated = { PYTHONPATH: PYTHON_MODULES, PYTHONDONTWRITEBYTECODE: "1" };
  return await run(["python3", `${CLIENTS}/${client}`, ...args], { ...isolated, ...env });
}

/**
 * Modules are looked for beside the client: so it is put beside them. It is told their names, as nothing here
 * can check types of what may be missing.
 */
async function runNode(client: string, args: readonly string[]) {
  return await withFolder(async (folder) => {
    await Deno.symlink(NODE_MODULES, `${folder}/node_modules`);
    await Deno.copyFile(`${CLIENTS}/${client}`, `${folder}/${client}`);
    return await run(["node", `${folder}/${client}`, ...args]);
  });
}

/** Addresses as people write them have no slash at the end. */
function addressOf(server: ApiServer): string {
  return server.url.replace(/\/$/, "");
}

testWith(NODE, "piston-client of npm runs programs", async () => {
  await using server = await ApiServer.start();
  const told = await runNode("piston_client.mjs", [addressOf(server), "piston-client"]);
  const names = told.runtimes.map(({ language }: { language: string }) => language);
  assert(names.includes("python") && names.includes("c"), names.join(", "));
  assertEquals(told.python.run.stdout, "typed ['one', 'two words']\n");
  assertEquals([told.c.compile.code, told.c.run.code, told.c.run.stdout], [0, 3, "compiled\n"]);
  assertMatch(told.unknown.message, /^cobol-77-1\.0\.0 runtime is unknown/);
});

testWith(NODE, "ws of npm talks to a program", async () => {
  await using server = await ApiServer.start();
  const { code, messages } = await runNode("websocket.mjs", [addressOf(server), "ws"]);
  assertEquals(code, 4999);
  const text = messages.filter(({ type }: { type: string }) => type === "data")
    .map(({ data }: { data: string }) => data).join("");
  assertEquals(text, "got first\n" + "got second\n");
  assertEquals(messages.at(-1), { ...messages.at(-1), type: "exit", stage: "run", code: 0 });
});

testWith(PYTHON, "websockets of PyPI sends a signal to a program", async () => {
  await using server = await ApiServer.start();
  const { code, messages } = await runPython("websocket.py", [addressOf(server)]);
  assertEquals(code, 4999, JSON.stringify(messages));
  assertEquals(messages.at(-2), { type: "data", stream: "stdout", data: "stopped\n" });
  assertEquals(messages.at(-1).code, 5);
});

testWith(PYTHON, "ultra-piston of PyPI runs programs", async () => {
  await using server = await ApiServer.start();
  const told = await runPython("ultra_piston_client.py", [addressOf(server)]);
  assert(told.runtimes.length > 1 && told.packages.length > 1);
  assertEquals([told.crash.run.code, told.crash.run.signal], [null, "SIGABRT"]);
  assertEquals(told.shout.run.stdout, "SHOUT\n");
  assertMatch(told.refused, /400/);
});

testWith(PYTHON, "judge0 of PyPI judges test cases", async () => {
  await using server = await ApiServer.start();
  const told = await runPython("judge0_sdk.py", [], {
    JUDGE0_CE_ENDPOINT: addressOf(server),
    JUDGE0_CE_AUTH_HEADERS: "{}",
  });
  assertEquals(told.cases.map(({ status }: { status: string }) => status), [
    "ACCEPTED",
    "WRONG_ANSWER",
    "RUNTIME_ERROR_NZEC",
  ]);
  assertEquals(told.beside.stdout, "beside");
  assertEquals([told.c.stdout, told.c.exit_code], ["2 word\n", 4]);
  assertEquals(told.wrong.status, "COMPILATION_ERROR");
  assertMatch(told.wrong.compile_output, /undeclared/);
  assertEquals(told.slow.status, "TIME_LIMIT_EXCEEDED");
  assertEquals(told.statuses.length, 14);
});

testWith(
  PYTHON,
  "judge0-client of PyPI, which has a token, gets all that a program wrote",
  async () => {
    await withFolder(async (folder) => {
      const token = crypto.randomUUID();
      await Deno.writeTextFile(`${folder}/token`, token);
      await using server = await ApiServer.start(`--token-file=${folder}/token`);
      const told = await runPython("judge0_async.py", [addressOf(server), token]);
      assertEquals(told.detail.stdout, "iné\n");
      assertEquals(told.detail.stderr, "oops\n");
      assertEquals(told.detail.status, { id: 11, description: "Runtime Error (NZEC)" });
      assertEquals(told.workers.length, 1);
      assertMatch(told.refused, /401/);
    });
  },
);
