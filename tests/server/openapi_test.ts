/** The answers of a real server are as its OpenAPI document says. */

import { assert, assertEquals } from "@std/assert";
import { ApiServer } from "isolate/tests/support/api_server.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { type JsonSchema, schemaErrors } from "isolate/tests/support/json_schema.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";

const base = [needs.root(), needs.command("python3"), needs.command("gcc")];
const USER = "the-listers-secret";

interface Ask {
  /** Method and path of the document. */
  readonly route: string;
  /** What stands for the names in the path, and the query. */
  readonly path?: string;
  readonly json?: unknown;
  readonly status: number;
  readonly headers?: Record<string, string>;
}

const PYTHON = { source_code: "print(1)", language_id: 71 };
const EXECUTE = { language: "python", version: "*", files: [{ content: "print(1)" }] };
const RUN = {
  language: "c",
  source: '#include <stdio.h>\nint main() { puts("1"); }',
  tests: [{ name: "a", expected: "1" }, { expected: "2" }],
};
const USER_HEADER = { "X-Auth-User": USER };

/** Requests to each route; `TOKEN` is that of a submission. */
const ASKS: readonly Ask[] = [
  { route: "POST /run", json: RUN, status: 200 },
  { route: "POST /run", json: { ...RUN, source: "int" }, status: 200 },
  { route: "POST /run", json: { ...RUN, tests: 1 }, status: 400 },
  { route: "POST /run", json: RUN, headers: { "Idempotency-Key": "a" }, status: 200 },
  { route: "POST /run", json: EXECUTE, headers: { "Idempotency-Key": "a" }, status: 400 },
  {
    route: "POST /run",
    json: { ...RUN, language: "cpp" },
    headers: { "Idempotency-Key": "a" },
    status: 422,
  },
  { route: "GET /run/languages", status: 200 },
  {
    route: "POST /judge",
    json: { package: "none", files: [{ name: "a.py", content: "" }] },
    status: 404,
  },
  { route: "POST /judge", json: {}, status: 400 },
  { route: "DELETE /judge/{id}", path: "/judge/none", status: 404 },
  { route: "DELETE /run/{id}", path: "/run/none", status: 404 },
  { route: "POST /submissions", json: PYTHON, status: 201 },
  {
    route: "POST /submissions",
    path: "/submissions?wait=true&fields=*",
    json: PYTHON,
    status: 201,
  },
  {
    route: "POST /submissions",
    path: "/submissions?wait=true",
    json: { ...PYTHON, source_code: "import os; os.write(1, b'\\xff')" },
    status: 400,
  },
  { route: "POST /submissions", json: { language_id: {} }, status: 422 },
  {
    route: "POST /submissions/batch",
    json: { submissions: [PYTHON, {}, 1] },
    status: 201,
  },
  { route: "POST /submissions/batch", json: {}, status: 400 },
  {
    route: "GET /submissions/batch",
    path: "/submissions/batch?tokens=TOKEN,none&fields=*",
    status: 200,
  },
  { route: "GET /submissions/{token}", path: "/submissions/TOKEN?fields=*", status: 200 },
  { route: "GET /submissions/{token}", path: "/submissions/TOKEN?fields=x", status: 400 },
  { route: "GET /submissions/{token}", path: "/submissions/none", status: 404 },
  { route: "GET /submissions", status: 403 },
  {
    route: "GET /submissions",
    path: "/submissions?base64_encoded=true",
    headers: USER_HEADER,
    status: 200,
  },
  { route: "DELETE /submissions/{token}", path: "/submissions/none", status: 403 },
  {
    route: "DELETE /submissions/{token}",
    path: "/submissions/none",
    headers: USER_HEADER,
    status: 404,
  },
  {
    route: "DELETE /submissions/{token}",
    path: "/submissions/TOKEN",
    headers: USER_HEADER,
    status: 200,
  },
  ...["languages", "languages/all", "statuses", "config_info", "system_info", "workers", "about"]
    .map((name): Ask => ({ route: `GET /${name}`, status: 200 })),
  { route: "GET /version", status: 200 },
  { route: "GET /languages/{id}", path: "/languages/71", status: 200 },
  { route: "GET /languages/{id}", path: "/languages/x", status: 404 },
  { route: "POST /authenticate", status: 200 },
  { route: "POST /authorize", status: 403 },
  { route: "POST /authorize", headers: USER_HEADER, status: 200 },
  ...["/api/v2", "/api/v2/piston"].flatMap((prefix): Ask[] => [
    { route: `POST ${prefix}/execute`, json: EXECUTE, status: 200 },
    { route: `POST ${prefix}/execute`, json: { ...EXECUTE, files: 1 }, status: 400 },
    { route: `GET ${prefix}/runtimes`, status: 200 },
    { route: `GET ${prefix}/packages`, status: 200 },
    { route: `POST ${prefix}/packages`, json: {}, status: 403 },
    { route: `DELETE ${prefix}/packages`, status: 403 },
  ]),
  ...["/", "/healthz", "/readyz", "/metrics", "/openapi.json"]
    .map((path): Ask => ({ route: `GET ${path}`, status: 200 })),
];

// deno-lint-ignore no-explicit-any
type Document = any;

/** Tells how an answer is not as the document says. */
async function differences(
  document: Document,
  { route, response }: { route: string; response: Response },
): Promise<string[]> {
  const [method, path] = route.split(" ") as [string, string];
  const described = document.paths[path]?.[method.toLowerCase()]?.responses[response.status];
  if (!described) return [`${route} is not described with ${response.status}`];
  const type = response.headers.get("Content-Type")?.split(";")[0] ?? "";
  const text = await response.text();
  if (!described.content) return text === "" ? [] : [`${route} has a body`];
  const schema: JsonSchema | undefined = described.content[type]?.schema;
  if (!schema) return [`${route} is not described with ${type}`];
  const value = type === "application/json" ? JSON.parse(text) : text;
  return schemaErrors(value, schema, { root: document, at: `${route} ${response.status}` });
}

testWith(base, "all routes answer as the OpenAPI document says", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/user`, USER);
    await using server = await ApiServer.start(
      `--user-token-file=${folder}/user`,
      "--allow-delete",
    );
    const root = server.url.slice(0, -1);
    const document: Document = await (await fetch(`${root}/openapi.json`)).json();
    assertEquals(document.openapi, "3.1.0");
    const submitted = await server.post("submissions?wait=true", PYTHON);
    const { token } = await submitted.json();
    const wrong: string[] = [];
    for (const { route, path, json, status, headers = {} } of ASKS) {
      const [method, itself] = route.split(" ") as [string, string];
      const response = await fetch(`${root}${(path ?? itself).replace("TOKEN", token)}`, {
        method,
        headers: { ...json !== undefined && { "Content-Type": "application/json" }, ...headers },
        body: json === undefined ? null : JSON.stringify(json),
      });
      if (response.status !== status) {
        wrong.push(`${route} answers ${response.status}, not ${status}`);
      }
      wrong.push(...await differences(document, { route, response }));
    }
    assertEquals(wrong, []);
    const asked = new Set(ASKS.map(({ route }) => route));
    const described = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
    );
    assertEquals(described.filter((route) => !asked.has(route)), []);
    assert(described.length > 30);
  });
});
