import { assert, assertStringIncludes } from "@std/assert";
import { judgeHelp } from "./judge_help.ts";
import { JUDGE_OPTIONS } from "./judge_options.ts";

Deno.test("judgeHelp() lists every option with its letter and its value", () => {
  const help = judgeHelp();
  assertStringIncludes(help, "\n  -j, --jobs=N ");
  for (const { long } of JUDGE_OPTIONS) assertStringIncludes(help, ` --${long}`);
});

Deno.test("judgeHelp() is at most 96 columns wide", () => {
  for (const line of judgeHelp().split("\n")) assert(line.length <= 96, line);
});
