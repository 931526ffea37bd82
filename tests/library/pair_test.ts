/** Two programs that talk to each other, directly and through a tee. */

import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  Box,
  type Outcome,
  type PairOptions,
  type PairOutcome,
  type PairProgram,
  runPair,
  SandboxError,
  Transcript,
} from "isolate/mod.ts";
import { installC } from "isolate/tests/support/c_program.ts";
import { needsControlGroup } from "isolate/tests/support/control_group.ts";
import { testWith } from "isolate/tests/support/skip.ts";

const BOX_IDS = [952, 953, 954, 955] as const;
const GROUP_BOX_IDS = [956, 957] as const;
const LIMIT_BYTES = 65536;

/** A program of a test: words for `talk`, or a whole command. */
type Words = string | readonly string[];

function program(box: Box, words: Words, options: PairProgram["options"] = {}): PairProgram {
  const command = typeof words === "string" ? ["./talk", ...words.split(" ")] : words;
  const limits = { wallTimeMs: 20_000, ...options.limits };
  return { box, command, options: { ...options, limits } };
}

/** Makes boxes with the program `talk` in them. */
async function withBoxes(
  ids: readonly number[],
  test: (boxes: readonly Box[]) => Promise<void>,
  options: { controlGroup?: boolean } = {},
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const boxes: Box[] = [];
  for (const boxId of ids) {
    const box = stack.use(await Box.init({ boxId, wait: true, ...options }));
    await installC(`${box.directory}/box/talk`, TALK);
    boxes.push(box);
  }
  await test(boxes);
}

/** Runs two programs with what the test asks for, directly or with a transcript. */
type Talk = (
  first: Words | PairProgram,
  second: Words | PairProgram,
  options?: Partial<PairOptions>,
) => Promise<PairOutcome>;

interface Setting {
  first: Box;
  second: Box;
  talk: Talk;
  transcript: Transcript | undefined;
}

/** Registers a test for both ways to connect the programs. */
function pairTest(name: string, test: (setting: Setting) => Promise<void>): void {
  for (const way of ["direct", "tee"] as const) {
    Deno.test(`${name} (${way})`, () =>
      withBoxes(BOX_IDS.slice(0, 2), async ([first, second]) => {
        const pipesBefore = ownPipes();
        const transcript = way === "tee" ? new Transcript({ limitBytes: LIMIT_BYTES }) : undefined;
        const talk: Talk = (one, other, options = {}) =>
          runPair({
            first: isProgram(one) ? one : program(first!, one),
            second: isProgram(other) ? other : program(second!, other),
            ...transcript && { transcript },
            ...options,
          });
        await test({ first: first!, second: second!, talk, transcript });
        assertEquals(ownPipes(), pipesBefore, "pipes are left open");
      }));
  }
}

function isProgram(what: Words | PairProgram): what is PairProgram {
  return typeof what === "object" && "box" in what;
}

function ownPipes(): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith("pipe:");
    } catch {
      return false; // That of the listing itself.
    }
  }).length;
}

/** An outcome in short: what a test expects of it. */
function short(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exit":
      return `exit ${outcome.exitCode}`;
    case "signal":
      return `signal ${outcome.signal}`;
    case "time-limit":
      return `${outcome.limit} limit`;
    default:
      return outcome.kind;
  }
}

function both({ first, second }: PairOutcome): string[] {
  return [short(first), short(second)];
}

function said(transcript: Transcript): string[] {
  const text = new TextDecoder();
  return transcript.pieces.map(({ from, bytes }) => `${from}: ${text.decode(bytes)}`);
}

pairTest(
  "runPair() lets the first program guess a number that the second one knows",
  async ({ talk, transcript }) => {
    const pair = await talk("guess 100", "know 37");
    assertEquals(both(pair), ["exit 0", "exit 42"]);
    if (!transcript) return;
    assertEquals(said(transcript), [
      "first: 50\n",
      "second: lower\n",
      "first: 25\n",
      "second: higher\n",
      "first: 37\n",
      "second: correct\n",
    ]);
    assertEquals(transcript.truncated, false);
  },
);

