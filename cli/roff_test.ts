import { assertEquals } from "@std/assert";
import { escapeRoff, formatRoff } from "./roff.ts";

Deno.test("escapeRoff() keeps ASCII characters from becoming typographic ones", () => {
  assertEquals(escapeRoff(`-v ~ ^ ' " \``), "\\-v \\(ti \\(ha \\(aq \\(dq \\(ga");
});

Deno.test("escapeRoff() keeps text from being taken for requests and escapes", () => {
  assertEquals(escapeRoff(".so /etc/passwd"), "\\&.so /etc/passwd");
  assertEquals(escapeRoff("'so x"), "\\(aqso x");
  assertEquals(escapeRoff("a\\fBb"), "a\\efBb");
});

Deno.test("formatRoff() makes what is typed bold, and what stands for something italic", () => {
  assertEquals(formatRoff("use `--meta=`_FILE_."), "use \\fB\\-\\-meta=\\fP\\fIFILE\\fP\\&.");
  assertEquals(formatRoff("_VAR_`=`_VALUE_"), "\\fIVAR\\fP\\fB=\\fP\\fIVALUE\\fP");
});

Deno.test("formatRoff() takes no markup out of backquotes, nor out of names with underscores", () => {
  assertEquals(formatRoff("`A _B_ C`"), "\\fBA _B_ C\\fP");
  assertEquals(formatRoff("LIBC_FATAL_STDERR_ and BOX_ROOT"), "LIBC_FATAL_STDERR_ and BOX_ROOT");
});

Deno.test("formatRoff() leaves a single backquote as it is", () => {
  assertEquals(formatRoff("a ` b"), "a \\(ga b");
});
