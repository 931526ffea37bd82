/** Pools of boxes, in one process. */

import { assert, assertEquals, assertNotStrictEquals, assertRejects } from "@std/assert";
import {
  Box,
  BoxPool,
  Capture,
  defaultSettings,
  type Lease,
  type PoolOptions,
  Sandbox,
  SandboxError,
  type SandboxErrorKind,
} from "isolate/mod.ts";
import { usableCpus } from "isolate/box/cpus.ts";
import { System } from "isolate/ffi/system.ts";
import { cgTest } from "isolate/tests/support/control_group.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { isolate, processesOf, succeed } from "isolate/tests/support/isolate.ts";

const FIRST = 937;
const COUNT = 3;
const RANGE = { firstBoxId: FIRST, count: COUNT };
const BOX_IDS = Array.from({ length: COUNT }, (_, i) => FIRST + i);

async function refused(kind: SandboxErrorKind, work: () => Promise<unknown>): Promise<string> {
  const error = await assertRejects(work, SandboxError);
  assertEquals(error.kind, kind, error.message);
  return error.message;
}

async function withPool(
  options: Omit<PoolOptions, "firstBoxId" | "count">,
  test: (pool: BoxPool) => Promise<void>,
): Promise<void> {
  await using pool = await BoxPool.create({ ...RANGE, ...options });
  await test(pool);
}

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The boxes of the range that exist. */
function boxes(): number[] {
  const { boxRoot } = defaultSettings();
  const names = [...Deno.readDirSync(boxRoot)].map(({ name }) => Number(name));
  return names.filter((id) => BOX_IDS.includes(id)).sort();
}

function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test("use() does any number of jobs, as many at once as the pool is large, in order", () =>
  withPool({ size: 2 }, async (pool) => {
    const begun: number[] = [];
    let now = 0;
    let most = 0;
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        pool.use(async (box) => {
          begun.push(i);
          most = Math.max(most, ++now);
          assertEquals(await box.files.list(), []);
          await box.files.write("job", `${i}`);
          const outcome = await box.run(["/bin/sh", "-c", "read -r n < job; exit $n"]);
          now--;
          return outcome.kind === "exit" && outcome.exitCode;
        })),
    );
    assertEquals(results, Array.from({ length: 20 }, (_, i) => i));
    assertEquals(begun, results);
    assertEquals([most, pool.leased], [2, 0]);
    assertEquals(boxes(), []);
  }));

Deno.test("boxes that are in use, or initialised and not cleaned up, are left alone", async () => {
  const kept = `${await succeed([`--box-id=${FIRST}`, "--init"])}`.trim();
  try {
    await Deno.writeTextFile(`${kept}/box/file`, "theirs");
    await using held = await Box.init({ boxId: FIRST + 1 });
    await held.files.write("file", "theirs");
    await withPool({ size: 3, waitMs: 50 }, async (pool) => {
      const mine = await pool.lease();
      assertEquals(mine.box.boxId, FIRST + 2);
      const next = pool.lease();
      assertEquals(await Promise.race([next, delay(200)]), undefined);
      await mine.release();
      assertEquals((await next).box.boxId, FIRST + 2);
      await using _taken = await next;
      const others = await BoxPool.create({ ...RANGE, size: 1, waitMs: 50 });
      const message = await refused("no-free-box", () => others.lease());
      assertEquals(
        message,
        `No box from ${FIRST} to ${FIRST + 2} was free for 50 ms: ` +
          "1 initialised and not cleaned up, 2 in use",
      );
      await others.close();
    });
    assertEquals(await held.files.readText("file", { limitBytes: 6 }), "theirs");
    assertEquals(await Deno.readTextFile(`${kept}/box/file`), "theirs");
  } finally {
    await isolate([`--box-id=${FIRST}`, "--cleanup"]);
  }
});

Deno.test("a box that comes free goes to the job that has waited longest", async () => {
  await using stack = new AsyncDisposableStack();
  const held: Box[] = [];
  for (const boxId of BOX_IDS) held.push(stack.use(await Box.init({ boxId })));
  await withPool({ size: 2 }, async (pool) => {
    const order: string[] = [];
    const job = (name: string) => pool.use((box) => void order.push(`${name} ${box.boxId}`));
    const jobs = [job("first"), job("second")];
    await delay(50);
    assertEquals(order, []);
    await held[1]!.cleanup();
    await Promise.all(jobs);
    assertEquals(order, [`first ${FIRST + 1}`, `second ${FIRST + 1}`]);
  });
});

/** Leaves traces of all kinds. */
const LITTER = `set -e
echo secret > file; mkdir -p deep/er; echo secret > deep/er/file; echo secret > /tmp/file
mkdir -m 777 /tmp/directory; ln -s /etc/passwd link; mkfifo fifo
python3 -c 'import os; os.setxattr("/box", "user.secret", b"1"); os.setxattr("/tmp", "user.secret", b"1")'
chmod 1777 . /tmp; sleep 1000 & sleep 1000 &
`;

