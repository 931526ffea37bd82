/** Programs in every language of the table that this machine has, under the limits of a judge. */

import { assert, assertEquals } from "@std/assert";
import { judgeOutcome, type TestLimits } from "isolate/judge/grading/outcome_verdict.ts";
import type { Program } from "isolate/judge/compile/program.ts";
import { needsControlGroup } from "isolate/tests/support/control_group.ts";
import { COMPUTATIONS } from "isolate/tests/support/programs/computations.ts";
import { CRASHES } from "isolate/tests/support/programs/crashes.ts";
import { HOGS } from "isolate/tests/support/programs/hogs.ts";
import { LOOPS } from "isolate/tests/support/programs/loops.ts";
import { PROCESSES } from "isolate/tests/support/programs/processes.ts";
import { RECURSIONS } from "isolate/tests/support/programs/recursions.ts";
import { SAVERS } from "isolate/tests/support/programs/savers.ts";
import { SUMS } from "isolate/tests/support/programs/sums.ts";
import { THREADS } from "isolate/tests/support/programs/threads.ts";
import { testWith } from "isolate/tests/support/skip.ts";
import { languages, type Ran, Workbench } from "isolate/tests/support/workbench.ts";

const BOX_ID = 964;
const known = await languages();
const node = await needsNode(22);

/** Older ones of Node do not know types, which shows only when they run. */
function needsLanguage(id: string): string | undefined {
  return known.needs(id) ?? (id === "typescript" ? node : undefined);
}

// One for all tests: what is prepared for a language is prepared once.
const cacheDirectory = Deno.makeTempDirSync({ prefix: "isolate-cache-" });
globalThis.addEventListener("unload", () => Deno.removeSync(cacheDirectory, { recursive: true }));

const open = () => Workbench.open(BOX_ID, { table: known.table, cacheDirectory });

/** What tests compare: a run without its numbers. */
function ending({ outcome, stdout, stderr }: Ran) {
  return { kind: outcome.kind, stdout, stderr };
}

const LIMITS: TestLimits = {
  timeLimitMs: 10_000,
  wallTimeMs: 60_000,
  memoryKib: 256 << 10,
  outputKib: 1024,
};

/** The verdict that a run gets before anybody looks at its output. */
function verdictOf({ outcome, stderr }: Ran, program: Program): string {
  const isHeapFull = program.ranOutOfMemory(outcome, stderr);
  return judgeOutcome(outcome, { limits: LIMITS, stderr, isHeapFull })?.verdict ?? "AC";
}

/** What is no language for submissions. */
const NO_LANGUAGES = ["script", "checktestdata"];

Deno.test("each language has a program of each kind", async () => {
  const table = await Deno.readTextFile(
    new URL(import.meta.resolve("isolate/judge/languages.yaml")),
  );
  const ids = [...table.matchAll(/^(\w+):$/gm)].map(([, id]) => id!)
    .filter((id) => !NO_LANGUAGES.includes(id)).sort();
  const concurrent = { ...THREADS, ...PROCESSES };
  for (const programs of [SUMS, COMPUTATIONS, HOGS, concurrent, CRASHES, LOOPS]) {
    assertEquals(Object.keys(programs).sort(), ids);
  }
});

/** What some release of Debian does not have, or only in versions that are too old. */
const NOT_OF_DEBIAN = ["python2", "deno", "typescript", "nim", ...NO_LANGUAGES];

const isWhole = Deno.env.get("ISOLATE_ALL_LANGUAGES") === "1";
testWith(
  [isWhole ? undefined : "only `./dev language-test` installs all compilers"],
  "all languages that Debian has are set up",
  () => {
    const missing = known.table.languages.filter(({ id }) =>
      !NOT_OF_DEBIAN.includes(id) && needsLanguage(id) !== undefined
    );
    assertEquals(missing.map(({ id }) => needsLanguage(id)), []);
  },
);

for (const [id, files] of Object.entries(SUMS)) {
  testWith([needsLanguage(id)], `a sum is computed within 256 MiB in ${id}`, async () => {
    await using bench = await open();
    const { result, program } = await bench.compile(files);
    assertEquals(result.ok, true, `${result.message}\n${result.output}`);
    assertEquals(result.language, known.table.find(id)!.name);
    const ran = await bench.run(program!, { stdin: "20 22\n" });
    assertEquals(ending(ran), { kind: "exit", stdout: "42\n", stderr: "" });
    assertEquals(program!.ranOutOfMemory(ran.outcome, ran.stderr), false);
  });
}

for (const [id, files] of Object.entries(HOGS)) {
  const missing = [needsLanguage(id), needsControlGroup.any()];
  testWith(missing, `a program that fills memory hits its memory limit in ${id}`, async () => {
    await using bench = await open();
    const program = await bench.program(files);
    const ran = await bench.run(program, { timeLimitMs: 20_000 });
    const { outcome, stdout } = ran;
    assertEquals(verdictOf(ran, program), "MLE", JSON.stringify(ran));
    assertEquals(stdout.includes("Exception"), false);
    // It could use most of its limit.
    const peakKib = outcome.usage.controlGroup?.peakMemoryKib ?? 256 << 10;
    assert(peakKib > 120 << 10, `${peakKib} KiB`);
  });
}

