import { assert, assertEquals, assertFalse } from "@std/assert";
import { System } from "../ffi/system.ts";
import { openFolder, withFolder } from "../tests/support/folder.ts";
import { isPlain, openDirectory, openParent, readDirectory } from "./list.ts";

const name = (text: string) => new TextEncoder().encode(`${text}\0`);

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

Deno.test("openDirectory() opens a directory of that name and nothing else", () =>
  withFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/real`);
    Deno.writeTextFileSync(`${folder}/file`, "");
    Deno.symlinkSync("real", `${folder}/link`);
    const system = await System.load();
    const fd = openFolder(system, folder);
    const real = openDirectory(system, fd, name("real"));
    assert(real);
    for (const other of ["file", "link", "nothing", "..", "/etc"]) {
      assertEquals(openDirectory(system, fd, name(other)), undefined, other);
    }
    system.close(fd, real.fd);
  }));

Deno.test("openParent() finds the directory above only while it is the one it was", () =>
  withFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/a/child`, { recursive: true });
    Deno.mkdirSync(`${folder}/b`);
    const system = await System.load();
    const fd = openFolder(system, folder);
    const above = openDirectory(system, fd, name("a"))!;
    const child = openDirectory(system, above.fd, name("child"))!;
    const found = openParent(system, child.fd, above.identity);
    assert(found !== undefined);
    Deno.renameSync(`${folder}/a/child`, `${folder}/b/child`);
    const before = [...Deno.readDirSync("/proc/self/fd")].length;
    assertEquals(openParent(system, child.fd, above.identity), undefined);
    assertEquals([...Deno.readDirSync("/proc/self/fd")].length, before);
    system.close(fd, above.fd, child.fd, found);
  }));

Deno.test("isPlain() accepts files and directories only", () => {
  const types = { fifo: 1, character: 2, directory: 4, block: 6, file: 8, link: 10, socket: 12 };
  const plain = Object.entries(types).filter(([, type]) => isPlain((type << 12) | 0o7777));
  assertEquals(plain.map(([kind]) => kind), ["directory", "file"]);
  assertFalse(isPlain(0));
});
