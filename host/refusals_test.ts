import { assertEquals, assertStringIncludes } from "@std/assert";
import { explainWith, parseRights } from "./refusals.ts";

const ALL = "CapEff:\t000001ffffffffff\nSeccomp:\t0\n";
const FILTERED = ALL.replace("Seccomp:\t0", "Seccomp:\t2");
const MASKED = "20 1 0:5 / /proc rw - proc proc rw\n30 20 0:6 / /proc/kcore rw - tmpfs tmpfs rw\n";

Deno.test("parseRights() reads what the kernel says of a process", () => {
  assertEquals(
    parseRights({
      status: "CapEff:\t0000000000200000\nSeccomp:\t2\n",
      ids: "         0     100000      65536\n",
      mounts: MASKED,
      profile: "docker-default (enforce)\n",
    }),
    {
      capabilities: 1n << 21n,
      isFiltered: true,
      userIds: 65536,
      isProcMasked: true,
      profile: "docker-default",
    },
  );
  const usual = MASKED.replace("/proc/kcore", "/proc/sys/fs/binfmt_misc");
  assertEquals(parseRights({ mounts: usual }).isProcMasked, false);
  const free = parseRights({ status: ALL, ids: "0 0 4294967295\n", profile: "unconfined\n" });
  assertEquals([free.isFiltered, free.userIds, free.isProcMasked, free.profile], [
    false,
    undefined,
    false,
    undefined,
  ]);
});

Deno.test("explainWith() names the one switch that helps", () => {
  const cases = [
    [{ status: "CapEff:\t0\nSeccomp:\t2\n" }, "open_tree", "--cap-add=SYS_ADMIN"],
    [{ status: "CapEff:\t0\n" }, "chroot", "--cap-add=SYS_CHROOT"],
    [{ status: ALL, ids: "0 7 1" }, "prlimit64", "nobody may raise limits"],
    [{ status: FILTERED }, "spawn", "a profile that allows clone3"],
    [{ status: FILTERED, mounts: MASKED }, "fsmount", "systempaths=unconfined"],
    [{ status: FILTERED, mounts: MASKED }, "open_tree", "seccomp=unconfined"],
    [{ status: FILTERED, profile: "lxc (enforce)" }, "move_mount", "AppArmor profile lxc"],
  ] as const;
  for (const [texts, operation, part] of cases) {
    assertStringIncludes(explainWith(parseRights(texts), operation) ?? "", part);
  }
  assertEquals(explainWith(parseRights({ status: ALL }), "open_tree"), undefined);
  assertEquals(explainWith(parseRights({ status: "CapEff:\t0\n" }), "read"), undefined);
});
