/** A caller who is not root has files put into his box and taken out: by root, but never more than his. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Box, BoxPool, Sandbox, SandboxError } from "isolate/mod.ts";
import { HostFiles } from "isolate/host/files.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { sh } from "../support/isolate.ts";

const BOX_ID = 925;
const UID = 7925;

const sandboxOfCaller = () => Sandbox.open({ actAs: { uid: UID, gid: UID } });

async function refused(work: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(work, SandboxError)).message;
}

/**
 * Gives `test` the box of a caller, into which he has moved a folder of his own, `moved/`. Root has
 * files in it which he can rename with the folder, but neither read nor change.
 */
async function withMovedFolder(test: (box: Box, boxDirectory: string) => Promise<void>) {
  await using box = await Box.init({ boxId: BOX_ID, sandbox: await sandboxOfCaller() });
  const inside = `${box.directory}/box`;
  // On the file system of the boxes, because renaming works only within one.
  const home = await Deno.makeTempDir({ dir: box.sandbox.settings.boxRoot, prefix: "home-" });
  try {
    await sh(`cd ${home}; mkdir -p moved/closed moved/shown; chown ${UID}:${UID} . moved
      echo secret >moved/secret; echo secret >moved/closed/secret; echo old >moved/shown/file
      chmod 600 moved/secret moved/closed/secret; chmod 700 moved/closed
      setpriv --reuid=${UID} --regid=${UID} --clear-groups mv moved ${inside}/`);
    await test(box, inside);
  } finally {
    // Else the box could not be removed.
    await sh(`rm -rf ${inside}/moved/closed ${inside}/moved/shown`);
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("a caller cannot read others' files that he has moved into his box", async () => {
  await withMovedFolder(async (box) => {
    await withFolder(async (folder) => {
      await sh(`chmod 777 ${folder}`);
      for (const path of ["moved/secret", "moved/closed/secret"]) {
        const message = await refused(() => box.files.read(path, { limitBytes: 100 }));
        assertStringIncludes(message, "it belongs to user 0");
        await refused(() => box.files.copyOut([{ path, hostFile: `${folder}/copy` }]));
      }
      await refused(() => box.files.list("moved/closed"));
      assertEquals((await box.files.list("moved")).length, 3);
    });
  });
});

Deno.test("a caller cannot change others' files that he has moved into his box", async () => {
  await withMovedFolder(async (box, inside) => {
    for (const path of ["moved/shown/file", "moved/shown/new", "moved/closed/new"]) {
      await refused(() => box.files.write(path, "his"));
      await refused(() => box.files.write(path, ReadableStream.from([new Uint8Array(1)])));
    }
    await refused(() => box.files.makeDirectory("moved/shown/new"));
    await refused(() => box.files.makeDirectory("moved/closed/a/b"));
    await refused(() => box.files.write("moved/closed/a/b", "his"));
    assertEquals(
      await sh(`cd ${inside}/moved; cat shown/file; ls shown closed`),
      "old\nclosed:\nsecret\n\nshown:\nfile\n",
    );
    // What is his own he changes.
    await box.files.write("moved/own/new", "his");
    await box.files.write("moved/secret", "his");
    assertEquals(await box.files.readText("moved/secret", { limitBytes: 10 }), "his");
  });
});

Deno.test("a caller does not become the owner of others' files by running a program", async () => {
  await withMovedFolder(async (box, inside) => {
    const command = ["/bin/cat", "moved/secret", "moved/closed/secret"];
    const outcome = await box.run(command, { stdout: "none", stderr: "none" });
    assertEquals(outcome.kind === "exit" && outcome.exitCode, 1);
    const names = "moved/secret moved/closed moved/closed/secret moved/shown moved/shown/file";
    assertEquals(await sh(`cd ${inside}; stat -c %u ${names} | sort -u`), "0\n");
    assertEquals(await sh(`cd ${inside}; stat -c %u moved`), `${UID}\n`);
  });
});

for (const who of ["the caller", "root"] as const) {
  Deno.test(`a box that ${who} cleans up keeps others' directories, and says which`, async () => {
    await withMovedFolder(async (box, inside) => {
      await sh(`mkdir ${inside}/moved/empty ${inside}/own; touch ${inside}/own/file
        chown ${UID}:${UID} ${inside}/own`);
      const refusal =
        /^Cannot empty \S+\/box\/moved\/(closed|shown): it belongs to user 0, but .* 7925;/;
      const sandbox = who === "root" ? await Sandbox.open() : box.sandbox;
      box.release();
      const again = await Box.open({ boxId: BOX_ID, sandbox });
      assertMatch(await refused(() => again.clear()), refusal);
      assertMatch(await refused(() => again.cleanup()), refusal);
      // All that the caller could have removed is gone.
      assertEquals(
        await sh(`cd ${inside}; find . | sort`),
        ["", "/moved", "/moved/closed", "/moved/closed/secret", "/moved/shown", "/moved/shown/file"]
          .map((path) => `.${path}\n`).join(""),
      );
      assertEquals(await sh(`cat ${inside}/moved/closed/secret`), "secret\n");
      again.release();
      await assertRejects(() => Box.init({ boxId: BOX_ID, sandbox }), SandboxError, "Cannot empty");
      await sh(`rm -r ${inside}/moved/closed ${inside}/moved/shown`);
      await (await Box.init({ boxId: BOX_ID, sandbox })).cleanup();
    });
  });
}

Deno.test("what root itself has put into a caller's box is removed with it", async () => {
  const sandbox = await sandboxOfCaller();
  const box = await Box.init({ boxId: BOX_ID, sandbox });
  const put = `cd ${box.directory}/box; mkdir -p put/below open; touch put/below/file open/file
    chmod 777 open`;
  await sh(put);
  await box.clear();
  assertEquals(await box.files.list(), []);
  await sh(put);
  await box.cleanup();
  await assertRejects(() => Deno.stat(box.directory), Deno.errors.NotFound);
});

Deno.test("a judge for a caller is not led through what the sandbox itself has open", async () => {
  await withFolder(async (folder) => {
    await sh(`cd ${folder}; chmod 755 .; mkdir -p closed/open; chmod 700 closed
      chmod 777 closed/open; echo secret >closed/open/file
      ln -s /proc/self/cwd link; ln -s /proc/self/cwd/new new`);
    const host = new HostFiles(await sandboxOfCaller());
    const before = Deno.cwd();
    Deno.chdir(`${folder}/closed/open`);
    try {
      for (const path of ["/proc/self/cwd", "/proc/thread-self/cwd", `${folder}/link`]) {
        assertThrows(() => host.readText(`${path}/file`, { limitBytes: 100 }), SandboxError);
        assertThrows(() => host.status(`${path}/file`), SandboxError);
        assertThrows(() => host.realPath(path), SandboxError);
        assertThrows(() => host.list(path), SandboxError);
        assertThrows(() => host.write(`${path}/new`, "his"), SandboxError);
        assertThrows(() => host.makeDirectory(`${path}/new`), SandboxError);
      }
      assertThrows(() => host.write(`${folder}/new`, "his"), SandboxError);
      assertEquals(await sh(`ls ${folder}/closed/open`), "file\n");
    } finally {
      Deno.chdir(before);
    }
  });
});

Deno.test("a judge for a caller removes no directory in which another user has something", async () => {
  await withFolder(async (folder) => {
    await sh(`cd ${folder}; chmod 755 .; mkdir -p his/others; echo kept >his/others/file
      chown ${UID}:${UID} his`);
    const host = new HostFiles(await sandboxOfCaller());
    assertThrows(() => host.removeTree(`${folder}/his`), SandboxError);
    assertEquals(await sh(`cat ${folder}/his/others/file`), "kept\n");
    await sh(`chown -R ${UID}:${UID} ${folder}/his ${folder}`);
    host.removeTree(`${folder}/his`);
    assertEquals(await sh(`ls ${folder}`), "");
    assertEquals(new HostFiles(await Sandbox.open()).status("/root/x"), undefined);
  });
});

/** Exchanges directories, files, links and FIFOs, and renames what is above them, as fast as it can. */
const SWAP = (folder: string) => `
import ctypes, os
exchange = lambda a, b: ctypes.CDLL(None).renameat2(-100, a.encode(), -100, b.encode(), 2)
os.makedirs("up/dir"); os.makedirs("aside/dir")
open("up/dir/file", "w").write("own"); open("up/plain", "w").write("own")
os.symlink("${folder}", "up/link"); os.symlink("${folder}/file", "up/filelink"); os.mkfifo("up/fifo")
while True:
    for a, b in (("up/dir", "up/link"), ("up/plain", "up/filelink"), ("up/plain", "up/fifo"),
                 ("up", "aside"), ("up/dir", "aside/dir"), ("aside", "up")):
        exchange(a, b)
`;

Deno.test("nothing but the box's own files is read while a program exchanges everything", async () => {
  await withFolder(async (folder) => {
    await sh(`cd ${folder}; chmod 700 .; echo secret >file; mkdir out; chmod 777 out`);
    await using box = await Box.init({ boxId: BOX_ID, sandbox: await sandboxOfCaller() });
    const stop = new AbortController();
    const running = box.run(["/usr/bin/python3", "-c", SWAP(folder)], {
      limits: { wallTimeMs: 60_000 },
      signal: stop.signal,
      keepSpecialFiles: true,
    });
    const seen = new Set<string>();
    const look = (work: () => Promise<unknown>) =>
      work().then((found) => seen.add(JSON.stringify(found)), (error) => {
        if (!(error instanceof SandboxError)) throw error;
        seen.add(error.kind);
      });
    try {
      const endMs = performance.now() + 30_000;
      for (let tries = 0; tries < 500 && performance.now() < endMs;) {
        // Once the program is at work.
        if (seen.has('"own"') && seen.has("hostile-path")) tries++;
        await look(() => box.files.readText("up/dir/file", { limitBytes: 100 }));
        await look(() => box.files.readText("up/plain", { limitBytes: 100 }));
        await look(async () => (await box.files.list("up/dir")).map(({ name }) => name));
        await new Promise((resolve) => setTimeout(resolve));
      }
    } finally {
      stop.abort();
    }
    assertEquals((await running).kind, "interrupted");
    assert(seen.has('"own"') && seen.has("hostile-path"), [...seen].join(" "));
    // The empty text is a file of the program's that it has just made.
    const expected = ["no-file", "hostile-path", '""', '"own"', '["file"]', "[]"];
    for (const found of expected) seen.delete(found);
    assertEquals([...seen], []);
  });
});

Deno.test("two users share a range of boxes, and neither gets what the other has left", async () => {
  const range = { firstBoxId: BOX_ID, count: 2, size: 2 };
  const other = await Sandbox.open({ actAs: { uid: UID + 1, gid: UID + 1 } });
  await using his = await BoxPool.create({ ...range, sandbox: await sandboxOfCaller() });
  await using hers = await BoxPool.create({ ...range, sandbox: other, waitMs: 100 });
  const [first, second] = [await his.lease(), await his.lease()];
  await first.box.files.write("secret", "his");
  await first.keep();
  try {
    // One is kept and one is in use.
    await refused(() => hers.lease());
    await refused(() => Box.open({ boxId: first.box.boxId, sandbox: other }));
    await refused(() => Box.init({ boxId: first.box.boxId, sandbox: other }));
    await refused(() => Box.remove({ boxId: first.box.boxId, sandbox: other }));
    await second.box.files.write("secret", "his");
    await second.release();
    await hers.use(async (box) => {
      assertEquals(box.boxId, second.box.boxId);
      assertEquals(await box.files.list(), []);
      assertEquals(Deno.statSync(`${box.directory}/box`).uid, UID + 1);
    });
  } finally {
    await second.release();
    await Box.remove({ boxId: first.box.boxId });
  }
});
