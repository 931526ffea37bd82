/** What a queue adds to each job of the execution server. */

import type { Executor } from "isolate/server/engine/executor.ts";
import { startPostgres, startRedis, type TestDatabase } from "../tests/support/database.ts";
import { jobOf, openExecutor } from "../tests/support/executor.ts";
import { haveWorker, openQueue, openWorker } from "../tests/support/queue.ts";
import { median, type Row, timeMs } from "./measure.ts";

const BOXES = 2;
const WARM_UP = 10;
const SINGLE_JOBS = 200;
const MANY_JOBS = 600;
const AT_ONCE = 32;

/** Measures one job at a time, and many at once, with a queue and without. */
export async function measureQueue(): Promise<Row[]> {
  await using engine = await openExecutor({ boxes: BOXES, waiting: MANY_JOBS });
  const rows: Row[] = [];
  const databases = { Redis: startRedis, PostgreSQL: startPostgres };
  for (const [name, start] of Object.entries(databases)) {
    await using database = await start();
    rows.push(...await measureOn(database, { name, engine }));
  }
  return rows;
}

async function measureOn(
  database: TestDatabase,
  { name, engine }: { name: string; engine: Executor },
): Promise<Row[]> {
  await using queue = await openQueue(database);
  await using _worker = await openWorker(database, engine);
  await haveWorker(queue);
  for (let i = 0; i < WARM_UP; i++) for (const one of [engine, queue]) await execute(one);
  const direct: number[] = [];
  const queued: number[] = [];
  // In turns, so that both meet the same machine.
  for (let i = 0; i < SINGLE_JOBS; i++) {
    direct.push(await timeMs(() => execute(engine)));
    queued.push(await timeMs(() => execute(queue)));
  }
  const directPerSecond = await throughput(engine);
  const queuedPerSecond = await throughput(queue);
  const against = "without a queue";
  return [
    {
      ...{ what: `queue on ${name}: a shell program`, against, unit: "ms" },
      ...{ reference: median(direct), here: median(queued) },
    },
    {
      ...{ what: `queue on ${name}: added to each job`, unit: "ms" },
      here: median(queued) - median(direct),
    },
    {
      ...{ what: `queue on ${name}: ${AT_ONCE} at once`, against, unit: "runs/s" },
      ...{ reference: directPerSecond, here: queuedPerSecond },
    },
  ];
}

async function execute(executor: Executor): Promise<void> {
  const { runs: [run] } = await executor.execute(jobOf("shell", ":"));
  if (run?.exitCode !== 0) throw new Error(`a job failed: ${JSON.stringify(run)}`);
}

async function throughput(executor: Executor): Promise<number> {
  let left = MANY_JOBS;
  const ms = await timeMs(() =>
    Promise.all(Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await execute(executor);
    }))
  );
  return MANY_JOBS / ms * 1000;
}