pairTest(
  "runPair() lets the second program guess a number that the first one knows",
  async ({ talk, transcript }) => {
    const pair = await talk("know 99", "guess 100");
    assertEquals(both(pair), ["exit 42", "exit 0"]);
    if (transcript) assertEquals(said(transcript).slice(0, 2), ["second: 50\n", "first: higher\n"]);
  },
);

pairTest("runPair() reports that the second program has ended first", async ({ first, talk }) => {
  const verdict = ["/bin/sh", "-c", "echo hello; read -r line; exit 43"];
  // It has noticed the end of its input, and takes its time.
  const slow = ["/bin/sh", "-c", "while read -r line; do echo $line; done; sleep 0.1; exit 0"];
  const pair = await talk(program(first, slow, { limits: { processes: 2 } }), verdict);
  assertEquals(both(pair), ["exit 0", "exit 43"]);
  assertEquals(pair.endedFirst, "second");
  assertGreater(pair.gapMs, 50);
});

pairTest(
  "runPair() reports what was left unread when one ended",
  async ({ first, second, talk }) => {
    const limits = { processes: 2 };
    const writes = ["/bin/sh", "-c", "echo one; sleep 0.2; echo three; sleep 0.2"];
    const reads = ["/bin/sh", "-c", "read -r line; sleep 600"];
    const options = { announceEnds: true, stopOther: () => true };
    const sides = [program(first, writes, { limits }), program(second, reads, { limits })] as const;
    assertEquals((await talk(...sides, options)).unread, { first: 0, second: 6 });
    assertEquals((await talk(sides[0], "later 1000 0")).unread, undefined);
  },
);

pairTest("runPair() reports that the first program has ended first", async ({ talk }) => {
  const pair = await talk(["/bin/sh", "-c", "echo hello; exit 3"], "later 200 44");
  assertEquals(both(pair), ["exit 3", "exit 44"]);
  assertEquals(pair.endedFirst, "first");
  assertGreater(pair.gapMs, 100);
  assertLess(pair.gapMs, 10_000);
});

pairTest(
  "runPair() stops both programs at their limits if each waits for the other",
  async ({ first, second, talk }) => {
    const pair = await talk(
      program(first, "echo", { limits: { wallTimeMs: 200 } }),
      program(second, "hang", { limits: { wallTimeMs: 400 } }),
    );
    // The end of the one is the end of input of the other, if that reads.
    assertEquals(both(pair), ["wall limit", "wall limit"]);
    assertEquals(pair.endedFirst, "first");
  },
);

pairTest(
  "runPair() stops both programs at their limits if each writes and none reads",
  async ({ first, second, talk, transcript }) => {
    const limits = { wallTimeMs: 300 };
    const startMs = performance.now();
    const pair = await talk(
      program(first, "flood", { limits }),
      program(second, "flood", { limits }),
    );
    assertLess(performance.now() - startMs, 10_000);
    // The second may live on for a moment without a reader.
    assert(["wall limit", "signal 13"].includes(short(pair.second)), short(pair.second));
    assertEquals(short(pair.first), "wall limit");
    // A writer that waits for room sleeps.
    assertLess(pair.first.usage.cpuTimeMs, 150);
    if (!transcript) return;
    assertEquals(transcript.truncated, true);
    assertEquals(transcript.pieces.reduce((sum, { bytes }) => sum + bytes.length, 0), LIMIT_BYTES);
  },
);

pairTest(
  "runPair() reports that a program killed by SIGPIPE was not the first to end",
  async ({ talk }) => {
    for (let i = 0; i < 5; i++) {
      const pair = await talk("flood", ["/bin/sh", "-c", "read -r line; exit 43"]);
      assertEquals(both(pair), ["signal 13", "exit 43"]);
      assertEquals(pair.endedFirst, "second");
    }
  },
);

