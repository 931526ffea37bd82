import { assertEquals } from "@std/assert";
import { decode, encode } from "./codec.ts";
import type { Job, JobResult } from "./types.ts";

const limits = {
  cpuTimeMs: 1000,
  wallTimeMs: 2000,
  processes: 64,
  openFiles: 64,
  fileSizeKib: 1024,
  outputBytes: 1024,
};

Deno.test("a job comes out of the codec as it went in, with every byte", () => {
  const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const job: Job = {
    id: "1",
    language: "python3",
    files: [{ name: "main.py", content: every }, { name: "base64", content: new Uint8Array() }],
    runs: [{ args: ["base64", "é"], stdin: every, limits, environment: [["base64", "YQ=="]] }],
  };
  assertEquals(decode<Job>(encode(job)), job);
});

Deno.test("a result comes out of the codec as it went in", () => {
  const result: JobResult = {
    version: "Python 3",
    isCached: false,
    runs: [{
      ending: { kind: "exited", exitCode: 0 },
      message: "",
      exitCode: 0,
      stdout: new Uint8Array([0, 255]),
      stderr: new Uint8Array(),
      output: new Uint8Array([0, 255]),
      isStdoutTruncated: false,
      isStderrTruncated: false,
      cpuTimeMs: 1.5,
      wallTimeMs: 2,
      memoryKib: 300,
    }],
  };
  assertEquals(decode<JobResult>(encode(result)), result);
});
