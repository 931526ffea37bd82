/** Requests to the execution server that Schemathesis makes of its OpenAPI document. */

import { withFolder } from "../../tools/process.ts";
import { ApiServer } from "./api_server.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** `./dev` installs `tools/py/fuzz.txt` there. */
export const FUZZER_MODULES = `${ROOT}.tools/py-fuzz`;

const USER = "the-listers-secret";
/** A program that never ends is a matter of chance: it must not take long. */
const RUN_SECONDS = 2;
/** Requests for each operation of the document in one round; other rounds have other seeds. */
const ROUND_REQUESTS = 200;
/** What an answer must be. That it is 500 is one of the things that it must not be. */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "unsupported_method",
  "allow_header_conformance",
];

/** What was sent, and what was wrong with the answers. */
export interface ApiFuzzReport {
  readonly requests: number;
  /** How many of them ran a program. */
  readonly jobs: number;
  readonly rounds: number;
  readonly harm: readonly string[];
}

// deno-lint-ignore no-explicit-any
type Json = any;

/** Sends at least so many requests: half of them as the document says, half of them not. */
export async function fuzzApi({ requests, seed, log = () => {} }: {
  requests: number;
  seed: number;
  log?: (line: string) => void;
}): Promise<ApiFuzzReport> {
  return await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/user`, USER);
    await using server = await ApiServer.start(
      ...[`--user-token-file=${folder}/user`, "--allow-delete", `--run-time=${RUN_SECONDS}`],
    );
    await Deno.writeTextFile(
      `${folder}/openapi.json`,
      JSON.stringify(await documentFor(server)),
    );
    const harm: string[] = [];
    let done = { requests: 0, jobs: 0 };
    let rounds = 0;
    while (done.requests < requests && harm.length === 0) {
      // A short run has few requests besides those at the edges.
      const perOperation = Math.max(1, Math.min(ROUND_REQUESTS, Math.ceil(requests / 100)));
      const { success, printed } = await round(server, {
        folder,
        perOperation,
        seed: seed + rounds,
      });
      rounds++;
      if (!success) harm.push(printed);
      done = await countsOf(server);
      log(`${done.requests} requests, ${done.jobs} programs run`);
    }
    const faults = server.printed.split("\n").filter((line) => line.includes("failed"));
    return { ...done, rounds, harm: [...harm, ...faults] };
  });
}

/**
 * Says more than the document can, which is that of any machine: what the languages are called here.
 * Otherwise chance would find hardly one, and nearly no program would run.
 */
async function documentFor({ url }: ApiServer): Promise<Json> {
  const get = async (path: string): Promise<Json> => await (await fetch(`${url}${path}`)).json();
  const [document, languages, numbers, runtimes] = await Promise.all(
    ["openapi.json", "run/languages", "languages", "api/v2/runtimes"].map(get),
  );
  const { RunRequest, Judge0Submission, PistonRequest } = document.components.schemas;
  RunRequest.properties.language = { enum: languages.map(({ id }: Json) => id) };
  Judge0Submission.properties.language_id = { enum: numbers.map(({ id }: Json) => id) };
  PistonRequest.properties.language = { enum: runtimes.map(({ language }: Json) => language) };
  PistonRequest.properties.version = { enum: ["*"] };
  return document;
}

async function round({ url }: ApiServer, { folder, perOperation, seed }: {
  folder: string;
  perOperation: number;
  seed: number;
}): Promise<{ success: boolean; printed: string }> {
  const { success, stdout, stderr } = await new Deno.Command("python3", {
    args: [
      ...["-m", "schemathesis.cli", "run", `${folder}/openapi.json`, `--url=${url.slice(0, -1)}`],
      ...["--no-color", "--warnings=off", "--phases=examples,coverage,fuzzing"],
      ...[`--max-examples=${perOperation}`, `--seed=${seed}`, `--checks=${CHECKS.join(",")}`],
      ...["--continue-on-failure", "--generation-database=none", "--suppress-health-check=all"],
      ...["-H", `X-Auth-User: ${USER}`],
    ],
    env: { PYTHONPATH: FUZZER_MODULES, PYTHONDONTWRITEBYTECODE: "1" },
    cwd: folder,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { success, printed: text(stdout) + text(stderr) };
}

/** What the server itself has counted. */
async function countsOf({ url }: ApiServer): Promise<{ requests: number; jobs: number }> {
  const metrics = await (await fetch(`${url}metrics`)).text();
  const sum = (name: string) =>
    [...metrics.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, "gm"))]
      .reduce((total, [, count]) => total + Number(count), 0);
  return { requests: sum("isolate_api_requests_total"), jobs: sum("isolate_api_jobs_total") };
}
