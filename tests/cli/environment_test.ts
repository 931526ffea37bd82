/** Environment rules. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { type CommandOptions, type TestBox, withBox } from "../support/isolate.ts";

const CALLER: CommandOptions = { clearEnv: true, env: { A: "caller", PATH: "/usr/bin:/bin" } };

async function environment(box: TestBox, options: string[]): Promise<string[]> {
  const { stdout } = await box.run(["-s", ...options], ["/usr/bin/env", "-0"], CALLER);
  // The tests' own variable for the command.
  return stdout.split("\0").slice(0, -1).filter((entry) => !entry.startsWith("ISOLATE_")).sort();
}

Deno.test("the program's environment is what the rules make of it", async (t) => {
  const own = "LIBC_FATAL_STDERR_=1";
  const path = "PATH=/usr/bin:/bin";
  const cases: readonly (readonly [string, string[], string[]])[] = [
    ["empty but for the built-in variable", [], [own]],
    ["VAR inherits if set", ["-E", "A", "--env=NOT_SET"], ["A=caller", own]],
    ["VAR=VALUE sets", ["--env=A=1", "-EB=x=y z"], ["A=1", "B=x=y z", own]],
    ["VAR= removes", ["-EA=1", "-EA="], [own]],
    ["the built-in variable can be overridden", ["-ELIBC_FATAL_STDERR_=0"], [
      "LIBC_FATAL_STDERR_=0",
    ]],
    ["the built-in variable can be removed", ["-ELIBC_FATAL_STDERR_="], []],
    ["-e inherits everything", ["-e"], ["A=caller", own, path]],
    ["--full-env is applied first, wherever it is given", ["-EA=1", "-EPATH=", "--full-env"], [
      "A=1",
      own,
    ]],
    ["VAR after VAR=VALUE restores the caller's value", ["-EA=1", "-EA"], ["A=caller", own]],
    ["VAR after VAR=VALUE removes what the caller has not", ["-EB=1", "-EB"], [own]],
    ["the later rule wins", ["-EA=1", "-EA=2"], ["A=2", own]],
    ["values may hold newlines and invalid characters", ["-EA=x\ny=1"], ["A=x\ny=1", own]],
  ];
  await withBox(107, async (box) => {
    for (const [name, options, expected] of cases) {
      await t.step(name, async () => assertEquals(await environment(box, options), expected));
    }
  });
});

Deno.test("bytes that are not UTF-8 pass through arguments and the environment", async () => {
  await withBox(107, async (box) => {
    // `printf` makes the bytes, so that this test's own strings need not hold them.
    const through = ["sh", "-c", 'x=$(printf "\\377\\200"); export x; exec "$0" "$@" "$x"'];
    const { stdout } = await box.run(
      ["-Ex", "-p"],
      ["/bin/sh", "-c", 'printf %s "$x$1" | od -An -tx1', "sh"],
      { through },
    );
    assertStringIncludes(stdout, "ff 80 ff 80");
  });
});

Deno.test("-vv shows the environment on stderr", async () => {
  await withBox(107, async (box) => {
    const { stdout, stderr } = await box.run(["-vv", "-EA=1"], ["/bin/true"]);
    assertEquals(stdout, "");
    assertStringIncludes(stderr, "A=1");
  });
});
