import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { needs, testWith } from "isolate/tests/support/skip.ts";
import { CLASSIC_OPTIONS } from "./classic_options.ts";
import { COMMANDS } from "./commands.ts";
import { escapeRoff, formatRoff, manualPage } from "./manual.ts";
import { OPTION_DETAILS } from "./manual_text.ts";
import { optionsOf } from "./option.ts";

const PAGE = manualPage({ version: "1.2.3" });

/** Returns what a program prints for the page, on both streams. */
async function pipedTo(
  program: string,
  args: string[],
): Promise<{ stdout: string; stderr: string }> {
  const path = await Deno.makeTempFile({ suffix: ".1" });
  try {
    await Deno.writeTextFile(path, PAGE);
    const env = { LC_ALL: "C.UTF-8", MANWIDTH: "100" };
    const { stdout, stderr } = await new Deno.Command(program, { args: [...args, path], env })
      .output();
    const decoder = new TextDecoder();
    return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("manualPage() has every option of the tables", () => {
  const others = COMMANDS.flatMap(({ options }) => optionsOf(options));
  for (const { long } of [...CLASSIC_OPTIONS, ...others]) {
    assertStringIncludes(PAGE, `\\fB\\-\\-${long.replaceAll("-", "\\-")}\\fP`);
  }
});

Deno.test("manualPage() uses every detail about an option", () => {
  const longs = CLASSIC_OPTIONS.map(({ long }) => long);
  for (const long of Object.keys(OPTION_DETAILS)) assert(longs.includes(long), long);
});

Deno.test("manualPage() has the sections that people look for", () => {
  for (
    const title of [
      "NAME",
      "SYNOPSIS",
      "DESCRIPTION",
      "SUBCOMMANDS",
      "EXIT STATUS",
      "META\\-FILE",
      "ENVIRONMENT RULES",
      "DIRECTORY RULES",
      "CONFIGURATION",
      "EXAMPLES",
    ]
  ) assertMatch(PAGE, new RegExp(`^\\.SH "?${title.replaceAll("\\", "\\\\")}"?$`, "m"));
});

Deno.test("manualPage() is ASCII without empty lines, which roff would show as gaps", () => {
  for (const line of PAGE.slice(0, -1).split("\n")) assertMatch(line, /^[\x20-\x7e]+$/);
});

testWith([needs.command("groff")], "groff accepts the manual page without a warning", async () => {
  const { stderr } = await pipedTo("groff", ["-man", "-ww", "-b", "-z", "-Tutf8"]);
  assertEquals(stderr, "");
});

testWith([needs.command("man")], "man shows the manual page", async () => {
  const { stdout, stderr } = await pipedTo("man", ["--warnings", "-l"]);
  assertEquals(stderr, "");
  assertMatch(stdout, /^ +-b, --box-id=ID$/m);
  assertMatch(stdout, /^ +-p, --processes\[=N\]$/m);
  assertMatch(stdout, /LIBC_FATAL_STDERR_=1/);
  assertMatch(stdout, /^isolate 1\.2\.3/m);
});

Deno.test("escapeRoff() keeps ASCII characters from becoming typographic ones", () => {
  assertEquals(escapeRoff(`-v ~ ^ ' " \``), "\\-v \\(ti \\(ha \\(aq \\(dq \\(ga");
});

Deno.test("escapeRoff() keeps text from being taken for requests and escapes", () => {
  assertEquals(escapeRoff(".so /etc/passwd"), "\\&.so /etc/passwd");
  assertEquals(escapeRoff("'so x"), "\\(aqso x");
  assertEquals(escapeRoff("a\\fBb"), "a\\efBb");
});

Deno.test("formatRoff() makes what is typed bold, and placeholders italic", () => {
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
