/**
 * Many runs through a service, and what is left of them: `./dev soak [RUNS]`. Many jobs through a queue
 * whose parts are killed: `./dev soak queue [JOBS]`. Many clients of the execution server at once:
 * `./dev soak api [SECONDS]`.
 */

import { loadApi } from "../tests/support/api_load.ts";
import { ApiServer } from "../tests/support/api_server.ts";
import { queueLoad } from "../tests/support/queue_load.ts";
import { type Holdings, soak } from "../tests/support/soak.ts";

const RUNS = 100_000;
const JOBS = 10_000;
const JOBS_PER_KILL = 500;
const API_SECONDS = 60;
const API_CLIENTS = 200;
const API_SILENT = 300;
const SLICE = 1000;
const WARM_UP = 2000;
const SLABS_SHOWN = 25;

function describe({ slabs: _, ...rest }: Holdings): string {
  return Object.entries(rest).map(([name, value]) => `${name} ${value}`).join(", ");
}

async function soakService(runs: number): Promise<void> {
  const warmUp = Math.min(WARM_UP, runs);
  console.log(`${warmUp} runs to warm up`);
  const { seconds, failures, before, after } = await soak(runs, {
    warmUp,
    slice: SLICE,
    onSlice: ({ done, perSecond, now }) => {
      const rate = done > 0 ? `${perSecond.toFixed(0)} a second, ` : "";
      console.log(`${done} runs: ${rate}${describe(now)}`);
    },
  });
  console.log(`${runs} runs in ${seconds.toFixed(0)} s, ${(runs / seconds).toFixed(0)} a second`);
  if (failures) console.log(failures);
  console.log(`before: ${describe(before)}`);
  console.log(`after: ${describe(after)}`);
  const growth = [...after.slabs].map(([name, count]) => ({
    name,
    count: count - (before.slabs.get(name) ?? 0),
  })).sort((a, b) => b.count - a.count);
  console.log("slabs that have grown most, in objects:");
  for (const { name, count } of growth.slice(0, SLABS_SHOWN)) {
    if (count > 0) console.log(`  ${name}: ${count}, ${(count / runs).toFixed(4)} a run`);
  }
}

async function soakQueue(jobs: number): Promise<void> {
  const report = await queueLoad({ jobs, jobsPerKill: JOBS_PER_KILL, log: console.log });
  const { killedWorkers, killedDatabases, complaints, seconds } = report;
  console.log(
    `${jobs} jobs in ${seconds.toFixed(0)} s; killed ${killedWorkers} workers, and Redis ` +
      `${killedDatabases} times; wrong: ${complaints.length}`,
  );
  for (const complaint of complaints) console.log(complaint);
  if (complaints.length > 0) Deno.exit(1);
}

async function soakApi(seconds: number): Promise<void> {
  await using server = await ApiServer.start("--run-time=10");
  const load = { clients: API_CLIENTS, silent: API_SILENT, seconds };
  const { answered, refused, failures } = await loadApi(server, load);
  console.log(`${answered} answered, ${refused} told to come back, ${failures.length} failures`);
  for (const failure of failures) console.log(failure);
  if (failures.length > 0 || answered === 0) Deno.exitCode = 1;
}

const [first, second] = Deno.args;
if (first === "queue") await soakQueue(Number(second ?? JOBS));
else if (first === "api") await soakApi(Number(second ?? API_SECONDS));
else await soakService(Number(first ?? RUNS));
