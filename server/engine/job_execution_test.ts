import { assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../mod.ts";
import type { Compiled } from "../../judge/compile/compile_options.ts";
import { executeJob, type JobContext } from "./job_execution.ts";
import type { JobEvent } from "./types.ts";

const HOST_FOLDER = "/srv/secret-place/7/box";

/** A job whose compiler cannot be run for a reason that names a file of the host; nothing else is asked. */
function context(changes: Partial<JobContext> = {}) {
  const fault = new SandboxError("internal", `cannot create ${HOST_FOLDER}/main.c: No space left`);
  const compiled = { result: { message: fault.message, cached: false }, judgeError: true, fault };
  const limits = { cpuTimeMs: 1, wallTimeMs: 1, processes: 1, openFiles: 1, fileSizeKib: 1 };
  const told: string[] = [];
  const events: JobEvent[] = [];
  const files = [{ name: "main.c", content: new Uint8Array() }];
  const language = { definition: { compile: {}, main: "none" } };
  const job = {
    id: "1",
    language: "c",
    files,
    runs: [{ args: [], stdin: new Uint8Array(), limits: { ...limits, outputBytes: 10 } }],
  };
  return {
    told,
    events,
    context: {
      ...{ job, files, language, compileLimits: { ...limits, outputBytes: 10 }, memoryKib: 1 },
      compiler: { compile: () => Promise.resolve(compiled as unknown as Compiled) },
      box: {},
      signal: new AbortController().signal,
      onEvent: (event: JobEvent) => events.push(event),
      complain: (message: string) => told.push(message),
      ...changes,
    } as unknown as JobContext,
  };
}

Deno.test("a failure of the sandbox while compiling shows the client no file of the host", async () => {
  const { context: given, told, events } = context();
  const { compile, runs } = await executeJob(given);
  assertEquals(compile!.ending, { kind: "failed", reason: "The server failed" });
  assertEquals(runs, []);
  assertEquals(events.map(({ kind }) => kind), ["begin", "end"]);
  assertEquals(JSON.stringify([compile, events]).includes(HOST_FOLDER), false);
  // The administrator learns it.
  assertEquals(told, [
    `A compiler could not be run: cannot create ${HOST_FOLDER}/main.c: No space left`,
  ]);
});

Deno.test("a failure of the sandbox while a checker is compiled is the server's", async () => {
  const { context: given } = context();
  const checker = { language: given.language, files: given.files, limits: {}, kind: "validator" };
  await assertRejects(
    () => executeJob({ ...given, checker } as unknown as JobContext),
    SandboxError,
    HOST_FOLDER,
  );
});
