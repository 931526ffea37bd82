/** Clients that send what no client sends: each is dropped, and nobody else notices. */

import { assert, assertEquals } from "@std/assert";
import { descriptorsOf, settledDescriptorsOf } from "../support/service_descriptors.ts";
import { CLIENT, eventually, sh } from "../support/isolate.ts";
import { rawClient } from "../support/raw_client.ts";
import { startService, type TestService } from "../support/service.ts";

const BOX_ID = 795;
const ROUNDS = Number(Deno.env.get("ISOLATE_FUZZ_ROUNDS") ?? 300);

async function attack(service: TestService, script: string): Promise<string> {
  const command = new Deno.Command("/usr/bin/python3", {
    args: rawClient(script, { socket: service.socket, rounds: ROUNDS }),
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(success, text(stderr));
  return text(stdout).trim();
}

/** Checks that everybody else is served, and that nothing was left in the service. */
async function assertUnharmed(service: TestService, before: readonly string[]): Promise<void> {
  await assertServed(service);
  await eventually(
    "the service has closed what it got",
    () => descriptorsOf(service.pid).sort().join() === before.join(),
    10_000,
  );
}

async function assertServed(service: TestService): Promise<void> {
  const env = { ISOLATE_SERVICE: service.socket };
  const client = `${CLIENT} --box-id=${BOX_ID}`;
  const text = await sh(
    `${client} --init >/dev/null; ${client} -s --run -- /bin/echo served; ${client} --cleanup`,
    { env },
  );
  assertEquals(text, "served\n");
}

const ATTACKS: Readonly<Record<string, string>> = {
  "nothing at all": `s = connect(); s.close()`,
  "empty packets, with and without descriptors": `
for fds in ([], [0, 1, 2], [0] * 250): s = connect(); send(s, b"", fds); assert is_dropped(s)`,
  "a packet that is too short": `s = connect(); send(s, b"abcd"); assert is_dropped(s)`,
  "a result that nobody asked for":
    `s = connect(); send(s, struct.pack("<II", 2, 4) + b"abcd"); assert is_dropped(s)`,
  "descriptors that nobody asked for":
    `s = connect(); send(s, struct.pack("<II", 3, 0), [0] * 250); send(s, struct.pack("<II", 3, 0), [0] * 250); assert is_dropped(s)`,
  "a hello without descriptors":
    `s = connect(); send(s, hello(b"--version\\0")); assert is_dropped(s)`,
  "a hello of another magic":
    `s = connect(); send(s, hello(b"", magic=7), [memory(b""), pair()[0].fileno()]); assert is_dropped(s)`,
  "a hello of another version":
    `s = connect(); send(s, hello(b"", version=99), [memory(b""), pair()[0].fileno()])
assert struct.unpack("<II", s.recv(100)) == (0x4e4f4e21, VERSION)`,
  "a hello of another version that has another size": `for size in (0, 8, 1000):
    s = connect(); send(s, hello(b"", version=VERSION - 1)[:12] + bytes(size), [memory(b""), pair()[0].fileno()])
    assert struct.unpack("<II", s.recv(100)) == (0x4e4f4e21, VERSION)`,
  "a memory file that can still change":
    `s = connect(); send(s, hello(b"--version\\0"), [memory(b"--version\\0", 0), pair()[0].fileno()]); assert is_dropped(s)`,
  "a memory file that is too short":
    `s = connect(); send(s, hello(b"", sizes=(1000, 0)), [memory(b"x"), pair()[0].fileno()]); assert is_dropped(s)`,
  "sizes that no command line has":
    `s = connect(); send(s, hello(b"", sizes=(0xffffffff, 0xffffffff)), [memory(b"x"), pair()[0].fileno()]); assert is_dropped(s)`,
  "files, directories, pipes, devices and itself in place of its descriptors": `
r, w = os.pipe(); e = select.epoll(); others = [socket.socket(), *socket.socketpair()]
strange = [os.open("/", os.O_RDONLY), os.open("/etc/passwd", os.O_RDONLY), os.open("/etc", os.O_PATH), r, w, e.fileno(), os.open("/dev/zero", os.O_RDONLY)] + [s.fileno() for s in others]
for fd in strange:
    for fds in ([fd, pair()[0].fileno()], [memory(b"--version\\0"), fd], [fd, fd], [fd]):
        s = connect(); send(s, hello(b"--version\\0"), fds); assert is_dropped(s), (fd, fds)
    s = connect(); send(s, hello(b"--version\\0"), [memory(b"--version\\0"), s.fileno()]); s.close()`,
  "two hellos": `
s = connect(); p = pair()
for i in range(2): send(s, hello(b"--version\\0"), [memory(b"--version\\0"), p[1].fileno()])
assert is_dropped(s)`,
  "wrong results": `
for size in (0, 1, 8, 1000, 100000):
    s = connect(); p = pair(); text = b"--version\\0"
    send(s, hello(text), [memory(text), p[1].fileno()])
    plan = s.recv(1 << 18)
    send(s, struct.pack("<II", 2, size) + os.urandom(size)); assert is_dropped(s) or size == len(plan)`,
  "a result of the right size, all wrong": `
text = b"--init\\0-b795\\0-M\\0/tmp/x\\0"
for fill in (b"\\0", b"\\xff", b"\\x7f"):
    s = connect(); p = pair(); send(s, hello(text), [memory(text), p[1].fileno()])
    for i in range(20):
        try: plan = s.recv(1 << 18)
        except OSError: break
        if not plan: break
        send(s, struct.pack("<II", 2, len(plan)) + fill * len(plan))
    s.close()`,
  "other descriptors than it was asked for": `
text = b"--run\\0-b795\\0--dir=x=/etc\\0--\\0/bin/true\\0"
for fds in ([], [0], [0, 0, 0], [os.open("/etc", os.O_RDONLY)], [pair()[0].fileno()]):
    s = connect(); p = pair(); send(s, hello(text), [memory(text), p[1].fileno()])
    for i in range(20):
        try: plan = s.recv(1 << 18)
        except OSError: break
        if not plan: break
        if fds: send(s, struct.pack("<II", 3, 0), fds)
        send(s, struct.pack("<II", 2, len(plan)) + plan)
    s.close()`,
  "a thousand signals": `
s = connect(); p = pair(); text = b"--version\\0"
send(s, hello(text), [memory(text), p[1].fileno()])
s.setblocking(False)
for i in range(1000): send(s, bytes([i % 256]))
s.close()`,
  "a hundred connections that say nothing": `
held = [connect() for i in range(100)]
time.sleep(0.2)`,
  "random packets with random descriptors": `
random.seed(7)
for i in range(ROUNDS):
    s = connect(); p = pair(); text = b"--version\\0"
    for j in range(random.randrange(1, 6)):
        kind = random.randrange(5)
        data = bytes(random.randrange(256) for _ in range(random.choice([0, 1, 4, 8, 40, 296, 300, 5000])))
        if kind == 1: data = hello(text)
        if kind == 2: data = struct.pack("<II", random.randrange(5), random.choice([0, 1, 8, 1 << 31])) + data
        if kind == 3: data = bytearray(hello(text)); data[random.randrange(len(data))] = random.randrange(256); data = bytes(data)
        fds = random.choice([[], [memory(text), p[1].fileno()], [memory(text)], [0] * random.randrange(1, 253)])
        send(s, data, fds)
        for fd in fds:
            if fd > 2 and fd != p[1].fileno(): os.close(fd)
    s.close(); p[0].close(); p[1].close()`,
};

Deno.test("clients that send what no client sends are dropped", async (t) => {
  const log = await Deno.makeTempFile({ prefix: "isolate-test-" });
  await using service = await startService([], {
    through: ["/bin/sh", "-c", `exec "$0" "$@" 2>${log}`],
  });
  const env = { ISOLATE_SERVICE: service.socket };
  // After some lives of a box the service has all that it keeps for the next one.
  for (let i = 0; i < 3; i++) await assertServed(service);
  const before = await settledDescriptorsOf(service.pid);
  for (const [name, script] of Object.entries(ATTACKS)) {
    await t.step(name, async () => {
      // With a box they come further.
      await sh(`${CLIENT} --box-id=${BOX_ID} --init >/dev/null`, { env });
      await attack(service, script);
      await assertUnharmed(service, before);
      assertEquals(await Deno.readTextFile(log), "");
    });
  }
  await Deno.remove(log);
});
