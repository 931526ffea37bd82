/** What a program can plant in its box for those that read, write and copy there. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Box, type BoxFiles, SandboxError, type SandboxErrorKind } from "isolate/mod.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { installC } from "isolate/tests/support/c_program.ts";

const BOX_ID = 932;

async function refused(kind: SandboxErrorKind, work: () => Promise<unknown>): Promise<string> {
  const error = await assertRejects(work, SandboxError);
  assertEquals(error.kind, kind, error.message);
  return error.message;
}

/** Runs a script in a box, which may leave behind what it likes. */
async function plant(box: Box, script: string): Promise<void> {
  const outcome = await box.run(["/bin/sh", "-ec", script], {
    limits: { processes: 20, wallTimeMs: 60_000 },
    keepSpecialFiles: true,
  });
  assert(outcome.kind === "exit" && outcome.exitCode === 0, JSON.stringify(outcome));
}

const SOCKET = `python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("trap")'`;

/** Each makes something of the name `trap`. */
const TRAPS: readonly [string, string, string][] = [
  ["a link out of the box", "ln -s /etc/passwd trap", "it is a symbolic link"],
  ["a link to a file of the box", "echo > real; ln -s real trap", "it is a symbolic link"],
  ["a link that leads nowhere", "ln -s nothing trap", "it is a symbolic link"],
  ["a link to itself", "ln -s trap trap", "it is a symbolic link"],
  ["a link to a descriptor", "ln -s /proc/self/fd/0 trap", "it is a symbolic link"],
  ["a FIFO", "mkfifo trap", "it is a FIFO, not a regular file"],
  ["a socket", SOCKET, "it is a socket"],
  ["a directory", "mkdir trap; echo > trap/full", "it is a directory, not a regular file"],
];

for (const [what, script, reason] of TRAPS) {
  Deno.test(`where ${what} is planted nothing is read or copied, and only a directory stays in the way`, () =>
    withFolder(async (folder) => {
      await using box = await Box.init({ boxId: BOX_ID });
      await plant(box, script);
      const hostFile = `${folder}/copy`;
      const items = [{ path: "trap", hostFile }];
      const message = await refused(
        "hostile-path",
        () => box.files.read("trap", { limitBytes: 1e6 }),
      );
      assert(message.startsWith(`Cannot read "trap" in the box: ${reason}`), message);
      await refused("hostile-path", () => box.files.copyOut(items));
      const [copied] = await box.files.copyOut([{ ...items[0]!, optional: true }]);
      assertEquals(copied?.omitted, "hostile-path");
      assertEquals([...Deno.readDirSync(folder)], []);
      const passwd = Deno.readTextFileSync("/etc/passwd");
      for (const content of ["new", ReadableStream.from([new Uint8Array([110, 101, 119])])]) {
        const write = () => box.files.write("trap", content);
        if (what !== "a directory") await write();
        else await refused("hostile-path", write);
      }
      if (what === "a directory") return;
      assert(Deno.lstatSync(`${box.directory}/box/trap`).isFile);
      assertEquals(await box.files.readText("trap", { limitBytes: 3 }), "new");
      assertEquals(Deno.readTextFileSync("/etc/passwd"), passwd);
    }));
}

const USES: readonly [string, (files: BoxFiles, path: string) => Promise<unknown>][] = [
  ["read", (files, path) => files.read(`${path}/file`, { limitBytes: 1e6 })],
  ["list", (files, path) => files.list(path)],
  ["write", (files, path) => files.write(`${path}/file`, "")],
  ["make", (files, path) => files.makeDirectory(`${path}/directory`)],
  ["copy", (files, path) => files.copyOut([{ path: `${path}/file`, hostFile: "/dev/null/x" }])],
];

Deno.test("no link or file on the way is passed, wherever it leads", () =>
  withFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "precious");
    await using box = await Box.init({ boxId: BOX_ID });
    await plant(
      box,
      `mkdir -p real/b; echo > real/file; ln -s ${folder} out; ln -s real in; \
      ln -s ../.. real/up; ln -s /proc/self/cwd magic; echo > plain; mkfifo fifo`,
    );
    for (const path of ["out", "in", "real/up", "magic", "magic/box", "plain", "fifo", "in/b"]) {
      for (const [use, work] of USES) {
        const message = await refused("hostile-path", () => work(box.files, path));
        assert(/^Cannot \w+ .* box: (it is|something on)/.test(message), `${use}: ${message}`);
      }
    }
    for (const path of ["..", "../0", "/etc", "real/../..", "", "a\0b"]) {
      for (const [, work] of USES) await refused("hostile-path", () => work(box.files, path));
    }
    const long = "x".repeat(256);
    for (const [, work] of USES) await refused("hostile-path", () => work(box.files, long));
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["file"]);
    assertEquals(Deno.readTextFileSync(`${folder}/file`), "precious");
    assertEquals([...Deno.readDirSync(`${box.directory}/box/real`)].length, 3);
  }));

Deno.test("files and directories that nobody may read are read all the same", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  await plant(box, "mkdir d; echo 42 > d/out; chmod 0 d/out d");
  assertEquals(await box.files.readText("d/out", { limitBytes: 3 }), "42\n");
  assertEquals((await box.files.list("d")).length, 1);
  await box.files.write("d/in", "");
  assertEquals((await box.files.list("d")).length, 2);
});

