/** Files in and out of boxes. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  Box,
  defaultSettings,
  type FileContent,
  type InitOptions,
  Sandbox,
  SandboxError,
  type SandboxErrorKind,
} from "isolate/mod.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { withScratch } from "isolate/tests/support/isolate.ts";

const BOX_ID = 931;

async function refused(kind: SandboxErrorKind, work: () => Promise<unknown>): Promise<string> {
  const error = await assertRejects(work, SandboxError);
  assertEquals(error.kind, kind, error.message);
  return error.message;
}

async function withBox(
  test: (box: Box) => Promise<void>,
  options: InitOptions = {},
): Promise<void> {
  await using box = await Box.init({ boxId: BOX_ID, ...options });
  await test(box);
}

function namesIn(box: Box): string[] {
  return [...Deno.readDirSync(`${box.directory}/box`)].map(({ name }) => name).sort();
}

function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

function streamOf(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks);
}

const BYTES = crypto.getRandomValues(new Uint8Array(60_000));
const LARGE = new Uint8Array(3_000_001).map((_, i) => BYTES[i % BYTES.length]!);

Deno.test("write() takes text, bytes, streams and files of the host, small and large", () =>
  withFolder((folder) =>
    withBox(async (box) => {
      Deno.writeFileSync(`${folder}/large`, LARGE);
      Deno.writeFileSync(`${folder}/small`, BYTES);
      Deno.writeFileSync(`${folder}/empty`, new Uint8Array());
      const cases: [FileContent, Uint8Array][] = [
        ["", new Uint8Array()],
        ["größe\n", new TextEncoder().encode("größe\n")],
        [new Uint8Array(), new Uint8Array()],
        [BYTES, BYTES],
        [LARGE, LARGE],
        [streamOf(), new Uint8Array()],
        [streamOf(BYTES, new Uint8Array(), LARGE), new Uint8Array([...BYTES, ...LARGE])],
        [{ hostFile: `${folder}/large` }, LARGE],
        [{ hostFile: `${folder}/small` }, BYTES],
        [{ hostFile: `${folder}/empty` }, new Uint8Array()],
        [{ hostFile: `${folder}/sparse` }, SPARSE],
        [{ hostFile: `${folder}/hole` }, new Uint8Array(1 << 20)],
      ];
      Deno.writeFileSync(`${folder}/hole`, new Uint8Array());
      Deno.truncateSync(`${folder}/hole`, 1 << 20);
      writeSparse(`${folder}/sparse`);
      for (const [content, expected] of cases) {
        await box.files.write("file", content);
        assert(equal(Deno.readFileSync(`${box.directory}/box/file`), expected));
        const read = await box.files.read("file", { limitBytes: expected.length });
        assert(equal(read, expected));
      }
      assertEquals(namesIn(box), ["file"]);
    })
  ));

/** Data, a hole, data, and a hole at the end. */
const SPARSE = new Uint8Array(4_000_000);
SPARSE.fill(1, 0, 5000);
SPARSE.fill(2, 2_000_000, 3_000_001);

function writeSparse(path: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  for (const [from, to] of [[0, 5000], [2_000_000, 3_000_001]] as const) {
    file.seekSync(from, Deno.SeekMode.Start);
    for (let at = from; at < to;) at += file.writeSync(SPARSE.subarray(at, to));
  }
  file.truncateSync(SPARSE.length);
}

Deno.test("write() copies the holes of a file as holes", () =>
  withFolder((folder) =>
    withBox(async (box) => {
      const path = `${folder}/sparse`;
      Deno.writeFileSync(path, BYTES);
      Deno.truncateSync(path, 2 ** 32);
      await box.files.write("sparse", { hostFile: path });
      const { size, blocks } = Deno.statSync(`${box.directory}/box/sparse`);
      assertEquals(size, 2 ** 32);
      assert(blocks! < 2048, `${blocks} blocks`);
    })
  ));

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

Deno.test("write() copies a file of /proc, whose reported size is 0", () =>
  withBox(async (box) => {
    await box.files.write("version", { hostFile: "/proc/version" });
    const text = await box.files.readText("version", { limitBytes: 1000 });
    assertEquals(text, Deno.readTextFileSync("/proc/version"));
  }));

