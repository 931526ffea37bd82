import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { SandboxError } from "./errors.ts";
import { Sandbox, sharedSandbox } from "../box/sandbox.ts";
import { withFolder } from "../tests/support/folder.ts";
import { HostFiles } from "./files.ts";

const NOBODY = 65534;

async function withHost(
  test: (host: HostFiles, folder: string) => void | Promise<void>,
): Promise<void> {
  const host = new HostFiles(await sharedSandbox());
  await withFolder((folder) => test(host, folder));
}

/** The same for a sandbox that acts for an ordinary user, in a folder that is his. */
async function withUser(
  test: (host: HostFiles, folder: string) => void | Promise<void>,
): Promise<void> {
  const sandbox = await Sandbox.open({ actAs: { uid: NOBODY, gid: NOBODY } });
  await withFolder(async (folder) => {
    await Deno.chmod(folder, 0o755);
    await Deno.mkdir(`${folder}/own`);
    await Deno.chown(`${folder}/own`, NOBODY, NOBODY);
    await test(new HostFiles(sandbox), folder);
  });
}

async function makeFifo(path: string): Promise<void> {
  const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
  assert(success);
}

Deno.test("HostFiles.absolute() adds the working directory and drops dots and empty parts", async () => {
  await withHost((host) => {
    assertEquals(host.absolute("/a//b/./c/"), "/a/b/c");
    assertEquals(host.absolute("a/b"), `${Deno.cwd()}/a/b`);
    assertEquals(host.absolute("."), Deno.cwd());
    assertEquals(host.absolute("/"), "/");
    // What is above depends on links.
    assertEquals(host.absolute("/a/../b"), "/a/../b");
  });
});

Deno.test("HostFiles.realPath() follows links", async () => {
  await withHost(async (host, folder) => {
    await Deno.mkdir(`${folder}/a`);
    await Deno.symlink("a", `${folder}/b`);
    assertEquals(host.realPath(`${folder}/b/../b`), await Deno.realPath(`${folder}/a`));
    const error = assertThrows(() => host.realPath(`${folder}/none`), SandboxError);
    assertStringIncludes(error.message, "No such file or directory");
  });
});

Deno.test("HostFiles.list() returns names, kinds and sizes, sorted, and follows no link", async () => {
  await withHost(async (host, folder) => {
    await Deno.writeTextFile(`${folder}/b`, "12345");
    await Deno.mkdir(`${folder}/a`);
    await Deno.symlink("/etc", `${folder}/c`);
    await makeFifo(`${folder}/d`);
    await Deno.writeTextFile(`${folder}/B`, "");
    const entries = host.list(folder);
    assertEquals(entries.map(({ name, kind }) => [name, kind]), [
      ["B", "file"],
      ["a", "directory"],
      ["b", "file"],
      ["c", "symlink"],
      ["d", "fifo"],
    ]);
    assertEquals(entries[2]!.sizeBytes, 5);
    assert(Math.abs(entries[2]!.modifiedAtMs - Date.now()) < 60_000);
  });
});

Deno.test("HostFiles.list() lists many, and refuses more than are allowed", async () => {
  await withHost(async (host, folder) => {
    for (let i = 0; i < 1000; i++) await Deno.writeTextFile(`${folder}/${i}`, "");
    assertEquals(host.list(folder).length, 1000);
    const error = assertThrows(() => host.list(folder, { entriesMax: 999 }), SandboxError);
    assertEquals(error.message, `Cannot list ${folder}: it has more than 999 entries`);
  });
});

Deno.test("HostFiles.status() says what is there, or that nothing is", async () => {
  await withHost(async (host, folder) => {
    await Deno.writeTextFile(`${folder}/a`, "abc", { mode: 0o640 });
    await Deno.symlink("a", `${folder}/b`);
    await Deno.symlink("none", `${folder}/c`);
    const { kind, sizeBytes, mode, uid } = host.status(`${folder}/b`)!;
    assertEquals([kind, sizeBytes, mode, uid], ["file", 3, 0o640, Deno.uid()]);
    assertEquals(host.status(folder)?.kind, "directory");
    assertEquals(host.status("/dev/null")?.kind, "device");
    assertEquals(host.status(`${folder}/c`), undefined);
    assertEquals(host.status(`${folder}/none`), undefined);
    assertThrows(() => host.status(`${folder}/a/b`), SandboxError, "Not a directory");
  });
});

