/** Programs that try to become more than they are. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertDenied, attack, attackProgram } from "../support/attack.ts";
import { sh, start, withBox, withScratch } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

Deno.test("a program can neither mount, remount, unmount nor change its root", async () => {
  await withBox(220, async (box) => {
    assertDenied(await attack(box, ["privileges", "mounts"]), 30);
  });
});

Deno.test("a program can neither make nor enter a namespace, users' least of all", async () => {
  await withBox(220, async (box) => {
    assertDenied(await attack(box, ["privileges", "namespaces"], ["-p"]), 38);
  });
});

Deno.test("a program gets no namespace without the system call filter either", async () => {
  await withBox(220, async (box) => {
    assertDenied(await attack(box, ["privileges", "namespaces"], ["-p", "--syscalls=0"]), 38);
  });
});

Deno.test("a program can become no other user and get no capability", async () => {
  await withBox(221, async (box) => {
    assertDenied(await attack(box, ["privileges", "identities"]), 16);
  });
});

Deno.test("a program can change nothing of the machine", async () => {
  await withBox(221, async (box) => {
    assertDenied(await attack(box, ["privileges", "machine"]), 17);
  });
});

Deno.test("a program cannot raise its limits", async () => {
  await withBox(221, async (box) => {
    const limits = ["-m500000", "-k8192", "-n64", "-f1000", "--core=100"];
    // Address space, stack, descriptors, file size, core, processes, locked memory.
    assertDenied(await attack(box, ["privileges", "limits"], limits), 14);
  });
});

Deno.test("a program gains nothing by setuid and setgid files, where the host would honour them", async () => {
  await withScratch(async (scratch) => {
    const files = [`${scratch}/setuid`, `${scratch}/setgid`, `${scratch}/both`];
    for (const file of files) await Deno.copyFile(await attackProgram("privileges"), file);
    await sh(`chmod 4755 ${files[0]}; chmod 2755 ${files[1]}; chmod 6755 ${files[2]}`);
    const user = [
      "setpriv",
      "--reuid=7000",
      "--regid=70000",
      "--clear-groups",
      "sh",
      "-c",
      "$0 who",
    ];
    const outside = await start([...user, files[2]!]).result;
    assertStringIncludes(outside.stdout, "become root by a setuid file: GOT THROUGH");
    await withBox(222, async (box) => {
      for (const rule of ["", ":rw", ":dev", ":norec"]) {
        for (const name of ["setuid", "setgid", "both"]) {
          const run = await box.run([`--dir=suid=${scratch}${rule}`], [`/suid/${name}`, "who"]);
          assertDenied(run, 3);
        }
      }
    });
  });
});

testWith(
  [needs.command("setcap")],
  "a program gains nothing by files with capabilities",
  async () => {
    await withScratch(async (scratch) => {
      await Deno.copyFile(await attackProgram("privileges"), `${scratch}/file`);
      await sh(`chmod 755 ${scratch}/file; setcap all=eip ${scratch}/file`);
      await withBox(222, async (box) => {
        assertDenied(await box.run([`--dir=capable=${scratch}`], ["/capable/file", "who"]), 3);
      });
    });
  },
);

Deno.test("the host's own setuid programs give a program nothing", async () => {
  await withBox(223, async (box) => {
    const su = await box.run(["-p", "--wall-time=10"], ["/usr/bin/su", "-c", "id -u"]);
    assert(su.code !== 0 && !/^0$/m.test(su.stdout), su.stdout);
    const mount = await box.run(["-p", "--wall-time=10"], [
      "/usr/bin/mount",
      "-t",
      "tmpfs",
      "x",
      "/tmp",
    ]);
    assert(mount.code !== 0, mount.stderr);
    const status = await box.sh("grep -E '^(Uid|Gid|Groups|Cap|NoNew|Seccomp:)' /proc/self/status");
    const expected = [
      ["Uid:", "60223", "60223", "60223", "60223"],
      ["Gid:", "60223", "60223", "60223", "60223"],
      ["Groups:"],
      ...["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"].map((
        set,
      ) => [set, "0000000000000000"]),
      ["NoNewPrivs:", "1"],
      ["Seccomp:", "2"],
    ];
    assertEquals(status.trim().split("\n").map((line) => line.trim().split(/\s+/)), expected);
  });
});
