/** Statuses, messages, exit statuses and the meta-file. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  assertRefused,
  isolate,
  parseMetaText,
  type RunResult,
  succeed,
  withBox,
  withScratch,
} from "../support/isolate.ts";

const MEASURES = ["csw-forced", "csw-voluntary", "max-rss", "time", "time-wall"];

/** The keys beside those that every run has. */
function verdict({ meta }: RunResult): Record<string, string> {
  for (const key of MEASURES) assert(key in meta, `no ${key}`);
  assertMatch(meta["time"]!, /^\d+\.\d{3}$/);
  assertMatch(meta["time-wall"]!, /^\d+\.\d{3}$/);
  for (const key of ["max-rss", "csw-voluntary", "csw-forced"]) assertMatch(meta[key]!, /^\d+$/);
  return Object.fromEntries(Object.entries(meta).filter(([key]) => !MEASURES.includes(key)));
}

Deno.test("success: exit status 0, an OK line with both times, exitcode 0 and no status or message", async () => {
  await withBox(106, async (box) => {
    const result = await box.run([], ["/bin/true"]);
    assertEquals([result.code, result.stdout], [0, ""]);
    assertMatch(result.stderr, /^OK \(\d+\.\d{3} sec real, \d+\.\d{3} sec wall\)\n$/);
    assertEquals(verdict(result), { exitcode: "0" });
  });
});

Deno.test("a non-zero exit is RE with the program's exit status", async () => {
  await withBox(106, async (box) => {
    const result = await box.run([], ["/bin/sh", "-c", "exit 42"]);
    assertEquals([result.code, result.stderr], [1, "Exited with error status 42\n"]);
    const message = "Exited with error status 42";
    assertEquals(verdict(result), { exitcode: "42", status: "RE", message });
  });
});

Deno.test("a program that a signal ends is SG with the signal's number", async () => {
  await withBox(106, async (box) => {
    for (const [name, number] of [["SEGV", 11], ["ABRT", 6], ["KILL", 9], ["TERM", 15]]) {
      const result = await box.run([], ["/bin/sh", "-c", `kill -${name} $$`]);
      const message = `Caught fatal signal ${number}`;
      assertEquals([result.code, result.stderr], [1, `${message}\n`]);
      assertEquals(verdict(result), { exitsig: String(number), status: "SG", message });
    }
  });
});

Deno.test("-s hides the lines of OK, RE, SG and TO, but never those of XX", async () => {
  await withBox(106, async (box) => {
    for (const script of ["true", "exit 1", "kill -9 $$", "while :; do :; done"]) {
      const result = await box.run(["-s", "-t0.1"], ["/bin/sh", "-c", script]);
      assertEquals(result.stderr, "", script);
    }
    const result = await box.run(["-s", "--chdir=/none"], ["/bin/true"]);
    assertEquals(result.code, 2);
    assert(result.stderr !== "");
  });
});

Deno.test("-v says what is done, on stderr, and -s does not hide it", async () => {
  await withBox(106, async (box) => {
    const { code, stdout, stderr } = await box.run(["-s", "-v"], ["/bin/true"]);
    assertEquals([code, stdout], [0, ""]);
    assertMatch(stderr, /\/bin\/true/);
    assert(!stderr.includes("OK ("));
  });
});

Deno.test("a failing step of the sandbox is XX with exit status 2, only status and message", async () => {
  await withBox(106, async (box) => {
    const failing: readonly (readonly [string, RegExp])[] = [
      ["--chdir=/no/where", /\/no\/where.*No such file/],
      ["--stdin=no-file", /standard input.*no-file.*No such file/],
      ["--stdout=/usr/out", /standard output.*\/usr\/out.*Read-only/],
      ["--stderr=/", /standard error.*Is a directory/],
      ["--dir=x=/no/where", /x=\/no\/where.*No such file/],
      ["--no-default-dirs", /\/box/],
    ];
    for (const [option, reason] of failing) {
      const result = await box.run([option], ["/bin/true"]);
      assertRefused(result, reason);
      assertEquals(Object.keys(result.meta).sort(), ["message", "status"], option);
      assertEquals(result.meta["status"], "XX");
      assertEquals(result.stderr, result.meta["message"] + "\n");
    }
  });
});