Deno.test("write() gives the file, with its mode and the directories above, to the user that the sandbox acts for", async () => {
  const sandbox = await Sandbox.open({
    settings: defaultSettings(),
    actAs: { uid: 65_003, gid: 65_004 },
  });
  const umask = Deno.umask(0o077);
  try {
    await withBox(async (box) => {
      await box.files.write("a/b/plain", "");
      await box.files.write("a/b/program", "", { mode: 0o711 });
      await box.files.write("a/stream", streamOf(BYTES), { mode: 0 });
      await box.files.makeDirectory("a/c/d");
      await box.files.makeDirectory("a/c");
      const facts = (name: string) => {
        const { mode, uid, gid } = Deno.lstatSync(`${box.directory}/box/${name}`);
        return [mode! & 0o7777, uid, gid];
      };
      assertEquals(facts("a/b/plain"), [0o644, 65_003, 65_004]);
      assertEquals(facts("a/b/program"), [0o711, 65_003, 65_004]);
      assertEquals(facts("a/stream"), [0, 65_003, 65_004]);
      for (const name of ["a", "a/b", "a/c", "a/c/d"]) {
        assertEquals(facts(name), [0o755, 65_003, 65_004], name);
      }
    }, { sandbox });
  } finally {
    Deno.umask(umask);
  }
});

Deno.test("write() puts a new file in the place of the old one, which others may have open", () =>
  withBox(async (box) => {
    await box.files.write("file", "old");
    using old = await Deno.open(`${box.directory}/box/file`, { read: true });
    Deno.linkSync(`${box.directory}/box/file`, `${box.directory}/box/twin`);
    await box.files.write("file", "new");
    const bytes = new Uint8Array(10);
    assertEquals(await old.read(bytes), 3);
    assertEquals(new TextDecoder().decode(bytes.subarray(0, 3)), "old");
    assertEquals(await box.files.readText("twin", { limitBytes: 3 }), "old");
    assertEquals(await box.files.readText("file", { limitBytes: 3 }), "new");
  }));

Deno.test("a write() that fails leaves the old file and nothing else, and cancels the stream", () =>
  withFolder((folder) =>
    withBox(async (box) => {
      await box.files.write("file", "old");
      Deno.writeFileSync(`${folder}/large`, LARGE);
      Deno.mkdirSync(`${folder}/directory`);
      Deno.symlinkSync("large", `${folder}/link`);
      const before = descriptors();
      let cancelled: unknown;
      const broken = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(BYTES),
        cancel: (reason) => {
          cancelled = reason;
        },
      });
      const failing = ReadableStream.from((async function* () {
        yield BYTES;
        await Promise.resolve();
        throw new Error("the source is broken");
      })());
      const limit = { limitBytes: 100_000 };
      const message = await refused("too-large", () => box.files.write("file", broken, limit));
      assertEquals(message, 'Cannot write "file" in the box: it is larger than 100000 bytes');
      assert(cancelled instanceof SandboxError);
      await assertRejects(() => box.files.write("file", failing), Error, "the source is broken");
      await refused("too-large", () => box.files.write("file", LARGE, limit));
      await refused("too-large", () => box.files.write("file", "12", { limitBytes: 1 }));
      const host = (name: string) => ({ hostFile: `${folder}/${name}` });
      await refused("too-large", () => box.files.write("file", host("large"), limit));
      const missing = await refused("system", () => box.files.write("file", host("missing")));
      assertStringIncludes(missing, `open ${folder}/missing: No such file or directory`);
      await refused("bad-option", () => box.files.write("file", host("directory")));
      const link = await refused("bad-option", () => box.files.write("file", host("link")));
      assertStringIncludes(link, `${folder}/link into the box: it is a symbolic link`);
      await refused("bad-option", () => box.files.write("file", { hostFile: "/dev/zero" }));
      const strange = ReadableStream.from(["text"]) as unknown as ReadableStream<Uint8Array>;
      await assertRejects(
        () => box.files.write("file", strange),
        TypeError,
        "something other than a Uint8Array",
      );
      await assertRejects(() => box.files.write("file", "", { mode: 0o4755 }), RangeError);
      assertEquals([namesIn(box), descriptors()], [["file"], before]);
      assertEquals(await box.files.readText("file", { limitBytes: 3 }), "old");
    })
  ));

