/** Programs that are root in their box (`--root-inside`), and try to be root. */

import { assertEquals } from "@std/assert";
import { assertDenied, attack } from "../support/attack.ts";
import { sh, withBox, withScratch } from "../support/isolate.ts";

const ROOT = "--root-inside";

Deno.test("root inside can neither mount nor change its root", async () => {
  await withBox(225, async (box) => {
    assertDenied(await attack(box, ["privileges", "mounts"], [ROOT]), 30);
  });
});

Deno.test("root inside can neither make nor enter a namespace, with the filter or without", async () => {
  await withBox(225, async (box) => {
    assertDenied(await attack(box, ["privileges", "namespaces"], [ROOT, "-p"]), 38);
    const unfiltered = [ROOT, "-p", "--syscalls=0"];
    assertDenied(await attack(box, ["privileges", "namespaces"], unfiltered), 38);
  });
});

Deno.test("root inside can change nothing of the machine, and not raise its limits", async () => {
  await withBox(225, async (box) => {
    assertDenied(await attack(box, ["privileges", "machine"], [ROOT]), 17);
    assertDenied(await attack(box, ["inside_root", "machine"], [ROOT]), 13);
    const limits = ["-m500000", "-k8192", "-n64", "-f1000", "--core=100"];
    assertDenied(await attack(box, ["privileges", "limits"], [ROOT, ...limits]), 14);
  });
});

Deno.test("root inside can become nobody else", async () => {
  await withBox(225, async (box) => {
    assertDenied(await attack(box, ["inside_root", "identities"], [ROOT]), 22);
  });
});

Deno.test("root inside has no power over the init of its box", async () => {
  await withBox(225, async (box) => {
    assertDenied(await attack(box, ["inside_root", "init"], [ROOT]), 17);
  });
});

Deno.test("root inside gets nothing of root's files, devices and settings", async () => {
  await withScratch(async (scratch) => {
    await sh(`cd ${scratch}; mkdir -m 700 d; echo secret >d/secret; chmod 600 d/secret`);
    await withBox(225, async (box) => {
      const rules = [ROOT, `--dir=given=${scratch}:rw`];
      assertDenied(await attack(box, ["inside_root", "files", "/given/d"], rules), 28);
      assertEquals(
        await sh(`stat -c %u:%g:%a ${scratch}/d ${scratch}/d/secret`),
        "0:0:700\n0:0:600\n",
      );
    });
  });
});

Deno.test("a setuid file of root inside is nothing outside", async () => {
  await withBox(225, async (box) => {
    await box.run([ROOT, "-p"], ["/bin/sh", "-c", "cp /usr/bin/id id; chmod 6755 id"]);
    const { uid, mode } = await Deno.lstat(box.path("id"));
    // It is the caller's again.
    assertEquals([uid, mode! & 0o6000], [0, 0]);
  });
});
