/** Many runs of all kinds through a service, and what they leave: it should be nothing. */

import { descriptorsOf } from "./service_descriptors.ts";
import { CLIENT, eventually, start } from "./isolate.ts";
import { startService, type TestService } from "./service.ts";

/** What a service and the kernel hold at a moment. */
export interface Holdings {
  readonly residentKb: number;
  readonly threads: number;
  readonly descriptors: number;
  readonly mounts: number;
  /** Control groups of all hierarchies. */
  readonly groups: number;
  /** Processes of users of boxes, and inits of boxes. */
  readonly processes: number;
  /** All slabs of the kernel together. */
  readonly slabKb: number;
  /** The objects of each slab that are in use. */
  readonly slabs: ReadonlyMap<string, number>;
}

/** How far it has come. */
export interface Progress {
  readonly done: number;
  /** Runs in a second, without the pauses between slices. */
  readonly perSecond: number;
  readonly now: Holdings;
}

/** What was run, and what was held before and after it. */
export interface SoakReport {
  readonly runs: number;
  readonly seconds: number;
  readonly failures: string;
  readonly before: Holdings;
  readonly after: Holdings;
}

const FIRST_USER = 73500;
const FIRST_BOX = 940;
const BOXES = 3;

/**
 * Calls clients in one box again and again: $1 box, $2 calls, then the client. It prints what ended in a
 * way in which it should not.
 */
const CALLS = `
id=$1 calls=$2 client=$3 groups=$4
mkfifo $SCRATCH/never$id; exec {never}<>$SCRATCH/never$id; rm $SCRATCH/never$id
expect() { # STATUS ARGUMENT...
  local wanted=$1; shift
  local words; words=$("$client" "$@" 2>&1 >/dev/null </dev/null)
  local status=$?
  [ $status = $wanted ] || echo "$* ended with $status, not $wanted: $words"
}
box() { expect $1 -b$id $groups "\${@:2}"; }
box 0 --init
for ((i = 1; i <= calls; i++)); do
  case $((i % 20)) in
    1) box 0 -s --stdout=out --run -- /bin/echo text ;;
    2) box 0 -s --stdin=out --stderr-to-stdout --run -- /bin/cat ;;
    3) box 1 --run -- /none ;;
    4) box 1 --run -- /bin/sh -c 'exit 3' ;;
    5) box 1 --run -- /bin/sh -c 'kill -SEGV $$' ;;
    6) box 1 --wall-time=0.01 --run -- /bin/sleep 9 ;;
    7) box 0 -s --dir=/x=/etc --run -- /bin/ls /x ;;
    8) box 0 -s --inherit-fds --run -- /bin/true ;;
    9) box 0 -s -p --run -- /bin/sh -c '/bin/sleep 9 & /bin/true' ;;
    10) box 0 -s --run -- /bin/true ;;
    11) box 0 -s --share-net --run -- /bin/true ;;
    12) box 0 -s --meta=$SCRATCH/$id --run -- /bin/true ;;
    13) box 2 --run --nonsense ;;
    14) expect 0 status $id ;;
    15) box 0 -s --run -- /usr/bin/python3 -c 'import socket; socket.socket().bind(("127.0.0.1", 7777))' ;;
    16)
      "$client" -b$id $groups -s -p --run -- /bin/sh -c '/bin/sleep 9 & /bin/sleep 9' >/dev/null 2>&1 &
      read -t 0.00$((RANDOM % 9 + 1)) -u $never
      kill -9 $!; wait $! ;;
    17) box 0 --wait -s --hostname=h$((RANDOM % 3)) --run -- /bin/true ;;
    0) box 0 --cleanup; box 0 --init ;;
    *) box 0 -s --run -- /bin/true ;;
  esac
done 2>/dev/null
box 0 --wait --cleanup
`;

