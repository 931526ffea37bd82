import { assertEquals } from "@std/assert";
import { ConnectionWatch } from "./connection_watch.ts";

/** A watch of connections that tests name, and the ones that it has ended. */
function watched() {
  const open = new Set<string>();
  const ended: string[] = [];
  const watch = new ConnectionWatch({
    list: () =>
      [...open].map((remote) => ({
        remote,
        end: () => {
          open.delete(remote);
          ended.push(remote);
        },
      })),
    quietMs: 1000,
    quietOfManyMs: 100,
    manyConnections: 3,
    onEnd: () => {},
  });
  return { open, ended, watch };
}

Deno.test("ConnectionWatch ends connections on which nothing is asked for", () => {
  const { open, ended, watch } = watched();
  using _ = watch;
  open.add("a").add("b");
  const letGo = watch.hold("b");
  watch.look(0);
  watch.look(999);
  assertEquals(ended, []);
  watch.look(1000);
  assertEquals(ended, ["a"]);
  letGo();
  letGo();
  watch.look(2000);
  watch.look(2999);
  assertEquals(ended, ["a"]);
  watch.look(3000);
  assertEquals(ended, ["a", "b"]);
});

Deno.test("ConnectionWatch keeps a connection as long as any of its requests goes on", () => {
  const { open, ended, watch } = watched();
  using _ = watch;
  open.add("a");
  const [first, second] = [watch.hold("a"), watch.hold("a")];
  first();
  watch.look(0);
  watch.look(5000);
  assertEquals(ended, []);
  second();
  watch.look(6000);
  watch.look(7000);
  assertEquals(ended, ["a"]);
});

Deno.test("ConnectionWatch is less patient with many", () => {
  const { open, ended, watch } = watched();
  using _ = watch;
  for (const remote of ["a", "b", "c", "d"]) open.add(remote);
  watch.look(0);
  watch.look(100);
  assertEquals(ended, ["a", "b", "c", "d"]);
});

Deno.test("ConnectionWatch ends a connection soon when it is told to", () => {
  const { open, ended, watch } = watched();
  using _ = watch;
  open.add("a");
  const nowMs = performance.now();
  watch.hasten("a");
  watch.look(nowMs + 1000);
  assertEquals(ended, []);
  watch.look(nowMs + 2500);
  assertEquals(ended, ["a"]);
});
