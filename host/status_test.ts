import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { S_IFREG } from "../ffi/linux.ts";
import { System } from "../ffi/system.ts";
import { withFolder } from "../tests/support/folder.ts";
import { statusOf } from "./open.ts";
import { isRootsAlone, readStatus, STATX_SIZE } from "./status.ts";

/** What the kernel says of a file with this mode. */
function statusWith(mode: number) {
  const view = new DataView(new ArrayBuffer(STATX_SIZE));
  view.setUint16(28, mode, true);
  return readStatus(view);
}

Deno.test("readStatus() tells all kinds apart, and takes what is unknown for a device", () => {
  const modes = [0o100644, 0o040755, 0o120777, 0o010600, 0o140755, 0o020666, 0o060600, 0];
  assertEquals(modes.map((mode) => statusWith(mode).kind), [
    "file",
    "directory",
    "symlink",
    "fifo",
    "socket",
    "device",
    "block-device",
    "device",
  ]);
  assertEquals(statusWith(S_IFREG | 0o4755).mode, 0o4755);
});

Deno.test("readStatus() reads what the kernel says of a file", () =>
  withFolder(async (folder) => {
    const system = await System.load();
    const path = `${folder}/file`;
    await Deno.writeTextFile(path, "12345");
    await Deno.link(path, `${folder}/link`);
    await Deno.chown(path, 12, 34);
    await Deno.chmod(path, 0o4711);
    const { identity, mountId, ...rest } = statusOf(system, path)!;
    assert(mountId > 0n);
    const { ino, mtime } = await Deno.stat(path);
    assertEquals(rest, {
      kind: "file",
      mode: 0o4711,
      uid: 12,
      gid: 34,
      links: 2,
      sizeBytes: 5,
      modifiedAtMs: mtime!.getTime(),
    });
    assert(identity.endsWith(`:${ino}`));
    assertEquals(statusOf(system, `${folder}/link`)?.identity, identity);
    assertNotEquals(statusOf(system, folder)?.identity, identity);
    assertEquals(statusOf(system, `${folder}/none`), undefined);
  }));

Deno.test("isRootsAlone() accepts what root owns and nobody else can write to", () =>
  withFolder(async (folder) => {
    const system = await System.load();
    const check = () => isRootsAlone(statusOf(system, folder)!);
    for (const [mode, isAlone] of [[0o755, true], [0o775, false], [0o757, false]] as const) {
      Deno.chmodSync(folder, mode);
      assertEquals(check(), isAlone, mode.toString(8));
    }
    Deno.chmodSync(folder, 0o700);
    Deno.chownSync(folder, 1234, 0);
    assertEquals(check(), false);
  }));
