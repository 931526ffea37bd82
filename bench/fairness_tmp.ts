/**
 * What clients of the service wait while it works on a box with very many files for another one, while one
 * client sends a byte a second, and while one asks for much and reads nothing.
 */

import { output } from "../tools/process.ts";
import { BOX_IDS, compile, median, type Row, withFolder } from "./measure.ts";
import { CLIENT, startService } from "./service.ts";

const FILES = 100_000;
const ROUNDS = 1;
const QUIET_RUNS = 300;
const GOAL_MS = 20;
const [BOX_ID, LARGE_BOX_ID, SILENT_BOX_ID] = BOX_IDS as [number, number, number];

interface Times {
  readonly runs: number;
  readonly medianUs: number;
  readonly p99Us: number;
}

/** The services of this benchmark and what uses them. */
interface Bench {
  readonly spawn: string;
  readonly tree: string;
  readonly environment: Record<string, string>;
}

/** Runs `true` in a box of its own: so often, or until the work is done. */
async function measure(
  { spawn, environment }: Bench,
  work?: () => Promise<unknown>,
): Promise<Times> {
  const command = [CLIENT, "--silent", `-b${BOX_ID}`, "--run", "--", "/bin/true"];
  const child = new Deno.Command(spawn, {
    args: [work ? "-" : `${QUIET_RUNS}`, ...command],
    env: environment,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const ended = child.output();
  await work?.();
  await child.stdin.close();
  const { stdout, success } = await ended;
  if (!success) throw new Error("A run has failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Occupies the service while the box with many files goes through its life. */
async function measureBeside(bench: Bench): Promise<Times[]> {
  const client = (id: number, ...args: string[]) =>
    output([CLIENT, `-b${id}`, "--silent", ...args], { env: bench.environment });
  const socket = bench.environment["ISOLATE_SERVICE"]!;
  const others = [
    new Deno.Command("/usr/bin/python3", { args: ["-c", SLOW, socket] }).spawn(),
    // Nobody reads this pipe.
    new Deno.Command(CLIENT, {
      args: ["-vvv", `-b${SILENT_BOX_ID}`, "--run", "--", "/bin/cat", "/dev/zero"],
      env: bench.environment,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  ];
  const times: Times[] = [];
  try {
    for (const args of [["--run", "--", "/bin/true"], ["--init"], ["--cleanup"]]) {
      const directory = (await output([CLIENT, `-b${LARGE_BOX_ID}`, "--init"], {
        env: bench.environment,
      })).trim();
      await output([bench.tree, `${FILES}`], { cwd: `${directory}/box` });
      const t0 = performance.now();
      times.push(await measure(bench, () => client(LARGE_BOX_ID, ...args)));
      console.log(args, (performance.now() - t0).toFixed(0) + " ms", times.at(-1));
    }
  } finally {
    for (const other of others) {
      other.kill("SIGKILL");
      await other.output().catch(() => other.status);
    }
  }
  return times;
}

/** Connects, sends a byte a second, and connects again when it is thrown out. */
const SLOW = `
import socket, sys, time
while True:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect(sys.argv[1])
    try:
        while True: s.send(b"\\0"); time.sleep(1)
    except OSError: pass
`;

/**
 * Measures in turns, so that both meet the same machine; and in memory: what one user of a disk waits for
 * another is the disk's affair.
 */
export async function measureFairness(): Promise<Row[]> {
  return await withFolder(async (folder) => {
    await using service = await startService(folder, [
      `box_root = ${folder}/boxes`,
      `lock_root = ${folder}/locks`,
      "first_uid = 83000",
      "first_gid = 83000",
    ]);
    const { environment } = service;
    const bench = {
      spawn: await compile("spawn", folder),
      tree: await compile("tree", folder),
      environment,
    };
    const boxes = [BOX_ID, LARGE_BOX_ID, SILENT_BOX_ID];
    for (const id of boxes) await output([CLIENT, `-b${id}`, "--init"], { env: environment });
    const [quiet, beside]: [Times[], Times[]] = [[], []];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        quiet.push(await measure(bench));
        beside.push(...await measureBeside(bench));
      }
    } finally {
      for (const id of boxes) {
        await output([CLIENT, `-b${id}`, "--wait", "--cleanup"], { env: environment });
      }
    }
    const ms = (times: readonly Times[], of: "medianUs" | "p99Us") =>
      median(times.map((time) => time[of])) / 1000;
    const row = (what: string, of: "medianUs" | "p99Us"): Row => ({
      what: `client beside a box with 100,000 files: ${what}`,
      against: "on its own",
      unit: "ms" as const,
      reference: ms(quiet, of),
      here: ms(beside, of),
    });
    return [
      row("median", "medianUs"),
      row("99th percentile", "p99Us"),
      {
        what: "how much longer that is",
        unit: "ms" as const,
        here: ms(beside, "p99Us") - ms(quiet, "p99Us"),
        goal: GOAL_MS,
      },
    ];
  }, { parent: "/dev/shm" });
}
