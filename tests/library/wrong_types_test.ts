/** Options as they come from code whose types nobody has checked. */

import { assertEquals, assertRejects } from "@std/assert";
import { Box, BoxPool, type RunOptions } from "isolate/mod.ts";

const BOX_ID = 380;

Deno.test("run() refuses options that its types do not have, with one sentence", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const cases: [unknown, unknown, string][] = [
    [
      "/bin/true",
      {},
      'The command must be an array such as ["/bin/echo", "hello"], but got: "/bin/true"',
    ],
    [[], {}, 'The command must be an array such as ["/bin/echo", "hello"], but got: []'],
    [
      ["/bin/echo", 5],
      {},
      'The command must be an array such as ["/bin/echo", "hello"], but got: ["/bin/echo",5]',
    ],
    [
      ["/bin/true"],
      { limits: { cpuTime: 1 } },
      'There is no "cpuTime" in the limits (did you mean cpuTimeMs?)',
    ],
    [
      ["/bin/true"],
      { limit: {} },
      'There is no "limit" in the options of run() (did you mean limits?)',
    ],
    [
      ["/bin/true"],
      { limits: { cpuTimeMs: "1" } },
      'cpuTimeMs in the limits must be a number of milliseconds, 0 or more, but got: "1"',
    ],
    [
      ["/bin/true"],
      { limits: { wallTimeMs: NaN } },
      "wallTimeMs in the limits must be a number of milliseconds, 0 or more, but got: NaN",
    ],
    [
      ["/bin/true"],
      { limits: { stackKib: 0.5 } },
      "stackKib in the limits must be a whole number of KiB, 0 or more, but got: 0.5",
    ],
    [
      ["/bin/true"],
      { limits: { processes: "many" } },
      'processes in the limits must be "unlimited" or a whole number of processes, 0 or more, but got: "many"',
    ],
    [["/bin/true"], { limits: 5 }, "The limits must be an object, but got: 5"],
    [
      ["/bin/true"],
      { environment: { A: "1" } },
      'environment in the options of run() must be a Map of strings, but got: {"A":"1"}',
    ],
    [
      ["/bin/true"],
      { cpus: 0 },
      "cpus in the options of run() must be an array of CPU numbers, but got: 0",
    ],
    [
      ["/bin/true"],
      { signal: new AbortController() },
      "signal in the options of run() must be an AbortSignal, but got: a AbortController",
    ],
    [
      ["/bin/true"],
      { stdout: "pipe" },
      'stdout in the options of run() must be "inherit" or "none" or a Capture, or an object such as { path } in the box, { file } of the host or { fd }, but got: "pipe"',
    ],
    [
      ["/bin/true"],
      { stdin: "hello" },
      'stdin in the options of run() must be "inherit" or "none" or an object such as { text: "hello" }, ' +
      '{ bytes }, { stream }, { path } in the box, { file } of the host or { fd }, but got: "hello"',
    ],
  ];
  for (const [command, options, message] of cases) {
    const error = await assertRejects(
      () => box.run(command as string[], options as RunOptions),
      TypeError,
    );
    assertEquals(error.message, message);
  }
  assertEquals((await box.run(["/bin/true"], { limits: { cpuTimeMs: undefined } })).kind, "exit");
});

Deno.test("boxes and pools refuse options that their types do not have", async () => {
  const cases: [() => Promise<unknown>, string][] = [
    [
      () => Box.init({ boxID: 3 } as never),
      'There is no "boxID" in the options of a box (did you mean boxId?)',
    ],
    [
      () => Box.open({ boxId: "3" } as never),
      'boxId in the options of a box must be the number of a box, but got: "3"',
    ],
    [
      () => Box.init({ boxId: BOX_ID, quota: { blocks: 3 } } as never),
      'There is no "blocks" in the quota (did you mean blocksKib?)',
    ],
    [
      () => BoxPool.create({ size: 1, cpus: "all" } as never),
      'cpus in the options of a pool must be "each" or an array of CPU numbers, but got: "all"',
    ],
    [
      () => BoxPool.create({ size: 1, init: { controlgroup: true } } as never),
      'There is no "controlgroup" in the options of a box (did you mean controlGroup?)',
    ],
  ];
  for (const [call, message] of cases) {
    assertEquals((await assertRejects(call, TypeError)).message, message);
  }
});