/** Says what it finds. */
const LOOK = `
ls -lA /box /tmp; stat -c '%n %a %u' /box /tmp
python3 -c 'import os; print(os.listxattr("/box"), os.listxattr("/tmp"))'
`;

async function look(box: Box): Promise<string> {
  const stdout = new Capture({ limitBytes: 100_000 });
  await box.run(["/bin/sh", "-c", LOOK], { stdout, limits: { processes: 9 } });
  return stdout.text();
}

for (const handedOver of [true, false]) {
  for (const size of [undefined, { sizeKib: 1024 }]) {
    const how = `${handedOver ? "handed over" : "made again"}, ${size ? "with" : "without"} a size`;
    Deno.test(`nothing of a lease reaches the next (${how})`, async () => {
      const options = { firstBoxId: FIRST, count: 1, size: 1, ...(size && { init: { size } }) };
      await using pool = await BoxPool.create(options);
      let clean = "";
      await pool.use(async (box) => void (clean = await look(box)));
      assert(clean.includes("/box 700") && clean.includes("[] []"), clean);
      const first = await pool.lease();
      const next = handedOver ? pool.lease() : undefined;
      const outcome = await first.box.run(["/bin/sh", "-c", LITTER], {
        limits: { processes: 9 },
        keepSpecialFiles: true,
      });
      assert(outcome.kind === "exit" && outcome.exitCode === 0);
      assert((await first.box.files.list()).length >= 4);
      using old = await Deno.open(`${first.box.directory}/box`);
      const oldInode = (await old.stat()).ino;
      await first.release();
      await using second = await (next ?? pool.lease());
      assertEquals(second.box.boxId, first.box.boxId);
      assertNotStrictEquals(second.box, first.box);
      assertEquals(await processesOf(defaultSettings().firstUid + FIRST), []);
      assert(Deno.statSync(`${second.box.directory}/box`).ino !== oldInode || size);
      // What the last job has kept of the box does not work any more.
      await refused("no-box", () => first.box.run(["/bin/true"]));
      await refused("no-box", () => first.box.files.write("planted", ""));
      await first.box.cleanup();
      await first.release();
      assertEquals(await second.box.files.list(), []);
      assertEquals(await look(second.box), clean);
    });
  }
}

cgTest("a lease has a control group of its own, which has used nothing", async () => {
  await using pool = await BoxPool.create({
    firstBoxId: FIRST,
    count: 1,
    size: 1,
    init: { controlGroup: true },
  });
  const peaks: number[] = [];
  const use = (script: string) =>
    pool.use(async (box) => {
      const { usage } = await box.run(["/usr/bin/python3", "-c", script], {
        limits: { controlGroupMemoryKib: 400_000 },
      });
      assert(usage.controlGroup);
      assertEquals(usage.controlGroup.oomKills, 0);
      peaks.push(usage.controlGroup.peakMemoryKib ?? 0);
    });
  await Promise.all([use("x = b'1' * 200_000_000"), use("x = 1")]);
  assert(peaks[0]! > 150_000 && peaks[1]! < 100_000, `${peaks}`);
});

Deno.test("a job that fails returns its box, and what it still runs is stopped", () =>
  withPool({ size: 1 }, async (pool) => {
    let run: Promise<{ kind: string }> | undefined;
    const job = async (box: Box) => {
      run = box.run(["/bin/sleep", "1000"]);
      await delay(20);
      throw new Error("the job is broken");
    };
    await assertRejects(() => pool.use(job), Error, "the job is broken");
    assertEquals((await run!).kind, "interrupted");
    assertEquals([pool.leased, boxes()], [0, []]);
    // The same if a job waits for the box.
    const jobs = [pool.use(job), pool.use((box) => look(box))];
    await assertRejects(() => jobs[0]!, Error, "the job is broken");
    assert((await jobs[1]!)!.length > 0);
  }));

Deno.test("a job that releases or cleans up its box itself does no harm", () =>
  withPool({ size: 1 }, async (pool) => {
    await pool.use((box) => box.cleanup());
    assertEquals(boxes(), []);
    const waiting = [pool.use((box) => box.cleanup()), pool.use((box) => box.boxId)];
    assertEquals((await Promise.all(waiting))[1], FIRST);
    await pool.use((box) => box.release());
    // It was kept on purpose.
    assertEquals(await pool.use((box) => box.boxId), FIRST + 1);
    assert(await Box.remove({ boxId: FIRST }));
  }));

