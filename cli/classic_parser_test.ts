import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { CLASSIC_OPTIONS } from "./classic_options.ts";
import { checkClassic, parseClassic, runOptions } from "./classic_parser.ts";
import { ClassicRequest } from "./classic_request.ts";
import { UsageError } from "./complain.ts";

const NUM_BOXES = 1000;

/** The request of a command line that passes every check. */
function accepted(...args: string[]): ClassicRequest {
  const request = parseClassic(args);
  checkClassic(request, { numBoxes: NUM_BOXES });
  return request;
}

/** The request of a run of `p` with the options. */
function run(...args: string[]): ClassicRequest {
  return accepted("--run", ...args, "--", "p");
}

function refused(...args: string[]): string {
  return assertThrows(() => accepted(...args), UsageError).message;
}

Deno.test("CLASSIC_OPTIONS names no long or short option twice", () => {
  const longs = CLASSIC_OPTIONS.map(({ long }) => long);
  assertEquals(longs, [...new Set(longs)]);
  const shorts = CLASSIC_OPTIONS.flatMap(({ short }) => short ?? []);
  assertEquals(shorts, [...new Set(shorts)]);
});

Deno.test("CLASSIC_OPTIONS has an example that each number option accepts", () => {
  for (const option of CLASSIC_OPTIONS) {
    if (option.example === undefined) continue;
    option.apply(new ClassicRequest(), option.example);
  }
});

Deno.test("CLASSIC_OPTIONS has every option and letter of the classic command line", () => {
  const expected =
    "init run cleanup version help/h check-config print-cg-root box-id/b meta/M mem/m time/t " +
    "wall-time/w extra-time/x stack/k open-files/n fsize/f quota/q core processes/p stdin/i stdout/o stderr/r " +
    "stderr-to-stdout chdir/c full-env/e env/E dir/d no-default-dirs/D cg cg-mem cg-timing no-cg-timing " +
    "share-net inherit-fds tty-hack special-files syscalls wait as-uid as-gid silent/s verbose/v config box-size address hostname root-inside " +
    "crash-report cpus follow";
  const names = CLASSIC_OPTIONS.map(({ long, short }) =>
    short === undefined ? long : `${long}/${short}`
  );
  assertEquals(names.toSorted(), expected.split(" ").toSorted());
});

Deno.test("parseClassic() fills in the defaults", () => {
  const request = accepted("--init");
  assertEquals(request, Object.assign(new ClassicRequest(), { command: "init" }));
  assertEquals(request.boxId, 0);
  assertEquals(request.run, { limits: {} });
});

Deno.test("parseClassic() reads each command", () => {
  for (const command of ["init", "cleanup", "version", "help", "check-config", "print-cg-root"]) {
    assertEquals(accepted(`--${command}`).command, command);
  }
  assertEquals(run().command, "run");
  assertEquals(accepted("-h").command, "help");
});

Deno.test("parseClassic() refuses two different commands", () => {
  assertEquals(refused("--init", "--run", "p"), "Only one command is allowed.");
  assertEquals(refused("--init", "--version"), "Only one command is allowed.");
});

Deno.test("parseClassic() accepts the same command twice", () => {
  assertEquals(accepted("--init", "--init").command, "init");
  assertEquals(accepted("--run", "--run", "p").commandLine, ["p"]);
});

Deno.test("parseClassic() refuses a line without a command", () => {
  const message = "Please specify an isolate command (e.g. --init, --run).";
  assertEquals(refused(), message);
  assertEquals(refused("-b3", "program"), message);
});

Deno.test("parseClassic() lets --version, --check-config and --help ignore what else is wrong", () => {
  const wrong = ["--box-id=99999", "--cg-mem=5", "--as-uid=3", "extra", "arguments"];
  assertEquals(accepted("--version", ...wrong).command, "version");
  assertEquals(accepted("--check-config", ...wrong).command, "check-config");
  assertEquals(accepted("--help", ...wrong).command, "help");
});

Deno.test("parseClassic() still refuses a malformed line with --version", () => {
  assertMatch(refused("--version", "--mem=x"), /^Invalid numeric parameter: x/);
  assertMatch(refused("--help", "--nonsense"), /^Unknown option --nonsense/);
});

