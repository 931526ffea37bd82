import { assertEquals, assertRejects } from "@std/assert";
import type { Bytes } from "../engine/types.ts";
import { FileCache } from "./file_cache.ts";
import { hashOf } from "./packing.ts";

async function setUp(limitBytes: number) {
  const contents = [1, 2, 3].map((byte) => new Uint8Array(10).fill(byte));
  const hashes = await Promise.all(contents.map(hashOf));
  const files = new Map<string, Bytes>(hashes.map((hash, index) => [hash, contents[index]!]));
  const reads: string[] = [];
  const store = {
    file(hash: string) {
      reads.push(hash);
      return Promise.resolve(files.get(hash));
    },
  };
  const [a = "", b = "", c = ""] = hashes;
  return { cache: new FileCache({ store, limitBytes }), files, reads, a, b, c };
}

Deno.test("a file is read from the queue once, also by those who ask at the same time", async () => {
  const { cache, files, reads, a, b } = await setUp(100);
  const [first, second] = await Promise.all([cache.read([a, b]), cache.read([a])]);
  assertEquals(first, new Map([a, b].map((hash) => [hash, files.get(hash)!])));
  assertEquals(second.get(a), files.get(a));
  await cache.read([a, b]);
  assertEquals(reads, [a, b]);
});

Deno.test("the files that were not used for longest go first", async () => {
  const { cache, reads, a, b, c } = await setUp(20);
  for (const hash of [a, b, a, c, a, b]) await cache.read([hash]);
  assertEquals(reads, [a, b, c, b]);
});

Deno.test("a missing or damaged file is an error, and asked for again", async () => {
  const { cache, files, a, b } = await setUp(100);
  files.set(a, new Uint8Array(10).fill(9));
  await assertRejects(() => cache.read([a]), Error, "is damaged in the queue");
  const content = files.get(b)!;
  files.delete(b);
  await assertRejects(() => cache.read([b]), Error, "no longer has the file");
  files.set(b, content);
  assertEquals((await cache.read([b])).get(b), content);
});
