/** Programs that read, write and leave what they should not. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertDenied, attack, attackProgram, installAttack } from "../support/attack.ts";
import { sh, start, withBox, withScratch } from "../support/isolate.ts";

/** setpriv executes its program with the capabilities that it still has. */
const SHELL = ["sh", "-c", 'exec "$@"', "sh"];

Deno.test("a program cannot read a file of the host that everybody else may read", async () => {
  await withScratch(async (scratch) => {
    await Deno.writeTextFile(`${scratch}/secret`, "secret");
    await withBox(200, async (box) => {
      assertDenied(await attack(box, ["files", "read-host", `${scratch}/secret`]), 17);
    });
  });
});

Deno.test("a program cannot open a file of the host by its handle", async () => {
  await withBox(200, async (box) => {
    // On the file system of the boxes, which the program can name by its own directory.
    const secret = `${box.directory}/secret`;
    await Deno.writeTextFile(secret, "secret");
    const tool = await attackProgram("files");
    const { code, stdout } = await start([tool, "print-handle", secret]).result;
    assertEquals(code, 0);
    const handle = stdout.trim().split(" ");
    assertDenied(await attack(box, ["files", "open-handle", ...handle]), 9);
  });
});

Deno.test("a program cannot write to a directory that is bound read-only, whatever its modes are", async () => {
  await withScratch(async (scratch) => {
    const shared = `${scratch}/shared`;
    await Deno.mkdir(shared);
    await Deno.chmod(shared, 0o777);
    await Deno.writeTextFile(`${shared}/file`, "content");
    await Deno.chmod(`${shared}/file`, 0o666);
    await Deno.mkdir(`${shared}/nested`);
    // Mounted below what is bound: read-only must hold there, too.
    await sh(`mount -t tmpfs -o mode=0777 none ${shared}/nested`);
    try {
      await withBox(201, async (box) => {
        const result = await attack(box, ["files", "write-shared"], [`--dir=shared=${shared}`]);
        assertDenied(result, 14);
        assertStringIncludes(result.stdout, "make a file: denied (Read-only file system)");
        assertStringIncludes(
          result.stdout,
          "write below a nested mount: denied (Read-only file system)",
        );
      });
      assertEquals(await Deno.readTextFile(`${shared}/file`), "content");
      assertEquals(await sh(`ls -A ${shared} ${shared}/nested | wc -w`), "4\n");
    } finally {
      await sh(`umount ${shared}/nested`);
    }
  });
});

Deno.test("a program cannot write to the system's directories, devices and kernel files", async () => {
  await withBox(202, async (box) => {
    assertDenied(await attack(box, ["files", "write-system"]), 18);
  });
});

Deno.test("a program cannot leave setuid files, devices, FIFOs, sockets or links behind", async () => {
  await withBox(203, async (box) => {
    assertDenied(await attack(box, ["files", "leave"]), 11);
    const kinds = await sh(`find ${box.path()} -mindepth 1 -printf '%P %y %m %u\\n' | sort`);
    assertEquals(kinds, "attack-files f 755 root\nsetuid f 755 root\nsub d 755 root\n");
    const { mode } = await Deno.stat(box.path());
    assertEquals(mode! & 0o7777, 0o700, "the program has opened box/ to others");
  });
});

Deno.test("no other user can reach what a program leaves in its /tmp, setuid or not", async () => {
  await withBox(204, async (box) => {
    assertDenied(await attack(box, ["files", "leave"]), 11);
    const left = `${box.directory}/tmp/tmp/setuid`;
    assert((await Deno.stat(left)).isFile);
    const others = ["setpriv", "--reuid=7000", "--regid=7000", "--clear-groups", ...SHELL];
    const { code } = await start([left, "leave"], { through: others }).result;
    assert(code === 126 || code === 127, `it was executed: ${code}`);
    assertEquals((await start(["test", "-e", left], { through: others }).result).code, 1);
  });
});

Deno.test("special files that a program leaves with --special-files do not survive cleanup or init", async () => {
  await withBox(205, async (box) => {
    const leave = await installAttack(box, "files");
    assertDenied(await box.run(["--special-files"], [leave, "leave"]), 11);
    assert((await Deno.lstat(box.path("symlink"))).isSymlink);
    assert((await Deno.lstat(box.path("fifo"))).isFifo);
    assert((await Deno.lstat(box.path("socket"))).isSocket);
    assertEquals((await box.run([], ["/bin/true"])).code, 0);
    const kinds = await sh(`find ${box.path()} -mindepth 1 -printf '%y\\n' | sort -u`);
    assertEquals(kinds, "d\nf\n");
  });
});
