/** The API of Piston, version 2. */

import { HttpError } from "../http/failure.ts";
import { type Call, type Dialect, json, type Route, type ServerContext } from "../http/route.ts";
import { connect } from "./connect.ts";
import { jobOf, readExecuteRequest, wholeLines } from "./execute_request.ts";
import { findRuntime, knownRuntimes, type PistonRuntime } from "./runtimes.ts";
import { stageAnswer } from "./stage_answer.ts";

/** The second one is that of the service which Piston's makers ran. */
const PREFIXES = ["/api/v2", "/api/v2/piston"];

/** Answers as a server of Piston does. */
export const piston: Dialect = (context) =>
  PREFIXES.flatMap((prefix): Route[] => {
    const packages = `${prefix}/packages`;
    return [
      { method: "POST", path: `${prefix}/execute`, handle: (call) => execute(call, context) },
      { method: "GET", path: `${prefix}/runtimes`, handle: () => listRuntimes(context) },
      { method: "GET", path: packages, handle: () => listPackages(context) },
      { method: "POST", path: packages, handle: refuseToInstall },
      { method: "DELETE", path: packages, handle: refuseToInstall },
      { method: "GET", path: `${prefix}/connect`, handle: (call) => connect(call, context) },
    ];
  });

async function execute(call: Call, { executor, settings }: ServerContext): Promise<Response> {
  const request = readExecuteRequest(await call.json(), settings);
  const runtime = findRuntime(await knownRuntimes(executor), request);
  const stdin = wholeLines(request.stdin);
  const result = await executor.execute(jobOf(request, { runtime, stdin }), {
    signal: call.signal,
  });
  const compile = result.compile && stageAnswer(result.compile);
  const [last] = result.runs;
  // Where nothing was run clients find the same twice.
  const run = last ? stageAnswer(last) : compile;
  const { language, version } = runtime;
  return json({ language, version, ...compile && { compile }, run });
}

async function listRuntimes({ executor }: ServerContext): Promise<Response> {
  const runtimes = await knownRuntimes(executor);
  return json(runtimes.map(({ language, version, aliases, runtime }): PistonRuntime => ({
    language,
    version,
    aliases,
    ...runtime !== undefined && { runtime },
  })));
}

async function listPackages({ executor }: ServerContext): Promise<Response> {
  const runtimes = await knownRuntimes(executor);
  const packages = new Map(runtimes.map(({ language, version }) => [
    `${language}-${version}`,
    { language, language_version: version, installed: true },
  ]));
  return json([...packages.values()]);
}

function refuseToInstall(): Response {
  throw new HttpError(
    403,
    "languages are installed and removed by the administrator of this server, with the packages of " +
      "its system",
  );
}
