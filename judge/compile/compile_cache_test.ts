import { assertEquals, assertRejects } from "@std/assert";
import { Box, SandboxError, sharedSandbox } from "isolate/mod.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";
import { CompileCache, sha256 } from "./compile_cache.ts";
import { HostFiles } from "../../host/files.ts";

const BOX_ID = 967;
const DAY_MS = 86_400_000;
const key = (digit: string) => digit.repeat(64);

/** A test with a box that holds a file, and the directory of a cache. */
function cacheTest(
  name: string,
  test: (options: { host: HostFiles; box: Box; directory: string }) => Promise<void>,
): void {
  testWith([needs.root()], name, async () => {
    const sandbox = await sharedSandbox();
    await using box = await Box.init({ boxId: BOX_ID });
    await box.files.write("bin/program", "content", { mode: 0o700 });
    await withFolder(async (folder) => {
      await test({ host: new HostFiles(sandbox), box, directory: `${folder}/cache` });
    });
  });
}

const names = (directory: string) =>
  [...Deno.readDirSync(directory)].map(({ name }) => name).sort();

cacheTest("what is stored is found again, with its note", async ({ host, box, directory }) => {
  const cache = new CompileCache(host, { directory });
  assertEquals(await cache.find(key("a")), undefined);
  const stored = await cache.store(key("a"), { box, note: { some: ["note"] } });
  assertEquals(await new CompileCache(host, { directory }).find(key("a")), stored);
  assertEquals(stored.note, { some: ["note"] });
  const file = Deno.statSync(`${stored.directory}/bin/program`);
  assertEquals([file.mode! & 0o7777, file.size, file.uid], [0o755, 7, 0]);
  assertEquals(Deno.statSync(directory).mode! & 0o7777, 0o700);
});

cacheTest("what is there already stays", async ({ host, box, directory }) => {
  const cache = new CompileCache(host, { directory });
  await cache.store(key("a"), { box, note: 1 });
  assertEquals((await cache.store(key("a"), { box, note: 2 })).note, 1);
  assertEquals(names(directory), [key("a")]);
});

for (
  const [what, spoil] of [
    ["changed", (entry: string) => Deno.writeTextFileSync(`${entry}/files/bin/program`, "CONTENT")],
    ["longer", (entry: string) => Deno.writeTextFileSync(`${entry}/files/bin/program`, "content!")],
    ["missing", (entry: string) => Deno.removeSync(`${entry}/files/bin/program`)],
    ["no record", (entry: string) => Deno.removeSync(`${entry}/record.json`)],
    ["a broken record", (entry: string) => Deno.writeTextFileSync(`${entry}/record.json`, "{")],
    ["a strange record", (entry: string) => Deno.writeTextFileSync(`${entry}/record.json`, "null")],
    ["a record without files", (entry: string) => {
      const text = JSON.stringify({ format: 1, key: key("a") });
      Deno.writeTextFileSync(`${entry}/record.json`, text);
    }],
  ] as const
) {
  cacheTest(`an entry that is not whole is not used: ${what}`, async ({ host, box, directory }) => {
    const cache = new CompileCache(host, { directory });
    await cache.store(key("a"), { box, note: 1 });
    spoil(`${directory}/${key("a")}`);
    assertEquals(await cache.find(key("a")), undefined);
    assertEquals(names(directory), []);
    await cache.store(key("a"), { box, note: 1 });
    spoil(`${directory}/${key("a")}`);
    const { directory: files } = await cache.store(key("a"), { box, note: 2 });
    assertEquals(Deno.readTextFileSync(`${files}/bin/program`), "content");
  });
}

cacheTest("an entry of another name is not used", async ({ host, box, directory }) => {
  const cache = new CompileCache(host, { directory });
  await cache.store(key("a"), { box, note: 1 });
  Deno.renameSync(`${directory}/${key("a")}`, `${directory}/${key("b")}`);
  assertEquals(await cache.find(key("b")), undefined);
});

cacheTest("somebody else's directory is refused", async ({ host, directory }) => {
  Deno.mkdirSync(directory, { mode: 0o700 });
  Deno.chownSync(directory, 12345, 12345);
  const error = await assertRejects(
    () => new CompileCache(host, { directory }).find(key("a")),
    SandboxError,
  );
  assertEquals(error.kind, "hostile-path");
});

cacheTest(
  "what was not used for longest goes first, and leftovers",
  async ({ host, box, directory }) => {
    const cache = new CompileCache(host, { directory, limitBytes: 15 });
    for (const digit of ["a", "b", "c", "d"]) await cache.store(key(digit), { box, note: null });
    Deno.mkdirSync(`${directory}/new-leftover`);
    Deno.mkdirSync(`${directory}/somebody's own`);
    const old = (name: string, days: number) => {
      const time = new Date(Date.now() - days * DAY_MS);
      Deno.utimeSync(`${directory}/${name}`, time, time);
    };
    [key("a"), key("b"), key("c"), "new-leftover", "somebody's own"].forEach((name, i) => {
      old(name, 10 - i);
    });
    // Using an entry makes it young again.
    await cache.find(key("a"));
    cache.close();
    assertEquals(names(directory), [key("a"), key("d"), "somebody's own"].sort());
  },
);

cacheTest("entries in use are kept even if there is too much", async ({ host, box, directory }) => {
  const cache = new CompileCache(host, { directory, limitBytes: 0 });
  await cache.store(key("a"), { box, note: null });
  cache.close();
  assertEquals(names(directory), [key("a")]);
});

Deno.test("sha256() gives hexadecimal digits", async () => {
  assertEquals(
    await sha256(new Uint8Array()),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});

cacheTest(
  "in a temporary cache, programs that nobody uses make room for others",
  async ({ host, box }) => {
    const cache = new CompileCache(host, { limitBytes: 10_000 });
    const first = await cache.store(key("a"), { box, note: 1 });
    const again = await cache.find(key("a"));
    const others: { release: (() => void) | undefined }[] = [];
    for (const digit of ["b", "c"]) {
      others.push(await cache.store(key(digit), { box, note: digit }));
    }
    first.release?.();
    first.release?.();
    // One more user has not let it go, and those that are older than others go first.
    for (const { release } of others) release?.();
    assertEquals(await cache.find(key("b")), undefined);
    assertEquals([(await cache.find(key("a")))?.note, (await cache.find(key("c")))?.note], [
      1,
      "c",
    ]);
    assertEquals(Deno.statSync(`${again!.directory}/bin/program`).size, 7);
    cache.close();
    assertEquals(await Deno.stat(first.directory).catch(() => "gone"), "gone");
  },
);
