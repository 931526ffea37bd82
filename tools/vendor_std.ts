/**
 * Copies the few modules of the standard library that the command needs into `vendor/std/`, so that it
 * starts without a network and an empty cache: `./dev vendor`. They come as npm packages them, and their
 * place in `vendor/std/*.ts` names the jsr package to switch to.
 */

import { output, ROOT, withFolder } from "./process.ts";

const PACKAGE = "deno-std@1.4.0";
/** The modules that are used; those which they import come along. */
const MODULES = ["fmt/colors.js", "yaml/parse.js"].concat(
  ["compare", "format", "satisfies", "try_parse_range"].map((name) => `semver/${name}.js`),
);
const TARGET = `${ROOT}/vendor/std`;

/** Finds what a module imports from its own package. */
function importsOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, "");
  return [...code.matchAll(/^(?:import|export)\b[^;]*?from "(\.[^"]+)"/gm)].map(([, path]) =>
    path!
  );
}

/** Copies modules and all that they need. */
async function copyModules(from: string): Promise<number> {
  const pending = [...MODULES];
  const copied = new Set<string>();
  for (let path; (path = pending.pop()) !== undefined;) {
    if (copied.has(path)) continue;
    copied.add(path);
    const source = await Deno.readTextFile(`${from}/${path}`);
    const target = `${TARGET}/${path}`;
    await Deno.mkdir(target.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(target, source);
    const base = new URL(`file:///${path}`);
    pending.push(...importsOf(source).map((other) => new URL(other, base).pathname.slice(1)));
  }
  return copied.size;
}

if (import.meta.main) {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/deno.json`, '{ "nodeModulesDir": "auto" }\n');
    await output([Deno.execPath(), "install", "--quiet", `npm:${PACKAGE}`], { cwd: folder });
    for (const old of ["fmt", "semver", "yaml"]) {
      await Deno.remove(`${TARGET}/${old}`, { recursive: true }).catch(() => {});
    }
    const count = await copyModules(`${folder}/node_modules/deno-std`);
    console.log(`vendor/std: ${count} modules of ${PACKAGE}`);
  });
}
