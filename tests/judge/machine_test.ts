/** Judging on a machine that lacks something. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { needsJudge, openWith, resultOf, SUM, verdicts, withPackage } from "../support/judging.ts";
import { withFolder } from "../support/folder.ts";
import { needs, testWith } from "../support/skip.ts";

const GOOD = "print(sum(map(int, input().split())))\n";

async function withSmallDisk(test: (folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const command = (name: string, ...args: string[]) =>
      new Deno.Command(name, { args, stdin: "null" }).output();
    const { success } = await command("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder);
    assert(success);
    try {
      await test(folder);
    } finally {
      await command("umount", "--lazy", folder);
    }
  });
}

testWith(
  [...needsJudge, needs.command("mount")],
  "a disk that is full is a judge error, and the rest goes on",
  async () => {
    const files = {
      ...SUM,
      "problem.yaml": "name: Sum\nlimits: {time_limit: 1, memory: 128, output: 8}\n",
      "submissions/wrong_answer/much.py": "print('x' * (4 << 20))\n",
      "submissions/accepted/sum.py": GOOD,
    };
    await withPackage(files, async (judge) => {
      await withSmallDisk(async (disk) => {
        const place = await openWith({ boxRoot: `${disk}/boxes`, lockRoot: `${disk}/locks` });
        const report = await judge.judge({ ...place, jobs: 1 });
        const much = resultOf(report, "wrong_answer/much.py");
        assertEquals(much.verdict, "JE");
        assertMatch(much.message, /^The judge failed: .*No space left on device/);
        assertEquals(resultOf(report, "accepted/sum.py").verdict, "AC");
      });
    });
  },
);

testWith(
  needsJudge,
  "without control groups memory is limited nevertheless, with a warning",
  async () => {
    const files = {
      ...SUM,
      "submissions/accepted/sum.py": GOOD,
      "submissions/memory_limit_exceeded/much.py":
        "x = []\nwhile True: x.append(bytearray(1 << 20))\n",
    };
    await withPackage(files, async (judge) => {
      const place = await openWith({
        cgRoot: { kind: "directory", directory: "/sys/fs/cgroup/nowhere/at/all" },
      });
      const report = await judge.judge({ ...place, jobs: 1 });
      assertEquals(verdicts(report), {
        "accepted/sum.py": "AC: Accepted",
        "memory_limit_exceeded/much.py": "MLE: More than 128 MiB of memory",
      });
      assert(
        report.warnings.some((warning) =>
          /limited for each process alone: The .*configured as cg_root/.test(warning)
        ),
      );
    });
  },
);
