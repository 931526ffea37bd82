/** Configuration files, and the commands that only print something. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { assertRefused, isolate, succeed, withBox, withScratch } from "../support/isolate.ts";

/** Writes a configuration; gives its path. */
async function configure(scratch: string, text: string, name = "config"): Promise<string> {
  const file = `${scratch}/${name}`;
  await Deno.writeTextFile(file, text);
  await Deno.chmod(file, 0o644);
  return file;
}

function roots(scratch: string, form: "classic" | "yaml"): string {
  const sign = form === "classic" ? " =" : ":";
  return `box_root${sign} ${scratch}/boxes\nlock_root${sign} ${scratch}/locks\n`;
}

for (const form of ["classic", "yaml"] as const) {
  Deno.test(`a ${form} file says where boxes are, who their users are and how many there can be`, async () => {
    await withScratch(async (scratch) => {
      const sign = form === "classic" ? " = " : ": ";
      const ids = ["first_uid", "first_gid", "num_boxes"].map((key, i) =>
        `${key}${sign}${[70000, 80000, 3][i]}`
      );
      const text = `# comment\n\n${roots(scratch, form)}${ids.join("\n")}\n`;
      const config = await configure(scratch, text, form === "yaml" ? "config.yaml" : "config");
      await withBox(2, async (box) => {
        assertEquals(box.directory, `${scratch}/boxes/2`);
        assertEquals(await box.sh("id -u; id -g"), "70002\n80002\n");
        assertEquals((await Deno.stat(`${scratch}/locks/2`)).isFile, true);
        const result = await isolate([`--config=${config}`, "-b3", "--init"]);
        assertRefused(result, "Sandbox ID out of range (allowed: 0-2)");
      }, { options: [`--config=${config}`] });
    });
  });
}

Deno.test("box ids may be as large as the configuration says (Judge0: taken modulo 2^31)", async () => {
  await withScratch(async (scratch) => {
    const config = await configure(scratch, `${roots(scratch, "classic")}num_boxes = 2147483648\n`);
    await withBox(2147483647, async (box) => {
      assertEquals(await box.sh("id -u"), `${60000 + 2147483647}\n`);
    }, { options: [`--config=${config}`] });
  });
});

Deno.test("a wrong configuration is an error that names the file and the line", async (t) => {
  await withScratch(async (scratch) => {
    const wrong: readonly (readonly [string, number, RegExp])[] = [
      ["num_boxes = 5\nunknown_key = 1\n", 2, /unknown_key/],
      ["# comment\n\nnum_boxes = many\n", 3, /num_boxes.*many/],
      ["num_boxes = -1\n", 1, /num_boxes/],
      ["num_boxes 5\n", 1, /num_boxes 5|=/],
      ["first_uid = 70000\n", 1, /first_gid/],
      ["num_boxes = 5\nfirst_gid = 70000\n", 2, /first_uid/],
      ["box_root = relative/path\n", 1, /box_root/],
      ["first_uid = 0\nfirst_gid = 1000\n", 1, /first_uid/],
      ["syscall_flags = 1\nsyscall_flags = 2\n", 2, /twice/],
      ["num_boxes = 5\nsubid_user = nobody-like-this\n", 1, /subid_user/],
    ];
    for (const [text, line, reason] of wrong) {
      await t.step(JSON.stringify(text), async () => {
        const config = await configure(scratch, text);
        for (const command of ["--check-config", "--init"]) {
          const result = await isolate([`--config=${config}`, command]);
          assertRefused(result, reason);
          assertStringIncludes(result.stderr, `${config}:${line}: `);
        }
      });
    }
    await t.step("YAML", async () => {
      for (
        const [text, line] of [
          ["num_boxes: 5\nunknown_key: 1\n", 2],
          ["num_boxes: 5\n\tx: 1\n", 2],
          [
            "a: b: c\n",
            1,
          ],
        ] as const
      ) {
        const config = await configure(scratch, text, "config.yaml");
        const result = await isolate([`--config=${config}`, "--check-config"]);
        assertEquals([result.code, result.stdout], [2, ""]);
        assertMatch(result.stderr, new RegExp(`${config}:${line}\\b`));
      }
    });
  });
});

