/** Streams of a run from and to memory, files and descriptors of the host. */

import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import {
  Box,
  Capture,
  defaultSettings,
  type Input,
  type Outcome,
  type Output,
  type RunOptions,
  Sandbox,
  SandboxError,
} from "isolate/mod.ts";
import {
  close,
  descriptorOf,
  descriptors,
  makePipe,
  makeSockets,
  readAll,
  readSlowly,
} from "isolate/tests/support/descriptors.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { eventually, processesOf } from "isolate/tests/support/isolate.ts";

const BOX_ID = 910;
const BOX_UID = defaultSettings().firstUid + BOX_ID;
const LIMIT = 1 << 20;
const MANY = { processes: 10 };
/** A limit that is reached only if something hangs. */
const PATIENCE = { wallTimeMs: 60_000, ...MANY };

/** Runs a shell script in a box. */
async function shell(script: string, options: RunOptions = {}): Promise<Outcome> {
  await using box = await Box.init({ boxId: BOX_ID });
  return await box.run(["/bin/sh", "-c", script], { limits: PATIENCE, ...options });
}

/** What a shell script writes. */
async function outputOf(script: string, options: RunOptions = {}): Promise<string> {
  const stdout = new Capture({ limitBytes: LIMIT });
  const outcome = await shell(script, { ...options, stdout });
  assertEquals(outcome.kind, "exit");
  return stdout.text();
}

/** All values that a byte can have, again and again. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i + (i >> 8)) & 0xff);
}

Deno.test("standard input comes from text, bytes, a file or a stream, every byte of it", async () => {
  await withFolder(async (folder) => {
    await using box = await Box.init({ boxId: BOX_ID });
    // Less and more than a pipe and a piece of the sandbox hold.
    for (const length of [0, 1, 65_537, 3_000_000]) {
      const bytes = pattern(length);
      await Deno.writeFile(`${folder}/in`, bytes);
      const pieces = [
        bytes.subarray(0, length >> 1),
        new Uint8Array(),
        bytes.subarray(length >> 1),
      ];
      const inputs: Input[] = [
        { bytes },
        { file: `${folder}/in` },
        { stream: ReadableStream.from(pieces) },
        { stream: (await Deno.open(`${folder}/in`)).readable },
      ];
      for (const stdin of inputs) {
        const stdout = new Capture({ limitBytes: 1 << 22 });
        const outcome = await box.run(["/bin/cat"], { stdin, stdout, limits: PATIENCE });
        assertEquals(outcome.kind, "exit");
        assertEquals(stdout.bytes, bytes, `${Object.keys(stdin)} of ${length} bytes`);
      }
    }
  });
});

Deno.test("a text is given to a program in UTF-8", async () => {
  const text = "größer \u{1F4E6}\n";
  assertEquals(await outputOf("cat", { stdin: { text } }), text);
});

Deno.test("standard input of none ends at once, and output to none is discarded", async () => {
  const script = "wc -c; echo out; echo err >&2";
  assertEquals(await outputOf(script, { stdin: "none", stderr: "none" }), "0\nout\n");
  assertEquals(
    (await shell(script, { stdin: "none", stdout: "none", stderr: "stdout" })).kind,
    "exit",
  );
});

Deno.test("a program can open its streams again by /dev/stdin, /dev/stdout and /dev/stderr", async () => {
  const script = "cat /dev/stdin; echo out > /dev/stdout; echo err > /dev/stderr";
  const inputs: Input[] = [
    { text: "text\n" },
    { stream: ReadableStream.from([new TextEncoder().encode("text\n")]) },
  ];
  for (const stdin of inputs) {
    const stderr = new Capture({ limitBytes: LIMIT });
    assertEquals(await outputOf(script, { stdin, stderr }), "text\nout\n");
    assertEquals(stderr.text(), "err\n");
  }
});

Deno.test("a program can move about in an input of bytes, and not change or execute it", async () => {
  const script = `
    head -c 1 > first; cat
    if echo x 2> /dev/null >> /proc/self/fd/0; then echo changed; fi
    if /proc/self/fd/0 2> /dev/null; then echo executed; fi`;
  const text = "#!/bin/sh\nexit 0\n";
  assertEquals((await outputOf(script, { stdin: { text } })).slice(-5), "it 0\n");
});

Deno.test("output and errors are kept apart, together, or in one Capture", async () => {
  const script = "echo out; echo err >&2";
  const stderr = new Capture({ limitBytes: LIMIT });
  assertEquals(await outputOf(script, { stderr }), "out\n");
  assertEquals(stderr.text(), "err\n");
  assertEquals(await outputOf(script, { stderr: "stdout" }), "out\nerr\n");
  const both = new Capture({ limitBytes: LIMIT });
  await shell(script, { stdout: both, stderr: both });
  assertEquals(both.text().split("\n").sort(), ["", "err", "out"]);
});

/** Writes so many bytes of a pattern, then does something else. */
function write(bytes: number, then = ""): string {
  return `head -c ${bytes} /dev/zero | tr '\\0' x; ${then}`;
}

