/**
 * A program that sends what no client sends, until its time is over: `hostile_client.ts SOCKET FOLDER
 * SECONDS SEED`. Most of the time it stands between a real client and the service, so that the
 * damage is in answers that have come far. It prints as JSON what it did.
 */

import { ABI_VERSION } from "isolate/ffi/abi.ts";
import * as linux from "isolate/ffi/linux.ts";
import { Chance, Damage } from "./damage.ts";
import * as wire from "./hostile_wire.ts";

/** What was done. */
export interface HostileReport {
  sessions: number;
  packets: number;
  damaged: number;
  descriptors: number;
}

const CLIENT = new URL(`../../lib/isolate-${Deno.build.arch}`, import.meta.url).pathname;
const [service, folder] = Deno.args as [string, string];
const [seconds, seed, box] = Deno.args.slice(2).map(Number) as [number, number, number];
const endMs = performance.now() + seconds * 1000;
const chance = new Chance(seed);
const report: HostileReport = { sessions: 0, packets: 0, damaged: 0, descriptors: 0 };
const relay = `${folder}/relay-${Deno.pid}`;
const listener = wire.listen(relay);
/** A real session ends long before. */
const SESSION_MS = 500;

const COMMANDS: readonly (readonly string[])[] = [
  ...Array.from({ length: 4 }, () => ["--init"]),
  ["--cleanup"],
  ["--version"],
  ["-s", "--run", "--", "/bin/true"],
  ["--inherit-fds", "--run", "--", "/bin/ls", "/proc/self/fd"],
  ["--dir=/x=/etc", "--dir=/y=/proc/self/fd:maybe", "--run", "--", "/bin/ls", "/x"],
  [`--meta=${folder}/meta`, "--run", "--", "/bin/sh", "-c", "exit 3"],
  // What it may not change: it may only be told so.
  [`--meta=${folder}/named/public`, "--run", "--", "/bin/true"],
  [
    `--dir=/x=${folder}/named:rw`,
    "--run",
    "--",
    "/bin/sh",
    "-c",
    "echo x >/x/public; echo x >/x/new",
  ],
  ["--stdin=../named", "--stdout=../../out", "--run", "--", "/bin/cat"],
  ["--tty-hack", "--run", "--", "/bin/true"],
  ["--wait", "--share-net", "-p", "--run", "--", "/bin/sh", "-c", "/bin/sleep 9 & /bin/true"],
];
const OTHERS = [["list", "--json"], ["status", `${box}`], ["kill", `${box}`], [
  "enter",
  `${box}`,
  "/bin/true",
]];

/** Descriptors that no client sends, but a hostile one has. */
const STRANGE = [
  wire.open("/", linux.O_DIRECTORY),
  wire.open("/", linux.O_PATH),
  wire.open("/etc/passwd", linux.O_PATH),
  wire.open("/etc/passwd", linux.O_RDONLY),
  wire.open("/dev/zero", linux.O_RDWR),
  wire.call("epoll_create1", [linux.O_CLOEXEC]),
  wire.memoryFile(new Uint8Array(100)),
  wire.memoryFile(new Uint8Array(100), { sealed: false }),
  wire.call("socket", [linux.AF_UNIX, linux.SOCK_DGRAM, 0]),
  ...wire.socketPair(linux.SOCK_STREAM),
  ...wire.socketPair(),
  ...inFlight(),
];

/** Sockets that carry each other, and themselves. */
function inFlight(): number[] {
  const [a, b] = wire.socketPair();
  const [c, d] = wire.socketPair();
  wire.send(a, Uint8Array.of(1), [b, c, d]);
  wire.send(c, Uint8Array.of(1), [a, b, d]);
  return [a, b, c, d];
}

function send(
  connection: number,
  { bytes, fds }: { bytes: Uint8Array; fds: readonly number[] },
): boolean {
  report.packets++;
  report.descriptors += fds.length;
  return wire.send(connection, bytes, fds);
}