for (const [id, files] of Object.entries(SAVERS)) {
  testWith(
    [needsLanguage(id)],
    `a program with much garbage does not run out of memory in ${id}`,
    async () => {
      await using bench = await open();
      const ran = await bench.run(await bench.program(files), { timeLimitMs: 30_000 });
      assertEquals(ending(ran), { kind: "exit", stdout: "2000\n", stderr: "" });
    },
  );
}

for (const [id, files] of Object.entries(RECURSIONS)) {
  testWith([needsLanguage(id)], `a function calls itself 100,000 deep in ${id}`, async () => {
    await using bench = await open();
    const ran = await bench.run(await bench.program(files));
    assertEquals(ending(ran), { kind: "exit", stdout: "100000\n", stderr: "" });
  });
}

for (const [what, programs] of [["has threads", THREADS], ["starts others", PROCESSES]] as const) {
  for (const [id, files] of Object.entries(programs)) {
    const missing = [needsLanguage(id), needsControlGroup.any()];
    testWith(missing, `a program ${what} in ${id}`, async () => {
      await using bench = await open();
      const ran = await bench.run(await bench.program(files));
      assertEquals(ending(ran), { kind: "exit", stdout: "4\n", stderr: "" });
    });
  }
}

for (const [id, files] of Object.entries(COMPUTATIONS)) {
  testWith([needsLanguage(id)], `a program computes for a while in ${id}`, async () => {
    await using bench = await open();
    const ran = await bench.run(await bench.program(files), { timeLimitMs: 30_000 });
    assertEquals(ending(ran), { kind: "exit", stdout: "1227283347\n", stderr: "" });
  });
}

for (const [id, files] of Object.entries(CRASHES)) {
  testWith([needsLanguage(id)], `a program that fails has a run-time error in ${id}`, async () => {
    await using bench = await open();
    const program = await bench.program(files);
    const ran = await bench.run(program, { timeLimitMs: 10_000 });
    assertEquals(ran.stdout, "1\n");
    assertEquals(verdictOf(ran, program), "RTE", JSON.stringify(ran));
  });
}

for (const [id, files] of Object.entries(LOOPS)) {
  testWith(
    [needsLanguage(id)],
    `a program that never ends hits its CPU time limit in ${id}`,
    async () => {
      await using bench = await open();
      const program = await bench.program(files);
      const ran = await bench.run(program, { timeLimitMs: 300 });
      assertEquals(verdictOf(ran, program), "TLE", JSON.stringify(ran));
      assert(ran.outcome.kind === "time-limit" && ran.outcome.limit === "cpu");
    },
  );
}

testWith([known.needs("go")], "a Go program can have several files, and errors", async () => {
  await using bench = await open();
  const main = "package main\n\nfunc main() { println(seven) }\n";
  const { result } = await bench.compile({ "main.go": main });
  assertEquals(result.ok, false);
  assertEquals(result.output.includes("main.go:3:23: undefined: seven"), true, result.output);
  const part = "package main\n\nconst seven = 7\n";
  const { stderr } = await bench.run(await bench.program({ "main.go": main, "part.go": part }));
  assertEquals(stderr, "7\n");
});

testWith([known.needs("go")], "a Go program can use any package of the library", async () => {
  await using bench = await open();
  const program = await bench.program({
    "csv.go": `package main

import (
	"encoding/csv"
	"fmt"
	"os"
)

func main() {
	row, _ := csv.NewReader(os.Stdin).Read()
	fmt.Println(len(row))
}
`,
  });
  assertEquals((await bench.run(program, { stdin: "a,b,c\n" })).stdout, "3\n");
});

testWith(
  [needsLanguage("typescript")],
  "a file that ends in .ts and names Node is run by it, and by no other",
  async () => {
    await using bench = await open();
    const program = await bench.program({
      "sum.ts": `#!/usr/bin/env node
import { readFileSync } from "node:fs";
const [a, b]: number[] = readFileSync(0, "utf8").split(" ").map(Number);
console.log(a! + b!, "Deno" in globalThis);
`,
    });
    assertEquals((await bench.run(program, { stdin: "20 22\n" })).stdout, "42 false\n");
  },
);

async function needsNode(least: number): Promise<string | undefined> {
  const command = new Deno.Command("node", { args: ["--version"] });
  const version = await command.output().then(
    ({ stdout }) => new TextDecoder().decode(stdout).trim(),
    () => "none",
  );
  const major = Number(/^v(\d+)/.exec(version)?.[1] ?? 0);
  return major >= least ? undefined : `needs Node ${least}: there is ${version}`;
}
