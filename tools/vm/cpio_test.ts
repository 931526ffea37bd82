import { assertEquals, assertStringIncludes } from "@std/assert";
import { archive, type ArchiveEntry, formatHeader } from "./cpio.ts";

const decoder = new TextDecoder();

function bytesOf(entries: [string, ArchiveEntry][]): Uint8Array {
  return Uint8Array.from([...archive(entries)].flatMap((piece) => [...piece]));
}

Deno.test("formatHeader() writes thirteen numbers of eight digits, then the name", () => {
  const header = formatHeader({ path: "bin/sh", inode: 10, mode: 0o100755, size: 255 });
  assertEquals(header.length % 4, 0);
  const text = decoder.decode(header);
  assertEquals(text.slice(0, 6), "070701");
  const fields = text.slice(6, 110).match(/.{8}/g)?.map((digits) => parseInt(digits, 16));
  assertEquals(fields, [10, 0o100755, 0, 0, 1, 0, 255, 0, 0, 0, 0, 7, 0]);
  assertEquals(text.slice(110, 117), "bin/sh\0");
});

Deno.test("archive() aligns everything to four bytes and ends with the trailer", () => {
  const bytes = bytesOf([
    ["etc", { kind: "directory", mode: 0o755 }],
    ["etc/link", { kind: "symlink", target: "file" }],
    ["etc/file", { kind: "file", mode: 0o600, content: new TextEncoder().encode("hello") }],
  ]);
  assertEquals(bytes.length % 4, 0);
  const text = decoder.decode(bytes);
  for (let at = text.indexOf("070701"); at >= 0; at = text.indexOf("070701", at + 1)) {
    assertEquals(at % 4, 0);
  }
  assertStringIncludes(text, "etc/file\0\0hello\0\0\0");
  assertStringIncludes(text, "TRAILER!!!\0");
});
