import { assertEquals, assertMatch } from "@std/assert";
import { CallbackSender } from "./callback_sender.ts";
import { Destinations } from "./destinations.ts";

const QUICK = { pauseMs: 1, timeoutMs: 300 };

interface Got {
  readonly method: string;
  readonly path: string;
  readonly host: string | null;
  readonly type: string | null;
  readonly body: string;
}

/** A server that answers with one status after the other, the last one again and again. */
class Receiver implements AsyncDisposable {
  readonly got: Got[] = [];
  readonly failures: string[] = [];
  readonly #statuses: Response[];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(...answers: Response[]) {
    this.#statuses = answers;
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      async (request) => {
        const { method, url, headers } = request;
        const { pathname, search } = new URL(url);
        this.got.push({
          method,
          path: pathname + search,
          host: headers.get("host"),
          type: headers.get("content-type"),
          body: await request.text(),
        });
        const answer = this.#statuses.length > 1 ? this.#statuses.shift()! : this.#statuses[0]!;
        return answer.clone();
      },
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  sender(options: { list?: string; triesMax?: number } = {}): CallbackSender {
    const { list = "127.0.0.1", ...others } = options;
    return new CallbackSender({
      destinations: new Destinations(list),
      onFailure: (message) => this.failures.push(message),
      resolve: () => Promise.resolve(["::1", "127.0.0.1"]),
      ...QUICK,
      ...others,
    });
  }

  async send(path: string, body: string, sender = this.sender()): Promise<void> {
    sender.send(`http://hooks.example:${this.port}${path}`, () => body);
    await sender.close(new AbortController().signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function answer(status: number, location?: string): Response {
  return new Response(null, { status, headers: location === undefined ? {} : { location } });
}

Deno.test("a callback is a PUT of JSON to the address that the name has", async () => {
  await using receiver = new Receiver(answer(204));
  await receiver.send("/done?a=1#fragment", '{"é":1}');
  assertEquals(receiver.got, [{
    method: "PUT",
    path: "/done?a=1",
    host: `hooks.example:${receiver.port}`,
    type: "application/json",
    body: '{"é":1}',
  }]);
  assertEquals(receiver.failures, []);
});

Deno.test("a callback is tried three times, and then given up", async () => {
  await using receiver = new Receiver(answer(500), answer(503), answer(200));
  await receiver.send("/", "{}");
  assertEquals([receiver.got.length, receiver.failures], [3, []]);
  await using broken = new Receiver(answer(500));
  await broken.send("/", "{}");
  assertEquals(broken.got.length, 3);
  assertMatch(broken.failures.join(), /^Not called back: .*: the answer was 500$/);
});

Deno.test("a redirection is not followed", async () => {
  await using secret = new Receiver(answer(200));
  await using receiver = new Receiver(answer(307, `http://127.0.0.1:${secret.port}/secret`));
  await receiver.send("/", "{}", receiver.sender({ triesMax: 1 }));
  assertEquals([receiver.got.length, secret.got.length], [1, 0]);
  assertMatch(receiver.failures.join(), /the answer was 307$/);
});

Deno.test("nothing is sent to an address that is not allowed", async () => {
  await using receiver = new Receiver(answer(200));
  await receiver.send("/", "{}", receiver.sender({ list: "any" }));
  await receiver.send("/", "{}", receiver.sender({ list: "hooks.example" }));
  assertEquals([receiver.got.length, receiver.failures.length], [0, 2]);
  assertMatch(receiver.failures.join(), /hooks.example has no address to which this server sends/);
});

Deno.test("a receiver that says nothing, or no HTTP, is given up after its time", async () => {
  const failures: string[] = [];
  for (const text of ["", "SSH-2.0-OpenSSH_9.2\r\n", "x".repeat(2000)]) {
    using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const sender = new CallbackSender({
      destinations: new Destinations("127.0.0.1"),
      onFailure: (message) => failures.push(message.replace(/.*\d\/: /, "")),
      ...QUICK,
      triesMax: 1,
    });
    const { port } = listener.addr as Deno.NetAddr;
    sender.send(`http://127.0.0.1:${port}/`, () => "{}");
    const connection = await listener.accept();
    if (text !== "") await connection.write(new TextEncoder().encode(text));
    await sender.close(new AbortController().signal);
    connection.close();
  }
  assertEquals(failures, [
    "no answer within 300 ms",
    "The answer is not one of HTTP",
    "The answer is not one of HTTP",
  ]);
});

Deno.test("closing with an aborted signal gives up what waits and what is under way", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const failures: string[] = [];
  const sender = new CallbackSender({
    destinations: new Destinations("127.0.0.1"),
    onFailure: (message) => failures.push(message),
    timeoutMs: 60_000,
    atOnceMax: 1,
    waitingMax: 1,
  });
  const { port } = listener.addr as Deno.NetAddr;
  for (let i = 0; i < 3; i++) sender.send(`http://127.0.0.1:${port}/${i}`, () => "{}");
  assertMatch(failures.join(), /too many callbacks wait: .*\/2$/);
  const connection = await listener.accept();
  await sender.close(AbortSignal.abort());
  connection.close();
  assertEquals(failures.length, 2);
});

Deno.test("over TLS, the name of the URL must be in the certificate", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const { success } = await new Deno.Command("openssl", {
      args: [...args, "-keyout", "key", "-out", "cert", "-days", "2", "-subj", "/CN=hooks.example"]
        .concat(
          "-addext",
          "subjectAltName=DNS:hooks.example",
          "-addext",
          "basicConstraints=CA:FALSE",
        ),
      cwd: folder,
      stderr: "null",
    }).output();
    assertEquals(success, true);
    const [cert, key] = await Promise.all(
      ["cert", "key"].map((name) => Deno.readTextFile(`${folder}/${name}`)),
    );
    const failures: string[] = [];
    const bodies: string[] = [];
    await using server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", cert: cert!, key: key!, onListen: () => {} },
      async (request) => {
        bodies.push(await request.text());
        return new Response(null, { status: 201 });
      },
    );
    for (const host of ["hooks.example", "other.example"]) {
      const sender = new CallbackSender({
        destinations: new Destinations("127.0.0.1"),
        onFailure: (message) => failures.push(message),
        resolve: () => Promise.resolve(["127.0.0.1"]),
        caCerts: [cert!],
        ...QUICK,
        timeoutMs: 5000,
      });
      sender.send(`https://${host}:${server.addr.port}/`, () => `to ${host}`);
      await sender.close(new AbortController().signal);
    }
    assertEquals(bodies, ["to hooks.example"]);
    assertMatch(failures.join(), /^Not called back: https:\/\/other.example.*certificate/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
