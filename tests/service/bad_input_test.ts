/** Services that are not there, not for everybody, of another version, or without rights: one sentence each. */

import { assertEquals, assertMatch } from "@std/assert";
import { ABI_VERSION } from "../../ffi/abi.ts";
import {
  assertRefused,
  CLIENT,
  DIRECT,
  eventually,
  start,
  withScratch,
} from "../support/isolate.ts";
import { startService } from "../support/service.ts";

const USER = 7300;
const AS_USER = ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];
const RUN = ["-b1", "--run", "--", "/bin/true"];

const call = (socket: string, args: readonly string[] = RUN, through: readonly string[] = []) =>
  start([CLIENT, ...args], { env: { ISOLATE_SERVICE: socket }, through }).result;

Deno.test("without a service the client names the socket and how to start one", async () => {
  assertRefused(await call("/no/where"), "No isolate service is running at /no/where: start it");
  assertRefused(await call("off"), "ISOLATE_SERVICE is off");
  assertRefused(await call("x".repeat(200)), "No isolate service is running at xxx");
  await withScratch(async (scratch) => {
    await Deno.writeTextFile(`${scratch}/file`, "");
    assertRefused(await call(`${scratch}/file`), "No isolate service is running");
    assertRefused(await call(scratch), "No isolate service is running");
  });
});

Deno.test("who may not use the socket, or no boxes, is told so", async () => {
  await using service = await startService(["service_user.7399 = 0-9"], { firstUser: 73300 });
  assertRefused(await call(service.socket, RUN, AS_USER), `User ${USER} may not use boxes`);
  await Deno.chmod(service.socket, 0o660);
  assertRefused(await call(service.socket, RUN, AS_USER), "You may not use the isolate service");
});

/** What listens in place of a service: it answers the first packet with what it is given. */
const IMPOSTOR = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind(sys.argv[1] + "~"); s.listen()
os.rename(sys.argv[1] + "~", sys.argv[1])
answers = [bytes.fromhex(text) for text in sys.argv[2:]]
while True:
    c = s.accept()[0]
    if c.recv(1 << 18):
        for answer in answers: c.send(answer)
    c.close()`;

async function withImpostor(
  answers: readonly Uint8Array<ArrayBuffer>[],
  test: (socket: string) => Promise<void>,
  through: readonly string[] = [],
): Promise<void> {
  await withScratch(async (scratch) => {
    await Deno.chmod(scratch, 0o777);
    const socket = `${scratch}/socket`;
    const texts = answers.map((bytes) => bytes.toHex());
    await using _ = start(["/usr/bin/python3", "-c", IMPOSTOR, socket, ...texts], { through });
    await eventually(
      "the impostor listens",
      () => Deno.lstat(socket).then(() => true, () => false),
    );
    await test(socket);
  });
}

const words = (...values: number[]) => new Uint8Array(new Uint32Array(values).buffer);

Deno.test("a client and a service of different versions: the client says which is older", async () => {
  const REFUSAL = 0x4e4f4e21;
  await withImpostor([words(REFUSAL, ABI_VERSION + 1)], async (socket) => {
    assertRefused(await call(socket), "the client is older, install the one of the service");
  });
  await withImpostor([words(REFUSAL, ABI_VERSION - 1)], async (socket) => {
    assertRefused(await call(socket), "the service is older, restart it");
  });
});

Deno.test("a client does nothing for what is no service", async () => {
  await withImpostor([], async (socket) => {
    assertRefused(await call(socket), "has ended; what it ran is dead");
  });
  for (const junk of [words(7), words(1, 2, 3), new Uint8Array(4000).fill(255)]) {
    await withImpostor([junk], async (socket) => {
      assertRefused(await call(socket), "sent what this client does not understand");
    });
  }
});

Deno.test("nobody's client trusts a service that is neither root's nor his own", async () => {
  await withImpostor([], async (socket) => {
    await Deno.chmod(socket, 0o666);
    assertRefused(await call(socket), "is neither root's nor yours");
  }, AS_USER);
});

Deno.test("a service needs root", async () => {
  const { code, stderr } = await start([...DIRECT, "serve"], {
    through: [
      ...AS_USER,
      "--inh-caps=-all,+dac_read_search",
      "--ambient-caps=-all,+dac_read_search",
    ],
  }).result;
  assertEquals(code, 2);
  assertMatch(stderr, /^Must be started as root \(the effective user is 7300\)[^\n]*\n$/);
});

Deno.test("without control groups boxes work, and --cg says what is missing", async () => {
  const hide = 'umount -l /sys/fs/cgroup; exec "$@"';
  const through = ["unshare", "--mount", "/bin/bash", "-ec", hide, "shell"];
  await using service = await startService(["cg_root = auto"], { firstUser: 73300, through });
  assertEquals((await call(service.socket, ["-b1", "--init"])).code, 0);
  assertEquals((await call(service.socket)).code, 0);
  const { code, stderr } = await call(service.socket, ["--cg", ...RUN]);
  assertEquals(code, 2);
  assertMatch(stderr, /^[^\n]*control group[^\n]*\n$/);
  await call(service.socket, ["-b1", "--cleanup"]);
});
