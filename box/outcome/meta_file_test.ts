import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { defaultSettings } from "../../config/settings.ts";
import { withFolder } from "../../tests/support/folder.ts";
import { SandboxError } from "../../host/errors.ts";
import { MetaFile } from "./meta_file.ts";
import { Sandbox } from "../sandbox.ts";

const NOBODY = { uid: 65534, gid: 65534 };

Deno.test("MetaFile.open() empties the file at once, and write() fills it", () =>
  withFolder(async (folder) => {
    const path = `${folder}/meta`;
    Deno.writeTextFileSync(path, "of an earlier run, longer than what comes\n");
    const meta = MetaFile.open(await Sandbox.open({ settings: defaultSettings() }), path);
    assertEquals(Deno.readTextFileSync(path), "");
    meta.write({ exitCode: 0, message: "strange \uDCFF byte" });
    meta.close();
    const bytes = new TextDecoder("latin1").decode(Deno.readFileSync(path));
    assertEquals(bytes, "exitcode:0\nmessage:strange \xFF byte\n");
  }));

Deno.test("MetaFile.open() makes files that belong to the user that the sandbox acts for", () =>
  withFolder(async (folder) => {
    Deno.chmodSync(folder, 0o777);
    const sandbox = await Sandbox.open({ settings: defaultSettings(), actAs: NOBODY });
    MetaFile.open(sandbox, `${folder}/meta`).close();
    const { uid, gid } = Deno.statSync(`${folder}/meta`);
    assertEquals({ uid, gid }, NOBODY);
  }));

Deno.test("MetaFile.open() refuses what that user may not write, and leaves it as it is", () =>
  withFolder(async (folder) => {
    Deno.chmodSync(folder, 0o755);
    const sandbox = await Sandbox.open({ settings: defaultSettings(), actAs: NOBODY });
    Deno.writeTextFileSync(`${folder}/root`, "root's");
    Deno.writeTextFileSync(`${folder}/group`, "root's group's");
    Deno.chmodSync(`${folder}/group`, 0o660);
    Deno.symlinkSync("root", `${folder}/link`);
    for (const name of ["root", "group", "link", "new"]) {
      const error = assertThrows(() => MetaFile.open(sandbox, `${folder}/${name}`), SandboxError);
      assertStringIncludes(error.message, `option --meta: cannot open ${folder}/${name}`);
      assertEquals([error.kind, error.step, error.errno], ["system", "openat", 13]);
    }
    assertEquals(Deno.readTextFileSync(`${folder}/root`), "root's");
    assertEquals(Deno.readTextFileSync(`${folder}/group`), "root's group's");
  }));

Deno.test("MetaFile.write() says that the disk is full", async () => {
  const meta = MetaFile.open(await Sandbox.open({ settings: defaultSettings() }), "/dev/full");
  const error = assertThrows(() => meta.write({ exitCode: 0 }), SandboxError);
  meta.close();
  assertStringIncludes(error.message, "Cannot write the meta-file /dev/full: No space left");
});
