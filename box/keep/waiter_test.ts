import { FIONREAD, O_CLOEXEC, O_NONBLOCK } from "isolate/ffi/linux.ts";
import { Plan } from "isolate/ffi/plan.ts";
import { System } from "isolate/ffi/system.ts";
import { Waiter } from "isolate/box/keep/waiter.ts";
import { assert, assertEquals } from "@std/assert";

const system = await System.load();
const NEVER = Infinity;

interface Pipe {
  reader: number;
  writer: number;
}

function makePipe(): Pipe {
  const plan = new Plan();
  const pair = plan.alloc(8);
  plan.step("pipe2", [pair, O_CLOEXEC | O_NONBLOCK]);
  system.run(plan, "make a pipe");
  return { reader: plan.view(pair).getInt32(0, true), writer: plan.view(pair).getInt32(4, true) };
}

function write({ writer }: Pipe, text = "x"): void {
  system.writeAll(writer, new TextEncoder().encode(text), "a pipe");
}

/** Reads all there is. */
function drain({ reader }: Pipe): string {
  const plan = new Plan();
  const bytes = plan.alloc(4096);
  const length = plan.slot("length");
  plan.step("read", [reader, bytes, 4096], { into: length, ignore: "all" });
  system.run(plan, "read a pipe");
  return new TextDecoder().decode(plan.content(bytes, Math.max(0, plan.result(length))));
}

/** A waiter and some pipes, closed after the test. */
async function withPipes(
  count: number,
  test: (waiter: Waiter, pipes: readonly Pipe[]) => Promise<void>,
): Promise<void> {
  const waiter = Waiter.create(system);
  const pipes = Array.from({ length: count }, makePipe);
  try {
    await test(waiter, pipes);
  } finally {
    waiter.forget(...pipes.map(({ reader }) => reader));
    for (const { reader, writer } of pipes) system.close(reader, writer);
    waiter.close();
  }
}