Deno.test("files of the host are read with the rights of the user that the sandbox acts for", () =>
  withScratch(async (folder) => {
    const settings = defaultSettings();
    const sandbox = await Sandbox.open({ settings, actAs: { uid: 65_003, gid: 65_003 } });
    Deno.writeTextFileSync(`${folder}/secret`, "");
    Deno.chmodSync(`${folder}/secret`, 0o600);
    await withBox(async (box) => {
      const message = await refused(
        "system",
        () => box.files.write("file", { hostFile: `${folder}/secret` }),
      );
      assertStringIncludes(message, "Permission denied");
      await box.files.write("file", "mine");
      const copy = (name: string) =>
        box.files.copyOut([{ path: "file", hostFile: `${folder}/${name}` }]);
      await refused("system", () => copy("out"));
      Deno.mkdirSync(`${folder}/open`);
      Deno.chownSync(`${folder}/open`, 65_003, 65_003);
      await copy("open/out");
      assertEquals(Deno.statSync(`${folder}/open/out`).uid, 65_003);
      assertEquals([...Deno.readDirSync(`${folder}/open`)].map(({ name }) => name), ["out"]);
    }, { sandbox });
  }));

Deno.test("list() returns names, kinds, sizes and modes", () =>
  withBox(async (box) => {
    await box.files.write("b", "123", { mode: 0o600 });
    await box.files.makeDirectory("a");
    Deno.symlinkSync("b", `${box.directory}/box/c`);
    await new Deno.Command("mkfifo", { args: ["-m", "600", `${box.directory}/box/d`] }).output();
    const found = await box.files.list();
    assertEquals(found.map(({ name, kind }) => `${name} ${kind}`), [
      "a directory",
      "b file",
      "c symlink",
      "d fifo",
    ]);
    assertEquals(found[1], { name: "b", kind: "file", sizeBytes: 3, mode: 0o600 });
    assertEquals(await box.files.list("a"), []);
    await refused("no-file", () => box.files.list("e"));
    const message = await refused("hostile-path", () => box.files.list("b"));
    assertEquals(message, 'Cannot list "b" in the box: it is a regular file, not a directory');
  }));

Deno.test("names that are not UTF-8 come and go as they are", () =>
  withBox(async (box) => {
    const name = "a\udcff\udc80";
    await box.files.write(name, "1");
    assertEquals((await box.files.list()).map((entry) => entry.name), [name]);
    assertEquals(await box.files.readText(name, { limitBytes: 1 }), "1");
    const escaped = '"a\\udcff\\udc81"';
    const message = await refused(
      "no-file",
      () => box.files.read("a\udcff\udc81", { limitBytes: 1 }),
    );
    assertEquals(message, `Cannot read ${escaped} in the box: there is no such file`);
  }));

Deno.test("copyOut() copies what is there, leaves out what may be left out, and says why", () =>
  withFolder((folder) =>
    withBox(async (box) => {
      await box.files.write("out", "42\n");
      await box.files.write("large", LARGE);
      await box.files.makeDirectory("directory");
      Deno.writeTextFileSync(`${folder}/precious`, "precious");
      Deno.symlinkSync("precious", `${folder}/out`);
      const before = descriptors();
      const hostFile = (name: string) => `${folder}/${name}`;
      const copied = await box.files.copyOut([
        { path: "out", hostFile: hostFile("out") },
        { path: "large", hostFile: hostFile("large"), mode: 0o640 },
        { path: "large", hostFile: hostFile("cut"), limitBytes: 3_000_000, optional: true },
        { path: "missing", hostFile: hostFile("missing"), optional: true },
        { path: "directory", hostFile: hostFile("directory"), optional: true },
      ]);
      assertEquals(copied.map((file) => file.omitted ?? file.sizeBytes), [
        3,
        3_000_001,
        "too-large",
        "no-file",
        "hostile-path",
      ]);
      assertEquals(Deno.readTextFileSync(`${folder}/precious`), "precious");
      assert(Deno.lstatSync(`${folder}/out`).isFile);
      assertEquals(Deno.readTextFileSync(`${folder}/out`), "42\n");
      assert(equal(Deno.readFileSync(`${folder}/large`), LARGE));
      assertEquals(Deno.statSync(`${folder}/large`).mode! & 0o7777, 0o640);
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
      assertEquals(names, ["large", "out", "precious"]);
      for (
        const [path, kind] of [
          ["missing", "no-file"],
          ["directory", "hostile-path"],
          ["../out", "hostile-path"],
        ] as const
      ) await refused(kind, () => box.files.copyOut([{ path, hostFile: hostFile("x") }]));
      const target = { path: "out", hostFile: hostFile("no/such/directory"), optional: true };
      await refused("system", () => box.files.copyOut([target]));
      Deno.mkdirSync(`${folder}/taken`);
      await refused(
        "system",
        () => box.files.copyOut([{ path: "out", hostFile: hostFile("taken") }]),
      );
      await refused(
        "bad-option",
        () => box.files.copyOut([{ path: "out", hostFile: `${folder}/` }]),
      );
      assertEquals([...Deno.readDirSync(folder)].length, 4);
      assertEquals(descriptors(), before);
    })
  ));

