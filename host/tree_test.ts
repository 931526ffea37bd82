import { assert, assertEquals, assertThrows } from "@std/assert";
import { PLAN } from "../ffi/abi.ts";
import { System } from "../ffi/system.ts";
import { openFolder, withFolder } from "../tests/support/folder.ts";
import { atOnce, inSlices } from "../text/slices.ts";
import { giveTreeSteps } from "./give_tree.ts";
import { removeTree, removeTreeSteps } from "./tree.ts";
import { openDirectory, openParent } from "./tree_walk.ts";

const OWN = { uid: 0, gid: 0, groups: [] };
const BOX = { uid: 61234, gid: 61235, groups: [] };

async function give(
  folder: string,
  { to = BOX, from = [0, BOX.uid], keepSpecialFiles = false } = {},
): Promise<void> {
  const system = await System.load();
  const fd = openFolder(system, folder);
  try {
    atOnce(giveTreeSteps(system, fd, { to, from, keepSpecialFiles }));
  } finally {
    system.close(fd);
  }
}

async function remove(folder: string, name: string): Promise<void> {
  const system = await System.load();
  const fd = openFolder(system, folder);
  try {
    removeTree(system, fd, name);
  } finally {
    system.close(fd);
  }
}

function owner(path: string): [number | null, number | null] {
  const { uid, gid } = Deno.lstatSync(path);
  return [uid, gid];
}

function openDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

async function shell(folder: string, script: string): Promise<void> {
  const { success } = await new Deno.Command("/bin/bash", {
    args: ["-ec", script],
    cwd: folder,
    stdin: "null",
  }).output();
  assert(success, script);
}

/** Folders in folders, so deep that no path reaches the end. */
async function makeDeep(folder: string, levels: number): Promise<void> {
  await shell(
    folder,
    `name=${
      "d".repeat(200)
    }; for ((i = 0; i < ${levels}; i++)); do mkdir $name; cd -P $name; done; echo x > file`,
  );
}

