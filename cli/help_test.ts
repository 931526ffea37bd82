import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CLASSIC_OPTIONS } from "./classic_options.ts";
import { COMMANDS } from "./commands.ts";
import { commandHelp, usageText, versionText } from "./help.ts";
import { optionsOf } from "./option.ts";

Deno.test("usageText() shows every option with its letter and value", () => {
  const text = usageText();
  for (const { spelled } of CLASSIC_OPTIONS) {
    assertMatch(text, new RegExp(`\\n  ${escape(spelled)}[ \\n]`));
  }
  for (const spelled of ["-b, --box-id=ID", "-p, --processes[=N]", "    --cg"]) {
    assertStringIncludes(text, `\n  ${spelled} `);
  }
});

function escape(text: string): string {
  return text.replaceAll(/[[\].]/g, "\\$&");
}

Deno.test("all helps fit 80 columns and have no blanks at line ends", () => {
  for (const text of [usageText(), ...COMMANDS.map(commandHelp)]) {
    for (const line of text.split("\n")) {
      assert(line.length <= 80, line);
      assertEquals(line, line.trimEnd());
    }
  }
});

Deno.test("usageText() puts a description below a name that is too long", () => {
  const lines = usageText().split("\n");
  const index = lines.indexOf("      --box-size=KIB[,INODES]");
  assertMatch(lines[index + 1]!, /^ {26}A file system/);
});

Deno.test("usageText() names every subcommand", () => {
  const text = usageText();
  for (const { name } of COMMANDS) assertMatch(text, new RegExp(`\\n  ${name} +[A-Z]`));
});

Deno.test("usageText() says what holds without an option", () => {
  assertMatch(usageText(), /--open-files=N [^-]*\(default:\s+1024\)/);
});

Deno.test("commandHelp() lists every option with its letter and its value", () => {
  for (const command of COMMANDS) {
    const help = commandHelp(command);
    assertStringIncludes(help, "\n  -h, --help ");
    for (const { spelled } of optionsOf(command.options)) {
      assertStringIncludes(help, `\n  ${spelled}`);
    }
  }
});

Deno.test("versionText() has the words that other systems look for, and a line per fact", () => {
  assertEquals(
    versionText("0.1.0"),
    "The process isolator 0.1.0 (isolate for Deno)\n" +
      `Deno: ${Deno.version.deno}\nArchitecture: ${Deno.build.arch}\n`,
  );
});
