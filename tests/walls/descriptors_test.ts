/** Programs that look for descriptors that were left open, and misuse their own. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertDenied, assertNobodyLeft, attack, installAttack } from "../support/attack.ts";
import { type TestBox, withBox, withScratch } from "../support/isolate.ts";

/** A caller who has a directory and a file of the host open, as services do. */
function careless(scratch: string): string[] {
  return ["sh", "-c", `exec "$@" 3<${scratch} 8<${scratch} 9<>${scratch}/open`, "sh"];
}

async function withHost(test: (scratch: string) => Promise<void>): Promise<void> {
  await withScratch(async (scratch) => {
    await Deno.writeTextFile(`${scratch}/open`, "open");
    await Deno.writeTextFile(`${scratch}/secret`, "secret");
    for (const name of ["open", "secret"]) await Deno.chmod(`${scratch}/${name}`, 0o666);
    await test(scratch);
    assertEquals(await Deno.readTextFile(`${scratch}/secret`), "secret");
  });
}

Deno.test("a program has no descriptor above 2, whatever its caller has open", async () => {
  await withHost(async (scratch) => {
    await withBox(245, async (box) => {
      const program = await installAttack(box, "descriptors");
      const run = await box.run([], [program, "count"], { through: careless(scratch) });
      assertDenied(run, 1);
    });
  });
});

Deno.test("with --inherit-fds a program has its caller's descriptors and none of the sandbox's", async () => {
  await withHost(async (scratch) => {
    await withBox(245, async (box) => {
      const program = await installAttack(box, "descriptors");
      const through = ["sh", "-c", `exec "$@" 9<>${scratch}/open`, "sh"];
      for (const options of [[], ["--stdout=out"], ["--share-net"]]) {
        const all = ["--inherit-fds", "--special-files", ...options];
        const run = await box.run(all, [program, "inherited", `${scratch}/open`], { through });
        const output = options[0] === "--stdout=out"
          ? await Deno.readTextFile(box.path("out"))
          : run.stdout;
        assertEquals([run.code, output], [0, "callers: 1\n"]);
      }
    });
  });
});

/** Plants links to descriptors that the sandbox may have open while it opens files for the program. */
async function plantLinks(box: TestBox, below: string): Promise<string[]> {
  const names: string[] = [];
  for (let fd = 3; fd < 48; fd++) {
    names.push(`link${fd}`);
    await Deno.symlink(`/proc/self/fd/${fd}${below}`, box.path(`link${fd}`));
  }
  return names;
}

/** Runs a command for each link; many in one run would hide which of them did what. */
async function runAll(
  box: TestBox,
  { names, scratch, option, command }: {
    names: readonly string[];
    scratch: string;
    option: (name: string) => string[];
    command: (name: string) => string[];
  },
): Promise<string> {
  let output = "";
  for (const name of names) {
    const options = ["--special-files", "--wall-time=10", ...option(name)];
    const run = await box.run(options, command(name), { through: careless(scratch) });
    output += run.stdout;
  }
  return output;
}

Deno.test("a redirection does not leave the box through a descriptor of the caller", async () => {
  await withHost(async (scratch) => {
    await withBox(246, async (box) => {
      const names = (await plantLinks(box, "/secret")).filter((name) => /k[389]$/.test(name));
      const read = await runAll(box, {
        names,
        scratch,
        option: (name) => [`--stdin=${name}`],
        command: () => ["/bin/cat"],
      });
      assertEquals(read, "");
      await runAll(box, {
        names,
        scratch,
        option: (name) => [`--stdout=${name}`],
        command: () => ["/bin/echo", "evil"],
      });
    });
  });
});

Deno.test("a working directory does not leave the box through a descriptor of the caller", async () => {
  await withHost(async (scratch) => {
    await withBox(246, async (box) => {
      const names = (await plantLinks(box, "/../..")).filter((name) => /k[389]$/.test(name));
      const list = await runAll(box, {
        names,
        scratch,
        option: (name) => [`--chdir=${name}`],
        command: () => ["/bin/ls"],
      });
      // Its own root at most: the host's has more.
      assert(!/^(etc|root|home|var)$/m.test(list), list);
    });
  });
});

Deno.test("a program's path does not leave the box through a descriptor of the caller", async () => {
  await withHost(async (scratch) => {
    await Deno.copyFile("/bin/echo", `${scratch}/secret-program`);
    await Deno.chmod(`${scratch}/secret-program`, 0o755);
    await withBox(247, async (box) => {
      const names = (await plantLinks(box, "/secret-program"))
        .filter((name) => /k[389]$/.test(name));
      const output = await runAll(box, {
        names,
        scratch,
        option: () => [],
        command: (name) => [name, "it ran"],
      });
      assertEquals(output, "");
    });
  });
});

Deno.test("a program can send the keeper no message", async () => {
  await withBox(248, async (box) => {
    const run = await attack(box, ["descriptors", "forge"]);
    assertMatch(run.stdout, /^send a message to the keeper: denied/);
    assertEquals([run.code, run.meta.exitcode, run.meta.status], [1, "7", "RE"]);
    await assertNobodyLeft(248);
  });
});

Deno.test("a program that closes and reuses all descriptors ends as it says", async () => {
  await withBox(248, async (box) => {
    for (const options of [[], ["--stdout=out", "--stderr-to-stdout"], ["--inherit-fds"]]) {
      const run = await attack(box, ["descriptors", "close"], options);
      assertEquals([run.code, run.meta.exitcode, run.meta.status], [1, "8", "RE"]);
    }
  });
});
