import { assertEquals, assertThrows } from "@std/assert";
import { getopt, type OptionSpec } from "./getopt.ts";
import { UsageError } from "./complain.ts";

const options: readonly OptionSpec[] = [
  { long: "box-id", short: "b", value: "required", valueName: "ID" },
  { long: "cg", value: "none" },
  { long: "cg-mem", value: "required" },
  { long: "cg-timing", value: "none" },
  { long: "processes", short: "p", value: "optional" },
  { long: "silent", short: "s", value: "none" },
  { long: "stdin", short: "i", value: "required" },
  { long: "stdout", short: "o", value: "required" },
  { long: "verbose", short: "v", value: "none" },
  { long: "help", short: "h", value: "none" },
];

/** What was found: options as `SPELLED>LONG=VALUE`, and the positional arguments. */
function read(args: string[], posixlyCorrect = false): [string[], readonly string[]] {
  const parsed = getopt(args, { options, posixlyCorrect });
  const found = parsed.options.map(({ option, value, spelled }) =>
    `${spelled}>${option.long}${value === undefined ? "" : `=${value}`}`
  );
  return [found, parsed.positionals];
}

function complaint(args: string[]): string {
  return assertThrows(() => getopt(args, { options, programAt: 0 }), UsageError).message;
}

Deno.test("getopt() reads --name=value and --name value alike", () => {
  assertEquals(read(["--box-id=3"]), [["--box-id>box-id=3"], []]);
  assertEquals(read(["--box-id", "3"]), [["--box-id>box-id=3"], []]);
});

Deno.test("getopt() splits at the first equals sign only", () => {
  assertEquals(read(["--stdin=a=b="]), [["--stdin>stdin=a=b="], []]);
  assertEquals(read(["--stdin="]), [["--stdin>stdin="], []]);
});

Deno.test("getopt() reads -n5 and -n 5 alike", () => {
  assertEquals(read(["-b3"]), [["-b>box-id=3"], []]);
  assertEquals(read(["-b", "3"]), [["-b>box-id=3"], []]);
  assertEquals(read(["-b=3"]), [["-b>box-id==3"], []]);
});

Deno.test("getopt() takes bundles of letters apart", () => {
  assertEquals(read(["-sv"]), [["-s>silent", "-v>verbose"], []]);
  assertEquals(read(["-svvb3"]), [["-s>silent", "-v>verbose", "-v>verbose", "-b>box-id=3"], []]);
  assertEquals(read(["-sb", "3"]), [["-s>silent", "-b>box-id=3"], []]);
});

Deno.test("getopt() accepts unambiguous prefixes", () => {
  assertEquals(read(["--box=3", "--si", "--cg-t"]), [
    ["--box>box-id=3", "--si>silent", "--cg-t>cg-timing"],
    [],
  ]);
});

Deno.test("getopt() prefers an exact name to a longer one", () => {
  assertEquals(read(["--cg"]), [["--cg>cg"], []]);
});

Deno.test("getopt() refuses an ambiguous prefix and lists what it could be", () => {
  assertEquals(complaint(["--std=x"]), "Ambiguous option --std: it could be --stdin or --stdout.");
  assertEquals(
    complaint(["--c"]),
    "Ambiguous option --c: it could be --cg, --cg-mem or --cg-timing.",
  );
});

Deno.test("getopt() refuses names that take and mean the same as ambiguous, too", () => {
  const twins: OptionSpec[] = [{ long: "colour", value: "none" }, { long: "color", value: "none" }];
  assertThrows(() => getopt(["--col"], { options: twins }), UsageError, "Ambiguous option --col");
});

Deno.test("getopt() takes an optional value only if it is attached", () => {
  assertEquals(read(["-p4"]), [["-p>processes=4"], []]);
  assertEquals(read(["--processes=4"]), [["--processes>processes=4"], []]);
  assertEquals(read(["-p", "4"]), [["-p>processes"], ["4"]]);
  assertEquals(read(["--processes", "4"]), [["--processes>processes"], ["4"]]);
  assertEquals(read(["--processes="]), [["--processes>processes="], []]);
  assertEquals(read(["-sp"]), [["-s>silent", "-p>processes"], []]);
});

Deno.test("getopt() takes the rest of a bundle as the optional value", () => {
  assertEquals(read(["-pv"]), [["-p>processes=v"], []]);
  assertEquals(read(["-p4v"]), [["-p>processes=4v"], []]);
});

