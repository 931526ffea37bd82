/** More clients than the service serves are told so at once, and those that are served do not notice. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { CLIENT, eventually, start } from "../support/isolate.ts";
import { startService, type TestService } from "../support/service.ts";

const BOX_ID = 690;
const USER = 1000;
const OTHER_USER = 1001;
const CLIENTS = 8;
const PER_USER = 3;
/** A client that is refused has no reason to wait; the machine may be busy. */
const AT_ONCE_MS = 3000;

/** Connects so often and says nothing; prints when all are connected. */
const HOLD = `
import socket, sys
held = []
for i in range(int(sys.argv[2])):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect(sys.argv[1]); held.append(s)
print("held", flush=True)
sys.stdin.read()
`;

class Client {
  constructor(readonly service: TestService, readonly program: string) {}

  async as(uid: number, ...args: string[]) {
    const began = performance.now();
    const { code, stdout, stderr } = await start([this.program, `-b${BOX_ID}`, ...args], {
      env: { ISOLATE_SERVICE: this.service.socket },
      through: ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"],
    }).result;
    return { code, stdout, stderr, tookMs: performance.now() - began };
  }

  async assertRefused(uid: number, sentence: RegExp): Promise<void> {
    const { code, stderr, tookMs } = await this.as(uid, "--version");
    assertEquals(code, 2, stderr);
    assertMatch(stderr, sentence);
    assertEquals(stderr.split("\n").length, 2, stderr);
    assert(tookMs < AT_ONCE_MS, `${tookMs} ms`);
  }

  async assertServed(uid: number): Promise<void> {
    const { code, stderr } = await this.as(uid, "--version");
    assertEquals(code, 0, stderr);
  }

  /** Holds connections of a user for as long as the work lasts. */
  async holding(uid: number, count: number, work: () => Promise<void>): Promise<void> {
    const holder = new Deno.Command("setpriv", {
      args: [
        ...[`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"],
        ...["/usr/bin/python3", "-c", HOLD, this.service.socket, `${count}`],
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = holder.stdout.getReader();
    await reader.read();
    // The service has accepted them when it lets others wait for nothing.
    await this.as(0, "--version");
    await work();
    await holder.stdin.close();
    await reader.cancel();
    await holder.status;
  }
}

Deno.test("above the bounds there is one sentence and status 2, at once", async (t) => {
  const lines = [`service_clients = ${CLIENTS}`, `service_clients_per_user = ${PER_USER}`];
  await using service = await startService(lines);
  const program = await Deno.makeTempFile({ prefix: "isolate-test-" });
  await Deno.copyFile(CLIENT, program);
  await Deno.chmod(program, 0o755);
  const client = new Client(service, program);
  const perUser = /^The isolate service serves at most 3 clients of one user at once: try again/;
  const inAll = /^The isolate service is busy with 8 clients: try again later\n$/;

  await t.step("of one user", () =>
    client.holding(USER, PER_USER, async () => {
      await client.assertRefused(USER, perUser);
      await client.assertServed(OTHER_USER);
      await client.assertServed(0);
    }));

  await t.step("of all users", () =>
    client.holding(0, CLIENTS, async () => {
      for (const uid of [0, USER, OTHER_USER]) await client.assertRefused(uid, inAll);
    }));

  await t.step("those that are served do not notice", async () => {
    const box = (await client.as(USER, "--init")).stdout.trim();
    const waiting = "until [ -e go ]; do sleep 0.05; done";
    const running = client.as(USER, "-p5", "--run", "--", "/bin/sh", "-c", waiting);
    await eventually("it runs", async () => /\brunning\b/.test(await list(service)));
    await client.holding(USER, PER_USER - 1, async () => {
      await client.assertRefused(USER, perUser);
      await Deno.writeTextFile(`${box}/box/go`, "");
      assertEquals((await running).code, 0);
      await client.assertServed(USER);
    });
    assertEquals((await client.as(USER, "--cleanup")).code, 0);
  });

  await t.step(
    "nor can anybody have sentences without a bound",
    () =>
      client.holding(USER, 500, async () => {
        const { code, stderr, tookMs } = await client.as(USER, "--version");
        assertEquals([code, stderr.split("\n").length], [2, 2], stderr);
        assert(tookMs < AT_ONCE_MS, `${tookMs} ms`);
        const open = [...Deno.readDirSync(`/proc/${service.pid}/fd`)].length;
        assert(open < 100, `${open} descriptors`);
        await client.assertServed(OTHER_USER);
      }),
  );

  await t.step("and afterwards all are served", async () => {
    for (const uid of [0, USER, OTHER_USER]) await client.assertServed(uid);
  });
  await Deno.remove(program);
});

async function list({ socket }: TestService): Promise<string> {
  const { stdout } = await start([CLIENT, "list"], { env: { ISOLATE_SERVICE: socket } }).result;
  return stdout;
}