Deno.test("parseClassic() lets --help win over any other command", () => {
  assertEquals(accepted("--run", "--help").command, "help");
  assertEquals(accepted("--help", "--init", "--cleanup").command, "help");
});

Deno.test("parseClassic() reads limits into numbers with units", () => {
  const request = run(
    ...["--mem=65536", "-t1.5", "-w", "10", "--extra-time", "0.5", "-k8192", "-n64", "-f", "100"],
    ...["--core=7", "-p4", "--cg", "--cg-mem=262144", "--syscalls=5"],
  );
  assertEquals(request.limits.addressSpaceKib, 65536);
  assertEquals(request.limits.cpuTimeMs, 1500);
  assertEquals(request.limits.wallTimeMs, 10000);
  assertEquals(request.limits.extraTimeMs, 500);
  assertEquals(request.limits.stackKib, 8192);
  assertEquals(request.limits.openFiles, 64);
  assertEquals(request.limits.fileSizeKib, 100);
  assertEquals(request.limits.coreKib, 7);
  assertEquals(request.limits.processes, 4);
  assertEquals(request.limits.controlGroupMemoryKib, 262144);
  assertEquals(request.run.syscallFlags, 5);
});

Deno.test("parseClassic() reads 0 as no limit, but for --core and --syscalls", () => {
  const request = run(
    ...["-m0", "-t0", "-w0.0", "-x0", "-k0", "-n0", "-f0", "-p0", "--cg", "--cg-mem=0", "--core=0"],
    "--syscalls=0",
  );
  for (
    const field of [
      "addressSpaceKib",
      "cpuTimeMs",
      "wallTimeMs",
      "extraTimeMs",
      "stackKib",
    ] as const
  ) {
    assertEquals(request.limits[field], undefined, field);
  }
  assertEquals(request.limits.fileSizeKib, undefined);
  assertEquals(request.limits.controlGroupMemoryKib, undefined);
  assertEquals(request.limits.openFiles, "unlimited");
  assertEquals(request.limits.processes, "unlimited");
  assertEquals(request.limits.coreKib, 0);
  assertEquals(request.run.syscallFlags, 0);
});

Deno.test("parseClassic() keeps a positive time below one millisecond as a limit", () => {
  assertEquals(run("-t0.0001").limits.cpuTimeMs, 0.1);
});

Deno.test("parseClassic() takes the last of several values", () => {
  assertEquals(run("-t1", "-t2").limits.cpuTimeMs, 2000);
  assertEquals(run("-t1", "-t0").limits.cpuTimeMs, undefined);
  assertEquals(run("-p4", "-p").limits.processes, "unlimited");
});

Deno.test("parseClassic() names the option and shows an example when a number is wrong", () => {
  assertEquals(
    refused("--run", "-m12x", "p"),
    "Invalid numeric parameter: 12x (--mem takes a whole number of KiB, e.g. --mem=65536)",
  );
  assertEquals(
    refused("--init", "-b", "-1"),
    "Numeric parameter out of range: -1 (--box-id takes a whole number, e.g. --box-id=1; allowed: 0-2147483647)",
  );
  assertEquals(
    refused("--run", "--wall-time=1,5", "p"),
    "Invalid numeric parameter: 1,5 (--wall-time takes seconds, e.g. --wall-time=10)",
  );
});

Deno.test("parseClassic() takes the largest size without overflow in bytes", () => {
  const request = run("--mem=2147483647");
  assertEquals((request.limits.addressSpaceKib ?? 0) * 1024, 2199023254528);
  assertMatch(
    refused("--run", "--mem=2147483648", "p"),
    /^Numeric parameter out of range: 2147483648 /,
  );
});

Deno.test("parseClassic() reads -p without a number as no limit, and never a separate number", () => {
  assertEquals(run("-p").limits.processes, "unlimited");
  assertEquals(run("--processes").limits.processes, "unlimited");
  const request = accepted("--run", "-p", "4");
  assertEquals(request.limits.processes, "unlimited");
  assertEquals(request.commandLine, ["4"]);
});

