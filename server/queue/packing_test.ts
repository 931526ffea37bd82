import { assertEquals, assertThrows } from "@std/assert";
import type { Bytes, Job } from "../engine/types.ts";
import { LARGE_FILE_BYTES, packJob, unpackJob } from "./packing.ts";

const limits = {
  cpuTimeMs: 1000,
  wallTimeMs: 2000,
  processes: 64,
  openFiles: 64,
  fileSizeKib: 1024,
  outputBytes: 1024,
};

function job(files: Bytes[], stdin: Bytes, expectedOutput?: Bytes): Job {
  return {
    id: "1",
    language: "python3",
    files: files.map((content, index) => ({ name: `${index}.py`, content })),
    runs: [{ args: [], stdin, limits, ...expectedOutput && { expectedOutput } }],
  };
}

Deno.test("a job without large files is packed whole", async () => {
  const small = job([new Uint8Array([0, 255])], new Uint8Array(LARGE_FILE_BYTES));
  const { text, files } = await packJob(small);
  assertEquals(files.size, 0);
  assertEquals(unpackJob(text, files), small);
});

Deno.test("large files, inputs and outputs, wherever they are, are packed apart, each content once", async () => {
  const large = new Uint8Array(LARGE_FILE_BYTES + 1).fill(65);
  const same = new Uint8Array(LARGE_FILE_BYTES + 1).fill(65);
  const other = new Uint8Array(LARGE_FILE_BYTES + 1).fill(66);
  const plain = job([new Uint8Array([1]), large], same, other);
  const more = [{ name: "data", content: same }];
  const whole = { ...plain, runs: plain.runs.map((run) => ({ ...run, files: more })) };
  const { text, files } = await packJob(whole);
  assertEquals(text.length < 2000, true);
  assertEquals(files.size, 2);
  assertEquals(unpackJob(text, files), whole);
});

Deno.test("a packed job cannot be read without its large files", async () => {
  const { text } = await packJob(job([new Uint8Array(LARGE_FILE_BYTES + 1)], new Uint8Array()));
  assertThrows(() => unpackJob(text, new Map()), Error, "of a job is missing");
});
