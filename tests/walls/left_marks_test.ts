/** What a program could leave besides files: access lists of /box, keys that it locks itself out of. */

import { assertEquals, assertMatch } from "@std/assert";
import { sh, withBox } from "../support/isolate.ts";
import { installC } from "../support/c_program.ts";
import { needs, testWith } from "../support/skip.ts";

const MARKS = `
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static long key(long operation, long a, long b, long c, long d) {
  return syscall(SYS_keyctl, operation, a, b, c, d);
}

int main(int argc, char **argv) {
  if (!strcmp(argv[1], "acl")) {
    const char *where = argc > 2 ? argv[2] : "/box";
    /* u::rwx u:12345:rwx g::--- m::rwx o::--- */
    struct { uint32_t version; struct { uint16_t tag, perm; uint32_t id; } e[5]; } acl = {2, {
      {1, 7, -1}, {2, 7, 12345}, {4, 0, -1}, {16, 7, -1}, {32, 0, -1}}};
    int failed = setxattr(where, "system.posix_acl_default", &acl, sizeof acl, 0)
               + setxattr(where, "system.posix_acl_access", &acl, sizeof acl, 0);
    puts(failed ? strerror(errno) : "set");
  } else if (!strcmp(argv[1], "leave")) {
    long id = syscall(SYS_add_key, "user", "mark", "x", 1, -4);
    /* Everybody may see, read and search: nobody may clear. */
    puts(id > 0 && key(5, -4, 0x0b0b0b0b, 0, 0) == 0 ? "left" : strerror(errno));
  } else {
    long found = key(10, -4, (long)"user", (long)"mark", 0);
    puts(found > 0 ? "found" : strerror(errno));
  }
}
`;

/** As the caller would, with `setfacl -d -m u:12345:rwx`. */
const SET_ACL = `
import os, struct, sys
entries = [(1, 7, 0xffffffff), (2, 7, 12345), (4, 0, 0xffffffff), (16, 7, 0xffffffff), (32, 0, 0xffffffff)]
acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
os.setxattr(sys.argv[1], "system.posix_acl_default", acl)`;

testWith(
  [needs.root(), needs.command("gcc")],
  "access lists that a program gives /box end with its run",
  async () => {
    await withBox(257, async (box) => {
      await installC(box.path("marks"), MARKS);
      const { stdout } = await box.run([], ["marks", "acl"]);
      if (stdout === "Operation not supported\n") return; // by this file system
      assertEquals(stdout, "set\n");
      const names = "import os, sys; print(os.listxattr(sys.argv[1]))";
      assertEquals(await sh(`python3 -c '${names}' ${box.path()}`), "[]\n");
      assertEquals(await sh(`stat -c %a ${box.path()}`), "700\n");
    });
  },
);

testWith(
  [needs.root(), needs.command("gcc"), needs.command("python3")],
  "access lists that a program gives directories in /box end with its run, the caller's own stay",
  async () => {
    await withBox(257, async (box) => {
      await installC(box.path("marks"), MARKS);
      await sh(`mkdir ${box.path("mine")} ${box.path("given")}`);
      await sh(`touch ${box.path("mine")}/file`);
      const set = async (path: string) => await sh(`python3 -c '${SET_ACL}' ${path}`);
      await set(box.path("mine"));
      const inside = "mkdir -p made/deep && ./marks acl given && ./marks acl made/deep";
      const { stdout } = await box.run(["-p"], ["/bin/sh", "-c", inside]);
      assertEquals(stdout, "set\nset\n");
      const names = "import os, sys; print(os.listxattr(sys.argv[1]))";
      for (const path of ["given", "made", "made/deep"]) {
        assertEquals(await sh(`python3 -c '${names}' ${box.path(path)}`), "[]\n", path);
      }
      assertMatch(await sh(`python3 -c '${names}' ${box.path("mine")}`), /acl_default/);
    });
  },
);

testWith(
  [needs.root(), needs.command("gcc")],
  "keys do not survive a run, though the program keeps others from clearing them",
  async () => {
    await withBox(257, async (box) => {
      await installC(box.path("marks"), MARKS);
      const free = ["--syscalls=0"];
      const { stdout } = await box.run(free, ["marks", "leave"]);
      if (stdout === "Function not implemented\n") return; // without keys in this kernel
      assertEquals(stdout, "left\n");
      assertEquals((await box.run(free, ["marks", "find"])).stdout, "Required key not available\n");
    });
  },
);