/** Lets a real client talk to the service, and damages what it says. */
async function stand(): Promise<void> {
  const words = chance.below(6) === 0 ? chance.of(OTHERS) : [`-b${box}`, ...chance.of(COMMANDS)];
  const child = new Deno.Command(CLIENT, {
    args: words as string[],
    env: { ISOLATE_SERVICE: relay },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  const started = child.spawn();
  wire.waitFor([listener], SESSION_MS);
  const [client, connection] = [wire.accept(listener), wire.connect(service)];
  const damage = new Damage(chance, () => [...STRANGE, connection, client]);
  const rarity = chance.of([2, 3, 6, 30]);
  const until = performance.now() + SESSION_MS;
  let plan: Uint8Array | undefined;
  for (let isOpen = true; isOpen && performance.now() < until;) {
    wire.waitFor([client, connection], 100);
    const asked = wire.take(connection);
    if (asked === "end") break;
    if (asked !== "nothing") {
      plan = asked.bytes;
      wire.send(client, asked.bytes);
      wire.close(...asked.fds);
    }
    const answered = wire.take(client);
    if (answered === "end") break;
    if (answered === "nothing") continue;
    // A session that ends with its first packet shows little.
    const isDamaged = chance.below(plan ? rarity : 10 * rarity) === 0;
    if (isDamaged) report.damaged++;
    for (const sent of isDamaged ? damage.apply(answered, plan) : [answered]) {
      isOpen &&= send(connection, sent);
    }
    wire.close(...answered.fds);
  }
  wire.close(client, connection);
  try {
    started.kill("SIGKILL");
  } catch {
    // It has ended.
  }
  await started.status;
}

/** A first packet with a command line of its own making. */
function hello(text: Uint8Array): Uint8Array {
  const packet = new Uint8Array(32 + 16 * 16);
  const header = [1, ABI_VERSION, 0x4c4c4548, chance.below(8), text.length, 0, 3, 4];
  packet.set(new Uint8Array(Uint32Array.of(...header).buffer));
  return packet;
}

/** Speaks without a client: any packets in any order. */
function ramble(): void {
  const connection = wire.connect(service);
  const damage = new Damage(chance, () => [...STRANGE, connection]);
  const text = chance.of([
    () => new TextEncoder().encode(`-b${box}\0--run\0--\0/bin/true\0`),
    () => new TextEncoder().encode("--version\0"),
    () => chance.bytes(chance.below(300)),
  ])();
  const [memory, [here, there]] = [wire.memoryFile(text), wire.socketPair()];
  const first = { bytes: hello(text), fds: [memory, there] };
  for (let i = chance.below(8); i >= 0; i--) {
    const packets = [() => [damage.strange()], () => [first], () => damage.apply(first, undefined)];
    for (const sent of chance.of(packets)()) send(connection, sent);
    if (chance.below(3) === 0) wire.waitFor([connection], 20);
  }
  wire.close(connection, memory, here, there);
}

/** Sends ten thousand descriptors, or as many as are taken. */
function flood(): void {
  const connection = wire.connect(service);
  const text = new TextEncoder().encode("--version\0");
  const [memory, [here, there]] = [wire.memoryFile(text), wire.socketPair()];
  if (chance.below(2) === 0) send(connection, { bytes: hello(text), fds: [memory, there] });
  const bytes = new Uint8Array(Uint32Array.of(3, 0).buffer);
  const all = [...STRANGE, connection];
  let misses = 0;
  for (let sent = 0; sent < 10_000 && misses < 5;) {
    const fds = Array.from({ length: 250 }, () => chance.of(all));
    if (send(connection, { bytes, fds })) sent += fds.length;
    else {
      misses++;
      wire.waitFor([connection], 10);
    }
  }
  wire.close(connection, memory, here, there);
}

while (performance.now() < endMs) {
  report.sessions++;
  const kind = chance.below(20);
  if (kind < 13) await stand();
  else if (kind < 19) ramble();
  else flood();
}
Deno.removeSync(relay);
console.log(JSON.stringify(report));
