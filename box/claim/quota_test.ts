import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { QIF_BLIMITS, QIF_ILIMITS } from "../../ffi/linux.ts";
import type { Plan } from "../../ffi/plan.ts";
import { System, SystemError } from "../../ffi/system.ts";
import { stepsOf, structOf } from "../../tests/support/plans.ts";
import { setDiskQuota } from "./quota.ts";

Deno.test("setDiskQuota() passes the kernel's struct if_dqblk for the box's user", async () => {
  const { library } = await System.load();
  let plan!: Plan;
  const system = new System(library, (traced) => plan = traced);
  const options = { fd: -1, uid: 60007, quota: { blocksKib: 5000, inodes: 40 } };
  const error = assertThrows(() => setDiskQuota(system, options), SystemError);
  assertStringIncludes(error.message, "option --quota: cannot set the disk quota");
  assertEquals(error.code, "EBADF");

  const [step] = stepsOf(plan, "quotactl_fd");
  // QCMD(Q_SETQUOTA, USRQUOTA) of <sys/quota.h>.
  assertEquals(step!.args.slice(0, 3), [-1, 0x80000800, 60007]);
  const view = structOf(plan, step!, 3);
  assertEquals(view.byteLength, 72);
  const words = Array.from({ length: 8 }, (_, i) => Number(view.getBigUint64(8 * i, true)));
  // Hard and soft limit of blocks, use; hard and soft limit of inodes, use; two times.
  assertEquals(words, [5000, 5000, 0, 40, 40, 0, 0, 0]);
  assertEquals(view.getUint32(64, true), QIF_BLIMITS | QIF_ILIMITS);
});