Deno.test("HostFiles.readBytes() reads up to a limit and no more", async () => {
  await withHost(async (host, folder) => {
    const bytes = crypto.getRandomValues(new Uint8Array(50_000));
    const large = new Uint8Array(3_000_000).fill(7);
    await Deno.writeFile(`${folder}/a`, bytes);
    await Deno.writeFile(`${folder}/large`, large);
    assertEquals(host.readBytes(`${folder}/a`, { limitBytes: 50_000 }), bytes);
    assertEquals(host.readBytes(`${folder}/large`, { limitBytes: 3_000_000 }), large);
    const error = assertThrows(
      () => host.readBytes(`${folder}/large`, { limitBytes: 2_999_999 }),
      SandboxError,
    );
    assertEquals(error.message, `Cannot read ${folder}/large: it is larger than 2999999 bytes`);
    await Deno.writeFile(`${folder}/empty`, new Uint8Array());
    assertEquals(host.readText(`${folder}/empty`, { limitBytes: 0 }), "");
  });
});

Deno.test("HostFiles.readText() keeps bytes that are not UTF-8", async () => {
  await withHost(async (host, folder) => {
    await Deno.writeFile(`${folder}/a`, new Uint8Array([0x61, 0xff]));
    assertEquals(host.readText(`${folder}/a`, { limitBytes: 9 }), "a\udcff");
  });
});

Deno.test("HostFiles.readText() and open() take regular files only, and never wait", async () => {
  await withHost(async (host, folder) => {
    await makeFifo(`${folder}/pipe`);
    const paths = {
      [`${folder}/pipe`]: "a FIFO",
      [folder]: "a directory",
      "/dev/zero": "a device",
    };
    for (const [path, what] of Object.entries(paths)) {
      for (
        const read of [() => host.readText(path, { limitBytes: 9 }), () => host.open(path)]
      ) {
        const error = assertThrows(read, SandboxError);
        assertStringIncludes(error.message, `Cannot read ${path}: it is a`);
        assertStringIncludes(error.message, what);
      }
    }
  });
});

Deno.test("HostFiles.open() gives a descriptor to read from", async () => {
  await withHost(async (host, folder) => {
    await Deno.writeTextFile(`${folder}/a`, "content");
    const file = host.open(`${folder}/a`);
    const { fd } = file;
    assertEquals(await Deno.readTextFile(`/proc/self/fd/${fd}`), "content");
    file[Symbol.dispose]();
    assertEquals(await Deno.stat(`/proc/self/fd/${fd}`).catch(() => "closed"), "closed");
  });
});

Deno.test("HostFiles.write() replaces a file at once, and leaves nothing else behind", async () => {
  await withHost(async (host, folder) => {
    await Deno.writeTextFile(`${folder}/a`, "old");
    using old = await Deno.open(`${folder}/a`);
    host.write(`${folder}/a`, "new");
    assertEquals(await Deno.readTextFile(`${folder}/a`), "new");
    const rest = new Uint8Array(10);
    assertEquals(new TextDecoder().decode(rest.subarray(0, (await old.read(rest))!)), "old");
    host.write(`${folder}/b`, new Uint8Array([1, 2]));
    assertEquals(await Deno.readFile(`${folder}/b`), new Uint8Array([1, 2]));
    assertEquals(host.list(folder).map(({ name }) => name), ["a", "b"]);
  });
});

Deno.test("HostFiles.write() writes to a device, and through a link, as they are", async () => {
  await withHost(async (host, folder) => {
    host.write("/dev/null", "nothing");
    assertEquals(host.status("/dev/null")?.kind, "device");
    await Deno.writeTextFile(`${folder}/target`, "a longer text");
    await Deno.symlink("target", `${folder}/link`);
    host.write(`${folder}/link`, "short");
    assertEquals(await Deno.readTextFile(`${folder}/target`), "short");
    assertEquals(host.list(folder).map(({ kind }) => kind), ["symlink", "file"]);
  });
});

Deno.test("HostFiles.write() leaves what was there after a failure", async () => {
  await withHost(async (host, folder) => {
    assertThrows(() => host.write(folder, "text"), SandboxError, `Cannot write ${folder}`);
    assertThrows(() => host.write(`${folder}/none/a`, "text"), SandboxError, "No such file");
    // A disk that is full in the middle of writing.
    const mount = await new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", "size=64k", "none", folder],
    }).output();
    assert(mount.success);
    try {
      host.write(`${folder}/a`, "old");
      const error = assertThrows(
        () => host.write(`${folder}/a`, "x".repeat(1 << 20)),
        SandboxError,
      );
      assertStringIncludes(error.message, "No space left on device");
      assertEquals(await Deno.readTextFile(`${folder}/a`), "old");
      assertEquals(host.list(folder).map(({ name }) => name), ["a"]);
    } finally {
      await new Deno.Command("umount", { args: [folder] }).output();
    }
  });
});