pairTest(
  "runPair() gives programs that ignore SIGPIPE an error when nobody listens",
  async ({ talk }) => {
    const pair = await talk(["/bin/sh", "-c", "exit 43"], "stubborn 100");
    assertEquals(both(pair), ["exit 43", "exit 7"]);
    assertEquals(pair.endedFirst, "first");
  },
);

pairTest(
  "runPair() passes the end of one direction on while the other one is used",
  async ({ first, second, talk, transcript }) => {
    const pair = await talk(
      // It writes everything, and then reads the answer.
      ["/bin/sh", "-c", "echo question; exec >&-; read -r answer; echo got $answer >result"],
      program(
        second,
        ["/bin/sh", "-c", "cat >heard; echo answer; read -r more || exit 5"],
        { limits: { processes: 2 } },
      ),
    );
    assertEquals(both(pair), ["exit 0", "exit 5"]);
    assertEquals(await Deno.readTextFile(`${first.directory}/box/result`), "got answer\n");
    if (transcript) assertEquals(said(transcript), ["first: question\n", "second: answer\n"]);
  },
);

pairTest("runPair() goes on with programs that close their streams at once", async ({ talk }) => {
  const pair = await talk("mute 500 5", "stubborn");
  assertEquals(both(pair), ["exit 5", "exit 7"]);
  assertEquals(pair.endedFirst, "second");
  assertEquals(both(await talk("mute 10 3", "mute 10 4")), ["exit 3", "exit 4"]);
});

pairTest("runPair() loses nothing when the reader is slow", async ({ second, talk }) => {
  const pair = await talk("pour 5000000", "slowly 100");
  assertEquals(both(pair), ["exit 0", "exit 0"]);
  const result = await Deno.readTextFile(`${second.directory}/box/result`);
  assertEquals(result, "5000000 bytes, 0 wrong\n");
});

pairTest(
  "runPair() passes any bytes on in both directions at once",
  async ({ first, talk, transcript }) => {
    const pair = await talk("both 3000000", "echo");
    assertEquals(both(pair), ["exit 0", "exit 0"]);
    const result = await Deno.readTextFile(`${first.directory}/box/result`);
    assertEquals(result, "3000000 bytes, 0 wrong\n");
    let kept = 0;
    for (const side of ["first", "second"] as const) {
      const pieces = transcript?.pieces.filter(({ from }) => from === side) ?? [];
      let at = 0;
      for (const { bytes } of pieces) for (const byte of bytes) assertEquals(byte, at++ * 7 % 251);
      kept += at;
    }
    // One side may have filled all of it before the other wrote anything.
    if (transcript) assertGreater(kept, 1000);
  },
);

pairTest("runPair() asks whether to stop the other program, and stops it", async ({ talk }) => {
  const asked: string[] = [];
  const pair = await talk(["/bin/sh", "-c", "exit 43"], "hang", {
    stopOther: ({ which, outcome }) => {
      asked.push(`${which} ${short(outcome)}`);
      return true;
    },
  });
  assertEquals(asked, ["first exit 43"]);
  assertEquals(both(pair), ["exit 43", "interrupted"]);
  assertEquals(pair.endedFirst, "first");
});

pairTest("runPair() lets the other program go on if it is not to be stopped", async ({ talk }) => {
  const asked: string[] = [];
  const pair = await talk("later 200 4", ["/bin/true"], {
    stopOther: ({ which }) => {
      asked.push(which);
      return false;
    },
  });
  assertEquals(asked, ["second"]);
  assertEquals(both(pair), ["exit 4", "exit 0"]);
});

pairTest("runPair() stops both programs when its signal is aborted", async ({ talk }) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(2), 100);
  const { first, second } = await talk("hang", "hang", { signal: controller.signal });
  assert(first.kind === "interrupted" && second.kind === "interrupted");
  assertEquals([first.signal, second.signal], [2, 2]);
  const again = await talk("hang", "hang", { signal: controller.signal });
  assertEquals(both(again), ["interrupted", "interrupted"]);
});

