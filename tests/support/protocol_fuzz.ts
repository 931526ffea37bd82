/** A service and its hostile clients, and what must hold whatever these send. */

import { descriptorsOf } from "./service_descriptors.ts";
import type { HostileReport } from "./hostile_client.ts";
import { CLIENT, eventually, start } from "./isolate.ts";
import { startService, type TestService } from "./service.ts";

/** What hostile clients did, and what came of it. */
export interface FuzzReport extends HostileReport {
  /** What should not have happened; empty if all is well. */
  readonly harm: readonly string[];
  /** Resident memory of the service before and after it. */
  readonly residentKb: readonly [number, number];
}

const FIRST_USER = 74500;
const ATTACKER = 1234;
const BOXES = [941, 942];
const WITNESS_BOX = 943;
/** Reads everything, because the project may lie where only root can go; changes nothing. */
const AS_ATTACKER = [
  ...["setpriv", `--reuid=${ATTACKER}`, `--regid=${ATTACKER}`, "--clear-groups"],
  ...["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"],
];
/** So much the heap of the runtime moves by itself. */
const MEMORY_KB = 100_000;
const WARM_UP_SECONDS = 2;

/** Lets hostile clients at a service for some seconds, and looks every now and then whether it is well. */
export async function fuzzProtocol(
  { seconds, seed = 1, warmUpSeconds = WARM_UP_SECONDS, onSlice = () => {}, sliceSeconds = 30 }: {
    seconds: number;
    seed?: number;
    warmUpSeconds?: number;
    onSlice?: (report: FuzzReport, passed: number) => void;
    sliceSeconds?: number;
  },
): Promise<FuzzReport> {
  const folder = await Deno.makeTempDir({ prefix: "isolate-fuzz-" });
  try {
    await Deno.chmod(folder, 0o777);
    const named = await makeNamed(folder);
    const log = `${folder}/log`;
    await using service = await startService(["service_ready = 1"], {
      through: ["/bin/sh", "-c", 'exec "$0" "$@" 2>"$LOG"'.replace("$LOG", log)],
      firstUser: FIRST_USER,
    });
    const fuzz = (seconds: number, seed: number) => attack({ service, folder, seconds, seed });
    await fuzz(warmUpSeconds, seed + 1000);
    const harm: string[] = [];
    harm.push(...await rest(service));
    const before = holdings(service);
    let report: FuzzReport = {
      ...{ sessions: 0, packets: 0, damaged: 0, descriptors: 0, harm },
      residentKb: [before.residentKb, before.residentKb],
    };
    for (let passed = 0; passed < seconds && harm.length === 0;) {
      const slice = Math.min(sliceSeconds, seconds - passed);
      const done = await fuzz(slice, seed + passed);
      passed += slice;
      harm.push(...await rest(service));
      await eventually(
        "it is as before",
        () => differences(before, holdings(service)).length === 0,
        10_000,
      )
        .catch(() => harm.push(...differences(before, holdings(service))));
      if (await look(named) !== named.content) harm.push("named files have changed");
      const complaints = await Deno.readTextFile(log);
      if (complaints !== "") harm.push(`the service said: ${complaints.slice(0, 2000)}`);
      report = {
        sessions: report.sessions + done.sessions,
        packets: report.packets + done.packets,
        damaged: report.damaged + done.damaged,
        descriptors: report.descriptors + done.descriptors,
        residentKb: [before.residentKb, holdings(service).residentKb],
        harm,
      };
      onSlice(report, passed);
    }
    return report;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Two hostile clients at once, so that one's box is in use while the other comes. */
async function attack(
  { service, folder, seconds, seed }: {
    service: TestService;
    folder: string;
    seconds: number;
    seed: number;
  },
): Promise<HostileReport> {
  const script = new URL("hostile_client.ts", import.meta.url).pathname;
  const reports = await Promise.all(BOXES.map(async (box, i) => {
    const args = [service.socket, folder, `${seconds}`, `${seed * 2 + i}`, `${box}`];
    const { code, stdout, stderr } = await start(
      [Deno.execPath(), "run", "--quiet", "--no-check", "--no-lock", "-A", script, ...args],
      { through: AS_ATTACKER, env: { DENO_DIR: `${folder}/deno-${i}` } },
    ).result;
    if (code !== 0) throw new Error(`the hostile client failed: ${stderr}`);
    return JSON.parse(stdout) as HostileReport;
  }));
  return reports.reduce((sum, one) => ({
    sessions: sum.sessions + one.sessions,
    packets: sum.packets + one.packets,
    damaged: sum.damaged + one.damaged,
    descriptors: sum.descriptors + one.descriptors,
  }));
}

/** Removes the boxes of the hostile clients, and sees whether others are served. */
async function rest({ socket }: TestService): Promise<string[]> {
  const env = { ISOLATE_SERVICE: socket };
  const run = (through: string[], ...args: string[]) =>
    start([CLIENT, ...args], { env, through }).result;
  const results = [
    ...await Promise.all(BOXES.map((box) => run(AS_ATTACKER, `-b${box}`, "--wait", "--cleanup"))),
    await run([], `-b${WITNESS_BOX}`, "--init"),
    await run([], `-b${WITNESS_BOX}`, "-s", "--run", "--", "/bin/echo", "served"),
    await run([], `-b${WITNESS_BOX}`, "--cleanup"),
  ];
  const said = results.map(({ code, stderr }) => `${code}${stderr}`).join();
  const isServed = results.at(-2)?.stdout === "served\n";
  return said === "0,0,0,0,0" && isServed ? [] : [`others are not served: ${said}`];
}

/** Files of root that the hostile clients name. */
async function makeNamed(folder: string) {
  const named = `${folder}/named`;
  await Deno.mkdir(named, { mode: 0o755 });
  await Deno.writeTextFile(`${named}/public`, "public\n", { mode: 0o644 });
  await Deno.writeTextFile(`${named}/secret`, "secret\n", { mode: 0o600 });
  return { path: named, content: await look({ path: named }) };
}

/** Everything about these files that could have changed. */
async function look({ path }: { path: string }): Promise<string> {
  const names = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  const seen = await Promise.all(names.map(async (name) => {
    const { mode, uid, gid, mtime, ctime } = await Deno.lstat(`${path}/${name}`);
    return { name, mode, uid, gid, mtime, ctime, text: await Deno.readTextFile(`${path}/${name}`) };
  }));
  return JSON.stringify(seen);
}

interface Holdings {
  readonly residentKb: number;
  readonly descriptors: readonly string[];
  readonly children: number;
}

function holdings({ pid }: TestService): Holdings {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const children = [...Deno.readDirSync(`/proc/${pid}/task`)].flatMap(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/task/${name}/children`).split(" ").filter(Boolean);
    } catch {
      return []; // The thread has ended.
    }
  });
  return {
    residentKb: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]),
    descriptors: descriptorsOf(pid),
    children: children.length,
  };
}

function differences(before: Holdings, after: Holdings): string[] {
  const found: string[] = [];
  const more = surplus(after.descriptors, before.descriptors);
  if (more.length > 0) found.push(`the service has more descriptors: ${more.join(", ")}`);
  if (after.children > before.children) found.push(`the service has ${after.children} children`);
  if (after.residentKb > before.residentKb + MEMORY_KB) {
    found.push(`the service has grown from ${before.residentKb} to ${after.residentKb} kB`);
  }
  return found;
}

/** What the first list has more often than the second. */
function surplus(list: readonly string[], other: readonly string[]): string[] {
  const rest = [...other];
  return list.filter((entry) => {
    const at = rest.indexOf(entry);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}