interface Sink {
  output: Output;
  kept: () => Promise<number>;
}

/** The places where output with a limit can go, each with what it holds in the end. */
async function withSinks(
  limitBytes: number,
  test: (what: string, sink: Sink) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const path = `${folder}/out`;
    const size = async () => (await Deno.stat(path)).size;
    const capture = new Capture({ limitBytes });
    await test("memory", { output: capture, kept: () => Promise.resolve(capture.bytes.length) });
    await test("a file", { output: { file: path, limitBytes }, kept: size });
    for (const append of [false, true]) {
      await Deno.writeFile(path, new Uint8Array());
      using _file = await Deno.open(path, { write: true, append });
      const output = { fd: descriptorOf(path), limitBytes };
      await test(append ? "a file that is appended to" : "a descriptor", { output, kept: size });
    }
    const pipe = makePipe();
    const all = readAll(pipe.reader);
    await test("a pipe", {
      output: { fd: pipe.writer, limitBytes, transfer: true },
      kept: async () => (await all).length,
    });
  });
}

for (const limitBytes of [0, 1, 65_536, 1_500_000]) {
  Deno.test(`${limitBytes} bytes are not over a limit of as many, wherever they go`, async () => {
    await withSinks(limitBytes, async (what, { output, kept }) => {
      const outcome = await shell(write(limitBytes), { stdout: output });
      assertEquals([outcome.kind, await kept()], ["exit", limitBytes], what);
      assert(!(output instanceof Capture && output.truncated));
    });
  });

  Deno.test(`one byte more than ${limitBytes} is over the limit, and the first ${limitBytes} are kept`, async () => {
    await withSinks(limitBytes, async (what, { output, kept }) => {
      const outcome = await shell(write(limitBytes + 1), { stdout: output });
      assert(outcome.kind === "output-limit", `${what}: ${outcome.kind}`);
      assertEquals([outcome.stream, await kept()], ["stdout", limitBytes], what);
      assert(!(output instanceof Capture) || output.truncated);
    });
  });
}

Deno.test("a program that prints for ever is stopped soon after the limit, and so are its children", async () => {
  await withSinks(LIMIT, async (what, { output, kept }) => {
    await using box = await Box.init({ boxId: BOX_ID });
    const memoryBefore = Deno.memoryUsage().rss;
    const script = "sleep 100 & yes & yes";
    const outcome = await box.run(["/bin/sh", "-c", script], { stdout: output, limits: PATIENCE });
    assertEquals([outcome.kind, await kept()], ["output-limit", LIMIT], what);
    assertLess(outcome.usage.wallTimeMs, 5000);
    assertLess(Deno.memoryUsage().rss - memoryBefore, 100 << 20);
    assertEquals(await processesOf(BOX_UID), []);
  });
});

Deno.test("the stream over its limit is named, and the other one is kept", async () => {
  const stdout = new Capture({ limitBytes: 100 });
  const stderr = new Capture({ limitBytes: 100 });
  const outcome = await shell("echo out; sleep 0.1; yes >&2", { stdout, stderr });
  assert(outcome.kind === "output-limit");
  assertEquals([outcome.stream, stdout.text(), stderr.bytes.length], ["stderr", "out\n", 100]);
});

Deno.test("output over a limit can be discarded, and the program does not notice", async () => {
  await withFolder(async (folder) => {
    const capture = new Capture({ limitBytes: 10, overflow: "discard" });
    const file = { file: `${folder}/out`, limitBytes: 10, overflow: "discard" } as const;
    for (const stdout of [capture, file]) {
      const outcome = await shell(write(5_000_000, "echo done >&2; exit 3"), {
        stdout,
        stderr: { path: "err" },
      });
      assert(outcome.kind === "exit");
      assertEquals(outcome.exitCode, 3);
    }
    assertEquals([capture.text(), capture.truncated], ["x".repeat(10), true]);
    assertEquals(await Deno.readTextFile(file.file), "x".repeat(10));
  });
});

