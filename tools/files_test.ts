import { assertEquals, assertThrows } from "@std/assert";
import { ignoredFolders, projectFiles } from "./files.ts";
import { withFolder } from "./process.ts";

Deno.test("ignoredFolders() reads folders, and refuses what it does not understand", () => {
  assertEquals(ignoredFolders("/a/\n# words\n\n/.b/\n"), new Set(["a", ".b"]));
  for (const line of ["a", "/a", "*.o", "/a/b/", "!/a/"]) {
    assertThrows(() => ignoredFolders(`${line}\n`), Error, `'${line}' is not understood`);
  }
});

Deno.test("projectFiles() lists what is there, without a repository", async () => {
  await withFolder(async (root) => {
    await Deno.writeTextFile(`${root}/.gitignore`, "/dist/\n");
    for (const folder of ["dist", ".git", "box/dist"]) {
      await Deno.mkdir(`${root}/${folder}`, { recursive: true });
      await Deno.writeTextFile(`${root}/${folder}/file`, "");
    }
    await Deno.writeTextFile(`${root}/a b`, "");
    await Deno.symlink("nowhere", `${root}/link`);
    assertEquals(await projectFiles(root), [".gitignore", "a b", "box/dist/file"]);
  });
});

Deno.test("projectFiles() lists this very file, and no tool", async () => {
  const files = await projectFiles();
  assertEquals(files.includes("tools/files_test.ts"), true);
  assertEquals(files.filter((file) => file.startsWith(".tools/")), []);
});
