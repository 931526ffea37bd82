/** The files of the project: all that `.gitignore` does not leave out. Needs no repository. */

import { ROOT } from "./process.ts";

/** Whether there is something of this name. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Reads the folders that lie in the project's folder and are not part of it. */
export function ignoredFolders(gitignore: string): Set<string> {
  const lines = gitignore.split("\n").map((line) => line.trim());
  const patterns = lines.filter((line) => line !== "" && !line.startsWith("#"));
  return new Set(patterns.map((pattern) => {
    const name = /^\/([^/*?[\]\\]+)\/$/.exec(pattern)?.[1];
    if (name !== undefined) return name;
    throw new Error(`.gitignore: '${pattern}' is not understood: write '/FOLDER/'`);
  }));
}

async function* filesBelow(folder: string, leftOut: Set<string>): AsyncGenerator<string> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    if (leftOut.has(name)) continue;
    if (isFile) yield `${folder}/${name}`;
    if (isDirectory) yield* filesBelow(`${folder}/${name}`, new Set());
  }
}

/** Lists the files of the project by their paths below its folder. */
export async function projectFiles(root: string = ROOT): Promise<string[]> {
  const leftOut = ignoredFolders(await Deno.readTextFile(`${root}/.gitignore`));
  const paths = await Array.fromAsync(filesBelow(root, leftOut.add(".git")));
  return paths.map((path) => path.slice(root.length + 1)).sort();
}