Deno.test("a program that prints for ever into nothing still has its time limit", async () => {
  const stdout = new Capture({ limitBytes: 10, overflow: "discard" });
  const outcome = await shell("yes", { stdout, limits: { wallTimeMs: 300, ...MANY } });
  assertEquals([outcome.kind, stdout.text()], ["time-limit", "y\ny\ny\ny\ny\n"]);
});

Deno.test("everything that was written before the end is there, however the program ends", async () => {
  const wanted = { kind: "exit", length: 300_000 };
  for (const [end, kind] of [["exit 0", "exit"], ["kill -9 $$", "signal"]] as const) {
    const stdout = new Capture({ limitBytes: LIMIT });
    const outcome = await shell(write(300_000, end), { stdout });
    assertEquals({ kind: outcome.kind, length: stdout.bytes.length }, { ...wanted, kind });
  }
  const stdout = new Capture({ limitBytes: LIMIT });
  const script = write(300_000, "sleep 100");
  const outcome = await shell(script, { stdout, limits: { wallTimeMs: 500, ...MANY } });
  assertEquals([outcome.kind, stdout.bytes.length], ["time-limit", 300_000]);
});

Deno.test("a child in the background that keeps standard output open holds nothing up", async () => {
  const stdout = new Capture({ limitBytes: LIMIT });
  const outcome = await shell("sleep 100 & echo done", { stdout });
  assertEquals([outcome.kind, stdout.text()], ["exit", "done\n"]);
  assertLess(outcome.usage.wallTimeMs, 20_000);
});

Deno.test("the limit that made the sandbox kill a program is the one that is reported", async () => {
  const stdout = new Capture({ limitBytes: 10 });
  const busy = "while :; do :; done";
  const cpu = await shell(`echo hello; ${busy}`, { stdout, limits: { cpuTimeMs: 100, ...MANY } });
  assertEquals(cpu.kind, "time-limit");
  const output = await shell(`yes & ${busy}`, { stdout, limits: { cpuTimeMs: 20_000, ...MANY } });
  assertEquals(output.kind, "output-limit");
});

Deno.test("streams of many runs at once do not mix", async () => {
  await using stack = new AsyncDisposableStack();
  const boxes: Box[] = [];
  for (let i = 0; i < 5; i++) boxes.push(stack.use(await Box.init({ boxId: BOX_ID + i })));
  const texts = await Promise.all(boxes.map(async (box, i) => {
    const stdout = new Capture({ limitBytes: LIMIT });
    const stdin = { stream: ReadableStream.from([new TextEncoder().encode(`${i}\n`)]) };
    const command = ["/bin/sh", "-c", "cat; ls /proc/self/fd | wc -l; sleep 0.2"];
    const outcome = await box.run(command, { stdin, stdout, limits: PATIENCE });
    assertEquals(outcome.kind, "exit");
    assertLess(outcome.usage.wallTimeMs, 30_000);
    return stdout.text();
  }));
  assertEquals(texts, boxes.map((_, i) => `${i}\n4\n`));
});

/** A stream that records whether it was cancelled, and never ends by itself. */
function endless(): { stream: ReadableStream<Uint8Array>; cancelled: () => boolean } {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(pattern(100_000)),
    cancel: () => {
      cancelled = true;
      // A source that never answers must not delay the run.
      return new Promise(() => {});
    },
  });
  return { stream, cancelled: () => cancelled };
}

Deno.test("a program that does not read its stream, or not to the end, ends all the same", async () => {
  for (const script of ["true", "sleep 0.1", "head -c 5 > head", "exec <&-; sleep 0.2"]) {
    const { stream, cancelled } = endless();
    const outcome = await shell(script, { stdin: { stream } });
    assertEquals([outcome.kind, cancelled(), stream.locked], ["exit", true, false], script);
  }
});

Deno.test("a stream from which nothing comes is cancelled when the program ends", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: () => new Promise(() => {}),
    cancel: () => void (cancelled = true),
  });
  assertEquals((await shell("sleep 0.1", { stdin: { stream } })).kind, "exit");
  assertEquals(cancelled, true);
  const waiting = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
  const limits = { wallTimeMs: 200, ...MANY };
  assertEquals((await shell("cat", { stdin: { stream: waiting }, limits })).kind, "time-limit");
});

