/** Workers and databases that die or are stopped while jobs run. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { JobEvent } from "isolate/server/engine/types.ts";
import {
  needsPostgres,
  needsRedis,
  startPostgres,
  startRedis,
  type TestDatabase,
} from "isolate/tests/support/database.ts";
import { jobOf, textOf } from "isolate/tests/support/executor.ts";
import {
  haveWorker,
  openQueue,
  QUEUE_COMMAND,
  startProcess,
  startWorker,
} from "isolate/tests/support/queue.ts";
import { queueLoad } from "isolate/tests/support/queue_load.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";

const test = (name: string, body: () => Promise<void>) => testWith(needsRedis, name, body);

/** Runs some seconds, and says so at once. */
const SLOW = "echo begun; sleep 2; echo done";

/** Runs a job; `begun` is resolved when it has said something, or else when it has ended. */
function execute(queue: Awaited<ReturnType<typeof openQueue>>) {
  const begun = Promise.withResolvers<void>();
  const events: JobEvent[] = [];
  const result = queue.execute(jobOf("shell", SLOW), {
    onEvent: (event) => {
      events.push(event);
      if (event.kind === "output") begun.resolve();
    },
  });
  result.then(() => begun.resolve(), begun.reject);
  return { result, events, begun: begun.promise };
}

test("the job of a worker that is killed is done by another one, and told once", async () => {
  await using database = await startRedis();
  await using queue = await openQueue(database);
  const options = ["--jobs=1", "--lock-time=2"];
  const first = await startWorker(database, options);
  await haveWorker(queue);
  const { result, events, begun } = execute(queue);
  await begun;
  await first.kill();
  await using _second = await startWorker(database, options);
  assertEquals(textOf((await result).runs[0]!.stdout), "begun\ndone\n");
  assertEquals(events.map(({ kind }) => kind), ["begin", "output", "end"]);
});

test("a worker that is stopped gives its job back at once", async () => {
  await using database = await startRedis();
  await using queue = await openQueue(database);
  // Nobody waits for the end of its locks in this test.
  const options = ["--jobs=1", "--lock-time=600", "--stop-wait=0.2"];
  await using first = await startWorker(database, options);
  await haveWorker(queue);
  const { result, begun } = execute(queue);
  await begun;
  assertEquals(await first.stop(), 0);
  assertMatch(first.log, /Stopping/);
  await using _second = await startWorker(database, options);
  assertEquals(textOf((await result).runs[0]!.stdout), "begun\ndone\n");
});

test("a worker that is stopped lets its job end if there is time", async () => {
  await using database = await startRedis();
  await using queue = await openQueue(database);
  await using worker = await startWorker(database, ["--jobs=1", "--stop-wait=60"]);
  await haveWorker(queue);
  const { result, begun } = execute(queue);
  await begun;
  assertEquals(await worker.stop(), 0);
  assertEquals(textOf((await result).runs[0]!.stdout), "begun\ndone\n");
});

test("hundreds of jobs, two killed workers and a killed Redis: each has one answer", async () => {
  const report = await queueLoad({ jobs: 200, jobsPerKill: 60 });
  assertEquals(report.complaints, []);
  assert(report.killedWorkers >= 1 && report.killedDatabases >= 1, JSON.stringify(report));
});

const KINDS = {
  Redis: { requirements: needsRedis, start: startRedis },
  PostgreSQL: { requirements: needsPostgres, start: startPostgres },
};
for (const [kind, { requirements, start }] of Object.entries(KINDS)) {
  testWith(
    [needs.command("python3"), ...requirements],
    `${kind}: isolate api answers in each API through a queue, and isolate queue shows the worker`,
    async () => {
      await using database = await start();
      const volatile = database.isVolatile ? ["--allow-volatile-queue"] : [];
      await using _worker = await startWorker(database, [
        ...["--jobs=2", "--name=first"],
        ...volatile,
      ]);
      await using server = await startProcess(
        ["api", `--queue=${database.url}`, "--listen=127.0.0.1:0", ...volatile],
        /Listening on/,
      );
      const origin = /http:\S+/.exec(server.log)![0];
      const post = async (path: string, body: unknown) => {
        const answer = await fetch(new URL(path, origin), {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(body),
        });
        return await answer.json();
      };
      assertEquals(await (await fetch(new URL("/readyz", origin))).text(), "ok\n");
      const source = "print(int(input()) * 7)";
      const executed = await post("/api/v2/execute", {
        ...{ language: "python", version: "*", stdin: "6" },
        files: [{ content: source }],
      });
      assertEquals(executed.run?.stdout, "42\n", JSON.stringify(executed));
      const judged = await post("/submissions?wait=true", {
        ...{ source_code: source, language_id: 71, stdin: "5", expected_output: "35" },
      });
      assertEquals([judged.stdout, judged.status?.id], ["35\n", 3], JSON.stringify(judged));
      const run = await post("/run", {
        ...{ language: "python3", source },
        tests: [{ stdin: "1", expected: "7" }, { stdin: "2", expected: "15" }],
      });
      assertEquals(
        run.tests?.map(({ status }: { status: string }) => status),
        ["accepted", "wrong-answer"],
        JSON.stringify(run),
      );
      const lines = await queueCommand(database, "workers");
      assertMatch(lines, /^first {2}\d of 2 boxes in use {2}.*python3/);
      assertEquals(await queueCommand(database, "list"), "No dead letters\n");
    },
  );
}

async function queueCommand({ url, isVolatile }: TestDatabase, verb: string): Promise<string> {
  const [program = "", ...args] = QUEUE_COMMAND;
  const { stdout } = await new Deno.Command(program, {
    args: [
      ...[...args, "queue", verb, `--queue=${url}`],
      ...isVolatile ? ["--allow-volatile-queue"] : [],
    ],
  }).output();
  return textOf(stdout);
}