pairTest(
  "runPair() stops one program by its own signal, and the other one sees the end",
  async ({ first, talk }) => {
    const signal = AbortSignal.timeout(100);
    const pair = await talk(program(first, "hang", { signal }), "echo");
    assertEquals(both(pair), ["interrupted", "exit 0"]);
  },
);

pairTest(
  "runPair() stops the other program and throws if one cannot be started",
  async ({ first, second, talk }) => {
    const broken = program(second, "echo", {
      directoryRules: [{ kind: "bind", inside: "data", source: "/no/such/directory" } as never],
    });
    const hanging = program(first, "hang");
    const startMs = performance.now();
    await assertRejects(() => talk(hanging, broken));
    await assertRejects(() => talk(broken, hanging));
    const twice = await assertRejects(() => talk(hanging, program(first, "hang")), SandboxError);
    assertEquals(twice.kind, "box-in-use");
    const thrown = await assertRejects(
      () =>
        talk(["/bin/true"], "hang", {
          stopOther: () => {
            throw new RangeError("no idea");
          },
        }),
      RangeError,
    );
    assertStringIncludes(thrown.message, "no idea");
    assertLess(performance.now() - startMs, 10_000);
    // Both boxes are free again.
    assertEquals(both(await talk("guess 10", "know 5")), ["exit 0", "exit 42"]);
  },
);

pairTest("runPair() refuses a standard input or output of its own", async ({ first, talk }) => {
  for (const name of ["stdin", "stdout"]) {
    const options = { [name]: { path: "/dev/null" } };
    const error = await assertRejects(
      () => talk({ box: first, command: ["/bin/true"], options }, "echo"),
      TypeError,
    );
    assertStringIncludes(error.message, `Cannot set ${name} of the first program of a pair`);
  }
});

pairTest("runPair() leaves standard error to the caller", async ({ first, talk }) => {
  const pair = await talk(
    program(first, ["/bin/sh", "-c", "echo note >&2; echo line; read -r line"], {
      stderr: { path: "err" },
    }),
    "echo",
  );
  assertEquals(both(pair), ["exit 0", "exit 0"]);
  assertEquals(await Deno.readTextFile(`${first.directory}/box/err`), "note\n");
});

for (const way of ["direct", "tee"] as const) {
  Deno.test(`runPair() keeps two pairs apart, and a box beside them holds none of their pipes (${way})`, () =>
    withBoxes([...BOX_IDS, GROUP_BOX_IDS[0]], async ([a, b, c, d, beside]) => {
      const transcripts = [37, 99].map(() => new Transcript({ limitBytes: LIMIT_BYTES }));
      const pairOf = (first: Box, second: Box, i: number) =>
        runPair({
          first: program(first, "guess 100"),
          second: program(second, `know ${[37, 99][i]}`),
          ...way === "tee" && { transcript: transcripts[i]! },
        });
      const stop = new AbortController();
      const early = pairOf(a!, b!, 0);
      // Started while the ends are open here: if the box had one of them, nobody would see an end.
      const sleeper = beside!.run(["/bin/sleep", "30"], { signal: stop.signal });
      const pairs = await Promise.all([early, pairOf(c!, d!, 1)]);
      stop.abort();
      assertEquals((await sleeper).kind, "interrupted");
      assertEquals(pairs.map(both), [["exit 0", "exit 42"], ["exit 0", "exit 42"]]);
      if (way === "direct") return;
      assertEquals(transcripts.map((one) => said(one).length), [6, 12]);
    }));

  testWith(
    [needsControlGroup.any()],
    `runPair() ends with its programs, whatever processes hold their pipes (${way})`,
    () =>
      withBoxes(GROUP_BOX_IDS, async ([first, second]) => {
        const limits = { processes: 10, controlGroupMemoryKib: 65536, wallTimeMs: 20_000 };
        const background = ["/bin/sh", "-c", "sleep 100 & sleep 100 & echo started; exit 6"];
        const startMs = performance.now();
        const pair = await runPair({
          first: program(first!, background, { limits }),
          second: program(second!, "echo", { limits }),
          ...way === "tee" && { transcript: new Transcript({ limitBytes: 100 }) },
        });
        assertEquals(both(pair).slice(0, 1), ["exit 6"]);
        assert(["exit 0", "signal 13"].includes(short(pair.second)), short(pair.second));
        assert(pair.first.usage.controlGroup && pair.second.usage.controlGroup);
        assertLess(performance.now() - startMs, 10_000);
      }, { controlGroup: true }),
  );
}