Deno.test("a stream that fails, or gives no bytes, fails the run when the box is dead", async () => {
  const failing = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(pattern(10)),
    pull: () => Promise.reject(new Error("the disk is on fire")),
  });
  // deno-lint-ignore no-explicit-any
  const text: ReadableStream<any> = ReadableStream.from(["text"]);
  for (
    const [stream, message] of [[failing, "on fire"], [
      text,
      "something other than a Uint8Array",
    ]] as const
  ) {
    const run = shell("cat; sleep 100", { stdin: { stream }, stdout: "none" });
    const error = await assertRejects(() => run, SandboxError, message);
    assertEquals(error.kind, "stream");
    assertEquals(await processesOf(BOX_UID), []);
  }
});

Deno.test("a stream that already has a reader is refused", async () => {
  const { stream } = endless();
  using _reader = Object.assign(stream.getReader(), { [Symbol.dispose]: () => {} });
  await assertRejects(() => shell("true", { stdin: { stream } }), TypeError, "locked");
});

Deno.test("a disk that is full fails the run, and says which stream", async () => {
  for (const limitBytes of [1000, 1 << 22]) {
    const stdout = { file: "/dev/full", limitBytes };
    const run = shell("yes | head -c 2000000; sleep 100", { stdout });
    await assertRejects(
      () => run,
      SandboxError,
      "standard output: cannot write to /dev/full: No space left on device",
    );
  }
});

Deno.test("a reader that goes away ends a program as it would without a limit", async () => {
  const { reader, writer } = makePipe();
  const stdout = { fd: writer, limitBytes: 1 << 30, transfer: true };
  const run = shell("exec yes", { stdout });
  setTimeout(() => close(reader), 50);
  const outcome = await run;
  assert(outcome.kind === "signal", outcome.kind);
  assertEquals(outcome.signal, 13);
});

for (const [what, make] of [["pipe", makePipe], ["socket", makeSockets]] as const) {
  Deno.test(`a slow reader of a ${what} gets everything, up to the limit`, async () => {
    for (const [limitBytes, kind] of [[2_000_000, "exit"], [1_999_999, "output-limit"]] as const) {
      const { reader, writer } = make();
      const stdout = { fd: writer, limitBytes, transfer: true };
      const reading = readSlowly(reader);
      assertEquals((await shell(write(2_000_000), { stdout })).kind, kind);
      assertEquals(await reading, limitBytes);
    }
  });
}

Deno.test("a reader that takes nothing holds a run up to its wall clock limit, or until it is aborted", async () => {
  const { reader, writer } = makePipe();
  const stdout = { fd: writer, limitBytes: 1 << 30 };
  try {
    const limits = { wallTimeMs: 500, ...MANY };
    const begunMs = performance.now();
    assertEquals((await shell(write(200_000), { stdout, limits })).kind, "exit");
    assertGreater(performance.now() - begunMs, 400);
    const abort = new AbortController();
    const { signal } = abort;
    const onEnd = () => void setTimeout(() => abort.abort(), 100);
    const options = { stdout, limits: MANY, signal, onEnd };
    assertEquals((await shell(write(200_000), options)).kind, "exit");
  } finally {
    close(reader, writer);
  }
});

Deno.test("files of the host that cannot be used are named", async () => {
  await withFolder(async (folder) => {
    await new Deno.Command("/usr/bin/mkfifo", { args: [`${folder}/fifo`] }).output();
    await using box = await Box.init({ boxId: BOX_ID });
    const inBox = `${box.directory}/box/x`;
    const cases: [RunOptions, string][] = [
      [
        { stdin: { file: `${folder}/none` } },
        `standard input: cannot open ${folder}/none: No such`,
      ],
      [
        { stdout: { file: `${folder}/a/b` } },
        `standard output: cannot open ${folder}/a/b: No such`,
      ],
      [{ stdin: { file: folder } }, "it is not a regular file"],
      [{ stdin: { file: `${folder}/fifo` } }, "it is not a regular file"],
      [{ stderr: { file: `${folder}/fifo` } }, "standard error: cannot open"],
      [{ stdout: { file: inBox } }, `cannot use ${inBox} as a file of the host: it lies in a box`],
      [{ stdout: { fd: 12345, limitBytes: 1 } }, "standard output: cannot use descriptor 12345"],
    ];
    const before = descriptors();
    for (const [options, message] of cases) {
      await assertRejects(() => box.run(["/bin/true"], options), SandboxError, message);
    }
    for (const limitBytes of [-1, 0.5, NaN]) {
      const stdout = { file: `${folder}/out`, limitBytes };
      await assertRejects(() => box.run(["/bin/true"], { stdout }), RangeError, "limitBytes");
    }
    assertEquals(descriptors(), before);
  });
});

