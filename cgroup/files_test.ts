import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { System } from "../ffi/system.ts";
import { withFolder } from "../tests/support/folder.ts";
import { needs, testWith } from "../tests/support/skip.ts";
import { ControlGroupFiles } from "./files.ts";
import { ControlGroupError } from "./types.ts";

async function withFiles(
  test: (files: ControlGroupFiles, folder: string) => void | Promise<void>,
): Promise<void> {
  const files = new ControlGroupFiles(await System.load(), () => {});
  await withFolder((folder) => test(files, folder));
}

Deno.test("ControlGroupFiles reads what there is", async () => {
  await withFiles(async (files, folder) => {
    await Deno.writeTextFile(`${folder}/value`, "0-3\n");
    assertEquals(files.read(`${folder}/value`), "0-3");
    assertEquals(files.read(`${folder}/missing`), undefined);
    assertEquals([files.exists(`${folder}/value`), files.exists(`${folder}/no`)], [true, false]);
    assertThrows(() => files.read(folder), ControlGroupError, "Is a directory");
  });
});

Deno.test("ControlGroupFiles writes, or says why it cannot", async () => {
  await withFiles(async (files, folder) => {
    await Deno.writeTextFile(`${folder}/value`, "");
    files.write(`${folder}/value`, "12");
    assertEquals(await Deno.readTextFile(`${folder}/value`), "12");
    assertEquals(files.tryWrite(`${folder}/value`, "34"), undefined);
    assertStringIncludes(files.tryWrite(`${folder}/missing`, "1")!, `"1" to ${folder}/missing`);
    assertThrows(() => files.write(`${folder}/missing`, "1"), ControlGroupError);
  });
});

Deno.test("ControlGroupFiles makes and removes directories, whatever the umask", async () => {
  await withFiles(async (files, folder) => {
    const umask = Deno.umask(0o077);
    try {
      files.makeDirectory(`${folder}/group`);
      files.makeDirectory(`${folder}/group`);
    } finally {
      Deno.umask(umask);
    }
    assertEquals((await Deno.stat(`${folder}/group`)).mode! & 0o777, 0o755);
    assertThrows(() => files.makeDirectory(`${folder}/no/group`), ControlGroupError, "Cannot make");
    assertEquals(files.removeDirectory(`${folder}/group`), 0);
    assertEquals(files.removeDirectory(`${folder}/group`), 0);
    assertEquals(files.exists(`${folder}/group`), false);
  });
});

Deno.test("ControlGroupFiles lists the groups in a group, not its files", async () => {
  await withFiles(async (files, folder) => {
    for (const name of ["one", "two with blanks"]) await Deno.mkdir(`${folder}/${name}`);
    await Deno.writeTextFile(`${folder}/cgroup.procs`, "");
    assertEquals(files.subgroups(folder).sort(), ["one", "two with blanks"]);
    assertEquals(files.subgroups(`${folder}/one`), []);
    assertEquals(files.subgroups(`${folder}/missing`), []);
  });
});

testWith([needs.root()], "ControlGroupFiles insists that a group is root's alone", async () => {
  await withFiles(async (files, folder) => {
    const group = `${folder}/group`;
    const complaint = () =>
      assertThrows(() => files.refuseForeign(group), ControlGroupError).message;
    assertMatch(complaint(), /does not exist/);
    await Deno.mkdir(group);
    await Deno.chmod(group, 0o775);
    assertMatch(complaint(), /belongs to user 0 and has mode 775/);
    await Deno.chmod(group, 0o755);
    files.refuseForeign(group);
    await Deno.chown(group, 1234, 0);
    assertMatch(complaint(), /belongs to user 1234 and has mode 755/);
  });
});