const TALK = `
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char line[64], block[65536];
static long heard, wrong;

static unsigned char byte_at(long i) { return i * 7 % 251; }
static void sleep_ms(long ms) { poll(0, 0, ms); }

static int guess(int high) {
  for (int low = 1;;) {
    int middle = (low + high) / 2;
    printf("%d\\n", middle);
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) return 1;
    if (!strcmp(line, "correct\\n")) return 0;
    if (!strcmp(line, "higher\\n")) low = middle + 1;
    else high = middle - 1;
    if (low > high) return 2;
  }
}

static int know(int number) {
  while (fgets(line, sizeof line, stdin)) {
    int asked = atoi(line);
    puts(asked < number ? "higher" : asked > number ? "lower" : "correct");
    fflush(stdout);
    if (asked == number) return 42;
  }
  return 1;
}

static void check(long length) {
  for (long i = 0; i < length; i++) wrong += (unsigned char)block[i] != byte_at(heard + i);
  heard += length;
}

static int report(void) {
  FILE *file = fopen("result", "w");
  fprintf(file, "%ld bytes, %ld wrong\\n", heard, wrong);
  return fclose(file);
}

/* Writes so many bytes, in pieces of different sizes; with hear, reads meanwhile as many. */
static int pour(long bytes, int hear) {
  static char own[65536];
  for (long said = 0, piece = 1; said < bytes || (hear && heard < bytes);) {
    struct pollfd fds[2] = {{hear ? 0 : -1, POLLIN}, {said < bytes ? 1 : -1, POLLOUT}};
    if (poll(fds, 2, -1) < 0) return 1;
    if (fds[0].revents) {
      long n = read(0, block, sizeof block);
      if (n <= 0) return 2;
      check(n);
    }
    if (fds[1].revents) {
      piece = piece * 3 % 4096 + 1;
      long length = piece < bytes - said ? piece : bytes - said;
      for (long i = 0; i < length; i++) own[i] = byte_at(said + i);
      if (write(1, own, length) != length) return 3;
      said += length;
    }
  }
  return hear ? report() : 0;
}

int main(int argc, char **argv) {
  const char *how = argv[1];
  long a = argc > 2 ? atol(argv[2]) : 0, b = argc > 3 ? atol(argv[3]) : 0, n;
  memset(block, 'x', sizeof block);
  block[99] = '\\n';
  if (!strcmp(how, "guess")) return guess(a);
  if (!strcmp(how, "know")) return know(a);
  if (!strcmp(how, "hang")) for (;;) pause();
  if (!strcmp(how, "flood")) for (;;) write(1, block, sizeof block);
  if (!strcmp(how, "pour")) return pour(a, 0);
  if (!strcmp(how, "both")) return pour(a, 1);
  if (!strcmp(how, "later")) { sleep_ms(a); return b; }
  if (!strcmp(how, "mute")) { close(0); close(1); sleep_ms(a); return b; }
  if (!strcmp(how, "stubborn")) {
    signal(SIGPIPE, SIG_IGN);
    while (write(1, block, 1000) > 0) continue;
    b = errno == EPIPE ? 7 : 8;
    sleep_ms(a);
    return b;
  }
  if (!strcmp(how, "echo")) {
    while ((n = read(0, block, sizeof block)) > 0)
      for (long done = 0, m; done < n; done += m)
        if ((m = write(1, block + done, n - done)) <= 0) return 1;
    return 0;
  }
  if (!strcmp(how, "slowly")) {
    for (sleep_ms(a); (n = read(0, block, sizeof block)) > 0; sleep_ms(1)) check(n);
    return report();
  }
  return 9;
}
`;
