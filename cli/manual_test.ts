import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { needs, testWith } from "isolate/tests/support/skip.ts";
import { manualPage } from "./manual.ts";
import { OPTION_DETAILS } from "./manual_text.ts";
import { CLASSIC_OPTIONS } from "./option_table.ts";

const SUBCOMMANDS = [{ name: "completions", usage: "SHELL", summary: "Print completions" }];
const PAGE = manualPage({ version: "1.2.3", subcommands: SUBCOMMANDS });

/** What a program prints when it gets the page, on both streams. */
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

Deno.test("manualPage() has every option of the table", () => {
  for (const { long } of CLASSIC_OPTIONS) {
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
