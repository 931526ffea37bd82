import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "./complain.ts";
import { CACHE_DIRECTORY, JUDGE, JudgeRequest } from "./judge_options.ts";
import { checkTogether } from "./judge_together.ts";
import { optionsOf } from "./option.ts";
import { parse } from "./subcommand.ts";

function accepted(...args: string[]): { request: JudgeRequest; parameters: readonly string[] } {
  const parsed = parse(JUDGE, args);
  assert(parsed !== "help");
  checkTogether(parsed.request, parsed.parameters.slice(1));
  return parsed;
}

function assertRefused(args: readonly string[], sentence: string): void {
  const error = assertThrows(() => accepted(...args), UsageError);
  assertEquals(error.message, sentence);
}

Deno.test("isolate judge takes a package alone", () => {
  const { request, parameters } = accepted("examples/sums");
  assertEquals(parameters, ["examples/sums"]);
  assertEquals(request, new JudgeRequest());
  assertEquals(request.cacheDirectory, CACHE_DIRECTORY);
});

Deno.test("isolate judge takes short options attached, apart, and after the package", () => {
  const { request, parameters } = accepted(
    ...["-j4", "pkg", "-t", "1.5", "01.py", "-l", "python3", "-v"],
  );
  assertEquals(parameters, ["pkg", "01.py"]);
  assertEquals([request.jobs, request.timeLimitMs], [4, 1500]);
  assertEquals([request.language, request.verbose], ["python3", true]);
});

Deno.test("isolate judge keeps names that look like numbers, and names behind --", () => {
  assertEquals(accepted("007", "010").parameters, ["007", "010"]);
  assertEquals(accepted("--", "--pkg", "-x").parameters, ["--pkg", "-x"]);
});

Deno.test("isolate judge takes several patterns of submissions and tests", () => {
  const { request } = accepted("--tests=a", "p", "--tests=b*", "--submissions=*.py", "--all-tests");
  assertEquals([request.tests, request.submissions], [["a", "b*"], ["*.py"]]);
  assertEquals(request.allTests, true);
});

Deno.test("isolate judge reads a range of boxes", () => {
  const { request } = accepted("--box-ids=900-909", "p");
  assertEquals(request.boxIds, { first: 900, count: 10 });
});

Deno.test("isolate judge leaves out the cache", () => {
  assertEquals(accepted("--no-cache", "p").request.cacheDirectory, undefined);
  assertEquals(accepted("--cache=/x", "p").request.cacheDirectory, "/x");
});

Deno.test("isolate judge refuses what it does not understand, with what would be right", () => {
  assertRefused(["--jbos=2", "p"], "Unknown option --jbos, did you mean --jobs?");
  assertRefused(["p", "-x"], "Unknown option -x.");
  assertRefused(
    ["--jobs=0", "p"],
    "Numeric parameter out of range: 0 (--jobs takes a whole number, e.g. --jobs=4; allowed: 1-1000)",
  );
  assertRefused(["p", "--junit="], "Option --junit needs a value: --junit=FILE");
  assertRefused(
    ["--jobs=x", "p"],
    "Invalid numeric parameter: x (--jobs takes a whole number, e.g. --jobs=4)",
  );
  assertRefused(["-t0", "p"], "Option --time-limit must be more than 0 seconds");
  assertRefused(
    ["--box-ids=9-1", "p"],
    "Invalid range of boxes: 9-1 (--box-ids takes the first and the last box, e.g. --box-ids=900-999)",
  );
  assertRefused(["-q", "-v", "p"], "Only one of --quiet and --verbose can be given");
  assertRefused(
    ["--cache=x", "--no-cache", "p"],
    "Only one of --cache and --no-cache can be given",
  );
  assertRefused(
    ["--submissions=x", "p", "a.py"],
    "Option --submissions chooses among those of the package: name only the package",
  );
  assertRefused(
    ["--watch", "--json", "p"],
    "Only one of --watch and --json can be given",
  );
  assertRefused(
    ["--check", "--all-tests", "p"],
    "Only one of --check and --all-tests can be given: it runs no submissions",
  );
  assertRefused(
    ["--language=c", "p"],
    "Option --language is for submissions: name one after the package",
  );
});

Deno.test("isolate judge --help wins over everything that is well-formed", () => {
  for (const { long, value } of optionsOf(JUDGE.options)) {
    assertEquals(
      parse(JUDGE, [value === "none" ? `--${long}` : `--${long}=1-2`, "--help"]),
      "help",
    );
  }
  assertEquals(parse(JUDGE, ["-h"]), "help");
});
