/** Errors of the sandbox itself: what callers can rely on. */

import { ERRNO } from "isolate/ffi/errno.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  Box,
  defaultDirectoryRules,
  defaultSettings,
  type DirectoryRule,
  parseDirectoryRule,
  type RunOptions,
  Sandbox,
  SandboxError,
} from "isolate/mod.ts";
import { withFolder } from "isolate/tests/support/folder.ts";

const BOX_ID = 404;

function rules(...texts: string[]): DirectoryRule[] {
  return [
    ...defaultDirectoryRules(),
    ...texts.map((text) => parseDirectoryRule(text) as DirectoryRule),
  ];
}

interface Expected {
  /** What was asked for, as it appears in the message. */
  names: string;
  step: string;
  errno: number;
  says: string;
}

const { ENOENT, EBADF, EROFS, ENOTDIR } = ERRNO;

const FAILURES: readonly [string, RunOptions, Expected][] = [
  ["a rule whose source is missing", { directoryRules: rules("data=/no/such") }, {
    names: "directory rule 'data=/no/such': cannot open /no/such",
    step: "openat2",
    errno: ENOENT,
    says: "No such file or directory",
  }],
  ["a rule below one that is bound", { directoryRules: rules("usr/nothing=/opt") }, {
    names: "directory rule 'usr/nothing=/opt': cannot find the mount point /usr/nothing",
    step: "openat2",
    errno: ENOENT,
    says: "must exist already",
  }],
  ["an input that does not exist", { stdin: { path: "nothing" } }, {
    names: "standard input: cannot open nothing inside the box",
    step: "openat",
    errno: ENOENT,
    says: "No such file or directory",
  }],
  ["an output that cannot be written", { stdout: { path: "/usr/out" } }, {
    names: "standard output: cannot open /usr/out inside the box",
    step: "openat",
    errno: EROFS,
    says: "Read-only file system",
  }],
  ["errors that cannot be written", { stderr: { path: "/no/err" } }, {
    names: "standard error: cannot open /no/err inside the box",
    step: "openat",
    errno: ENOENT,
    says: "as the box's user",
  }],
  ["a descriptor that is not open", { stdin: { fd: 999_999 } }, {
    names: "cannot pass descriptor 999999 to the box",
    step: "fcntl",
    errno: EBADF,
    says: "Bad file descriptor",
  }],
  ["a working directory that is not there", { workingDirectory: "/nowhere" }, {
    names: "working directory: cannot enter /nowhere inside the box",
    step: "chdir",
    errno: ENOENT,
    says: "No such file or directory",
  }],
  ["a working directory that is a file", { workingDirectory: "/bin/true" }, {
    names: "working directory: cannot enter /bin/true",
    step: "chdir",
    errno: ENOTDIR,
    says: "Not a directory",
  }],
];

for (const [what, options, { names, step, errno, says }] of FAILURES) {
  Deno.test(`run() names the option or rule, the call and the reason: ${what}`, async () => {
    await using box = await Box.init({ boxId: BOX_ID });
    const error = await assertRejects(() => box.run(["/bin/true"], options), SandboxError);
    assertStringIncludes(error.message.replace(/^Cannot/, "cannot"), names);
    assertStringIncludes(error.message, says);
    assertEquals([error.kind, error.step, error.errno], ["system", step, errno]);
    assertEquals(error.message.includes("\n"), false, "one sentence");
    // The box is as good as before.
    assertEquals((await box.run(["/bin/true"])).kind, "exit");
  });
}

Deno.test("run() gives the files back to the caller after an error", async () => {
  await using box = await Box.init({ boxId: BOX_ID });
  const path = `${box.directory}/box/file`;
  await Deno.writeTextFile(path, "");
  const options = { workingDirectory: "/nowhere" };
  await assertRejects(() => box.run(["/bin/true"], options), SandboxError);
  assertEquals(Deno.statSync(path).uid, 0);
  assertEquals(Deno.statSync(`${box.directory}/box`).uid, 0);
});

Deno.test("run() refuses a box whose directory was replaced by a link", async () => {
  await withFolder(async (folder) => {
    const box = await Box.init({ boxId: BOX_ID });
    await Deno.remove(`${box.directory}/box`);
    await Deno.symlink(folder, `${box.directory}/box`);
    const error = await assertRejects(() => box.run(["/bin/true"]), SandboxError);
    assertStringIncludes(error.message, "box, which must be a real directory");
    await box.cleanup();
    assertEquals(Deno.statSync(folder).uid, 0);
  });
});

Deno.test("run() fails with one sentence if the box was removed behind its back", async () => {
  const box = await Box.init({ boxId: BOX_ID });
  await Deno.remove(box.directory, { recursive: true });
  const error = await assertRejects(() => box.run(["/bin/true"]), SandboxError);
  assertEquals([error.kind, error.message], [
    "no-box",
    `Box not found, did you run \`isolate --box-id=${BOX_ID} --init'?`,
  ]);
  await box.cleanup();
});

Deno.test("init() refuses roots that others can write to", async () => {
  await withFolder(async (folder) => {
    for (const key of ["boxRoot", "lockRoot"] as const) {
      const settings = {
        ...defaultSettings(),
        boxRoot: `${folder}/boxes`,
        lockRoot: `${folder}/locks`,
        [key]: `${folder}/open`,
      };
      await Deno.mkdir(`${folder}/open`, { recursive: true });
      await Deno.chmod(`${folder}/open`, 0o777);
      const sandbox = await Sandbox.open({ settings });
      const error = await assertRejects(() => Box.init({ sandbox }), SandboxError);
      assertEquals(error.kind, "hostile-path");
      assertStringIncludes(error.message, `${folder}/open`);
      await Deno.chmod(`${folder}/open`, 0o755);
      await Deno.chown(`${folder}/open`, 65_001, 0);
      await assertRejects(() => Box.init({ sandbox }), SandboxError, "belongs to user 65001");
    }
  });
});

Deno.test("init() with a quota names the option where the file system has no quotas, and leaves nothing", async () => {
  const folder = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "isolate-test-" });
  try {
    const settings = {
      ...defaultSettings(),
      boxRoot: `${folder}/boxes`,
      lockRoot: `${folder}/locks`,
    };
    const sandbox = await Sandbox.open({ settings });
    const quota = { blocksKib: 1000, inodes: 100 };
    const error = await assertRejects(() => Box.init({ sandbox, quota }), SandboxError);
    assertEquals([error.kind, error.step], ["system", "quotactl_fd"]);
    assertStringIncludes(error.message, "option --quota: cannot set the disk quota");
    assertEquals([...Deno.readDirSync(`${folder}/boxes`)], []);
    assertEquals(Deno.statSync(`${folder}/locks/0`).size, 0);
    // The next one gets the box.
    await using _box = await Box.init({ sandbox });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
