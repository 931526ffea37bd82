/** The documents at the top name files, functions and options that exist. */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
const DOCUMENTS = [...Deno.readDirSync(ROOT)].map(({ name }) => name)
  .filter((name) => name.endsWith(".md"));

/** What is made by commands, or lies below `BOX_ROOT`, is not in a checkout. */
const ELSEWHERE = /^(dist|\.tools|BOX_ROOT|LOCK_ROOT|node_modules)\b/;

async function textOf(document: string): Promise<string> {
  return await Deno.readTextFile(new URL(document, ROOT));
}

/** Lists what is between backquotes in running text, without blocks of code. */
function codeIn(text: string): string[] {
  const prose = text.replace(/^```[^]*?^```$/gm, "");
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code.replace(/\s+/g, " "));
}

/** Finds paths: of several parts, or with the ending of a source or a document. */
function pathsIn(text: string): string[] {
  return codeIn(text).filter((code) =>
    /^[\w.-]+(\/[\w.-]+)*\/?$/.test(code) && (/\//.test(code) || /\.(ts|c|h|md)$/.test(code)) &&
    !ELSEWHERE.test(code)
  );
}

async function exists(path: string): Promise<boolean> {
  const specifier = path.replace(/^isolate\//, "");
  return await Deno.stat(new URL(specifier, ROOT)).then(() => true, () => false);
}

for (const document of DOCUMENTS) {
  Deno.test(`${document} names paths that exist`, async () => {
    const missing: string[] = [];
    for (const path of pathsIn(await textOf(document))) {
      if (!await exists(path)) missing.push(path);
    }
    assertEquals(missing, []);
  });

  Deno.test(`${document} names functions that are in the files it names`, async () => {
    const text = await textOf(document);
    const pattern = /`(?:\w+\.)?(\w+)\(\)`\s+(?:\(|in\s+)`([\w/.]+\.(?:ts|c|h))`/g;
    for (const [, name, path = ""] of text.matchAll(pattern)) {
      const source = await Deno.readTextFile(new URL(path, ROOT));
      assert(new RegExp(`\\b${name}\\b`).test(source), `there is no ${name} in ${path}`);
    }
  });

  Deno.test(`${document} names options that exist`, async () => {
    const { CLASSIC_OPTIONS } = await import("../cli/classic_options.ts");
    const { COMMANDS } = await import("../cli/commands.ts");
    const others = COMMANDS.flatMap(({ options }) => Object.values(options).flat());
    const known = new Set([...CLASSIC_OPTIONS, ...others].map(({ long }) => long));
    const named = codeIn(await textOf(document)).flatMap((code) =>
      /^--([a-z-]+)(=|$)/.exec(code)?.[1] ?? []
    );
    const foreign = new Set(["allow-ffi", "allow-net"]);
    assertEquals(named.filter((name) => !known.has(name) && !foreign.has(name)), []);
  });
}

Deno.test("examples import only what deno.json exports", async () => {
  const config = await textOf("deno.json");
  const [, name = ""] = /"name": "([^"]+)"/.exec(config) ?? [];
  const [, exports = ""] = /"exports": ({[^}]+})/.exec(config) ?? [];
  const offered = new Set(Object.keys(JSON.parse(exports)).map((path) => path.replace(".", name)));
  const files = ["mod.ts", "core.ts", "cli.ts", ...DOCUMENTS].map((path) => new URL(path, ROOT));
  for (
    const floor of [
      "box",
      "cgroup",
      "check",
      "cli",
      "config",
      "ffi",
      "host",
      "judge",
      "server",
      "text",
    ]
  ) {
    files.push(...sourcesBelow(new URL(`${floor}/`, ROOT)));
  }
  const foreign: string[] = [];
  let imports = 0;
  for (const file of files) {
    for (const [, example = ""] of (await Deno.readTextFile(file)).matchAll(/```ts\n([^]*?)```/g)) {
      for (const [, module = ""] of example.matchAll(/\bfrom "([^"]+)"/g)) {
        imports += 1;
        if (!offered.has(module) && !module.startsWith("@std/")) {
          foreign.push(`${file.pathname}: ${module}`);
        }
      }
    }
  }
  assert(imports > 50, `${imports} imports`);
  assertEquals(foreign, []);
});

function sourcesBelow(folder: URL): URL[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory
      ? sourcesBelow(new URL(`${name}/`, folder))
      : name.endsWith(".ts")
      ? [new URL(name, folder)]
      : []
  );
}
