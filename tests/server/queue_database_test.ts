/** What a queue asks of its database, and what it gives to it. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ExpectedError } from "isolate/text/errors.ts";
import {
  askRedis,
  needsPostgres,
  needsRedis,
  POSTGRES_PASSWORD,
  startPostgres,
  startRedis,
  type TestDatabase,
} from "isolate/tests/support/database.ts";
import { jobOf, openExecutor, runOf, textOf } from "isolate/tests/support/executor.ts";
import { haveWorker, openQueue, openWorker } from "isolate/tests/support/queue.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";

function testRedis(name: string, body: () => Promise<void>): void {
  testWith([needs.command("python3"), ...needsRedis], name, body);
}

testRedis("a large file goes to Redis once, not with each job", async () => {
  await using database = await startRedis();
  await using engine = await openExecutor();
  await using queue = await openQueue(database);
  await using _worker = await openWorker(database, engine);
  await haveWorker(queue);
  const size = 3 << 20;
  const input = new Uint8Array(size).fill(97);
  const source = "import sys\nprint(len(sys.stdin.read()), sys.argv[1])";
  const received = async (word: string) => {
    const pattern = new RegExp(`total_net_${word}_bytes:(\\d+)`);
    return Number(pattern.exec(await askRedis(database, "INFO stats"))![1]);
  };
  const before = [await received("input"), await received("output")];
  for (let count = 0; count < 5; count++) {
    const run = { ...runOf({ args: [`${count}`] }), stdin: input };
    const { runs } = await queue.execute(jobOf("python3", source, { runs: [run, run] }));
    assertEquals(runs.map(({ stdout }) => textOf(stdout)), Array(2).fill(`${size} ${count}\n`));
  }
  for (const [index, word] of ["input", "output"].entries()) {
    const bytes = await received(word) - before[index]!;
    assert(bytes > size && bytes < 1.5 * size, `${word}: ${bytes} bytes`);
  }
});

testRedis(
  "a queue that forgets everything is given the jobs again that somebody waits for",
  async () => {
    await using database = await startRedis();
    await using engine = await openExecutor();
    await using queue = await openQueue(database);
    {
      await using _worker = await openWorker(database, engine);
      await haveWorker(queue);
    }
    const accepted = Promise.withResolvers<void>();
    const content = new Uint8Array(2 << 20).fill(65);
    const job = jobOf("python3", "import sys; print(len(sys.stdin.read()))", {
      runs: [{ ...runOf(), stdin: content }],
    });
    const result = queue.execute(job, { onAccepted: accepted.resolve });
    await accepted.promise;
    assertMatch(await askRedis(database, "FLUSHALL"), /OK/);
    await using _worker = await openWorker(database, engine);
    assertEquals(textOf((await result).runs[0]!.stdout), `${2 << 20}\n`);
  },
);

const VOLATILE = {
  "appendonly no": ["--appendonly", "no"],
  "maxmemory-policy allkeys-lru": ["--maxmemory-policy", "allkeys-lru"],
};
for (const [setting, options] of Object.entries(VOLATILE)) {
  testRedis(`Redis with '${setting}' is refused, unless that is allowed`, async () => {
    await using database = await startRedis(options);
    const right = setting.startsWith("append")
      ? "'appendonly yes'"
      : "'maxmemory-policy noeviction'";
    await assertRejects(
      () => openQueue(database),
      ExpectedError,
      `would lose jobs: set ${right} in`,
    );
    await using queue = await openQueue(database, { allowVolatile: true });
    assertEquals(queue.load().waiting, 0);
  });
}

testWith(
  [...needsPostgres],
  "PostgreSQL without fsync is refused, unless that is allowed",
  async () => {
    await using database = await startPostgres();
    await assertRejects(
      () => openQueue(database, { allowVolatile: false }),
      ExpectedError,
      "would lose jobs: set 'fsync on' in",
    );
    await using queue = await openQueue(database, { allowVolatile: true });
    assertEquals(queue.load().waiting, 0);
  },
);

const PASSWORDS = {
  Redis: {
    requirements: needsRedis,
    password: "long & secret",
    user: "",
    start: () => startRedis(["--requirepass", "long & secret"]),
  },
  PostgreSQL: {
    requirements: needsPostgres,
    password: POSTGRES_PASSWORD,
    user: "judge",
    start: () => startPostgres({ asksForPassword: true }),
  },
};
for (const [kind, { requirements, password, user, start }] of Object.entries(PASSWORDS)) {
  testWith([...requirements], `${kind}: the address of a queue can hold a password`, async () => {
    await using database = await start();
    const withPassword = (password: string): TestDatabase => {
      const url = new URL(database.url);
      Object.assign(url, { username: user, password: encodeURIComponent(password) });
      return { ...database, url: url.href };
    };
    await using queue = await openQueue(withPassword(password));
    assertEquals(queue.load().waiting, 0);
    const error = await assertRejects(
      () => openQueue(withPassword("wrong-password")),
      ExpectedError,
    );
    assert(!error.message.includes("wrong-password"), error.message);
    await assertRejects(() => openQueue(database), ExpectedError);
  });
}

testRedis("a queue that cannot be reached is told in one sentence", async () => {
  const address = { url: "redis://127.0.0.1:1/0", isVolatile: false } as TestDatabase;
  await assertRejects(() => openQueue(address), ExpectedError, "redis://127.0.0.1:1/0 cannot be");
});
