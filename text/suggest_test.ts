import { assertEquals } from "@std/assert";
import { nearest } from "./suggest.ts";

const NAMES = ["box-id", "mem", "meta", "wall-time", "init", "as-uid", "as-gid"];

Deno.test("nearest() forgives one slip in a short word", () => {
  assertEquals(nearest("inti", NAMES), "init");
  assertEquals(nearest("innit", NAMES), "init");
  assertEquals(nearest("int", NAMES), "init");
  assertEquals(nearest("intx", NAMES), undefined);
});

Deno.test("nearest() forgives two slips in a long word", () => {
  assertEquals(nearest("waltime", NAMES), "wall-time");
  assertEquals(nearest("box_id", NAMES), "box-id");
});

Deno.test("nearest() prefers the smaller distance, then the earlier name", () => {
  assertEquals(nearest("as-gidd", NAMES), "as-gid");
  assertEquals(nearest("as-xid", NAMES), "as-uid");
});

Deno.test("nearest() recognises a name with something behind it", () => {
  assertEquals(nearest("memory", NAMES), "mem");
  assertEquals(nearest("wall-time-limit", NAMES), "wall-time");
});

Deno.test("nearest() ignores the case", () => {
  assertEquals(nearest("BOX-ID", NAMES), "box-id");
  assertEquals(nearest("WALL", NAMES), "wall-time");
});

Deno.test("nearest() finds nothing near a strange word", () => {
  assertEquals(nearest("frobnicate", NAMES), undefined);
  assertEquals(nearest("", NAMES), undefined);
  assertEquals(nearest("anything", []), undefined);
});