Deno.test("times, memory and context switches are those of the program", async () => {
  await withBox(106, async (box) => {
    const script = "import time\nt = bytearray(50000000)\nfor _ in range(20): time.sleep(.06)\n" +
      "while time.process_time() < .3: pass\nprint(time.process_time())";
    const result = await box.run(["-p"], ["/usr/bin/python3", "-c", script]);
    if (result.code === 1 && result.stderr.includes("127")) return; // no python3 in /usr/bin
    const { meta } = result;
    assertEquals(verdict(result), { exitcode: "0" });
    // The interpreter needs some time to end, too; the sleep of 1.2 s is not part of it.
    const own = Number(result.stdout);
    assert(Number(meta["time"]) >= own - 0.001 && Number(meta["time"]) < own + 1, meta["time"]);
    assert(Number(meta["time-wall"]) >= 1.5, meta["time-wall"]);
    assert(Number(meta["max-rss"]) >= 48000 && Number(meta["max-rss"]) < 150000, meta["max-rss"]);
    assert(Number(meta["csw-voluntary"]) >= 20, meta["csw-voluntary"]);
  });
});

Deno.test("max-rss is that of the largest process and not of the sandbox", async () => {
  await withBox(106, async (box) => {
    const { meta } = await box.run([], ["/bin/true"]);
    assert(Number(meta["max-rss"]) > 0 && Number(meta["max-rss"]) < 8000, meta["max-rss"]);
  });
});

Deno.test("the meta-file is emptied while options are parsed: a later usage error leaves it empty", async () => {
  await withScratch(async (scratch) => {
    const file = `${scratch}/meta`;
    for (
      const [args, code] of [
        [["-M", file, "--nonsense"], 2],
        [["-M", file], 2],
        [["-M", file, "--mem=x", "--run", "--", "/bin/true"], 2],
      ] as const
    ) {
      await Deno.writeTextFile(file, "old contents\n");
      assertEquals((await isolate(args)).code, code);
      assertEquals(await Deno.readTextFile(file), "", args.join(" "));
    }
  });
});

Deno.test("an option error before -M leaves the meta-file alone", async () => {
  await withScratch(async (scratch) => {
    await Deno.writeTextFile(`${scratch}/meta`, "old contents\n");
    assertEquals((await isolate(["--nonsense", `--meta=${scratch}/meta`])).code, 2);
    assertEquals(await Deno.readTextFile(`${scratch}/meta`), "old contents\n");
  });
});

Deno.test("the meta-file is empty after --init and made where there was none", async () => {
  await withScratch(async (scratch) => {
    try {
      await succeed(["-b106", `-M${scratch}/meta`, "--init"]);
      assertEquals(await Deno.readTextFile(`${scratch}/meta`), "");
    } finally {
      await succeed(["-b106", "--cleanup"]);
    }
  });
});

Deno.test("of two meta-files the first stays empty and the second is written", async () => {
  await withBox(106, async () => {
    await withScratch(async (scratch) => {
      await Deno.writeTextFile(`${scratch}/1`, "old");
      await succeed(["-b106", `-M${scratch}/1`, `-M${scratch}/2`, "--run", "--", "/bin/true"]);
      assertEquals(await Deno.readTextFile(`${scratch}/1`), "");
      assertEquals(parseMetaText(await Deno.readTextFile(`${scratch}/2`))["exitcode"], "0");
    });
  });
});

Deno.test("-M - writes the meta-file to standard output, after what the program wrote", async () => {
  await withBox(106, async () => {
    const stdout = await succeed(["-b106", "-M", "-", "--run", "--", "/bin/echo", "hello"]);
    assert(stdout.startsWith("hello\n"));
    assertEquals(parseMetaText(stdout.slice(6))["exitcode"], "0");
  });
});

Deno.test("a meta-file that cannot be opened is an error that names the option and the path", async () => {
  await withBox(106, async () => {
    const args = ["-b106", "-M/no/where/meta", "--run", "--", "/bin/true"];
    assertRefused(await isolate(args), /--meta.*\/no\/where\/meta.*No such file/);
  });
});

