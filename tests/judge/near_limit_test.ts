/** Times near the limit are measured again while nothing else runs. */

import { assertEquals } from "@std/assert";
import type { JudgeBox, JudgeBoxes } from "isolate/judge/boxes.ts";
import { BoxPool, type Sandbox } from "isolate/mod.ts";
import { JUDGE_BOXES, needsJudge, SUM, withPackage } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

/** Makes boxes that tell of each run. */
function toldBoxes(sandbox: Sandbox, onRun: (command: readonly string[]) => void): JudgeBoxes {
  const told = (box: JudgeBox): JudgeBox => ({
    run: (command, options) => {
      onRun(command);
      return box.run(command, options);
    },
    clear: (options) => box.clear(options),
    files: box.files,
    sandbox: box.sandbox,
    directory: box.directory,
    hasControlGroup: box.hasControlGroup,
    peakMemoryIsOfBox: box.peakMemoryIsOfBox,
  });
  const open = (cpus: "each" | undefined) =>
    BoxPool.create({
      sandbox,
      size: 2,
      firstBoxId: JUDGE_BOXES.first,
      count: JUDGE_BOXES.count,
      ...cpus && { cpus },
    });
  return {
    whyNoControlGroups: "a test",
    pool: ({ cpus }) => {
      const opened = open(cpus);
      return {
        lease: async (options) => {
          const { signal } = options;
          const lease = await (await opened).lease(signal ? { signal } : {});
          return {
            box: told(lease.box),
            cpu: lease.cpu,
            keep: () => lease.keep(),
            [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose](),
          };
        },
        [Symbol.asyncDispose]: async () => await (await opened)[Symbol.asyncDispose](),
      };
    },
  };
}

testWith(needsJudge, "a test near the time limit is run again, alone, if others ran", async () => {
  const runs = async (seconds: number, jobs: number) => {
    const source = `import time
while time.process_time() < ${seconds}: pass
print(sum(map(int, input().split())))
`;
    const files = { ...SUM, "submissions/accepted/a.py": source };
    const commands: string[] = [];
    await withPackage(files, async ({ judge, sandbox }) => {
      const boxes = toldBoxes(sandbox, (command) => commands.push(command.join(" ")));
      await judge({ jobs, boxes, timeLimitMs: 500 });
    });
    return commands.filter((command) => command.endsWith("/program/a.py")).length;
  };
  assertEquals([await runs(0.47, 1), await runs(0.47, 2), await runs(0.1, 2)], [2, 4, 2]);
});