Deno.test("keep() leaves the box as it is for others, and the pool goes on with another one", () =>
  withPool({ size: 1 }, async (pool) => {
    const lease = await pool.lease();
    await lease.box.files.write("file", "kept");
    await lease.keep();
    await lease.release();
    try {
      assertEquals(await pool.use((box) => box.boxId), FIRST + 1);
      await using kept = await Box.open({ boxId: FIRST });
      assertEquals(await kept.files.readText("file", { limitBytes: 4 }), "kept");
    } finally {
      await Box.remove({ boxId: FIRST });
    }
  }));

Deno.test("waiting for a box can be aborted, and the next in line gets it", () =>
  withPool({ size: 1 }, async (pool) => {
    const first = await pool.lease();
    const abort = new AbortController();
    const second = pool.lease({ signal: abort.signal });
    const third = pool.lease();
    abort.abort(new Error("changed my mind"));
    await assertRejects(() => second, Error, "changed my mind");
    await assertRejects(() => pool.lease({ signal: abort.signal }), Error, "changed my mind");
    await first.release();
    await (await third).release();
    assertEquals(boxes(), []);
  }));

Deno.test("close() refuses waiting jobs, lets running ones end, and leaves nothing", async () => {
  const before = descriptors();
  const pool = await BoxPool.create({ ...RANGE, size: 2 });
  const jobs = [1, 2].map(() =>
    pool.use(async (box) => {
      await delay(100);
      return (await box.run(["/bin/true"])).kind;
    })
  );
  await delay(20);
  const waiting = refused("pool-closed", () => pool.lease());
  let isClosed = false;
  const closed = pool.close().then(() => void (isClosed = true));
  await waiting;
  await refused("pool-closed", () => pool.use(() => {}));
  assertEquals(isClosed, false);
  assertEquals(await Promise.all(jobs), ["exit", "exit"]);
  await closed;
  await pool.close();
  assertEquals(boxes(), []);
  assert(descriptors() <= before + 3, "the waiter of the process may be new");
});

Deno.test("boxes are pinned to CPUs in turn, and programs run there", async () => {
  const usable = usableCpus(await System.load());
  const cpusOf = async (box: Box) => {
    const stdout = new Capture({ limitBytes: 100 });
    const script = "import os; print(*os.sched_getaffinity(0))";
    await box.run(["/usr/bin/python3", "-c", script], { stdout });
    return stdout.text().trim();
  };
  await withPool({ size: 3, cpus: "each" }, async (pool) => {
    const leases: Lease[] = await Promise.all([1, 2, 3].map(() => pool.lease()));
    const expected = [0, 1, 2].map((i) => usable[i % usable.length]);
    assertEquals(leases.map(({ cpu }) => cpu), expected);
    for (const { box, cpu } of leases) assertEquals(await cpusOf(box), `${cpu}`);
    // A waiting job gets the CPU that comes free.
    const next = pool.lease();
    await leases[1]!.release();
    leases[1] = await next;
    assertEquals(leases[1].cpu, expected[1]);
    assertEquals(await cpusOf(leases[1].box), `${expected[1]}`);
    for (const lease of leases) await lease.release();
  });
  const last = usable.at(-1)!;
  await withPool({ size: 1, cpus: [last] }, async (pool) => {
    assertEquals(
      await pool.use((box, { cpu }) => (assertEquals(cpu, last), cpusOf(box))),
      `${last}`,
    );
  });
  await withPool({ size: 1 }, async (pool) => {
    assertEquals(await pool.use((box) => cpusOf(box)), usable.join(" "));
  });
  await assertRejects(
    () => BoxPool.create({ ...RANGE, size: 1, cpus: [4095] }),
    RangeError,
    "Cannot pin boxes to CPU 4095: this process may use",
  );
});

Deno.test("a pool without boxes is refused, and the message names the range", async () => {
  for (
    const options of [
      { firstBoxId: 999, count: 2, size: 1 },
      { firstBoxId: -1, size: 1 },
      { firstBoxId: 1000, size: 1 },
      { count: 0, size: 1 },
      { firstBoxId: 0.5, size: 1 },
    ]
  ) await assertRejects(() => BoxPool.create(options), RangeError, "box ids are 0 to 999");
  for (const size of [0, -1, 1.5, NaN]) {
    await assertRejects(() => BoxPool.create({ ...RANGE, size }), RangeError, "size must be");
  }
});

Deno.test("a pool whose boxes cannot be made says why, each time", () =>
  withFolder(async (folder) => {
    const settings = { ...defaultSettings(), boxRoot: `${folder}/boxes`, lockRoot: `${folder}/l` };
    const sandbox = await Sandbox.open({ settings });
    sandbox.prepareRoots();
    Deno.removeSync(`${folder}/boxes`);
    Deno.writeTextFileSync(`${folder}/boxes`, "");
    await withPool({ size: 1, sandbox }, async (pool) => {
      const errors = await Promise.all([1, 2].map(() => refused("system", () => pool.lease())));
      for (const error of errors) assert(error.includes(`${folder}/boxes`), error);
    });
  }));