Deno.test("parseClassic() refuses -p4v, -pv and --processes= as bad numbers", () => {
  assertMatch(refused("--run", "-p4v", "p"), /^Invalid numeric parameter: 4v /);
  assertMatch(refused("--run", "-pv", "p"), /^Invalid numeric parameter: v /);
  assertMatch(refused("--run", "--processes=", "p"), /^Invalid numeric parameter: /);
});

Deno.test("parseClassic() reads a quota of blocks and inodes", () => {
  assertEquals(accepted("--init", "-q", "1024,50").quota, { blocksKib: 1024, inodes: 50 });
  assertEquals(run("--quota=1,2").quota, { blocksKib: 1, inodes: 2 });
});

Deno.test("parseClassic() refuses a quota that is not two numbers, at --run too", () => {
  assertMatch(refused("--init", "-q1024"), /^Invalid quota specified: 1024 \(--quota takes /);
  assertMatch(refused("--init", "-q1,2,3"), /^Invalid quota specified: 1,2,3 /);
  assertMatch(refused("--run", "-q1,x", "p"), /^Invalid numeric parameter: x /);
  assertMatch(refused("--init", "-q,5"), /^Invalid numeric parameter: {2}/);
  assertMatch(refused("--init", "-q5,-1"), /^Numeric parameter out of range: -1 /);
});

Deno.test("parseClassic() lets the last of --stderr and --stderr-to-stdout win", () => {
  const toFile = run("--stderr-to-stdout", "-r", "err");
  assertEquals(toFile.run.stderr, { path: "err" });
  const toStdout = run("--stderr=err", "--stderr-to-stdout");
  assertEquals(toStdout.run.stderr, "stdout");
});

Deno.test("parseClassic() hands rules on as typed and in order", () => {
  const request = run("-E", "A=1", "-e", "--env=B", "-EC=", "-d", "/tmp=x:rw", "-D", "--dir=etc");
  assertEquals(request.environmentRules, ["A=1", "B", "C="]);
  assertEquals(request.directoryRules, ["/tmp=x:rw", "etc"]);
  assertEquals(request.fullEnvironment, true);
  assertEquals(request.noDefaultDirectories, true);
});

Deno.test("parseClassic() reads every switch", () => {
  const request = run(
    ...[
      "--share-net",
      "--inherit-fds",
      "--tty-hack",
      "--special-files",
      "--wait",
      "-s",
      "-vv",
      "-v",
    ],
    ...["--no-cg-timing", "--config=/etc/x.yaml", "-iin", "-oout", "-c", "/tmp"],
  );
  assertEquals(request.run.shareNetwork, true);
  assertEquals(request.run.inheritDescriptors, true);
  assertEquals(request.run.terminal, true);
  assertEquals(request.run.keepSpecialFiles, true);
  assertEquals(request.wait, true);
  assertEquals(request.silent, true);
  assertEquals(request.verbosity, 3);
  assertEquals(request.run.controlGroupTiming, false);
  assertEquals(request.configFile, "/etc/x.yaml");
  const { stdin, stdout, workingDirectory } = request.run;
  assertEquals([stdin, stdout, workingDirectory], [{ path: "in" }, { path: "out" }, "/tmp"]);
  assertEquals(run("--no-cg-timing", "--cg-timing").run.controlGroupTiming, true);
});

Deno.test("parseClassic() leaves the meta-files before a mistake in the request", () => {
  const request = new ClassicRequest();
  assertThrows(() => parseClassic(["-Ma", "--meta=b", "--mem=x", "-Mc"], { request }), UsageError);
  assertEquals(request.metaFiles, ["a", "b"]);
});

Deno.test("parseClassic() keeps all meta-files in order, and - as it is", () => {
  assertEquals(run("-M", "first", "-M-").metaFiles, ["first", "-"]);
});

Deno.test("parseClassic() takes options after the program's name as its own", () => {
  const request = accepted("--run", "prog", "-s", "x");
  assertEquals(request.silent, true);
  assertEquals(request.commandLine, ["prog", "x"]);
  assertEquals(accepted("prog", "--run").commandLine, ["prog"]);
  assertMatch(refused("--run", "prog", "-l"), /^Unknown option -l; .* put -- before prog/);
});

Deno.test("parseClassic() stops at the program's name if POSIXLY_CORRECT is set", () => {
  const request = parseClassic(["--run", "prog", "-l"], { posixlyCorrect: true });
  assertEquals(request.commandLine, ["prog", "-l"]);
});

Deno.test("parseClassic() lets only the first -- disappear", () => {
  assertEquals(accepted("--run", "--", "p", "--", "-x").commandLine, ["p", "--", "-x"]);
  assertEquals(accepted("--run", "p", "--", "-x", "--").commandLine, ["p", "-x", "--"]);
  assertEquals(accepted("--init", "--").commandLine, []);
});

Deno.test("parseClassic() accepts prefixes as long as they are unambiguous", () => {
  assertEquals(run("--box=3", "--cg-t", "--wall=2").boxId, 3);
  assertEquals(run("--stderr=x").run.stderr, { path: "x" });
  assertMatch(
    refused("--run", "--std=x", "p"),
    /^Ambiguous option --std: .* --stderr-to-stdout\.$/,
  );
  assertMatch(refused("--ver"), /^Ambiguous option --ver: it could be --version or --verbose\.$/);
});

Deno.test("parseClassic() refuses --cg-mem without --cg", () => {
  const message = /^Options related to control groups require --cg to be set\./;
  assertMatch(refused("--run", "--cg-mem=5", "p"), message);
  assertMatch(refused("--run", "--cg-mem=0", "p"), message);
  assertEquals(run("--cg-mem=5", "--cg").limits.controlGroupMemoryKib, 5);
});

Deno.test("parseClassic() accepts the timing options of 1.x without --cg", () => {
  assertEquals(run("--cg-timing").run.controlGroupTiming, true);
  assertEquals(run("--no-cg-timing").run.controlGroupTiming, false);
});

Deno.test("parseClassic() refuses --as-uid without --as-gid and the reverse", () => {
  assertMatch(refused("--init", "--as-uid=0"), /^Options --as-uid and --as-gid go together/);
  assertMatch(refused("--init", "--as-gid=5"), /--as-gid is given, --as-uid is not/);
  const request = accepted("--init", "--as-uid=1000", "--as-gid=0");
  assertEquals([request.asUid, request.asGid], [1000, 0]);
});

Deno.test("checkClassic() refuses a box out of range", () => {
  assertEquals(refused("--init", "-b1000"), "Sandbox ID out of range (allowed: 0-999)");
  assertEquals(accepted("--init", "-b999").boxId, 999);
});

Deno.test("checkClassic() allows ids up to 2147483647 if that many boxes are configured", () => {
  const request = parseClassic(["--init", "--box-id=2147483647"]);
  checkClassic(request, { numBoxes: 2147483648 });
  assertEquals(request.boxId, 2147483647);
});

Deno.test("checkClassic() checks the box before the positional arguments", () => {
  assertMatch(refused("--init", "-b1000", "extra"), /^Sandbox ID out of range/);
  assertMatch(refused("--run", "-b1000"), /^Sandbox ID out of range/);
});

Deno.test("checkClassic() refuses parameters for commands that take none", () => {
  for (const command of ["init", "cleanup", "print-cg-root"]) {
    const message = `--${command} mode takes no parameters, but got: extra`;
    assertEquals(refused(`--${command}`, "extra"), message);
  }
});

Deno.test("checkClassic() refuses a run without a program", () => {
  assertMatch(refused("--run"), /^--run mode requires a command to run/);
  assertMatch(refused("--run", "--"), /^--run mode requires a command to run/);
});

Deno.test("runOptions() reads the rules, and refuses a malformed one as a usage error", () => {
  const caller = new Map([["A", "1"]]);
  const { environment, directoryRules, limits } = runOptions(
    run("-EA", "-D", "-d", "x:tmp", "-t1"),
    caller,
  );
  assertEquals([...environment ?? []], [["LIBC_FATAL_STDERR_", "1"], ["A", "1"]]);
  assertEquals(directoryRules?.length, 1);
  assertEquals(limits?.cpuTimeMs, 1000);
  assertThrows(() => runOptions(run("-E="), caller), UsageError, "Invalid environment specified");
  assertThrows(() => runOptions(run("-d../x"), caller), UsageError, "Invalid directory rule");
});