/** Returns whether a promise is resolved once everything that is due has run. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  const later = new Promise((resolve) => setTimeout(() => resolve(pending), 30));
  return await Promise.race([promise, later]) === pending;
}

Deno.test("readable() ends when there is something to read, not before", async () => {
  await withPipes(1, async (waiter, [pipe]) => {
    const wait = waiter.readable([pipe!.reader], NEVER);
    assert(await isPending(wait));
    write(pipe!);
    await wait;
    assertEquals(drain(pipe!), "x");
  });
});

Deno.test("readable() ends at once when there is something to read already", async () => {
  await withPipes(1, async (waiter, [pipe]) => {
    write(pipe!);
    await waiter.readable([pipe!.reader], NEVER);
  });
});

Deno.test("readable() ends when the other side hangs up", async () => {
  await withPipes(1, async (waiter, [pipe]) => {
    const wait = waiter.readable([pipe!.reader], NEVER);
    system.close(pipe!.writer);
    await wait;
  });
});

Deno.test("readable() waits for any of several descriptors", async () => {
  await withPipes(3, async (waiter, pipes) => {
    const readers = pipes.map(({ reader }) => reader);
    for (const pipe of pipes) {
      const wait = waiter.readable(readers, NEVER);
      assert(await isPending(wait));
      write(pipe);
      await wait;
      drain(pipe);
    }
  });
});

Deno.test("readable() can be called again and again for a descriptor, read or not", async () => {
  await withPipes(1, async (waiter, [pipe]) => {
    write(pipe!);
    for (let round = 0; round < 100; round++) await waiter.readable([pipe!.reader], NEVER);
    drain(pipe!);
    const wait = waiter.readable([pipe!.reader], NEVER);
    assert(await isPending(wait));
    write(pipe!);
    await wait;
  });
});

Deno.test("readable() ends at its deadline, and not before", async () => {
  await withPipes(1, async (waiter, [pipe]) => {
    for (const ms of [0, 1, 7.5, 40]) {
      const start = system.nowMs();
      await waiter.readable([pipe!.reader], start + ms);
      const late = system.nowMs() - start - ms;
      assert(late >= 0 && late < 3000, `${late} ms late`);
    }
  });
});

Deno.test("a deadline that has passed ends a wait at once", async () => {
  await withPipes(1, async (waiter, [pipe]) => {
    for (const deadlineMs of [system.nowMs() - 1000, 0, -1, -Infinity]) {
      await waiter.readable([pipe!.reader], deadlineMs);
    }
  });
});

Deno.test("deadlines are kept in whatever order they are given", async () => {
  await withPipes(0, async (waiter) => {
    const start = system.nowMs() + 10;
    const delays = [50, 10, 40, 0, 30, 20];
    const latenesses = await Promise.all(
      delays.map(async (ms) => {
        await waiter.readable([], start + ms);
        return system.nowMs() - start - ms;
      }),
    );
    for (const late of latenesses) assert(late >= 0 && late < 3000, `${latenesses} ms late`);
  });
});

Deno.test("a shorter wait that begins during a longer one is not held up by it", async () => {
  await withPipes(1, async (waiter, [pipe]) => {
    let longIsOver = false;
    const long = waiter.readable([pipe!.reader], NEVER).then(() => longIsOver = true);
    await waiter.sleep(5);
    await waiter.sleep(5);
    assert(!longIsOver);
    write(pipe!);
    await long;
  });
});

Deno.test("many waits at once each get what is theirs", async () => {
  await withPipes(200, async (waiter, pipes) => {
    const order = pipes.map((_, i) => i).sort((a, b) => (a * 73) % 200 - (b * 73) % 200);
    const rounds = 5;
    const readers = pipes.map(async (pipe, i) => {
      for (let round = 0; round < rounds; round++) {
        await waiter.readable([pipe.reader], NEVER);
        assertEquals(drain(pipe), `${i}/${round}`);
      }
    });
    for (let round = 0; round < rounds; round++) {
      for (const i of order) write(pipes[i]!, `${i}/${round}`);
      // A reader that has not read its text before the next one comes would get both.
      while (pipes.some((pipe) => bytesIn(pipe) > 0)) await waiter.sleep(0.1);
    }
    await Promise.all(readers);
  });
});

/** Returns how many bytes can be read. */
function bytesIn({ reader }: Pipe): number {
  const plan = new Plan();
  const count = plan.alloc(8);
  plan.step("ioctl", [reader, FIONREAD, count]);
  system.run(plan, "how much is in a pipe");
  return plan.view(count).getInt32(0, true);
}

Deno.test("waits and deadlines mixed at random all end, on time", async () => {
  await withPipes(20, async (waiter, pipes) => {
    let state = 7;
    const random = (bound: number) => (state = state * 48271 % 2147483647) % bound;
    await Promise.all(pipes.map(async (pipe) => {
      for (let round = 0; round < 20; round++) {
        const deadlineMs = system.nowMs() + random(8);
        if (random(2)) write(pipe);
        await waiter.readable([pipe.reader], deadlineMs);
        assert(drain(pipe) === "x" || system.nowMs() >= deadlineMs, "ended for a reason");
      }
    }));
  });
});

Deno.test("forget() lets a number be used for another descriptor", async () => {
  await withPipes(0, async (waiter) => {
    for (let round = 0; round < 20; round++) {
      const pipe = makePipe();
      const wait = waiter.readable([pipe.reader], NEVER);
      write(pipe);
      await wait;
      waiter.forget(pipe.reader);
      system.close(pipe.reader, pipe.writer);
    }
    // It also accepts what it never knew.
    waiter.forget(999_999);
  });
});

Deno.test("an observer is called while somebody waits, as often as there is something", async () => {
  await withPipes(2, async (waiter, [observed, other]) => {
    const seen: string[] = [];
    waiter.observe(observed!.reader, () => seen.push(drain(observed!)));
    const wait = waiter.readable([other!.reader], NEVER);
    for (const text of ["a", "b", "c"]) {
      write(observed!, text);
      while (!seen.includes(text)) await waiter.sleep(0.5);
    }
    assert(await isPending(wait));
    write(other!);
    await wait;
    assertEquals(seen, ["a", "b", "c"]);
  });
});

Deno.test("what comes for an observer while nobody waits is there for the next wait", async () => {
  await withPipes(1, async (waiter, [observed]) => {
    const seen: string[] = [];
    waiter.observe(observed!.reader, () => seen.push(drain(observed!)));
    write(observed!, "early");
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals(seen, []);
    await waiter.sleep(20);
    assertEquals(seen, ["early"]);
  });
});

