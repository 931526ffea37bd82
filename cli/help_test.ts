import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { groupedOptions, spellOption, usageText, versionText } from "./help.ts";
import { CLASSIC_OPTIONS } from "./option_table.ts";

Deno.test("usageText() shows every option with its letter and value", () => {
  const text = usageText();
  for (const option of CLASSIC_OPTIONS) assertStringIncludes(text, `\n  ${spellOption(option)} `);
});

Deno.test("usageText() is at most 96 columns wide and has no blanks at line ends", () => {
  for (const line of usageText().split("\n")) {
    assert(line.length <= 96, line);
    assertEquals(line, line.trimEnd());
  }
});

Deno.test("usageText() puts a description below a name that is too long", () => {
  const usage = "a-very-long-list-of-arguments...";
  const lines = usageText([{ name: "judge", usage, summary: "Judge" }]).split("\n");
  const index = lines.indexOf(`  judge ${usage}`);
  assertEquals(lines[index + 1], `${" ".repeat(30)}Judge`);
});

Deno.test("usageText() shows subcommands only where there are some", () => {
  assert(!usageText().includes("Subcommands:"));
  const text = usageText([{ name: "manual", summary: "Print the manual" }]);
  assertMatch(text, /\nSubcommands:\n {2}manual +Print the manual\n/);
  assertStringIncludes(text, "isolate SUBCOMMAND");
});

Deno.test("usageText() says what holds without an option", () => {
  assertMatch(usageText(), /--open-files=N .*\(default: 1024\)/);
  assert(!usageText().includes("default: none"));
});

Deno.test("groupedOptions() keeps every option and the order of the table", () => {
  assertEquals([...groupedOptions().values()].flat(), [...CLASSIC_OPTIONS]);
});

Deno.test("groupedOptions() begins with the commands", () => {
  const [[group, [first] = []] = []] = groupedOptions();
  assertEquals([group, first?.long], ["Commands (exactly one)", "init"]);
});

Deno.test("spellOption() shows the letter, and whether the value can be left out", () => {
  const spelled = CLASSIC_OPTIONS.map(spellOption);
  for (const option of ["-b, --box-id=ID", "-p, --processes[=N]", "    --cg"]) {
    assert(spelled.includes(option), option);
  }
});

Deno.test("versionText() has one line for the program and one for the runtime", () => {
  const text = versionText({ version: "0.1.0", denoVersion: "2.9.6" });
  assertEquals(text, "The process isolator 0.1.0 (isolate for Deno)\nDeno: 2.9.6\n");
});

Deno.test("versionText() contains the words that other systems look for", () => {
  const text = versionText({ version: "1.2.3", denoVersion: "2.9.6" });
  assertMatch(text, /^The process isolator 1\.2\.3 /);
  assertStringIncludes(text, "\nDeno: 2.9.6\n");
});

Deno.test("versionText() adds a line for each further fact", () => {
  const details = [["Architecture", "x86_64"], ["Shim", "ABI 1"]] as const;
  const text = versionText({ version: "1", denoVersion: "2", details });
  assert(text.endsWith("\nArchitecture: x86_64\nShim: ABI 1\n"), text);
});
