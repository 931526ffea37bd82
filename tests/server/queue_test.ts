/** Jobs through real queues, in real boxes. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { BusyError, type Executor, JobError } from "isolate/server/engine/executor.ts";
import { unfinished } from "isolate/server/engine/stage_result.ts";
import type { Job, JobEvent } from "isolate/server/engine/types.ts";
import { connectQueue } from "isolate/server/queue/backend.ts";
import { DeadLetters } from "isolate/server/queue/dead_letters.ts";
import { readQueueAddress } from "isolate/server/queue/queue_url.ts";
import { ExpectedError } from "isolate/text/errors.ts";
import {
  needsPostgres,
  needsRedis,
  startPostgres,
  startRedis,
  type TestDatabase,
} from "isolate/tests/support/database.ts";
import { bytesOf, jobOf, openExecutor, runOf, textOf } from "isolate/tests/support/executor.ts";
import { haveWorker, openQueue, openWorker, until } from "isolate/tests/support/queue.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";

const base = [needs.command("python3")];
const KINDS = {
  Redis: { requirements: needsRedis, start: startRedis },
  PostgreSQL: { requirements: needsPostgres, start: startPostgres },
};

/** A test on each database. */
function test(name: string, body: (database: TestDatabase) => Promise<void>): void {
  for (const [kind, { requirements, start }] of Object.entries(KINDS)) {
    testWith([...base, ...requirements], `${kind}: ${name}`, async () => {
      await using database = await start();
      await body(database);
    });
  }
}

test("jobs go to a worker and come back, with events, refusals and languages", async (database) => {
  await using engine = await openExecutor();
  await using queue = await openQueue(database);
  await assertRejects(() => queue.execute(jobOf("python3", "")), BusyError, "No worker has come");
  await using _worker = await openWorker(database, engine);
  await haveWorker(queue);
  assertEquals(JSON.stringify(await queue.languages()), JSON.stringify(await engine.languages()));
  assertEquals(queue.load().boxes, 2);

  const events: JobEvent[] = [];
  const job = jobOf("python3", "print(input())", { input: "hello \u0000 ∞\n" });
  const result = await queue.execute(job, { onEvent: (event) => events.push(event) });
  assertEquals(textOf(result.runs[0]!.stdout), "hello \u0000 ∞\n");
  assertEquals(events.map(({ kind }) => kind), ["begin", "output", "end"]);
  // Who asks again gets the same answer, and nothing runs.
  assertEquals(await queue.execute(job), result);

  await assertRejects(() => queue.execute(jobOf("cobol", "")), JobError, "unknown language cobol");
  const wrong = jobOf("python3", "", { runs: [runOf({ network: true })] });
  await assertRejects(() => queue.execute(wrong), JobError, "network");
  await until(() => queue.load().running + queue.load().waiting === 0);
});

test("a cancelled job leaves the queue, or its box is killed", async (database) => {
  await using engine = await openExecutor({ boxes: 1 });
  await using queue = await openQueue(database);
  await using _worker = await openWorker(database, engine);
  await haveWorker(queue);

  const running = new AbortController();
  const begun = Promise.withResolvers<void>();
  const first = queue.execute(jobOf("python3", "while True: pass"), {
    signal: running.signal,
    onEvent: ({ kind }) => kind === "begin" && begun.resolve(),
  });
  await begun.promise;
  const waiting = new AbortController();
  const accepted = Promise.withResolvers<void>();
  const second = queue.execute(jobOf("python3", "print(1)"), {
    signal: waiting.signal,
    onAccepted: accepted.resolve,
  });
  await accepted.promise;
  waiting.abort(new Error("not wanted"));
  await assertRejects(() => second, Error, "not wanted");
  running.abort(new Error("gone"));
  assertEquals((await first).runs.at(-1)!.ending, { kind: "cancelled" });
  await until(() => engine.load().running === 0);
  // The box is free again.
  const third = await queue.execute(jobOf("python3", "print(3)"));
  assertEquals(textOf(third.runs[0]!.stdout), "3\n");
});

test("a session goes to a worker: input, its end, and signals", async (database) => {
  await using engine = await openExecutor();
  await using queue = await openQueue(database);
  await using _worker = await openWorker(database, engine);
  await haveWorker(queue);
  let said = "";
  const session = queue.open(
    jobOf("python3", "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)"),
    { onEvent: (event) => event.kind === "output" && (said += textOf(event.bytes)) },
  );
  void session.write(bytesOf("a"));
  void session.write(bytesOf("bc\n"));
  await until(() => said === "ABC\n");
  await session.write(bytesOf("last\n"));
  session.end();
  assertEquals(textOf((await session.result).runs[0]!.stdout), "ABC\nLAST\n");

  let hasBegun = false;
  const other = queue.open(jobOf("python3", "print(1, flush=True)\nwhile True: pass"), {
    onEvent: ({ kind }) => hasBegun ||= kind === "output",
  });
  await until(() => hasBegun);
  assertEquals(other.signal(15), true);
  assertEquals((await other.result).runs[0]!.ending, { kind: "signal", signal: 15 });
  assertEquals(other.signal(15), false);
});