Deno.test("getopt() takes the next argument as a required value whatever it looks like", () => {
  assertEquals(read(["--stdin", "--cg"]), [["--stdin>stdin=--cg"], []]);
  assertEquals(read(["--stdin", "--", "x"]), [["--stdin>stdin=--"], ["x"]]);
  assertEquals(read(["-i", "-s"]), [["-i>stdin=-s"], []]);
  assertEquals(read(["-i", ""]), [["-i>stdin="], []]);
});

Deno.test("getopt() lets options and positional arguments mix", () => {
  assertEquals(read(["a", "-s", "b", "--box-id", "3", "c"]), [
    ["-s>silent", "--box-id>box-id=3"],
    ["a", "b", "c"],
  ]);
});

Deno.test("getopt() removes the first -- wherever it stands, and no later one", () => {
  assertEquals(read(["--", "-s"]), [[], ["-s"]]);
  assertEquals(read(["a", "--", "b", "--", "-s"]), [[], ["a", "b", "--", "-s"]]);
  assertEquals(read(["--"]), [[], []]);
});

Deno.test("getopt() stops at the first positional argument if posixlyCorrect is set", () => {
  assertEquals(read(["-s", "a", "-v", "--", "b"], true), [["-s>silent"], ["a", "-v", "--", "b"]]);
  assertEquals(read(["-s", "--", "a", "--"], true), [["-s>silent"], ["a", "--"]]);
});

Deno.test("getopt() takes a single dash and an empty argument as positional", () => {
  assertEquals(read(["-", "", "-s"]), [["-s>silent"], ["-", ""]]);
});

Deno.test("getopt() names the unknown option and one that is near", () => {
  assertEquals(complaint(["--boxid=3"]), "Unknown option --boxid, did you mean --box-id?");
  assertEquals(complaint(["--frobnicate"]), "Unknown option --frobnicate.");
  assertEquals(complaint(["-z"]), "Unknown option -z.");
  assertEquals(complaint(["-sz"]), "Unknown option -z.");
  assertEquals(complaint(["--=3"]), "Unknown option --.");
  assertEquals(complaint(["-\u{1F600}"]), "Unknown option -\u{1F600}.");
});

Deno.test("getopt() recognises a long name behind a single dash", () => {
  assertEquals(complaint(["-verbose"]), "Unknown option -verbose, did you mean --verbose?");
});

Deno.test("getopt() explains -- if the unknown option may be the program's", () => {
  assertEquals(
    complaint(["ls", "-l"]),
    "Unknown option -l; if it is meant for ls, put -- before ls.",
  );
  assertThrows(() => getopt(["ls", "-l"], { options }), UsageError, "Unknown option -l.");
  const enter = (...args: string[]) => getopt(args, { options, programAt: 1 });
  assertThrows(() => enter("7", "ls", "-l"), UsageError, "put -- before ls.");
  assertThrows(() => enter("7", "-l"), UsageError, "Unknown option -l.");
});

Deno.test("getopt() refuses a value for an option that takes none", () => {
  assertEquals(
    complaint(["--sil=yes"]),
    "Option --silent takes no value, but --sil=yes gives one.",
  );
});

Deno.test("getopt() refuses an option without its value", () => {
  assertEquals(complaint(["--box-id"]), "Option --box-id needs a value: --box-id=ID");
  assertEquals(complaint(["-sb"]), "Option -b needs a value: --box-id=ID");
  assertEquals(complaint(["--cg-m"]), "Option --cg-m needs a value: --cg-mem=VALUE");
});

Deno.test("getopt() reports each option before it looks at the next argument", () => {
  const seen: string[] = [];
  assertThrows(
    () => getopt(["-s", "--unknown", "-v"], { options, onOption: (met) => seen.push(met.spelled) }),
    UsageError,
  );
  assertEquals(seen, ["-s"]);
});

Deno.test("getopt() reads a hundred thousand arguments", () => {
  const many = Array.from({ length: 100_000 }, () => "-x");
  assertEquals(read(["--", ...many])[1].length, 100_000);
});

Deno.test("getopt() takes a prefix of an addition and of an older option for the older one", () => {
  const options: OptionSpec[] = [
    { long: "box-size", value: "none", addition: true },
    { long: "box-id", value: "none" },
  ];
  const names = (argument: string) =>
    getopt([argument], { options }).options.map(({ option }) => option.long);
  assertEquals(names("--box"), ["box-id"]);
  assertEquals(names("--box-s"), ["box-size"]);
  assertEquals(names("--box-size"), ["box-size"]);
});
