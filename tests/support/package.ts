/** Problem packages of tests. */

import { assertRejects } from "@std/assert";
import { sharedSandbox } from "isolate/box/sandbox.ts";
import { HostFiles } from "isolate/host/files.ts";
import { PackageError } from "isolate/judge/package/errors.ts";
import { readPackage } from "isolate/judge/package/read.ts";
import type { Problem } from "isolate/judge/types.ts";
import { withFolder } from "./folder.ts";

/** What a file of a package holds; a link says where it leads to. */
export type PackageContent = string | Uint8Array | { link: string };

/** Writes files into a folder, with the folders that they need. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, PackageContent>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = `${folder}/${path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    if (path.endsWith("/")) continue;
    if (typeof content === "string") await Deno.writeTextFile(file, content);
    else if (content instanceof Uint8Array) await Deno.writeFile(file, content);
    else await Deno.symlink(content.link, file);
  }
}

/** The smallest package. */
export const SMALL_PACKAGE: Readonly<Record<string, PackageContent>> = {
  "problem.yaml": "name: Small\n",
  "data/secret/1.in": "1\n",
  "data/secret/1.ans": "1\n",
};

/** The smallest task. */
export const SMALL_TASK: Readonly<Record<string, PackageContent>> = {
  "task.yaml": "title: Small\n",
  "tests/1.in": "1\n",
  "tests/1.ans": "1\n",
};

/** Gives `test` a package named `pack`, and removes it afterwards. */
export async function withPackage(
  files: Readonly<Record<string, PackageContent>>,
  test: (pack: { host: HostFiles; directory: string }) => void | Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/pack`);
    await writeFiles(`${folder}/pack`, files);
    await test({ host: new HostFiles(await sharedSandbox()), directory: `${folder}/pack` });
  });
}

/** Reads a package of these files. */
export async function readFiles(
  files: Readonly<Record<string, PackageContent>>,
): Promise<Problem> {
  const problems: Problem[] = [];
  await withPackage(files, async ({ host, directory }) => {
    problems.push(await readPackage(host, directory));
  });
  return problems[0]!;
}

/** The complaint about a package of these files, without the folder that it is in. */
export async function complaintAbout(
  files: Readonly<Record<string, PackageContent>>,
  prepare: (directory: string) => void | Promise<void> = () => {},
): Promise<string> {
  let message = "";
  await withPackage(files, async ({ host, directory }) => {
    await prepare(directory);
    const error = await assertRejects(() => readPackage(host, directory), PackageError);
    message = withoutFolder(error.message, directory);
  });
  return message;
}

/** A message without the temporary folder that a package is in. */
export function withoutFolder(message: string, directory: string): string {
  return message.replaceAll(directory.slice(0, directory.lastIndexOf("/") + 1), "");
}