Deno.test("while a program runs its files can be read and listed, but not changed", () =>
  withBox(async (box) => {
    const script = "printf 123 > out; mkfifo pipe; read -r line < pipe; echo more >> out";
    const abort = new AbortController();
    const run = box.run(["/bin/sh", "-c", script], {
      limits: { processes: 3, wallTimeMs: 20_000 },
      signal: abort.signal,
    });
    try {
      while ((await box.files.list()).length < 2) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      assertEquals(await box.files.readText("out", { limitBytes: 3 }), "123");
      await refused("hostile-path", () => box.files.read("pipe", { limitBytes: 3 }));
      for (
        const change of [
          () => box.files.write("in", ""),
          () => box.files.makeDirectory("in"),
          () => box.clear(),
        ]
      ) await refused("box-in-use", change);
    } finally {
      abort.abort();
      await run;
    }
    await box.files.write("in", "");
  }));

Deno.test("a file that is being written keeps programs out of the box", () =>
  withBox(async (box) => {
    let controller: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) });
    const written = box.files.write("in", stream);
    controller!.enqueue(BYTES);
    await refused("box-in-use", () => box.run(["/bin/true"]));
    const message = await refused("box-in-use", () => box.clear());
    assertEquals(message, `Files are being written into box ${BOX_ID}`);
    controller!.close();
    await written;
    assertEquals((await box.run(["/bin/true"])).kind, "exit");
  }));

Deno.test("the files of a box that was released, or cleaned up while one is written, are out of reach", async () => {
  const box = await Box.init({ boxId: BOX_ID });
  let controller: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) });
  const written = box.files.write("in", stream);
  const rejected = refused("no-box", () => written);
  controller!.enqueue(BYTES);
  await new Promise((resolve) => setTimeout(resolve, 10));
  await box.cleanup();
  await using next = await Box.init({ boxId: BOX_ID });
  controller!.enqueue(BYTES);
  await rejected;
  for (
    const work of [
      () => box.files.write("in", ""),
      () => box.files.read("in", { limitBytes: 1 }),
      () => box.files.list(),
      () => box.files.makeDirectory("in"),
      () => box.clear(),
    ]
  ) await refused("no-box", work);
  assertEquals(await next.files.list(), []);
});

Deno.test("a box with a file system of its own has files too, as many as fit", async () => {
  const size = { sizeKib: 256, inodes: 20 };
  await withBox(async (box) => {
    await box.files.write("a/b", BYTES);
    assert(equal(await box.files.read("a/b", { limitBytes: BYTES.length }), BYTES));
    for (const content of [LARGE, streamOf(LARGE), new Uint8Array(65_536 * 4)]) {
      const message = await refused("system", () => box.files.write("large", content));
      assertStringIncludes(message, "No space left on device");
    }
    assertEquals((await box.files.list()).map(({ name }) => name), ["a"]);
    for (let i = 0; i < 3; i++) {
      await box.run(["/bin/sh", "-c", "chmod 777 .; echo > x; exec head -c 300000 /dev/zero > y"], {
        stderr: { path: "/dev/null" },
        limits: { processes: 2 },
      });
      assertEquals((await box.files.list()).length, i === 0 ? 3 : 2);
      await box.clear();
      assertEquals(await box.files.list(), []);
    }
    const { blocks, files } = fileSystem(`${box.directory}/box`);
    assertEquals([blocks, files], [256, 20]);
    assertEquals(Deno.statSync(`${box.directory}/box`).mode! & 0o7777, 0o700);
  }, { size });
  assert(!Deno.readTextFileSync("/proc/self/mountinfo").includes(`/${BOX_ID}/box`));
});

/** The size of a file system in KiB and inodes. */
function fileSystem(path: string): { blocks: number; files: number } {
  const { stdout } = new Deno.Command("stat", { args: ["-f", "-c", "%b %S %c", path] })
    .outputSync();
  const [blocks, size, files] = new TextDecoder().decode(stdout).split(" ").map(Number);
  return { blocks: blocks! * size! / 1024, files: files! };
}
