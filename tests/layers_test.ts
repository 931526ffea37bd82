/** The arrows of the design: cli → {mod, core} → box → {cgroup, config} → ffi, and no way around them. */

import { assertEquals } from "@std/assert";

/** What the files of a layer may import, besides their own folder. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  "isolate.ts": ["ffi"],
  "direct.ts": ["cli.ts", "box", "ffi"],
  "cli.ts": ["cli", "mod.ts"],
  "server.ts": ["cli.ts"],
  "cli": [
    "mod.ts",
    "core.ts",
    "check",
    "config",
    "judge",
    "server",
    "service",
    "text",
    "vendor",
  ],
  "check": ["box", "cgroup", "config", "host", "ffi", "text"],
  "server": [
    "mod.ts",
    "judge",
    "text",
    "vendor",
    "node:buffer",
    "node:dns/promises",
    "node:sqlite",
    // Their types; they are loaded only for a queue.
    "bullmq",
    "ioredis",
  ],
  "judge": ["mod.ts", "text"],
  "service": ["box", "cgroup", "config", "host", "ffi", "text"],
  "core.ts": ["box", "cgroup", "config", "host", "ffi", "text"],
  "mod.ts": ["box", "cgroup", "config", "host", "ffi", "text"],
  "box": ["cgroup", "config", "host", "ffi", "text"],
  "config": ["host", "ffi", "text"],
  "cgroup": ["host", "ffi", "text"],
  "host": ["ffi", "text"],
  // Only by Node's modules can the runtime be asked to collect garbage.
  "ffi": ["text", "node:v8", "node:vm"],
  "text": ["vendor"],
};

/** What needs no permission. Only ffi/ may use more: the rest goes through plans. The server listens. */
const FREE_OF_PERMISSION = new Set([
  "addSignalListener",
  "args",
  "build",
  "consoleSize",
  "errors",
  "exit",
  "exitCode",
  "noColor",
  // To ask which permissions there are.
  "permissions",
  "removeSignalListener",
  "Signal",
  "stderr",
  "stdin",
  "stdout",
  "unrefTimer",
  "version",
]);

/** What server/ uses besides: it talks HTTP, with the permission for the network. */
const NETWORK = new Set([
  "Addr",
  "Conn",
  "HttpServer",
  "NetAddr",
  "ServeHandlerInfo",
  "connect",
  "serve",
  "startTls",
  "upgradeWebSocket",
]);

/** What the execution server needs: types, and the one permission to listen. */
const SERVING = new Set(["Addr", "HttpServer", "serve", "ServeHandlerInfo", "upgradeWebSocket"]);

const ROOT = new URL("../", import.meta.url);

interface Source {
  path: string;
  layer: string;
  code: string;
}

async function* sourcesIn(entry: string): AsyncGenerator<Source> {
  const url = new URL(entry, ROOT);
  const info = await Deno.stat(url).catch(() => undefined);
  if (info?.isFile) {
    yield { path: entry, layer: layerOf(entry), code: await Deno.readTextFile(url) };
  } else if (info?.isDirectory) {
    for await (const { name } of Deno.readDir(url)) {
      if (name.endsWith("_test.ts") || !/\.ts$|^[^.]+$/.test(name)) continue;
      yield* sourcesIn(`${entry}/${name}`);
    }
  }
}

async function productSources(): Promise<Source[]> {
  const lists = Object.keys(LAYERS).map((layer) => Array.fromAsync(sourcesIn(layer)));
  return (await Promise.all(lists)).flat();
}

function layerOf(path: string): string {
  return path.split("/")[0] ?? path;
}

/** Good enough for our own sources: comments hold examples, which may import what they like. */
function withoutComments(code: string): string {
  return code.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
}

function importsOf(code: string): string[] {
  const pattern =
    /^(?:import|export)\b[^;"]*\bfrom\s*"([^"]+)"|\bimport\s*\(\s*"([^"]+)"|^import\s*"([^"]+)"/gm;
  return [...withoutComments(code).matchAll(pattern)]
    .flatMap((match) => match.slice(1))
    .filter((specifier) => specifier !== undefined);
}

/** The layer that a specifier leads to, or the specifier itself where it leads outside. */
function targetOf(specifier: string, path: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return layerOf(new URL(specifier, `file:///${path}`).pathname.slice(1));
}

Deno.test("no source imports against the arrows of the design", async () => {
  const wrong: string[] = [];
  for (const { path, layer, code } of await productSources()) {
    for (const specifier of importsOf(code)) {
      const target = targetOf(specifier, path);
      if (target !== layer && !LAYERS[layer]?.includes(target)) {
        wrong.push(`${path} imports ${specifier}`);
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("no source outside ffi/ uses what needs a permission, but server/ the network", async () => {
  const wrong: string[] = [];
  for (const { path, layer, code } of await productSources()) {
    if (layer === "ffi") continue;
    for (const [use, name = ""] of withoutComments(code).matchAll(/\bDeno\.(\w+)/g)) {
      if (layer === "server" && NETWORK.has(name)) continue;
      const isServing = layer === "server" && SERVING.has(name);
      if (!FREE_OF_PERMISSION.has(name) && !isServing) wrong.push(`${path} uses ${use}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("no two types have one name", async () => {
  const places = new Map<string, string[]>();
  for (const { path, code } of await productSources()) {
    const declarations = /^(?:export )?(?:abstract )?(?:class|interface|type|enum) (\w+)/gm;
    for (const [, name = ""] of withoutComments(code).matchAll(declarations)) {
      places.set(name, [...places.get(name) ?? [], path]);
    }
  }
  assertEquals([...places].filter(([, paths]) => paths.length > 1), []);
});