Deno.test("a configuration that others could change is refused", async () => {
  await withScratch(async (scratch) => {
    const config = await configure(scratch, "num_boxes = 5\n");
    for (const [uid, mode] of [[1234, 0o644], [0, 0o666], [0, 0o664], [0, 0o646]] as const) {
      await Deno.chown(config, uid, 0);
      await Deno.chmod(config, mode);
      const result = await isolate([`--config=${config}`, "--check-config"]);
      assertRefused(result, "must belong to root and not be writable by others");
      assertStringIncludes(result.stderr, config);
    }
  });
});

Deno.test("a configuration that does not exist or is not a file is refused", async () => {
  assertRefused(await isolate(["--config=/no/where", "--init"]), "/no/where");
  assertRefused(await isolate(["--config=/usr", "--init"]), "/usr");
});

Deno.test("cg_root = auto:FILE, boxN.cpus and boxN.mems are understood", async () => {
  await withScratch(async (scratch) => {
    const text = "cg_root = auto:/run/isolate/cgroup\nbox0.cpus = 0-3,8\nbox7.mems = 0\n";
    const config = await configure(scratch, text);
    const { code, stdout, stderr } = await isolate([`--config=${config}`, "-vv", "--check-config"]);
    assertEquals([code, stdout], [0, ""]);
    for (const line of text.trim().split("\n")) assertStringIncludes(stderr, line);
  });
});

Deno.test("box and lock directories that others could change are refused", async () => {
  await withScratch(async (scratch) => {
    const config = await configure(scratch, roots(scratch, "classic"));
    for (const name of ["boxes", "locks"]) {
      await Deno.mkdir(`${scratch}/${name}`);
      await Deno.chmod(`${scratch}/${name}`, 0o777);
      const result = await isolate([`--config=${config}`, "--init"]);
      assertRefused(result, `${scratch}/${name}`);
      await Deno.chmod(`${scratch}/${name}`, 0o755);
      await Deno.chown(`${scratch}/${name}`, 1234, 0);
      assertRefused(await isolate([`--config=${config}`, "--init"]), `${scratch}/${name}`);
      await Deno.chown(`${scratch}/${name}`, 0, 0);
    }
  });
});

Deno.test("--check-config exits 0 silently, ignores the rest, and shows with -vv what it understood", async () => {
  const quiet = await isolate(["--check-config", "--box-id=99999999", "positional"]);
  assertEquals([quiet.code, quiet.stdout, quiet.stderr], [0, "", ""]);
  const { code, stdout, stderr } = await isolate(["-vv", "--check-config"]);
  assertEquals([code, stdout], [0, ""]);
  for (
    const key of [
      "box_root",
      "lock_root",
      "cg_root",
      "first_uid",
      "first_gid",
      "num_boxes",
      "restricted_init",
      "syscall_flags",
    ]
  ) {
    assertMatch(stderr, new RegExp(`^${key} = `, "m"));
  }
});

Deno.test("--version says what kjudge looks for, on stdout, and ignores the rest", async () => {
  for (
    const args of [["--version"], ["--version", "--box-id=99999999", "positional"], [
      "--version",
      "--config=/no/where",
    ]]
  ) {
    const { code, stdout, stderr } = await isolate(args);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "The process isolator");
  }
});

Deno.test("--help and -h print the usage on stdout", async () => {
  const { code, stdout, stderr } = await isolate(["--help"]);
  assertEquals([code, stderr], [0, ""]);
  for (const word of ["--init", "--run", "--cleanup", "--wall-time", "--processes"]) {
    assertStringIncludes(stdout, word);
  }
  assertEquals(await succeed(["-h"]), stdout);
  assertEquals(await succeed(["--run", "-h"]), stdout);
});

Deno.test("a reader of --help may go away", async () => {
  const through = ["/bin/bash", "-c", '"$0" "$@" | true; echo "${PIPESTATUS[0]}"'];
  const { stdout, stderr } = await isolate(["--help"], { through });
  assertEquals([stdout, stderr], ["0\n", ""]);
});

Deno.test("the command needs no permission but --allow-ffi, and says so without it", async () => {
  const script = new URL("../../isolate.ts", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", script, "-b118", "--cleanup"],
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stderr);
  assertEquals(code, 2, text);
  assert(text.includes("--allow-ffi"), text);
});