Deno.test("giveTreeSteps() gives everything to a user, and back", () =>
  withFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/a/b/c`, { recursive: true });
    const paths = ["", "/a", "/a/b", "/a/b/c", "/a/b/file"];
    Deno.writeTextFileSync(`${folder}/a/b/file`, "");
    await give(folder);
    for (const path of paths) assertEquals(owner(folder + path), [BOX.uid, BOX.gid], path);
    await give(folder, { to: OWN });
    for (const path of paths) assertEquals(owner(folder + path), [0, 0], path);
  }));

Deno.test("giveTreeSteps() clears the setuid bits of what it gives away", () =>
  withFolder(async (folder) => {
    await shell(folder, "cp /bin/true tool; chmod 6755 tool");
    await give(folder);
    assertEquals(Deno.statSync(`${folder}/tool`).mode! & 0o7777, 0o755);
  }));

Deno.test("giveTreeSteps() removes special files and keeps what links point to", () =>
  withFolder(async (folder) => {
    await shell(
      folder,
      "mkdir tree; echo x > outside; cd tree; mkfifo fifo; mknod null c 1 3; ln -s ../outside link; " +
        "ln -s . loop; mkdir sub; ln -s / sub/root; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")'; echo y > file",
    );
    await give(`${folder}/tree`);
    const left = [...Deno.readDirSync(`${folder}/tree`)].map(({ name }) => name).sort();
    assertEquals(left, ["file", "sub"]);
    assertEquals([...Deno.readDirSync(`${folder}/tree/sub`)], []);
    assertEquals(owner(`${folder}/outside`), [0, 0]);
    assertEquals(owner("/"), [0, 0]);
  }));

Deno.test("giveTreeSteps() gives special files too if they are kept, and follows none", () =>
  withFolder(async (folder) => {
    await shell(
      folder,
      "mkdir tree; echo x > outside; cd tree; mkfifo fifo; ln -s ../outside link",
    );
    await give(`${folder}/tree`, { keepSpecialFiles: true });
    for (const name of ["fifo", "link"]) {
      assertEquals(owner(`${folder}/tree/${name}`), [BOX.uid, BOX.gid], name);
    }
    assertEquals(owner(`${folder}/outside`), [0, 0]);
  }));

Deno.test("giveTreeSteps() leaves alone a hard link to a file of a third party", () =>
  withFolder(async (folder) => {
    await shell(
      folder,
      "mkdir tree; echo x > theirs; chown 33:33 theirs; ln theirs tree/theirs; " +
        "echo y > own; ln own tree/own; echo z > tree/single; chown 33:33 tree/single",
    );
    await give(`${folder}/tree`, { from: [0, BOX.uid] });
    assertEquals(owner(`${folder}/theirs`), [33, 33]);
    assertEquals(owner(`${folder}/tree/own`), [BOX.uid, BOX.gid]);
    assertEquals(owner(`${folder}/tree/single`), [BOX.uid, BOX.gid]);
  }));

Deno.test("giveTreeSteps() and removeTree() work on names that are not text", () =>
  withFolder(async (folder) => {
    await shell(
      folder,
      `mkdir tree; cd tree; touch $'new\\nline' $'\\xff\\xfe' ' ' '*' -- '-rf'; mkdir $'\\x80dir'; ` +
        `touch $'\\x80dir'/${"x".repeat(255)}`,
    );
    await give(`${folder}/tree`);
    await shell(folder, `test "$(find tree -uid ${BOX.uid} -gid ${BOX.gid} | grep -c .)" = 9`);
    await remove(folder, "tree");
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("giveTreeSteps() and removeTree() work on trees deeper than a path and keep few descriptors", () =>
  withFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/tree`);
    await makeDeep(`${folder}/tree`, 300);
    const before = openDescriptors();
    await give(`${folder}/tree`);
    await shell(folder, `test "$(find tree -uid ${BOX.uid} | wc -l)" = 302`);
    await remove(folder, "tree");
    assertEquals(openDescriptors(), before);
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("giveTreeSteps() and removeTree() work on more files than one reading lists", () =>
  withFolder(async (folder) => {
    await shell(folder, "mkdir -p tree/wide; cd tree/wide; seq -f %050.0f 3000 | xargs touch");
    await give(`${folder}/tree`);
    await shell(folder, `test "$(find tree -uid ${BOX.uid} | wc -l)" = 3002`);
    await remove(folder, "tree");
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

/** Reaches the kernel, and counts the steps of each plan: those of this thread, and those of others. */
async function countingSystem(): Promise<{ system: System; here: number[]; aside: number[] }> {
  const [here, aside]: [number[], number[]] = [[], []];
  const { library } = await System.load();
  const stepsOf = (image: Uint8Array) =>
    new DataView(image.buffer, image.byteOffset).getUint32(PLAN.stepCount, true);
  const system = new System({
    origin: library.origin,
    imageFd: library.imageFd,
    signal: library.signal,
    exec: (image) => {
      here.push(stepsOf(image));
      return library.exec(image);
    },
    execAside: (image) => {
      aside.push(stepsOf(image));
      return library.execAside(image);
    },
  });
  return { system, here, aside };
}

Deno.test("what takes long in a large tree is done on other threads, and the rest in small parts", () =>
  withFolder(async (folder) => {
    await shell(folder, "mkdir -p tree/{1..5}; for i in tree/*; do (cd $i; touch {1..2000}); done");
    const { system, here, aside } = await countingSystem();
    const [fd, tree] = [openFolder(system, folder), openFolder(system, `${folder}/tree`)];
    try {
      const how = { to: BOX, from: [0], keepSpecialFiles: false };
      await inSlices(giveTreeSteps(system, tree, how));
      await shell(folder, `test "$(find tree -uid ${BOX.uid} | wc -l)" = 10006`);
      await inSlices(removeTreeSteps(system, fd, { name: "tree" }));
      assertEquals([...Deno.readDirSync(folder)], []);
    } finally {
      system.close(fd, tree);
    }
    const sum = (counts: number[]) => counts.reduce((sum, count) => sum + count, 0);
    assert(sum(here) < sum(aside) / 3, `${sum(here)} steps here, ${sum(aside)} elsewhere`);
    assert(Math.max(...here) <= 300, `${Math.max(...here)} steps at once`);
  }));

Deno.test("removeTree() removes links and not what they point to", () =>
  withFolder(async (folder) => {
    await shell(folder, "mkdir tree outside; touch outside/file; ln -s ../outside tree/link");
    await remove(folder, "tree");
    assertEquals([...Deno.readDirSync(`${folder}/outside`)].length, 1);
  }));

Deno.test("removeTree() succeeds if there is nothing", () =>
  withFolder((folder) => remove(folder, "nothing")));

Deno.test("removeTree() does not remove a link in the place of the directory", () =>
  withFolder(async (folder) => {
    await shell(folder, "mkdir outside; touch outside/file; ln -s outside tree");
    await remove(folder, "tree").then(() => {}, () => {});
    assertEquals([...Deno.readDirSync(`${folder}/outside`)].length, 1);
  }));

Deno.test("removeTree() fails, and closes all descriptors, if something cannot be removed", () =>
  withFolder(async (folder) => {
    const system = await System.load();
    await shell(folder, "mkdir -p tree/mount/point; mount -t tmpfs none tree/mount");
    const fd = openFolder(system, folder);
    try {
      const before = openDescriptors();
      const error = assertThrows(() => removeTree(system, fd, "tree"));
      assert(
        String(error).includes("cannot remove a directory of the box") ||
          String(error).includes("Cannot remove a directory of the box"),
        String(error),
      );
      assertEquals(openDescriptors(), before);
    } finally {
      system.close(fd);
      await shell(folder, "umount tree/mount");
    }
  }));

const name = (text: string) => new TextEncoder().encode(`${text}\0`);

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