test("jobs of a lower number come first, and among equals the older ones", async (database) => {
  await using engine = await openExecutor({ boxes: 1 });
  await using queue = await openQueue(database);
  await using _worker = await openWorker(database, engine);
  await haveWorker(queue);
  const order: string[] = [];
  const begun = Promise.withResolvers<void>();
  const blocker = queue.execute(
    jobOf("python3", "input()\nimport time\ntime.sleep(2)", {
      input: "\n",
    }),
    { onEvent: ({ kind }) => kind === "begin" && begun.resolve() },
  );
  await begun.promise;
  const jobs: Promise<unknown>[] = [];
  for (const [name, priority] of Object.entries({ a: 5, b: 0, c: -3, d: 5, e: -2.6, f: 1e9 })) {
    const accepted = Promise.withResolvers<void>();
    jobs.push(
      queue.execute({ ...jobOf("python3", "print(1)"), priority }, {
        onAccepted: accepted.resolve,
        onEvent: ({ kind }) => kind === "begin" && order.push(name),
      }),
    );
    await accepted.promise;
  }
  await Promise.all([blocker, ...jobs]);
  assertEquals(order.join(""), "cebadf");
});

test("the server refuses jobs when too many wait", async (database) => {
  await using engine = await openExecutor({ boxes: 1 });
  await using queue = await openQueue(database, { waiting: 2 });
  await using _worker = await openWorker(database, engine);
  await haveWorker(queue);
  const stop = new AbortController();
  const jobs: Promise<unknown>[] = [];
  for (let count = 0; count < 3; count++) {
    const begun = Promise.withResolvers<void>();
    jobs.push(
      queue.execute(jobOf("python3", "while True: pass"), {
        signal: stop.signal,
        onAccepted: () => count > 0 && begun.resolve(),
        onEvent: ({ kind }) => count === 0 && kind === "begin" && begun.resolve(),
      }),
    );
    await begun.promise;
  }
  const error = await assertRejects(
    () => queue.execute(jobOf("python3", "")),
    BusyError,
    "2 wait in the queue",
  );
  assert(error.retryAfterSeconds > 0);
  stop.abort(new Error("enough"));
  await Promise.allSettled(jobs);
});

/** Does jobs as the other, unless it is told to fail. */
class Unreliable implements Executor {
  readonly #engine: Executor;
  isBroken = true;
  tries = 0;

  constructor(engine: Executor) {
    this.#engine = engine;
  }

  async execute(job: Job, options?: Parameters<Executor["execute"]>[1]) {
    this.tries++;
    if (!this.isBroken) return await this.#engine.execute(job, options);
    const result = unfinished({ kind: "failed", reason: "The disk is on fire" });
    return { version: "", isCached: false, runs: [result] };
  }

  open = (job: Job) => this.#engine.open(job);
  languages = () => this.#engine.languages();
  load = () => this.#engine.load();
  close = () => Promise.resolve();
  [Symbol.asyncDispose] = this.close;
}

test("a job that no worker can do is a dead letter, which can be retried", async (database) => {
  await using engine = await openExecutor();
  const unreliable = new Unreliable(engine);
  await using queue = await openQueue(database);
  await using _worker = await openWorker(database, unreliable);
  await haveWorker(queue);
  const backend = await connectQueue({
    address: readQueueAddress(database.url),
    allowVolatile: database.isVolatile,
    log: () => {},
  });
  try {
    const letters = new DeadLetters(backend);
    const large = { name: "data", content: new Uint8Array(2 << 20).fill(65) };
    const plain = jobOf("python3", "print(len(open('data').read()))");
    const job = { ...plain, files: [...plain.files, large] };
    const { runs: [run] } = await queue.execute(job);
    assertEquals(run!.ending, {
      kind: "failed",
      reason: "No worker could do the job: The disk is on fire",
    });
    assertEquals(unreliable.tries, 3);
    const [letter, ...others] = await letters.list();
    assertEquals(others, []);
    assertEquals(
      [letter!.id, letter!.language, letter!.reason, letter!.attempt],
      [job.id, "python3", "The disk is on fire", 1],
    );
    await assertRejects(() => letters.retry(["x", job.id]), ExpectedError, "no dead letter x");

    unreliable.isBroken = false;
    assertEquals(await letters.retry([job.id]), 1);
    assertEquals(await letters.list(), []);
    await until(async () => (await backend.store.outcomes([job.id]))[0] !== undefined);
    const again = await queue.execute(job);
    assertEquals(textOf(again.runs[0]!.stdout), `${2 << 20}\n`);
    assertEquals(unreliable.tries, 4);

    unreliable.isBroken = true;
    await queue.execute(jobOf("python3", ""));
    assertEquals(await letters.remove("all"), 1);
    assertEquals(await letters.list(), []);
  } finally {
    await backend.close();
  }
});

test("a database that is killed and comes back loses no job", async (database) => {
  await using engine = await openExecutor();
  await using queue = await openQueue(database);
  const complaints: string[] = [];
  const worker = await openWorker(database, engine, {
    complain: (message) => complaints.push(message),
  });
  await using stack = new AsyncDisposableStack();
  stack.use(worker);
  await haveWorker(queue);
  const begun = Promise.withResolvers<void>();
  const running = queue.execute(jobOf("python3", "import time\ntime.sleep(2)\nprint(1)"), {
    onEvent: ({ kind }) => kind === "begin" && begun.resolve(),
  });
  await begun.promise;
  await database.kill();
  await until(() => queue.whyNotReady() === "the queue cannot be reached");
  await assertRejects(() => queue.execute(jobOf("python3", "")), BusyError, "cannot be reached");
  await database.start();
  assertEquals(textOf((await running).runs[0]!.stdout), "1\n");
  await until(() => queue.whyNotReady() === undefined);
  const next = await queue.execute(jobOf("python3", "print(2)"));
  assertEquals(textOf(next.runs[0]!.stdout), "2\n");
  await stack.disposeAsync();
  // There is none that it could give back.
  assertEquals(complaints.filter((complaint) => complaint.includes("did not take")), []);
});