/** Runs some hundreds of calls first, so that what is kept on purpose is there before. */
export async function soak(
  runs: number,
  { warmUp = 400, slice = runs, onSlice = () => {} }: {
    warmUp?: number;
    /** So many runs there are between two reports. */
    slice?: number;
    onSlice?: (progress: Progress) => void;
  } = {},
): Promise<SoakReport> {
  const scratch = await Deno.makeTempDir({ prefix: "isolate-soak-" });
  try {
    await using service = await startService(["service_ready = 1"], { firstUser: FIRST_USER });
    const call = (count: number) => callAll(service, { count, scratch });
    await call(warmUp);
    const before = await settled(service);
    const started = performance.now();
    let failures = "";
    let after = before;
    onSlice({ done: 0, perSecond: 0, now: before });
    for (let done = 0; done < runs;) {
      const [count, beganMs] = [Math.min(slice, runs - done), performance.now()];
      failures += await call(count);
      const perSecond = count / (performance.now() - beganMs) * 1000;
      after = await settled(service, before);
      done += count;
      onSlice({ done, perSecond, now: after });
    }
    const seconds = (performance.now() - started) / 1000;
    return { runs, seconds, failures, before, after };
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function callAll(
  { socket }: TestService,
  { count, scratch }: { count: number; scratch: string },
): Promise<string> {
  const env = { ISOLATE_SERVICE: socket, SCRATCH: scratch };
  const groups = await groupsOption(socket);
  const calls = Array.from({ length: BOXES }, async (_, i) => {
    const args = [`${FIRST_BOX + i}`, `${Math.ceil(count / BOXES)}`, CLIENT, i === 0 ? groups : ""];
    const { stdout, stderr } = await start(["/bin/bash", "-c", CALLS, "soak", ...args], { env })
      .result;
    return stdout + stderr;
  });
  const lines = (await Promise.all(calls)).join("").split("\n").filter(Boolean);
  return [...new Set(lines)].slice(0, 20).join("\n");
}

/** Where there are no control groups, runs do without. */
async function groupsOption(socket: string): Promise<string> {
  const client = (...args: string[]) =>
    start([CLIENT, `-b${FIRST_BOX}`, ...args], { env: { ISOLATE_SERVICE: socket } }).result;
  const { code } = await client("--cg", "--init");
  await client("--cleanup", ...code === 0 ? ["--cg"] : []);
  return code === 0 ? "--cg" : "";
}

/** Waits until what runs in the background has ended; the kernel removes namespaces late. */
async function settled(service: TestService, before?: Holdings): Promise<Holdings> {
  let found = holdings(service);
  await eventually("the service is at rest", () => {
    const last = found;
    found = holdings(service);
    return found.processes === 0 &&
      found.descriptors <= (before?.descriptors ?? last.descriptors);
  }, 5000).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 500));
  return holdings(service);
}

function holdings({ pid }: TestService): Holdings {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const number = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1]);
  const count = (text: string) => text.split("\n").length - 1;
  const slabs = new Map(
    Deno.readTextFileSync("/proc/slabinfo").split("\n").slice(2, -1).map((line) => {
      const [name, objects] = line.split(/\s+/);
      return [name!, Number(objects)];
    }),
  );
  return {
    residentKb: number(status, /^VmRSS:\s+(\d+)/m),
    threads: number(status, /^Threads:\s+(\d+)/m),
    descriptors: descriptorsOf(pid).length,
    mounts: count(Deno.readTextFileSync(`/proc/${pid}/mountinfo`)),
    groups: Deno.readTextFileSync("/proc/cgroups").split("\n").slice(1, -1)
      .reduce((sum, line) => sum + Number(line.split("\t")[2]), 0),
    processes: countProcesses(pid),
    slabKb: number(Deno.readTextFileSync("/proc/meminfo"), /^Slab:\s+(\d+)/m),
    slabs,
  };
}

/** The children of the service, with zombies, and everybody who is a user of a box. */
function countProcesses(service: number): number {
  let found = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = Deno.readTextFileSync(`/proc/${name}/status`);
      const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]) - FIRST_USER;
      const isChild = new RegExp(`^PPid:\\s+${service}$`, "m").test(status);
      if (isChild || uid >= FIRST_BOX && uid < FIRST_BOX + BOXES) found++;
    } catch {
      // It has ended.
    }
  }
  return found;
}