Deno.test("a path of many levels, longer than the kernel takes, is walked", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const script = `import os
for _ in range(60): os.mkdir("7".zfill(200)); os.chdir("7".zfill(200))
open("file", "w").write("deep\\n")`;
  await plant(box, `python3 -c '${script}'`);
  const path = Array.from({ length: 60 }, () => "7".padStart(200, "0")).join("/");
  assert(path.length > 2 * 4096);
  assertEquals(await box.files.readText(`${path}/file`, { limitBytes: 5 }), "deep\n");
  await box.files.write(`${path}/a/b/c`, "deeper");
  assertEquals((await box.files.list(path)).map(({ name }) => name), ["a", "file"]);
  assertEquals(await box.files.readText(`${path}/a/b/c`, { limitBytes: 6 }), "deeper");
});

Deno.test("files that are huge, sparse or grow are cut off by what is read, not by what they say", () =>
  withFolder(async (folder) => {
    await using box = await Box.init({ boxId: BOX_ID });
    await plant(box, "truncate -s 1T sparse");
    await refused("too-large", () => box.files.read("sparse", { limitBytes: 1e6 }));
    const hostFile = `${folder}/copy`;
    await refused("too-large", () => box.files.copyOut([{ path: "sparse", hostFile }]));
    const abort = new AbortController();
    const run = box.run(["/bin/sh", "-c", "while :; do echo 1234567890 >> out; done"], {
      signal: abort.signal,
    });
    try {
      const limitBytes = 2_000;
      let tooLarge = 0;
      for (let i = 0; i < 1000 && tooLarge < 3; i++) {
        await box.files.copyOut([{ path: "out", hostFile, limitBytes, optional: true }]);
        const size = await box.files.read("out", { limitBytes })
          .then((bytes) => bytes.length, (error) => error.kind);
        if (size === "too-large") tooLarge++;
        else if (size !== "no-file") assert(size <= limitBytes);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      assertEquals(tooLarge, 3);
    } finally {
      abort.abort();
      await run;
    }
    for (const { name } of Deno.readDirSync(folder)) {
      assertEquals(name, "copy");
      assert(Deno.statSync(hostFile).size <= 2_000);
    }
  }));

Deno.test("a directory with too many entries is refused", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  await plant(box, "mkdir d; cd d; seq 3000 | xargs touch");
  assertEquals((await box.files.list("d", { limitEntries: 3000 })).length, 3000);
  const message = await refused("too-large", () => box.files.list("d", { limitEntries: 2999 }));
  assertEquals(message, 'Cannot list "d" in the box: it has more than 2999 entries');
});

const LEASE = `
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
int main(void) {
  int fd = open("held", O_RDWR | O_CREAT, 0600);
  sigset_t io;
  sigemptyset(&io), sigaddset(&io, SIGIO), sigprocmask(SIG_BLOCK, &io, 0);
  if (fcntl(fd, F_SETLEASE, F_WRLCK)) return 1;
  close(open("ready", O_CREAT, 0600));
  pause();
}`;

Deno.test("a program that holds a lease on its file does not keep the reader waiting", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  await installC(`${box.directory}/box/lease`, LEASE);
  const abort = new AbortController();
  // The filter does not allow it by default.
  const run = box.run(["/box/lease"], { signal: abort.signal, syscallFlags: 0 });
  let hasEnded = false;
  run.finally(() => hasEnded = true);
  try {
    while (!hasEnded && !(await box.files.list()).some(({ name }) => name === "ready")) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const startMs = performance.now();
    const message = await refused(
      "hostile-path",
      () => box.files.read("held", { limitBytes: 1 }),
    );
    assertEquals(message, 'Cannot read "held" in the box: a program holds it with a lease');
    // The kernel would wait 45 seconds for the program to give it up.
    assert(performance.now() - startMs < 20_000);
  } finally {
    abort.abort();
    await run;
  }
});

Deno.test("a file of the host that was linked into the box is not read for its caller", () =>
  withFolder(async (folder) => {
    const { Sandbox, defaultSettings } = await import("isolate/mod.ts");
    const settings = { ...defaultSettings(), boxRoot: `${folder}/boxes`, lockRoot: `${folder}/l` };
    Deno.chmodSync(folder, 0o755);
    const sandbox = await Sandbox.open({ settings, actAs: { uid: 65_003, gid: 65_003 } });
    await using box = await Box.init({ boxId: BOX_ID, sandbox });
    Deno.writeTextFileSync(`${folder}/secret`, "secret");
    // What the kernel allows everybody where fs.protected_hardlinks is off.
    Deno.linkSync(`${folder}/secret`, `${box.directory}/box/trap`);
    const message = await refused("hostile-path", () => box.files.read("trap", { limitBytes: 9 }));
    assertEquals(message, 'Cannot read "trap" in the box: it belongs to user 0');
    await box.files.write("own", "mine");
    Deno.linkSync(`${box.directory}/box/own`, `${box.directory}/box/twin`);
    assertEquals(await box.files.readText("twin", { limitBytes: 4 }), "mine");
  }));
