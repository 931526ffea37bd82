import { visibleLines, visiblePiece, visibleText } from "isolate/text/visible.ts";
import { assertEquals } from "@std/assert";

Deno.test("visibleText() keeps what can be seen", () => {
  assertEquals(visibleText("Grüße, 世界 🙂 <b>&\\"), "Grüße, 世界 🙂 <b>&\\");
});

Deno.test("visibleText() shows what cannot be seen, or deceives", () => {
  assertEquals(visibleText("\x1b[31mred"), "\\x1b[31mred");
  assertEquals(visibleText("\0\t\r\n\x7f\x85"), "\\x00\\t\\r\\n\\x7f\\u0085");
  assertEquals(visibleText("a\u200bb\u202ec\ufeff\u2028"), "a\\u200bb\\u202ec\\ufeff\\u2028");
  assertEquals(visibleText("\u{e0041}\ufffe"), "\\u{e0041}\\ufffe");
  assertEquals(visibleText("\ud800x\udc01"), "\\ud800x\\udc01");
});

Deno.test("visibleText() leaves nothing that a terminal would obey, and is the same twice", () => {
  const once = visibleText("a\x1b[31mb\nc\u202ed");
  assertEquals(once, "a\\x1b[31mb\\nc\\u202ed");
  assertEquals(visibleText(once), once);
});

Deno.test("visibleLines() keeps line breaks and tabs, and nothing else that cannot be seen", () => {
  assertEquals(visibleLines("a\tb\r\nc\rd\0\u202e"), "a\tb\nc\\rd\\x00\\u202e");
});

Deno.test("visibleText() shows each byte that is not UTF-8", () => {
  assertEquals(visibleText(new Uint8Array([0x61, 0xc3, 0x80, 0xc3, 0xff])), "aÀ\\xc3\\xff");
});

Deno.test("visiblePiece() does not split characters where it was cut", () => {
  const bytes = new TextEncoder().encode("ä€🙂x");
  const piece = { from: 1, to: 8, cutBefore: true, cutAfter: true };
  assertEquals(visiblePiece(bytes, piece), "…€…");
  assertEquals(visiblePiece(bytes, { ...piece, cutBefore: false }), "\\xa4€…");
  assertEquals(
    visiblePiece(bytes, { from: 0, to: bytes.length, cutBefore: false, cutAfter: false }),
    "ä€🙂x",
  );
});