Deno.test("files of the host are opened with the rights of the user that the sandbox acts for", async () => {
  await withFolder(async (folder) => {
    const sandbox = await Sandbox.open({ actAs: { uid: 12_345, gid: 12_345 } });
    await using box = await Box.init({ boxId: BOX_ID, sandbox });
    await Deno.writeTextFile(`${folder}/in`, "");
    const cases: [RunOptions, string][] = [
      [{ stdin: { file: `${folder}/in` } }, "Permission denied"],
      [{ stdout: { file: `${folder}/out` } }, "Permission denied"],
      [{ stderr: { file: "/etc/passwd", limitBytes: 1 } }, "Permission denied"],
      [{ stdin: { file: "/proc/self/fd/0" } }, "Too many levels of symbolic links"],
    ];
    for (const [options, message] of cases) {
      await assertRejects(() => box.run(["/bin/true"], options), SandboxError, message);
    }
    assertEquals((await box.run(["/bin/true"], { stdin: { file: "/etc/passwd" } })).kind, "exit");
  });
});

/** Streams of every kind, and what must be closed afterwards. */
function everyKind(folder: string): { kinds: RunOptions[]; others: number[] } {
  const { stream } = endless();
  const [input, output] = [makePipe(), makePipe()];
  const kinds: RunOptions[] = [
    { stdin: { text: "text" }, stdout: new Capture({ limitBytes: LIMIT }), stderr: "none" },
    { stdin: { stream }, stdout: { file: `${folder}/out`, limitBytes: 10 }, stderr: "stdout" },
    {
      stdin: { file: "/etc/passwd" },
      stdout: { file: `${folder}/out` },
      stderr: new Capture({ limitBytes: 10, overflow: "discard" }),
    },
    { stdin: { fd: input.reader, transfer: true } },
    { stdout: { fd: output.writer, limitBytes: 5, transfer: true } },
  ];
  return { kinds, others: [input.writer, output.reader] };
}

Deno.test("runs leave no descriptor, whether they succeed, are stopped, aborted, or fail", async () => {
  await withFolder(async (folder) => {
    await using box = await Box.init({ boxId: BOX_ID });
    await box.run(["/bin/true"], { stdout: new Capture({ limitBytes: 1 }) });
    const ways: [string[], RunOptions][] = [
      [["/bin/true"], {}],
      [["/usr/bin/yes"], { limits: { wallTimeMs: 50 } }],
      [["/bin/sleep", "100"], { signal: AbortSignal.abort() }],
      [["/bin/sleep", "100"], { limits: { wallTimeMs: 1 } }],
      [["/bin/true"], { workingDirectory: "/nowhere" }],
      [["/bin/true"], { cpus: [] }],
      [[], {}],
    ];
    for (const [command, options] of ways) {
      const before = descriptors();
      const { kinds, others } = everyKind(folder);
      for (const kind of kinds) {
        await box.run(command, { stdout: "none", ...kind, ...options }).catch(() => {});
      }
      close(...others);
      assertEquals(descriptors(), before, command.join(" "));
    }
  });
});

Deno.test("a run that nobody waits for ends by itself, and closes all it opened", async () => {
  await withFolder(async (folder) => {
    await using box = await Box.init({ boxId: BOX_ID });
    await box.run(["/bin/true"], { stdout: new Capture({ limitBytes: 1 }) });
    const before = descriptors();
    const { stream, cancelled } = endless();
    const stdout = { file: `${folder}/out`, limitBytes: 100 };
    box.run(["/bin/sh", "-c", "sleep 0.2; echo done"], { stdin: { stream }, stdout, limits: MANY });
    await eventually("the box can run again", async () => {
      return await box.run(["/bin/true"]).then(() => true, () => false);
    });
    assertEquals(await Deno.readTextFile(`${folder}/out`), "done\n");
    assertEquals(cancelled(), true);
    assertEquals(descriptors(), before);
  });
});
