import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  complaintAbout,
  readFiles,
  SMALL_PACKAGE,
  withoutFolder,
  withPackage,
} from "../../tests/support/package.ts";
import { PackageError } from "./errors.ts";
import { PackageFiles } from "./files.ts";
import { readPackage } from "./read.ts";

async function makeFifo(path: string): Promise<void> {
  const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
  assertEquals(success, true);
}

Deno.test("readPackage() says what it found if there is no package", async () => {
  const start = "pack: not a problem package: it needs a problem.yaml or a task.yaml, but ";
  assertEquals(await complaintAbout({}), start + "is empty");
  const some = { "b.txt": "", "a/x": "", "c\x1b[1m": "" };
  assertEquals(
    await complaintAbout(some).catch(String),
    "pack/c\\x1b[1m: has invisible characters or invalid UTF-8 in its name; rename it",
  );
  assertEquals(await complaintAbout({ "b.txt": "", "a/x": "" }), start + "has only a/, b.txt");
  const many = Object.fromEntries("abcdefghijk".split("").map((name) => [name, ""]));
  assertEquals(await complaintAbout(many), start + "has only a, b, c, d, e, f, g, h, …");
});

Deno.test("readPackage() says that there is no such folder", async () => {
  await withPackage({}, async ({ host, directory }) => {
    const path = `${directory}/none`;
    const error = await readPackage(host, path).catch((error) => error);
    assertEquals(
      withoutFolder(error.message, directory),
      "pack/none: cannot open the folder: No such file or directory",
    );
  });
});

Deno.test("readPackage() says that a file is not a package", async () => {
  await withPackage({ "file": "" }, async ({ host, directory }) => {
    const error = await readPackage(host, `${directory}/file`).catch((error) => error);
    assertEquals(
      withoutFolder(error.message, directory),
      "pack/file: cannot open the folder: Not a directory",
    );
  });
});

Deno.test("readPackage() finds a package through a link, by its real name", async () => {
  await withPackage(SMALL_PACKAGE, async ({ host, directory }) => {
    await Deno.symlink("pack", `${directory}/../other`);
    assertEquals((await readPackage(host, `${directory}/../other/`)).directory, directory);
  });
});

Deno.test("readPackage() follows links that stay inside, and gives where files really lie", async () => {
  const problem = await readFiles({
    ...SMALL_PACKAGE,
    "shared/2.in": "",
    "data/secret/2.in": { link: "../../shared/2.in" },
    "data/secret/2.ans": { link: "1.ans" },
    "data/secret/group": { link: "../more" },
    "data/more/3.in": "",
    "data/more/3.ans": "",
  });
  const group = problem.data.members[0]!;
  const members = group.kind === "group" ? group.group.members : [];
  const [, second, third] = members;
  if (second?.kind !== "test" || third?.kind !== "group") throw new TypeError("is missing");
  assertEquals(second.test.name, "secret/2");
  assertEquals(second.test.inputFile, `${problem.directory}/shared/2.in`);
  assertEquals(second.test.answerFile, `${problem.directory}/data/secret/1.ans`);
  const [inner] = third.group.members;
  assertEquals(inner?.kind === "test" && inner.test.name, "secret/group/3");
  assertEquals(
    inner?.kind === "test" && inner.test.inputFile,
    `${problem.directory}/data/more/3.in`,
  );
});

const LEADS_OUT = "is a symbolic link that leads out of the package; only relative links that " +
  "stay inside are followed, or with --root=FOLDER in a folder above it";

for (
  const [name, link, reason] of [
    ["out of the package", "../../../secret", LEADS_OUT],
    ["to an absolute path", "/etc/passwd", LEADS_OUT],
    ["nowhere", "none", "is a broken symbolic link"],
    ["to itself", "2.in", "is a symbolic link to itself"],
  ] as const
) {
  Deno.test(`readPackage() refuses a link that leads ${name}`, async () => {
    const files = { ...SMALL_PACKAGE, "data/secret/2.in": { link } };
    const message = await complaintAbout(
      files,
      (directory) => Deno.writeTextFile(`${directory}/../secret`, ""),
    );
    assertEquals(message, `pack/data/secret/2.in: ${reason}`);
  });
}

