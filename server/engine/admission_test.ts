import { assert, assertEquals, assertRejects } from "@std/assert";
import { Admission } from "./admission.ts";
import { BusyError } from "./executor.ts";

/** Work that goes on until it is let go. */
function held(name: string, log: string[]) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const work = async () => {
    log.push(name);
    await promise;
    return name;
  };
  return { work, letGo: resolve };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("Admission lets lower numbers in first, and equals in the order in which they came", async () => {
  const admission = new Admission({ running: 1, waiting: 10 });
  const log: string[] = [];
  const first = held("first", log);
  const all = [admission.run(first.work)];
  for (const [name, priority] of [["b", 5], ["c", 5], ["a", 1], ["d", 9]] as const) {
    const one = held(name, log);
    one.letGo();
    all.push(admission.run(one.work, { priority }));
  }
  assertEquals([admission.running, admission.waiting], [1, 4]);
  first.letGo();
  await Promise.all(all);
  assertEquals(log, ["first", "a", "b", "c", "d"]);
  assertEquals([admission.running, admission.waiting], [0, 0]);
});

Deno.test("Admission refuses those for whom there is no room, with a time", async () => {
  const admission = new Admission({ running: 1, waiting: 0 });
  const first = held("first", []);
  const running = admission.run(first.work);
  const error = await assertRejects(() => admission.run(first.work), BusyError);
  assert(error.retryAfterSeconds >= 1 && error.retryAfterSeconds <= 60);
  first.letGo();
  assertEquals(await running, "first");
});

Deno.test("Admission forgets who gives up waiting", async () => {
  const admission = new Admission({ running: 1, waiting: 1 });
  const log: string[] = [];
  const [first, second] = [held("first", log), held("second", log)];
  const running = admission.run(first.work);
  const gone = new AbortController();
  const waiting = admission.run(second.work, { signal: gone.signal });
  gone.abort(new Error("gone"));
  await assertRejects(() => waiting, Error, "gone");
  first.letGo();
  await running;
  assertEquals([log, admission.running], [["first"], 0]);
});

Deno.test("Admission goes on after work has failed", async () => {
  const admission = new Admission({ running: 1, waiting: 0 });
  await assertRejects(() => admission.run(() => Promise.reject(new Error("no"))), Error, "no");
  assertEquals(await admission.run(() => Promise.resolve(1)), 1);
});

Deno.test("Admission that closes refuses who waits, and waits for what runs", async () => {
  const admission = new Admission({ running: 1, waiting: 1 });
  const first = held("first", []);
  const running = admission.run(first.work);
  const waiting = admission.run(first.work);
  waiting.catch(() => {});
  let isClosed = false;
  const closing = admission.close().then(() => isClosed = true);
  await assertRejects(() => waiting, BusyError, "being stopped");
  await turn();
  assertEquals(isClosed, false);
  first.letGo();
  await Promise.all([running, closing]);
  await assertRejects(() => admission.run(first.work), BusyError, "being stopped");
});

Deno.test("Admission tells who has a place at once, and nobody who is refused", async () => {
  const admission = new Admission({ running: 1, waiting: 1 });
  const first = held("first", []);
  const log: number[] = [];
  const all = [1, 2, 3].map((i) =>
    admission.run(first.work, { onAccepted: () => log.push(i) }).catch(() => "refused")
  );
  await turn();
  assertEquals(log, [1, 2]);
  first.letGo();
  assertEquals(await Promise.all(all), ["first", "first", "refused"]);
  assertEquals(log, [1, 2]);
});
