/** Programs that use up whatever there is. */

import { assert, assertEquals } from "@std/assert";
import {
  assertDenied,
  assertNobodyLeft,
  attack,
  attempts,
  installAttack,
} from "../support/attack.ts";
import { COMMAND, sh, start, withBox } from "../support/isolate.ts";

Deno.test("a program gets neither a child nor a thread by default", async () => {
  await withBox(270, async (box) => {
    assertEquals((await attack(box, ["bombs", "count-forks"])).stdout, "1\n");
    assertEquals((await attack(box, ["bombs", "count-threads"])).stdout, "1\n");
  });
});

Deno.test("a program gets as many processes and threads as its limit", async () => {
  await withBox(270, async (box) => {
    assertEquals((await attack(box, ["bombs", "count-forks"], ["-p20"])).stdout, "20\n");
    assertEquals((await attack(box, ["bombs", "count-threads"], ["-p20"])).stdout, "20\n");
    await assertNobodyLeft(270);
  });
});

for (const bomb of ["forks", "threads"]) {
  Deno.test(`a bomb of ${bomb} is defused by the wall time`, async () => {
    await withBox(271, async (box) => {
      const { meta } = await attack(box, ["bombs", bomb], ["-p50", "--wall-time=0.5"]);
      await assertNobodyLeft(271);
      assertEquals([meta.status, meta.message], ["TO", "Time limit exceeded (wall clock)"]);
    });
  });
}

for (const bomb of ["memory", "mmap"]) {
  Deno.test(`a program gets no more memory by ${bomb} than its limit`, async () => {
    await withBox(272, async (box) => {
      const options = ["--mem=100000", "--wall-time=20"];
      const { code, stdout, meta } = await attack(box, ["bombs", bomb], options);
      assertEquals(code, 0);
      assert(Number(stdout) > 50_000 && Number(stdout) < 100_000, stdout);
      assert(Number(meta["max-rss"]) < 100_000, meta["max-rss"]);
    });
  });
}

Deno.test("a program that recurses for ever dies at its stack limit", async () => {
  await withBox(272, async (box) => {
    const { meta } = await attack(box, ["bombs", "stack"], ["--stack=1000", "--wall-time=20"]);
    assertEquals([meta.status, meta.exitsig], ["SG", "11"]);
    assert(Number(meta["max-rss"]) < 10_000, meta["max-rss"]);
  });
});

Deno.test("a program gets no more descriptors than its limit", async () => {
  await withBox(273, async (box) => {
    for (const [options, highest] of [[[], 1023], [["-n10"], 9]] as const) {
      const run = await attack(box, ["bombs", "descriptors"], options);
      assertDenied(run, 1);
      assertEquals(run.stdout.split("\n").at(-2), String(highest));
    }
  });
});

Deno.test("a program cannot make a file larger than its limit", async () => {
  await withBox(274, async (box) => {
    const died = await attack(box, ["bombs", "big-file", "big"], ["--fsize=1000"]);
    assertEquals([died.meta.status, died.meta.exitsig], ["SG", "25"]);
    const lived = await attack(box, ["bombs", "big-file", "big2", "ignore"], ["--fsize=1000"]);
    assertEquals(attempts(lived.stdout).size, 3);
    assertDenied(lived, 3);
    for (const name of ["big", "big2"]) {
      const { size, blocks } = await Deno.stat(box.path(name));
      assertEquals(size, 1_024_000);
      assert(blocks! <= 2016, String(blocks));
    }
  });
});

Deno.test("a flood of output ends at the limit of its file", async () => {
  await withBox(274, async (box) => {
    const options = ["--fsize=1000", "--stdout=out", "--wall-time=20"];
    const run = await attack(box, ["bombs", "flood"], options);
    assertEquals([run.meta.status, run.meta.exitsig], ["SG", "25"]);
    assertEquals((await Deno.stat(box.path("out"))).size, 1_024_000);
  });
});

Deno.test("a flood of output into a pipe ends with its wall time or with its reader", async () => {
  await withBox(275, async (box) => {
    const program = await installAttack(box, "bombs");
    for (const [reader, mode, status] of [["cat >/dev/null", "", "TO"], ["head -c 10", "", "SG"]]) {
      const command = [program, "flood", ...mode ? [mode] : []];
      const args = box.args(["--wall-time=0.5"], command);
      const through = ["sh", "-c", `"$@" | ${reader}`, "sh"];
      const { stderr } = await start([...COMMAND, ...args], { through }).result;
      await assertNobodyLeft(275);
      const expected = status === "TO" ? /Time limit exceeded \(wall/ : /Caught fatal signal 13/;
      assert(expected.test(stderr), stderr);
    }
  });
});

for (const name of ["burn", "burn-aside", "burn-again", "burn-ignoring"]) {
  Deno.test(`a program that burns CPU time (${name}) is dead after its limit`, async () => {
    await withBox(276, async (box) => {
      const options = ["-p4", "--time=0.3", "--wall-time=30"];
      const { meta } = await attack(box, ["bombs", name], options);
      await assertNobodyLeft(276);
      assertEquals([meta.status, meta.message, meta.killed], ["TO", "Time limit exceeded", "1"]);
      assert(Number(meta.time) >= 0.3 && Number(meta.time) < 2, meta.time);
    });
  });
}

Deno.test("a bomb in one box does not stop another box", async () => {
  await withBox(277, async (bomb) => {
    await withBox(278, async (box) => {
      const program = await installAttack(bomb, "bombs");
      const running = bomb.start(["-p50", "--wall-time=20"], [program, "forks"]);
      try {
        const { code } = await box.run(["-p", "--wall-time=20"], ["/bin/sh", "-c", "ls | cat"]);
        assertEquals(code, 0);
      } finally {
        running.kill("SIGTERM");
        await running.result;
      }
      assertEquals(await sh("pgrep -c -u 60277 || true"), "0\n");
    });
  });
});