Deno.test("readPackage() refuses a problem.yaml outside of the package", async () => {
  const files = { "problem.yaml": { link: "/etc/hostname" } };
  assertEquals(await complaintAbout(files), `pack/problem.yaml: ${LEADS_OUT}`);
});

Deno.test("readPackage() refuses a folder of tests outside of the package", async () => {
  const files = { "problem.yaml": "", "data": { link: "/etc" } };
  assertEquals(await complaintAbout(files), `pack/data: ${LEADS_OUT}`);
});

Deno.test("readPackage() does not follow a circle of folders for ever", async () => {
  const files = { ...SMALL_PACKAGE, "data/secret/again": { link: "../secret" } };
  const message = await complaintAbout(files);
  assertStringIncludes(message, "is more than 32 folders deep; is there a link to a folder above?");
});

Deno.test("readPackage() does not wait for the other end of a pipe", async () => {
  const message = await complaintAbout(
    SMALL_PACKAGE,
    (directory) =>
      makeFifo(`${directory}/data/secret/2.in`).then(() =>
        Deno.writeTextFile(`${directory}/data/secret/2.ans`, "")
      ),
  );
  const reason = "must be a regular file, not a pipe, a socket or a device";
  assertEquals(message, `pack/data/secret/2.in: ${reason}`);
  assertEquals(
    await complaintAbout({}, (directory) => makeFifo(`${directory}/problem.yaml`)),
    `pack/problem.yaml: ${reason}`,
  );
});

Deno.test("readPackage() refuses names that cannot be printed", async () => {
  for (const [name, shown] of [["a\nb", "a\\nb"], ["\u202eb", "\\u202eb"]]) {
    const files = { ...SMALL_PACKAGE, [`data/secret/${name}.in`]: "" };
    assertEquals(
      await complaintAbout(files),
      `pack/data/secret/${shown}.in: has invisible characters or invalid UTF-8 in its name; ` +
        "rename it",
    );
  }
});

Deno.test("readPackage() refuses files that are larger than any problem.yaml is", async () => {
  const files = { "problem.yaml": `name: ${"a".repeat(1 << 20)}\n` };
  assertEquals(await complaintAbout(files), "pack/problem.yaml: is larger than 1048576 bytes");
});

Deno.test("readPackage() refuses a problem.yaml that is not UTF-8, and accepts a byte order mark", async () => {
  const bytes = new Uint8Array([0x61, 0x3a, 0xff]);
  assertEquals(
    await complaintAbout({ "problem.yaml": bytes }),
    "pack/problem.yaml: is not valid UTF-8",
  );
  assertEquals(
    (await readFiles({ ...SMALL_PACKAGE, "problem.yaml": "\ufeffname: Mark" })).title,
    "Mark",
  );
});

Deno.test("PackageFiles refuses more entries than it looks at", async () => {
  await withPackage({}, async ({ host, directory }) => {
    await Deno.mkdir(`${directory}/many`);
    for (let i = 0; i < 1001; i++) await Deno.writeTextFile(`${directory}/many/${i}`, "");
    using files = new PackageFiles(host, directory);
    // A hundred times 1,001 is more than the cap.
    const list = () => {
      for (let i = 0; i < 100; i++) files.list("many");
    };
    const error = assertThrows(list, PackageError);
    assertEquals(
      withoutFolder(error.message, directory),
      "pack/many: is in a package of more than 100000 files",
    );
  });
});

Deno.test("a problem keeps one descriptor open, and a refused package none", async () => {
  await withPackage(SMALL_PACKAGE, async ({ host, directory }) => {
    const count = () => [...Deno.readDirSync("/proc/self/fd")].length;
    await readPackage(host, directory);
    const before = count();
    await readPackage(host, directory);
    await complaintAbout({ ...SMALL_PACKAGE, "data/secret/2.in": { link: "/etc/passwd" } });
    // That of the first problem may be closed by now.
    assert(count() <= before + 1);
  });
});
