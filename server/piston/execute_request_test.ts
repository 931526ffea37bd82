import { assertEquals, assertNotEquals } from "@std/assert";
import { jobOf } from "./execute_request.ts";

Deno.test("jobOf() makes each request a job of its own, whatever the client calls it", () => {
  const limits = {
    cpuTimeMs: 1,
    wallTimeMs: 1,
    memoryKib: 1,
    processes: 1,
    openFiles: 1,
    fileSizeKib: 1,
    outputBytes: 1,
  };
  const request = {
    language: "sh",
    version: "*",
    files: [],
    args: [],
    stdin: "",
    compile: limits,
    run: limits,
  };
  const runtime = {
    id: "sh",
    language: "bash",
    version: "5",
    aliases: [],
    numbers: { major: 5, minor: 0, patch: 0 },
  };
  const job = () => jobOf(request, { runtime, stdin: new Uint8Array() });
  assertNotEquals(job().id, job().id);
  assertEquals(job().language, "sh");
});
