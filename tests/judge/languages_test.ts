/** Programs in every language of the table that this machine has, under the limits of a judge. */

import { assert, assertEquals } from "@std/assert";
import { needsControlGroup } from "isolate/tests/support/control_group.ts";
import {
  CRASHES,
  HOGS,
  LOOPS,
  RECURSIONS,
  SAVERS,
  THREADS,
} from "isolate/tests/support/greedy_programs.ts";
import { testWith } from "isolate/tests/support/skip.ts";
import { SUMS } from "isolate/tests/support/sums.ts";
import { languages, type Ran, Workbench } from "isolate/tests/support/workbench.ts";

const BOX_ID = 964;
const known = await languages();

// One for all tests: what is prepared for a language is prepared once.
const cacheDirectory = Deno.makeTempDirSync({ prefix: "isolate-cache-" });
globalThis.addEventListener("unload", () => Deno.removeSync(cacheDirectory, { recursive: true }));

const open = () => Workbench.open(BOX_ID, { table: known.table, cacheDirectory });

/** What a test compares: a run without its numbers. */
function ending({ outcome, stdout, stderr }: Ran) {
  return { kind: outcome.kind, stdout, stderr };
}

for (const [id, files] of Object.entries(SUMS)) {
  testWith([known.needs(id)], `a sum is computed within 256 MiB in ${id}`, async () => {
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
  const missing = [known.needs(id), needsControlGroup.any()];
  testWith(missing, `a program that fills memory hits its memory limit in ${id}`, async () => {
    await using bench = await open();
    const program = await bench.program(files);
    const { outcome, stdout, stderr } = await bench.run(program, { timeLimitMs: 20_000 });
    assert(program.ranOutOfMemory(outcome, stderr), `${JSON.stringify(outcome)}\n${stderr}`);
    assertEquals(stdout.includes("Exception"), false);
    // It could use most of its limit.
    const peakKib = outcome.usage.controlGroup?.peakMemoryKib ?? 256 << 10;
    assert(peakKib > 120 << 10, `${peakKib} KiB`);
  });
}

for (const [id, files] of Object.entries(SAVERS)) {
  testWith(
    [known.needs(id)],
    `a program with much garbage does not run out of memory in ${id}`,
    async () => {
      await using bench = await open();
      const ran = await bench.run(await bench.program(files), { timeLimitMs: 30_000 });
      assertEquals(ending(ran), { kind: "exit", stdout: "2000\n", stderr: "" });
    },
  );
}

for (const [id, files] of Object.entries(RECURSIONS)) {
  testWith([known.needs(id)], `a function calls itself 100,000 deep in ${id}`, async () => {
    await using bench = await open();
    const ran = await bench.run(await bench.program(files));
    assertEquals(ending(ran), { kind: "exit", stdout: "100000\n", stderr: "" });
  });
}

for (const [id, files] of Object.entries(THREADS)) {
  const missing = [known.needs(id), needsControlGroup.any()];
  testWith(missing, `a program has threads in ${id}`, async () => {
    await using bench = await open();
    const ran = await bench.run(await bench.program(files));
    assertEquals(ending(ran), { kind: "exit", stdout: "4\n", stderr: "" });
  });
}

for (const [id, files] of Object.entries(CRASHES)) {
  testWith([known.needs(id)], `a program that fails does not end well in ${id}`, async () => {
    await using bench = await open();
    const program = await bench.program(files);
    const { outcome, stdout, stderr } = await bench.run(program, { timeLimitMs: 10_000 });
    assertEquals(stdout, "1\n");
    const isFailure = outcome.kind === "signal" ||
      outcome.kind === "exit" && outcome.exitCode !== 0;
    assert(isFailure, `${JSON.stringify(outcome)}\n${stderr}`);
    assertEquals(program.ranOutOfMemory(outcome, stderr), false);
  });
}

for (const [id, files] of Object.entries(LOOPS)) {
  testWith(
    [known.needs(id)],
    `a program that never ends hits its CPU time limit in ${id}`,
    async () => {
      await using bench = await open();
      const program = await bench.program(files);
      const { outcome } = await bench.run(program, { timeLimitMs: 300 });
      assert(outcome.kind === "time-limit", JSON.stringify(outcome));
      assertEquals(outcome.limit, "cpu");
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
  [known.needs("typescript"), await needsNode(22)],
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

/** Older ones do not know types. */
async function needsNode(least: number): Promise<string | undefined> {
  const command = new Deno.Command("node", { args: ["--version"] });
  const version = await command.output().then(
    ({ stdout }) => new TextDecoder().decode(stdout).trim(),
    () => "none",
  );
  const major = Number(/^v(\d+)/.exec(version)?.[1] ?? 0);
  return major >= least ? undefined : `needs Node ${least}: there is ${version}`;
}
