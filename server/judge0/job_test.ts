import { assertEquals } from "@std/assert";
import { Destinations } from "../callbacks/destinations.ts";
import type { JobResult, StageEnding, StageResult } from "../engine/types.ts";
import { type Attributes, readAttributes } from "./attributes.ts";
import { findingsOf, jobOf } from "./job.ts";
import { readSettings } from "./settings.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const COMPILE_LIMITS = {
  cpuTimeMs: 1,
  wallTimeMs: 2,
  processes: 3,
  openFiles: 4,
  fileSizeKib: 5,
  outputBytes: 6,
};

function attributes(body: object): Attributes {
  const result = readAttributes({ source_code: "x", language_id: 1, ...body }, {
    isBase64: false,
    settings: readSettings("", { allowNetwork: true, allowDelete: false }),
    languages: [{ id: 1, language: "c", name: "C", missing: undefined }],
    destinations: new Destinations(""),
  });
  if ("errors" in result) throw new Error(JSON.stringify(result.errors));
  return result.attributes;
}

function job(body: object, files: { name: string; content: Uint8Array<ArrayBuffer> }[] = []) {
  return jobOf({
    id: "1",
    language: "java",
    attributes: attributes(body),
    files,
    compileLimits: COMPILE_LIMITS,
  });
}

function stage(ending: StageEnding, more: Partial<StageResult> = {}): StageResult {
  return {
    ending,
    message: "the executor's words",
    stdout: utf8(""),
    stderr: utf8(""),
    output: utf8(""),
    isStdoutTruncated: false,
    isStderrTruncated: false,
    cpuTimeMs: 12.4,
    wallTimeMs: 1000,
    memoryKib: 300,
    ...more,
  };
}

function result(runs: StageResult[], more: Partial<JobResult> = {}): JobResult {
  return { version: "", isCached: false, runs, ...more };
}

const GOOD = stage({ kind: "exited", exitCode: 0 }, { exitCode: 0 });

Deno.test("a submission becomes a job with its limits", () => {
  const { runs, compile, files } = job({
    stdin: "in",
    command_line_arguments: " a  $(b) 'c d' ",
    cpu_time_limit: 1.5,
    max_file_size: 2,
    expected_output: "out",
    enable_network: true,
    redirect_stderr_to_stdout: true,
  });
  assertEquals(runs, [{
    args: ["a", "$(b)", "'c", "d'"],
    stdin: utf8("in"),
    limits: {
      cpuTimeMs: 1500,
      extraCpuTimeMs: 1000,
      wallTimeMs: 10_000,
      memoryKib: 128_000,
      stackKib: 64_000,
      processes: 60,
      openFiles: 256,
      fileSizeKib: 2,
      outputBytes: 2048,
    },
    mergeErrors: true,
    network: true,
    expectedOutput: utf8("out"),
    comparison: "lines",
  }]);
  const limits = { ...COMPILE_LIMITS, outputBytes: 65_536 };
  assertEquals([compile, files], [{ args: [], limits }, [{
    name: "Main.java",
    content: utf8("x"),
  }]]);
});

Deno.test("options of the compiler are words, and runs are repeated", () => {
  const { runs, compile } = job({ compiler_options: "-O2  -DA", number_of_runs: 3 });
  assertEquals([runs.length, compile?.args], [3, ["-O2", "-DA"]]);
});

Deno.test("the source is there once, also if the archive has a file of its name", () => {
  const other = { name: "a/b.txt", content: utf8("y") };
  const { files } = job({}, [{ name: "Main.java", content: utf8("z") }, other]);
  assertEquals(files, [{ name: "Main.java", content: utf8("x") }, other]);
});

Deno.test("each ending has its status, exit code and message", () => {
  const find = (ending: StageEnding, more: Partial<StageResult> = {}) => {
    const { status_id: status, exit_code: code, exit_signal: signal, message } = findingsOf(
      result([stage(ending, more)]),
    );
    return [status, code, signal, message && new TextDecoder().decode(message)];
  };
  const exited = (exitCode: number) => find({ kind: "exited", exitCode }, { exitCode });
  const killed = (signal: number) => find({ kind: "signal", signal }, { signal });
  const kill = { signal: 9 };
  assertEquals(
    [
      exited(0),
      find({ kind: "exited", exitCode: 0 }, { exitCode: 0, isAccepted: true }),
      find({ kind: "exited", exitCode: 0 }, { exitCode: 0, isAccepted: false }),
      exited(3),
      ...[11, 25, 8, 6, 9].map(killed),
      find({ kind: "time-limit", limit: "cpu" }, kill),
      find({ kind: "time-limit", limit: "wall" }, kill),
      find({ kind: "memory-limit" }, kill),
      find({ kind: "output-limit", stream: "stdout" }, kill),
      find({ kind: "not-executed", code: "ENOEXEC" }),
      find({ kind: "failed", reason: "no box" }),
    ],
    [
      [3, 0, null, null],
      [3, 0, null, null],
      [4, 0, null, null],
      [11, 3, null, "Exited with error status 3"],
      [7, 139, 11, "Caught fatal signal 11"],
      [8, 153, 25, "Caught fatal signal 25"],
      [9, 136, 8, "Caught fatal signal 8"],
      [10, 134, 6, "Caught fatal signal 6"],
      [12, 137, 9, "Caught fatal signal 9"],
      [5, 137, 9, "Time limit exceeded"],
      [5, 137, 9, "Time limit exceeded (wall clock)"],
      [12, 137, 9, "Memory limit exceeded"],
      [8, 137, 9, "the executor's words"],
      [14, null, null, "the executor's words"],
      [13, null, null, "the executor's words"],
    ],
  );
});

Deno.test("time and memory are means, texts are those of the last run, empty ones are none", () => {
  const last = { ...GOOD, cpuTimeMs: 37, memoryKib: 500, stdout: utf8("out") };
  const { time, wall_time, memory, stdout, stderr } = findingsOf(result([GOOD, last]));
  assertEquals([time, wall_time, memory, stdout, stderr], ["0.025", "1.0", 400, utf8("out"), null]);
});

Deno.test("what the compiler says is told, and a program that is not compiled does not run", () => {
  const said = { output: utf8("main.c:1: error") };
  const bad = stage({ kind: "exited", exitCode: 1 }, { ...said, exitCode: 1 });
  const found = findingsOf(result([], { compile: bad }));
  assertEquals([found.status_id, found.compile_output, found.message, found.time, found.stdout], [
    6,
    said.output,
    null,
    null,
    null,
  ]);
  const slow = findingsOf(result([], { compile: stage({ kind: "time-limit", limit: "cpu" }) }));
  assertEquals([slow.status_id, slow.message], [6, utf8("the executor's words")]);
  const broken = findingsOf(result([], { compile: stage({ kind: "failed", reason: "x" }) }));
  assertEquals(broken.status_id, 13);
  const warned = findingsOf(result([GOOD], { compile: { ...GOOD, output: utf8("warning") } }));
  assertEquals([warned.status_id, warned.compile_output], [3, utf8("warning")]);
});