Deno.test("HostFiles.makeDirectory() makes what is missing, with its mode", async () => {
  await withHost((host, folder) => {
    host.makeDirectory(`${folder}/a/b/c`, 0o700);
    const modes = ["a", "a/b", "a/b/c"].map((path) => host.status(`${folder}/${path}`)?.mode);
    assertEquals(modes, [0o755, 0o755, 0o700]);
    host.makeDirectory(`${folder}/a/b/c`);
    assertEquals(host.status(`${folder}/a/b/c`)?.mode, 0o700);
    host.write(`${folder}/file`, "");
    assertThrows(() => host.makeDirectory(`${folder}/file`), SandboxError, "Not a directory");
    assertThrows(() => host.makeDirectory(`${folder}/file/a`), SandboxError, "Not a directory");
  });
});

Deno.test("HostFiles.makeTemporaryDirectory() makes one that nobody else can enter", async () => {
  await withHost((host) => {
    const [first, second] = [host.makeTemporaryDirectory(), host.makeTemporaryDirectory()];
    try {
      assert(first !== second);
      assertEquals(host.status(first)?.mode, 0o700);
    } finally {
      host.removeTree(first);
      host.removeTree(second);
    }
    assertEquals(host.status(first), undefined);
  });
});

Deno.test("HostFiles.removeTree() removes what is below, and follows no link", async () => {
  await withHost((host, folder) => {
    host.makeDirectory(`${folder}/a/b`);
    host.makeDirectory(`${folder}/kept`);
    host.write(`${folder}/kept/file`, "");
    host.write(`${folder}/a/b/file`, "");
    Deno.symlinkSync(`${folder}/kept`, `${folder}/a/link`);
    host.removeTree(`${folder}/a/`);
    host.removeTree(`${folder}/a`);
    assertEquals(host.list(folder).map(({ name }) => name), ["kept"]);
    assertEquals(host.list(`${folder}/kept`).length, 1);
  });
});

Deno.test("HostFiles reads and writes with the rights of the user that the sandbox acts for", async () => {
  await withUser(async (host, folder) => {
    await Deno.writeTextFile(`${folder}/secret`, "root's", { mode: 0o600 });
    await Deno.mkdir(`${folder}/closed`, { mode: 0o700 });
    const secret = `${folder}/secret`;
    for (
      const attempt of [
        () => host.readText(secret, { limitBytes: 99 }),
        () => host.open(secret),
        () => host.list(`${folder}/closed`),
        () => host.status(`${folder}/closed/a`),
        () => host.realPath(`${folder}/closed/a`),
        () => host.write(`${folder}/new`, "text"),
        () => host.write(secret, "text"),
        () => host.makeDirectory(`${folder}/new`),
      ]
    ) {
      assertStringIncludes(assertThrows(attempt, SandboxError).message, "Permission denied");
    }
    assertEquals(await Deno.readTextFile(secret), "root's");
    host.write(`${folder}/own/file`, "text");
    host.makeDirectory(`${folder}/own/a/b`);
    for (const path of ["own/file", "own/a", "own/a/b"]) {
      assertEquals((await Deno.stat(`${folder}/${path}`)).uid, NOBODY);
    }
  });
});

Deno.test("HostFiles.removeTree() removes nothing that belongs to somebody else", async () => {
  await withUser(async (host, folder) => {
    await Deno.mkdir(`${folder}/own/roots`);
    const error = assertThrows(() => host.removeTree(`${folder}/own/roots`), SandboxError);
    assertEquals(error.message, `Cannot remove ${folder}/own/roots: it belongs to somebody else`);
    const temporary = host.makeTemporaryDirectory();
    assertEquals((await Deno.stat(temporary)).uid, NOBODY);
    host.removeTree(temporary);
    assertEquals(host.status(temporary), undefined);
  });
});

Deno.test("HostFiles keeps no descriptor open", async () => {
  await withHost((host, folder) => {
    const count = () => [...Deno.readDirSync("/proc/self/fd")].length;
    host.list(folder);
    const before = count();
    host.write(`${folder}/a`, "text");
    host.list(folder);
    host.readText(`${folder}/a`, { limitBytes: 9 });
    assertThrows(() => host.readText(folder, { limitBytes: 9 }));
    assertThrows(() => host.readText(`${folder}/a`, { limitBytes: 1 }));
    assertThrows(() => host.open("/dev/null"));
    host.realPath(folder);
    assertEquals(count(), before);
  });
});
