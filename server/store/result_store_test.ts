import { assertEquals, assertThrows } from "@std/assert";
import { ExpectedError } from "../../text/errors.ts";
import { ResultStore, type ResultStoreOptions, StoreFullError } from "./result_store.ts";

const OPTIONS = { keptMs: 1000, countMax: 100, bytesMax: 1_000_000 };

/** A store whose time the test makes. */
class Bench implements Disposable {
  nowMs = 1_000_000;
  readonly store: ResultStore;

  constructor(options: Partial<ResultStoreOptions> = {}) {
    this.store = new ResultStore({ ...OPTIONS, now: () => this.nowMs, ...options });
  }

  add(id: string, request = "request"): boolean {
    return this.store.add({ id, kind: "test", request, state: "waiting" });
  }

  state(id: string): string | undefined {
    return this.store.get(id, "test")?.state;
  }

  ids(): string[] {
    return this.store.list("test", { offset: 0, limit: 1000 }).map(({ id }) => id);
  }

  [Symbol.dispose](): void {
    this.store.close();
  }
}

Deno.test("a result is added once, and finished once", () => {
  using bench = new Bench();
  const { store } = bench;
  assertEquals(bench.add("a"), true);
  assertEquals(bench.add("a", "another request"), false);
  store.update("a", "running");
  assertEquals(bench.state("a"), "running");
  bench.nowMs += 5;
  assertEquals([store.finish("a", "first"), store.finish("a", "second")], [true, false]);
  store.update("a", "running again");
  assertEquals(store.get("a", "test"), {
    id: "a",
    kind: "test",
    request: "request",
    state: "first",
    createdAtMs: 1_000_000,
    finishedAtMs: 1_000_005,
  });
  assertEquals(store.finish("nobody", "x"), false);
});

Deno.test("a dialect sees only its own results", () => {
  using bench = new Bench();
  bench.add("a");
  assertEquals(bench.store.get("a", "other"), undefined);
  assertEquals(bench.store.count("other"), 0);
  assertEquals(bench.store.list("other", { offset: 0, limit: 9 }), []);
});

Deno.test("finished results are forgotten after their time, others are not", () => {
  using bench = new Bench();
  bench.add("finished");
  bench.add("running");
  bench.store.finish("finished", "done");
  bench.nowMs += 999;
  assertEquals([bench.state("finished"), bench.state("running")], ["done", "waiting"]);
  bench.nowMs += 1;
  assertEquals([bench.state("finished"), bench.state("running")], [undefined, "waiting"]);
  assertEquals(bench.ids(), ["running"]);
});

Deno.test("the oldest finished results make room for new ones, by number and by bytes", () => {
  using few = new Bench({ countMax: 3 });
  for (const id of ["a", "b", "c"]) few.add(id);
  assertThrows(() => few.add("d"), StoreFullError);
  few.store.finish("b", "done");
  few.nowMs++;
  few.store.finish("a", "done");
  few.add("d");
  assertEquals(few.ids(), ["d", "c", "a"]);

  using small = new Bench({ bytesMax: 1000 });
  small.add("a", "é".repeat(200));
  small.add("b", "é".repeat(200));
  assertThrows(() => small.add("c", "é".repeat(200)), StoreFullError);
  small.store.finish("a", "done");
  small.store.finish("b", "x".repeat(900));
  // The result that has just come stays, even alone above the limit.
  assertEquals(small.ids(), ["b"]);
  small.add("c");
  assertEquals(small.ids(), ["c"]);
});

Deno.test("a removed result is gone, and so are its bytes", () => {
  using bench = new Bench({ bytesMax: 100 });
  bench.add("a", "x".repeat(80));
  assertEquals([bench.store.remove("a"), bench.store.remove("a")], [true, false]);
  assertEquals(bench.add("b", "x".repeat(80)), true);
});

Deno.test("pages list the newest first", () => {
  using bench = new Bench();
  for (const id of ["a", "b", "c"]) {
    bench.add(id);
    bench.nowMs++;
  }
  const page = (offset: number) => bench.store.list("test", { offset, limit: 2 });
  assertEquals([page(0), page(2), page(4)].map((results) => results.map(({ id }) => id)), [
    ["c", "b"],
    ["a"],
    [],
  ]);
  assertEquals(bench.store.count("test"), 3);
});

Deno.test("a file keeps results, and tells which ones nobody works on", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const file = `${folder}/results.db`;
    using first = new Bench({ file });
    first.add("finished", "x".repeat(50));
    first.store.finish("finished", "done");
    first.add("lost");
    first.store.close();
    using second = new Bench({ file, bytesMax: 100 });
    assertEquals(second.state("finished"), "done");
    assertEquals(second.store.unfinished("test").map(({ id }) => id), ["lost"]);
    // What the file holds counts.
    second.add("new", "x".repeat(60));
    assertEquals(second.ids(), ["new", "lost"]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a file that cannot be used is refused with the reason", () => {
  const error = assertThrows(() => new ResultStore({ ...OPTIONS, file: "/proc/none/results.db" }));
  assertEquals(error instanceof ExpectedError, true);
  assertEquals((error as Error).message.startsWith("Cannot keep results in /proc/none"), true);
});