Deno.test("the meta-file is opened with the user and group rights of --as-uid and --as-gid", async () => {
  await withScratch(async (scratch) => {
    const attempt = async (owner: { uid: number; gid: number; mode: number }) => {
      const file = `${scratch}/meta`;
      await Deno.writeTextFile(file, "old contents\n");
      await Deno.chown(file, owner.uid, owner.gid);
      await Deno.chmod(file, owner.mode);
      const as = ["--as-uid=1234", "--as-gid=4321"];
      const result = await isolate(["-b106", ...as, "-M", file, "--cleanup"]);
      return [result.code, await Deno.readTextFile(file)];
    };
    assertEquals(await attempt({ uid: 1234, gid: 0, mode: 0o600 }), [0, ""]);
    assertEquals(await attempt({ uid: 0, gid: 4321, mode: 0o660 }), [0, ""]);
    assertEquals(await attempt({ uid: 0, gid: 0, mode: 0o666 }), [0, ""]);
    assertEquals(await attempt({ uid: 0, gid: 0, mode: 0o600 }), [2, "old contents\n"]);
    assertEquals(await attempt({ uid: 0, gid: 0, mode: 0o660 }), [2, "old contents\n"]);
    assertEquals(await attempt({ uid: 0, gid: 4321, mode: 0o640 }), [2, "old contents\n"]);
  });
});

Deno.test("a new meta-file belongs to the user that is acted for and has the caller's umask", async () => {
  await withScratch(async (scratch) => {
    await Deno.chmod(scratch, 0o777);
    const through = ["sh", "-c", 'umask 027; exec "$0" "$@"'];
    const args = ["-b106", `-M${scratch}/meta`, "--as-uid=1234", "--as-gid=4321", "--cleanup"];
    await succeed(args, { through });
    const { uid, gid, mode } = await Deno.stat(`${scratch}/meta`);
    assertEquals([uid, gid, mode! & 0o777], [1234, 4321, 0o640]);
  });
});

Deno.test("an error that names a file keeps the meta-file's lines whole", async () => {
  await withBox(106, async (box) => {
    const { meta } = await box.run(["--chdir=/a\nstatus:OK"], ["/bin/true"]);
    assertEquals(Object.keys(meta).sort(), ["message", "status"]);
    assertEquals(meta["status"], "XX");
  });
});

Deno.test("a failing execve is RE 127 with a line on the program's stderr, redirected or not", async () => {
  await withBox(106, async (box) => {
    await Deno.writeTextFile(box.path("no-shebang"), "exit 0\n", { mode: 0o755 });
    await Deno.writeTextFile(box.path("no-interpreter"), "#!/no/where\n", { mode: 0o755 });
    await Deno.writeTextFile(box.path("not-executable"), "", { mode: 0o644 });
    const failing: readonly (readonly [string, string])[] = [
      ["/no/where", "No such file or directory"],
      ["true", "No such file or directory"], // no search in PATH
      ["no-shebang", "Exec format error"], // no shell either
      ["no-interpreter", "No such file or directory"],
      ["not-executable", "Permission denied"],
      ["/usr", "Permission denied"],
      ["", "No such file or directory"],
    ];
    for (const [path, reason] of failing) {
      const line = `execve("${path}"): ${reason}\n`;
      const result = await box.run(["-EPATH=/bin", "-s"], [path]);
      assertEquals([result.code, result.stderr], [1, line]);
      const message = "Exited with error status 127";
      assertEquals(verdict(result), { exitcode: "127", status: "RE", message });
      const redirected = await box.run(["-s", "-rerr"], [path]);
      assertEquals([redirected.code, redirected.stderr], [1, ""]);
      assertEquals(await Deno.readTextFile(box.path("err")), line);
      const joined = await box.run(["-s", "--stderr-to-stdout"], [path]);
      assertEquals([joined.stdout, joined.stderr], [line, ""]);
    }
  });
});

Deno.test("a program that is not there gets a hint at what was meant", async () => {
  await withBox(106, async (box) => {
    const stderrOf = async (options: string[], command: string[]) =>
      (await box.run(options, command)).stderr.trimEnd().split("\n").at(-1);
    const failed = "Exited with error status 127";
    assertEquals(
      await stderrOf([], ["python3"]),
      "PATH is not searched: give the program's path in the box, such as /usr/bin/python3",
    );
    for (const option of ["--processes", "--proc", "-p", "-vp"]) {
      const args = ["-b106", "-s", option, "4", "--run", "--", "/bin/true"];
      assert(!(await isolate(args)).stderr.includes("did you mean"));
      const loud = await isolate(args.filter((arg) => arg !== "-s"));
      const hint = "The program is 4: did you mean --processes=4?";
      assertEquals(loud.stderr.trimEnd().split("\n").at(-1), hint);
    }
    assertEquals(await stderrOf([], ["/no/where"]), failed);
    assertEquals(await stderrOf([], ["/bin/sh", "-c", "exit 127"]), failed);
  });
});