Deno.test("a forgotten observer is no longer called", async () => {
  await withPipes(1, async (waiter, [observed]) => {
    let calls = 0;
    waiter.observe(observed!.reader, () => calls++ && drain(observed!));
    waiter.forget(observed!.reader);
    write(observed!);
    await waiter.sleep(10);
    assertEquals(calls, 0);
  });
});

Deno.test("two waiters in one process do not disturb each other", async () => {
  await withPipes(1, async (first, [one]) => {
    await withPipes(1, async (second, [two]) => {
      const waits = [first.readable([one!.reader], NEVER), second.readable([two!.reader], NEVER)];
      write(two!);
      await waits[1];
      assert(await isPending(waits[0]!));
      write(one!);
      await waits[0];
    });
  });
});

/** Runs a module of its own that has `waiter` and `system`; gives what it printed. */
async function runModule(body: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const module = `
    import { System } from "${new URL("../../ffi/system.ts", import.meta.url)}";
    import { Plan } from "${new URL("../../ffi/plan.ts", import.meta.url)}";
    import { Waiter } from "${new URL("waiter.ts", import.meta.url)}";
    const system = await System.load();
    const waiter = Waiter.create(system);
    ${body}
    console.log("end");`;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const args = ["run", "--quiet", "--no-check", "--config", config, "--allow-ffi"];
  const child = new Deno.Command("timeout", {
    args: ["20", Deno.execPath(), ...args, `data:text/typescript,${encodeURIComponent(module)}`],
  });
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("an idle waiter lets the process end", async () => {
  const { code, stdout, stderr } = await runModule(`
    const plan = new Plan();
    const pair = plan.alloc(8);
    plan.step("pipe2", [pair, ${O_CLOEXEC | O_NONBLOCK}]);
    system.run(plan, "make a pipe");
    waiter.observe(plan.view(pair).getInt32(0, true), () => {});
    await waiter.sleep(5);`);
  assertEquals({ code, stdout }, { code: 0, stdout: "end\n" }, stderr);
});

Deno.test("a wait keeps the process alive until its deadline", async () => {
  const { code, stdout, stderr } = await runModule(`
    waiter.sleep(150).then(() => console.log("slept"));`);
  assertEquals({ code, stdout }, { code: 0, stdout: "end\nslept\n" }, stderr);
});

/** Fills a pipe. */
function fill(pipe: Pipe): void {
  const plan = new Plan();
  const bytes = plan.alloc(4096);
  const written = plan.slot("written");
  plan.step("write", [pipe.writer, bytes, bytes.length], { into: written, ignore: "all" });
  const again = system.prepare(plan, "fill a pipe");
  do again(); while (plan.result(written) > 0);
}

Deno.test("ready() ends when a descriptor can be written to, not before", async () => {
  await withPipes(2, async (waiter, [full, empty]) => {
    fill(full!);
    const waiting = { readable: [empty!.reader], writable: [full!.writer] };
    const ready = waiter.ready(waiting, NEVER);
    assert(await isPending(ready));
    while (drain(full!) !== "");
    await ready;
    await waiter.ready({ readable: [], writable: [full!.writer] }, NEVER);
    write(empty!);
    fill(full!);
    await waiter.ready(waiting, NEVER);
    waiter.forget(full!.writer);
  });
});

Deno.test("forget() wakes those that wait for the descriptor, and no others", async () => {
  await withPipes(2, async (waiter, [first, second]) => {
    const forgotten = waiter.readable([first!.reader], NEVER);
    const other = waiter.readable([second!.reader], NEVER);
    assert(
      !await Promise.race([forgotten.then(() => true), isPending(forgotten).then(() => false)]),
    );
    waiter.forget(first!.reader);
    await forgotten;
    assert(await isPending(other));
    write(second!);
    await other;
    // The call in flight has ended: with nothing left to wait for, the next one waits as usual.
    const late = waiter.readable([first!.reader], system.nowMs() + 50);
    assert(await isPending(late));
    await late;
  });
});
