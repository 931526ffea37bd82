import { assert, assertEquals, assertThrows } from "@std/assert";
import { CACHE_DIRECTORY, JUDGE_OPTIONS, parseJudgeOptions as parse } from "./judge_options.ts";
import { UsageError } from "./complain.ts";

function parseJudgeOptions(args: readonly string[]) {
  const request = parse(args);
  assert(request);
  return request;
}

function assertRefused(args: readonly string[], sentence: string): void {
  const error = assertThrows(() => parse(args), UsageError);
  assertEquals(error.message, sentence);
}

Deno.test("parseJudgeOptions() takes a package alone", () => {
  const request = parseJudgeOptions(["examples/sums"]);
  assertEquals(request.package, "examples/sums");
  assertEquals(request.submissions, []);
  assertEquals(request.jobs, undefined);
  assertEquals(request.cacheDirectory, CACHE_DIRECTORY);
  assertEquals(request.verbosity, 0);
});

Deno.test("parseJudgeOptions() takes short options attached, apart, and after the package", () => {
  const request = parseJudgeOptions(["-j4", "pkg", "-t", "1.5", "01.py", "-l", "python3", "-v"]);
  assertEquals(request.jobs, 4);
  assertEquals(request.timeLimitMs, 1500);
  assertEquals(request.submissions, ["01.py"]);
  assertEquals(request.language, "python3");
  assertEquals(request.verbosity, 1);
});

Deno.test("parseJudgeOptions() keeps names that look like numbers, and names behind --", () => {
  assertEquals(parseJudgeOptions(["007", "010"]).submissions, ["010"]);
  assertEquals(parseJudgeOptions(["--", "--pkg", "-x"]).package, "--pkg");
});

Deno.test("parseJudgeOptions() reads a range of boxes", () => {
  assertEquals(parseJudgeOptions(["--box-ids=900-909", "p"]).boxIds, { first: 900, count: 10 });
});

Deno.test("parseJudgeOptions() leaves out the cache", () => {
  assertEquals(parseJudgeOptions(["--no-cache", "p"]).cacheDirectory, undefined);
  assertEquals(parseJudgeOptions(["--cache=/x", "p"]).cacheDirectory, "/x");
});

Deno.test("parseJudgeOptions() refuses what it does not understand, with what would be right", () => {
  assertRefused(
    [],
    "judge needs the folder of a problem package: isolate judge PACKAGE [SUBMISSION...]",
  );
  assertRefused(
    ["--jbos=2", "p"],
    "judge does not know the option --jbos=2 (did you mean --jobs?)",
  );
  assertRefused(["--jobs=0", "p"], "Option --jobs must be from 1 to 1000: current value is 0");
  assertRefused(["--jobs", "p", "--junit="], "Option --junit needs a value: --junit=FILE");
  assertRefused(["--jobs=x", "p"], "Invalid numeric parameter: x");
  assertRefused(
    ["-t0", "p"],
    "Option --time-limit must be more than 0 seconds: current value is 0",
  );
  assertRefused(
    ["--box-ids=9-1", "p"],
    "Option --box-ids must be two numbers, the first and the last box, such as 900-999: current " +
      "value is 9-1",
  );
  assertRefused(["-q", "-v", "p"], "Only one of --quiet and --verbose can be given");
  assertRefused(
    ["--cache=x", "--no-cache", "p"],
    "Only one of --cache and --no-cache can be given",
  );
  assertRefused(
    ["--language=c", "p"],
    "Option --language is for submissions: name one after the package",
  );
});

Deno.test("parseJudgeOptions() knows every option of the help text, and the help wins", () => {
  for (const { long, valueName } of JUDGE_OPTIONS) {
    const option = valueName === undefined ? `--${long}` : `--${long}=1-2`;
    assertEquals(parse([option, "--help"]), undefined);
  }
  assertEquals(parse(["-h"]), undefined);
});
