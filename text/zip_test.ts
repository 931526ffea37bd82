import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { makeZip, type ZipPart } from "../tests/support/zip.ts";
import { listZip, ZipError } from "./zip.ts";

const LIMITS = { entries: 10, fileBytes: 100_000, totalBytes: 150_000 };
const LONG = "long text ".repeat(5000);

Deno.test("listZip() lists files and folders, which can be read", async () => {
  const bytes = await makeZip([
    { name: "sums/", mode: 0o040755 },
    { name: "sums/problem.yaml", text: "name: Sums\n" },
    { name: "sums/data/ü.in", text: LONG },
    { name: "sums/empty", stored: true },
    { name: "sums/stored", text: "as it is", stored: true },
  ]);
  const entries = listZip(bytes, LIMITS);
  assertEquals(entries.map(({ name, kind, sizeBytes }) => `${kind} ${name} ${sizeBytes}`), [
    "directory sums 0",
    "file sums/problem.yaml 11",
    "file sums/data/ü.in 50000",
    "file sums/empty 0",
    "file sums/stored 8",
  ]);
  const texts = await Promise.all(
    entries.slice(1).map(async (entry) => new TextDecoder().decode(await entry.read())),
  );
  assertEquals(texts, ["name: Sums\n", LONG, "", "as it is"]);
});

const LEADS_OUT = ["/etc/passwd", "../a", "a/../../b", "a//b", ".", "a/./b", "a\\..\\b", ""];

const REFUSED: readonly [parts: readonly ZipPart[], message: string][] = [
  ...LEADS_OUT.map((name): [ZipPart[], string] => [
    [{ name }],
    `has the name ${JSON.stringify(name)}, which leads out of it`,
  ]),
  [
    [{ name: "link", text: "/etc/passwd", mode: 0o120777 }],
    "has link, which is a link or no file: unpack it, and name the folder",
  ],
  [
    [{ name: "pipe", mode: 0o010644 }],
    "has pipe, which is a link or no file: unpack it, and name the folder",
  ],
  [[{ name: "a" }, { name: "a" }], "has a twice"],
  [[{ name: "a" }, { name: "a/", mode: 0o040755 }], "has a twice"],
  [[{ name: "a/b/c" }, { name: "a" }], "has a/b/c, but a is a file"],
  [[{ name: "secret", flags: 1 }], "has secret, which is encrypted"],
  [[{ name: "a", method: 12 }], "has a in a compression other than deflate: pack it again"],
  [[{ name: "a", sizeBytes: 100_001 }], "has a with more than 100000 bytes"],
  [
    [{ name: "a", sizeBytes: 90_000 }, { name: "b", sizeBytes: 90_000 }],
    "unpacks to more than 150000 bytes",
  ],
  [
    [{ name: "a", sizeBytes: 0xffffffff }],
    "has a with 4 GiB or more: unpack it, and name the folder",
  ],
  [Array.from({ length: 11 }, (_, i) => ({ name: `${i}` })), "has more than 10 entries"],
];

for (const [parts, message] of REFUSED) {
  Deno.test(`listZip() says that an archive ${message}`, async () => {
    const bytes = await makeZip(parts);
    assertThrows(() => listZip(bytes, LIMITS), ZipError, message);
  });
}

Deno.test("an entry that unpacks to more or other than it says is refused", async () => {
  const [bomb, short, wrong] = listZip(
    await makeZip([
      { name: "bomb", text: LONG, sizeBytes: 100 },
      { name: "short", text: "abc", sizeBytes: 100 },
      { name: "wrong", text: "abc", crc: 5 },
    ]),
    LIMITS,
  );
  await assertRejects(() => bomb!.read(), ZipError, "has bomb, which is larger than it says");
  await assertRejects(() => short!.read(), ZipError, "has a damaged short");
  await assertRejects(() => wrong!.read(), ZipError, "has a damaged wrong");
});

Deno.test("whatever bytes an archive has, it is read or refused", async () => {
  const whole = await makeZip([{ name: "a", text: LONG }, { name: "b", text: "b", stored: true }]);
  for (let i = 0; i < 3000; i++) {
    const bytes = whole.slice(0, i % 3 === 0 ? i % whole.length : whole.length);
    for (let n = 0; n < 3 && bytes.length > 0; n++) {
      bytes[i * 7919 * (n + 1) % bytes.length] = i % 256;
    }
    try {
      for (const entry of listZip(bytes, LIMITS)) await entry.read();
    } catch (error) {
      if (!(error instanceof ZipError)) throw error;
    }
  }
  assertThrows(() => listZip(new Uint8Array(), LIMITS), ZipError, "is no zip archive");
});
