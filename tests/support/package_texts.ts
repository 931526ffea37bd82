/** One text that holds all files of a package, so that they can be damaged together. */

import { sharedSandbox } from "isolate/box/sandbox.ts";
import { HostFiles } from "isolate/host/files.ts";
import { readPackage } from "isolate/judge/package/read.ts";

/** Begins a file: its path follows. */
const MARK = "=== ";

/** Good packages. */
export const PACKAGE_TEXTS: readonly string[] = [
  `${MARK}problem.yaml
name: {en: Sum}
type: scoring
limits: {time_limit: 1.5, memory: 128, output: 1, time_multipliers: {ac_to_time_limit: 2.0}}
languages: [c, python3]
${MARK}data/secret/test_group.yaml
score: 50
args: [a, b]
${MARK}data/secret/1.in
1 2
${MARK}data/secret/1.ans
3
${MARK}submissions/submissions.yaml
accepted/*.py: {language: python3, permitted: [AC, TLE], score: 100}
${MARK}submissions/accepted/sum.py
print(3) # @EXPECTED_SCORE@: 50
`,
  `${MARK}task.yaml
title: Sum
limits: {time: 1s, memory: 64MiB, output: 8MiB}
checker: {flags: [case_sensitive]}
groups: [{name: a, tests: tests, points: 30}]
${MARK}tests/1.in
1
${MARK}tests/1.ans
2
`,
];

/** Writes the files of a text into a folder of their own, and reads the package. */
export async function readPackageText(text: string): Promise<unknown> {
  const folder = await Deno.makeTempDir({ prefix: "isolate-fuzz-" });
  try {
    for (const part of text.split(MARK).slice(1)) {
      const end = part.indexOf("\n");
      const path = `${folder}/${end < 0 ? part : part.slice(0, end)}`;
      // What cannot be a path, or lies elsewhere, is left out.
      if (!path.isWellFormed() || /\0|\/\.\.(\/|$)/.test(path)) continue;
      try {
        Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
        Deno.writeTextFileSync(path, end < 0 ? "" : part.slice(end + 1));
      } catch {
        continue;
      }
    }
    return await readPackage(new HostFiles(await sharedSandbox()), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
