import { assertEquals } from "@std/assert";
import { System } from "../ffi/system.ts";
import { openFolder, withFolder } from "../tests/support/folder.ts";
import { readDirectory } from "./list.ts";

Deno.test("readDirectory() lists everything but the dots, with its kind", () =>
  withFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/.hidden`);
    Deno.mkdirSync(`${folder}/...`);
    Deno.writeTextFileSync(`${folder}/..file`, "");
    Deno.symlinkSync(".hidden", `${folder}/link`);
    const system = await System.load();
    const fd = openFolder(system, folder);
    const entries = [...readDirectory(system, fd)].flat()
      .map((entry) => [new TextDecoder().decode(entry.name), entry.isDirectory] as const)
      .sort();
    assertEquals(entries, [
      ["...\0", true],
      ["..file\0", false],
      [".hidden\0", true],
      ["link\0", false],
    ]);
    assertEquals([...readDirectory(system, fd)], []);
    system.close(fd);
  }));

Deno.test("readDirectory() lists more than fits into one call", () =>
  withFolder(async (folder) => {
    const names = Array.from({ length: 3000 }, (_, i) => `a file with a long name ${i}`).sort();
    for (const name of names) Deno.writeTextFileSync(`${folder}/${name}`, "");
    const system = await System.load();
    const fd = openFolder(system, folder);
    const found = [...readDirectory(system, fd)].flat()
      .map((entry) => new TextDecoder().decode(entry.name.subarray(0, -1)))
      .sort();
    assertEquals(found, names);
    system.close(fd);
  }));
