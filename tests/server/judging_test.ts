/** Problem packages that lie on the server. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ApiServer } from "isolate/tests/support/api_server.ts";
import { boxProcesses, until } from "isolate/tests/support/executor.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { SUM, writeFiles } from "isolate/tests/support/judging.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";

const base = [needs.root(), needs.command("python3")];

testWith(base, "submissions are judged by the packages of the server", async () => {
  await withFolder(async (folder) => {
    await writeFiles(`${folder}/sum`, SUM);
    await writeFiles(`${folder}/broken`, { "problem.yaml": "name: [" });
    await using server = await ApiServer.start(`--packages=${folder}`);
    const post = (content: string, more: object = {}, headers: Record<string, string> = {}) =>
      server.post("judge", {
        package: "sum",
        files: [{ name: "main.py", content }],
        ...more,
      }, { headers });
    const right = "print(sum(map(int, input().split())))\n";

    const accepted = await (await post(right)).json();
    assertEquals([accepted.verdict, accepted.message], ["AC", "Accepted"]);
    assertEquals(
      accepted.tests.map(({ test, verdict }: Record<string, string>) => [test, verdict]),
      [
        ["secret/1", "AC"],
        ["secret/2", "AC"],
      ],
    );
    const wrong = await (await post("print(3)\n")).json();
    assertEquals([wrong.verdict, wrong.decidedBy], ["WA", "secret/2"]);
    const several = await (await post("", {
      files: [
        { name: "main.py", content: "from lib.add import add\nprint(add(*input().split()))\n" },
        { name: "lib/add.py", content: "def add(a, b): return int(a) + int(b)\n" },
      ],
    })).json();
    assertEquals(several.verdict, "AC", JSON.stringify(several));

    const response = await post(right, {}, { Accept: "application/x-ndjson" });
    const lines = (await response.text()).trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.map(({ event }) => event), ["accepted", "compile", "test", "test", "end"]);
    assertEquals([lines.at(-1).verdict, lines[2].total], ["AC", 2]);

    for (const name of ["none", "../sum", "sum/data", ""]) {
      const refused = await post(right, { package: name });
      assertEquals([refused.status, (await refused.json()).message], [
        404,
        "there is no package of this name",
      ]);
    }
    const broken = await post(right, { package: "broken" });
    assertEquals(broken.status, 500);
    const { message } = await broken.json();
    assertMatch(message, /^the package cannot be judged: /);
    assert(!message.includes(folder), message);
    const outside = await post(right, { files: [{ name: "../x.py", content: "" }] });
    assertMatch((await outside.json()).message, /^files\[0\]\.name: .* must not lead out/);

    const keyed = (headers: Record<string, string> = {}, content = right) =>
      post(content, {}, { "Idempotency-Key": "one", ...headers });
    const [first, second] = await Promise.all([keyed(), keyed()]);
    const once = await first!.json();
    assertEquals([once.verdict, await second!.json()], ["AC", once]);
    assertEquals(
      [first, second].filter((one) => one!.headers.has("Idempotency-Replayed")).length,
      1,
    );
    const replayed = (await (await keyed({ Accept: "application/x-ndjson" })).text()).trim()
      .split("\n").map((line) => JSON.parse(line));
    assertEquals(replayed.map(({ event }) => event), lines.map(({ event }) => event));
    assertEquals([replayed.at(-1).id, replayed[2].total], [once.id, 2]);
    assertEquals((await keyed({}, "print(3)\n")).status, 422);

    const slow = post("while True: pass\n", {}, { "X-Request-Id": "slow" });
    await until(() => boxProcesses() > 0);
    const cancelled = await fetch(`${server.url}judge/slow`, { method: "DELETE" });
    assertEquals([cancelled.status, (await slow).status], [202, 499]);
    await until(() => boxProcesses() === 0);
  });
});

testWith(base, "a server without packages judges nothing", async () => {
  await using server = await ApiServer.start();
  const files = [{ name: "main.py", content: "" }];
  const refused = await server.post("judge", { package: "sum", files });
  assertEquals([refused.status, (await refused.json()).message], [
    404,
    "this server has no packages: its administrator names their folder",
  ]);
});
