/** What the library needs of the runtime: nothing to be imported, and `--allow-ffi` to work. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { withFolder } from "isolate/tests/support/folder.ts";

const BOX_ID = 436;
const MODULE = new URL("../../mod.ts", import.meta.url).href;

interface Ended {
  success: boolean;
  stdout: string;
  stderr: string;
}

async function runScript(script: string, permissions: readonly string[] = []): Promise<Ended> {
  const url = `data:text/javascript,${encodeURIComponent(script)}`;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...permissions, url],
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { success, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("importing mod.ts needs no permission at all and does nothing", async () => {
  const { success, stdout, stderr } = await runScript(`
    const before = Object.keys(globalThis).length;
    const module = await import("${MODULE}");
    console.log(typeof module.Box.init, Object.keys(globalThis).length - before);`);
  assert(success, stderr);
  assertEquals(stdout, "function 0\n");
});

Deno.test("importing mod.ts loads no library and opens nothing", async () => {
  const { success, stdout, stderr } = await runScript(
    `await import("${MODULE}");
    const names = [...Deno.readDirSync("/proc/self/fd")].flatMap(({ name }) => {
      try { return [Deno.readLinkSync("/proc/self/fd/" + name)]; } catch { return []; }
    });
    const maps = Deno.readTextFileSync("/proc/self/maps");
    console.log(JSON.stringify([...names, ...maps.split("\\n")].filter((s) => /isolate-|memfd/.test(s))));`,
    ["--allow-all"],
  );
  assert(success, stderr);
  assertEquals(stdout, "[]\n");
});

Deno.test("mod.ts runs boxes with --allow-ffi and no other permission", async () => {
  const { success, stdout, stderr } = await runScript(
    `import { Box, callerEnvironment, MetaFile, Sandbox, toMeta } from "${MODULE}";
    await using box = await Box.init({ boxId: ${BOX_ID} });
    const outcome = await box.run(["/bin/sh", "-c", "exit 3"], {
      limits: { cpuTimeMs: 1000, wallTimeMs: 5000, addressSpaceKib: 65536 },
      environment: await callerEnvironment(),
    });
    const meta = MetaFile.open(await Sandbox.open(), "-");
    const { exitCode, status } = toMeta(outcome);
    meta.write({ exitCode, status });`,
    ["--allow-ffi"],
  );
  assert(success, stderr);
  assertEquals(stdout, "exitcode:3\nstatus:RE\n");
});

Deno.test("without --allow-ffi the error says what is missing", async () => {
  const { success, stderr } = await runScript(
    `import { Box } from "${MODULE}";
    try { await Box.init({ boxId: ${BOX_ID} }); } catch (error) { console.error(error.name, error.message); Deno.exit(3); }`,
  );
  assert(!success);
  assertStringIncludes(stderr, "--allow-ffi");
});

Deno.test("mod.ts works in a directory where it can write nothing, without HOME and PATH", () =>
  withFolder(async (folder) => {
    const script = `import { Box } from "${MODULE}";
      await using box = await Box.init({ boxId: ${BOX_ID} });
      console.log((await box.run(["/bin/true"])).kind);`;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--allow-ffi"],
        `data:text/javascript,${encodeURIComponent(script)}`,
      ],
      cwd: "/proc",
      clearEnv: true,
      env: { DENO_DIR: folder },
      stdin: "null",
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assertEquals(new TextDecoder().decode(stdout), "exit\n");
  }));
