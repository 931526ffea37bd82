import { assertEquals } from "@std/assert";
import { Leftovers } from "./memory.ts";

const LARGE = 50 << 20;

function counted() {
  const counts = { collections: 0 };
  const leftovers = new Leftovers(() => {
    counts.collections++;
    return Promise.resolve();
  });
  return { counts, leftovers };
}

Deno.test("memory is given back once nobody has been served for a while, and once only", async () => {
  const { counts, leftovers } = counted();
  for (let look = 0; look < 3; look++) {
    await leftovers.look({ accepted: 500, connections: 0 }, LARGE);
    assertEquals(counts.collections, 0);
  }
  for (let look = 0; look < 5; look++) {
    await leftovers.look({ accepted: 500, connections: 0 }, LARGE);
    assertEquals(counts.collections, 1);
  }
  for (let look = 0; look < 9; look++) {
    await leftovers.look({ accepted: 501, connections: 0 }, LARGE);
  }
  assertEquals(counts.collections, 2);
});

Deno.test("memory is not given back while clients come or are there, nor if there is little", async () => {
  const { counts, leftovers } = counted();
  for (let accepted = 0; accepted < 9; accepted++) {
    await leftovers.look({ accepted, connections: 0 }, LARGE);
  }
  for (let look = 0; look < 9; look++) {
    await leftovers.look({ accepted: 9, connections: 1 }, LARGE);
  }
  for (let look = 0; look < 9; look++) {
    await leftovers.look({ accepted: 9, connections: 0 }, 1 << 20);
  }
  assertEquals(counts.collections, 0);
});
