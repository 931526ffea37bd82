import { assert, assertEquals } from "@std/assert";
import { withFolder } from "../process.ts";
import { Image } from "./image.ts";

Deno.test("Image puts each folder before what is in it", () => {
  const image = new Image();
  image.addText("/a/b/c", "text");
  assertEquals(image.paths(), ["/a", "/a/b", "/a/b/c"]);
});

Deno.test("Image.addHost() takes the symlinks on the way and what they lead to", async () => {
  await withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/real`);
    await Deno.writeTextFile(`${folder}/real/file`, "text");
    await Deno.symlink("real", `${folder}/link`);
    await Deno.symlink("../real/file", `${folder}/real/again`);
    const image = new Image();
    image.addHost(`${folder}/link/again`);
    const inside = image.paths().filter((path) => path.startsWith(`${folder}/`));
    const expected = ["link", "real", "real/again", "real/file"];
    assertEquals(inside.sort(), expected.map((name) => `${folder}/${name}`));
  });
});

Deno.test("Image.addHost() skips what is missing, and symlinks that lead nowhere else", async () => {
  await withFolder(async (folder) => {
    await Deno.symlink("loop", `${folder}/loop`);
    const image = new Image();
    image.addHost(`${folder}/missing`);
    image.addHost(`${folder}/loop`);
    assert(!image.paths().includes(`${folder}/missing`));
  });
});

Deno.test("Image.write() makes an archive of the size it reports", async () => {
  await withFolder(async (folder) => {
    const image = new Image();
    image.addText("/file", "text");
    image.addFolderAs("/copy", folder);
    const size = await image.write(`${folder}/archive`);
    assertEquals((await Deno.stat(`${folder}/archive`)).size, size);
  });
});

Deno.test("Image.addFolderAs() keeps the modes of folders", async () => {
  await withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/tree/closed`, { recursive: true });
    await Deno.chmod(`${folder}/tree/closed`, 0o700);
    await Deno.chmod(`${folder}/tree`, 0o1777);
    const image = new Image();
    image.addFolderAs("/copy", `${folder}/tree`);
    await image.write(`${folder}/archive`);
    const text = new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/archive`));
    // In the header the mode is the second number of thirteen.
    const modeOf = (name: string) =>
      new RegExp(`070701\\w{8}(\\w{8})\\w{88}\\/?${name}\0`).exec(text)?.[1];
    assertEquals([modeOf("copy"), modeOf("copy/closed")].map((mode) => parseInt(mode!, 16)), [
      0o41777,
      0o40700,
    ]);
  });
});
