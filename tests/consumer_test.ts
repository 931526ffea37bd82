/** Other people's projects: with a configuration of their own, without a network, and from a URL. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { isRecentDeno } from "../ffi/hand_over.ts";
import { ROOT } from "../tools/process.ts";
import { withFolder } from "./support/folder.ts";

const PROGRAM = `
import { Box, Capture } from "@isolate/isolate";
import { HostFiles, judge, readPackage } from "@isolate/isolate/judge";

await using box = await Box.init({ boxId: 391 });
const stdout = new Capture({ limitBytes: 100 });
const outcome = await box.run(["/bin/echo", "hello"], { stdout, limits: { cpuTimeMs: 1000 } });
console.log(outcome.kind, stdout.text().trim(), typeof judge, typeof readPackage, typeof HostFiles);
`;

/** Runs Deno in a folder with an empty cache, and where nothing can be reached. */
async function deno(folder: string, args: readonly string[], { network = false } = {}) {
  const command = network ? [] : ["unshare", "--net"];
  const [program, ...rest] = [...command, Deno.execPath(), ...args];
  const { code, stdout, stderr } = await new Deno.Command(program!, {
    args: rest,
    cwd: folder,
    clearEnv: true,
    env: { DENO_DIR: `${folder}/cache`, NO_COLOR: "1", PATH: "/usr/bin:/bin" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function withProject(
  work: (folder: string) => Promise<void>,
  { packageJson }: { packageJson: boolean },
): Promise<void> {
  await withFolder(async (folder) => {
    const imports = {
      "@isolate/isolate": `${ROOT}/mod.ts`,
      "@isolate/isolate/judge": `${ROOT}/judge/mod.ts`,
    };
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports }));
    await Deno.writeTextFile(`${folder}/main.ts`, PROGRAM);
    if (packageJson) {
      await Deno.writeTextFile(`${folder}/package.json`, '{ "name": "mine", "type": "module" }');
      await Deno.mkdir(`${folder}/node_modules/other`, { recursive: true });
      await Deno.writeTextFile(`${folder}/node_modules/other/package.json`, '{ "name": "other" }');
    }
    await work(folder);
  });
}

for (const packageJson of [false, true]) {
  const name = packageJson ? "with node_modules" : "without node_modules";
  Deno.test(`a project ${name} uses the library: types and run, without a network`, async () => {
    await withProject(async (folder) => {
      const checked = await deno(folder, ["check", "main.ts"]);
      assertEquals(checked.code, 0, checked.stderr);
      const ran = await deno(folder, ["run", "--no-prompt", "--allow-ffi", "main.ts"]);
      assertEquals(
        [ran.code, ran.stdout],
        [0, "exit hello function function function\n"],
        ran.stderr,
      );
      assert(!ran.stderr.includes("Download"), ran.stderr);
    }, { packageJson });
  });
}

Deno.test("the commands look for nothing on the network", async () => {
  await withFolder(async (folder) => {
    const isolate = `${ROOT}/isolate.ts`;
    for (const args of [["--version"], ["check", "--json"], ["judge", "new", `${folder}/mine`]]) {
      const command = ["run", "--no-prompt", "--allow-ffi", isolate, ...args];
      const { code, stderr } = await deno(folder, command);
      assert(code <= 1, stderr);
      assert(!stderr.includes("Download"), stderr);
    }
    const command = ["run", "--no-prompt", "--allow-ffi", isolate, "judge", `${folder}/mine`];
    const judged = await deno(folder, [...command, "--box-ids=392-399", "--no-cache"]);
    assertEquals(judged.code, 0, judged.stdout + judged.stderr);
  });
});

Deno.test("the command runs from a URL: judge too", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      try {
        const file = await Deno.open(`${ROOT}${new URL(request.url).pathname}`);
        return new Response(file.readable, { headers: { "content-type": typeOf(request.url) } });
      } catch {
        return new Response("not there", { status: 404 });
      }
    },
  );
  const { port } = server.addr as Deno.NetAddr;
  await withFolder(async (folder) => {
    const url = `http://127.0.0.1:${port}/isolate.ts`;
    const run = ["run", "--no-prompt", "--allow-ffi", `--allow-import=127.0.0.1:${port}`, url];
    const made = await deno(folder, [...run, "judge", "new", `${folder}/mine`], { network: true });
    assertEquals(made.code, 0, made.stderr);
    const judge = [...run, "judge", "--box-ids=392-399", "--no-cache", `${folder}/mine`];
    const judged = await deno(folder, judge, { network: true });
    assertEquals(judged.code, 0, judged.stdout + judged.stderr);
    assertStringIncludes(judged.stdout, "3 of 3 submissions as expected");
  });
});

function typeOf(url: string): string {
  if (url.endsWith(".js")) return "text/javascript";
  if (url.endsWith(".ts")) return "text/typescript";
  return url.endsWith(".json") ? "application/json" : "text/plain";
}

Deno.test("what would be published has no tests, nor tools of developers", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stderr);
  assert(success, text);
  const files = [...text.matchAll(/^ +file:\/\/(\S+) \(/gm)].map(([, path]) =>
    path!.slice(ROOT.length + 1)
  );
  assert(files.includes("mod.ts") && files.includes("vendor/std/LICENSE"), text);
  const surplus = files.filter((path) => /_test\.ts$|^(tests|tools|demo|bench|shim)\//.test(path));
  assertEquals(surplus, []);
  assert(files.length < 600, `${files.length} files`);
});

Deno.test("isRecentDeno() wants 2.9", () => {
  const versions = ["1.46.3", "2.8.9", "2.9.0", "2.10.1", "3.0.0"];
  assertEquals(versions.map((version) => isRecentDeno(version)), [false, false, true, true, true]);
});
