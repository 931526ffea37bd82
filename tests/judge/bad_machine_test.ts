/** `isolate judge` on a machine that is full or in use, or from which things vanish. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  assertOneSentence,
  type BadCase,
  GOOD_NAME,
  judgeBad,
  lineOf,
  TWICE,
} from "../support/bad_judging.ts";
import { eventually, sh, startIsolate } from "../support/isolate.ts";
import { needsJudge } from "../support/judging.ts";
import { needs, testWith } from "../support/skip.ts";

const needsMount = [...needsJudge, needs.command("mount")];

/** A small file system that is full. */
function fill(name: string): NonNullable<BadCase["prepare"]> {
  return (folder) =>
    sh(
      `mkdir ${folder}/${name}; mount -t tmpfs -o size=64k,mode=700 tmpfs ${folder}/${name}; ` +
        `cat /dev/zero > ${folder}/${name}/full 2>/dev/null || true`,
    );
}

testWith(needsMount, "boxes on a full disk are not the contestant's fault", async () => {
  const result = await judgeBad({ prepare: fill("boxes") });
  assertEquals(result.code, 2);
  assertEquals(
    lineOf(result, GOOD_NAME),
    'JE judge error: Cannot write "twice.sh" in the box: No space left on device (write: ENOSPC)',
  );
});

testWith(
  needsMount,
  "a cache on a full disk is not the contestant's fault, and leaves nothing",
  async () => {
    const result = await judgeBad({ prepare: fill("cache") });
    assertEquals(result.code, 2);
    assertMatch(
      lineOf(result, GOOD_NAME),
      /^JE judge error: Cannot keep the compiled program: .*FOLDER\/cache\/.*No space left on device/,
    );
  },
);

testWith(needsJudge, "a file in the place of the cache is not the contestant's fault", async () => {
  const result = await judgeBad({
    prepare: (folder) => Deno.writeTextFile(`${folder}/cache`, ""),
  });
  assertEquals(result.code, 2);
  assertEquals(
    lineOf(result, GOOD_NAME),
    "JE judge error: Cannot make the directory FOLDER/cache: Not a directory (openat2: ENOTDIR)",
  );
});

testWith(
  needsMount,
  "reports that cannot be written are named, and everything else is printed",
  async () => {
    const result = await judgeBad({
      prepare: fill("out"),
      args: ["--html=FOLDER/out/r.html", "--junit=/dev/full"],
    });
    assertEquals(result.code, 2);
    assertMatch(result.stdout, /^ok .*accepted\/twice\.sh +AC [^]*1 of 1 submission as expected/);
    assertEquals(result.stderr.trimEnd().split("\n"), [
      "Cannot write the report /dev/full (option --junit): Cannot write /dev/full: No space left on " +
      "device (write: ENOSPC)",
      "Cannot write the report FOLDER/out/r.html (option --html): Cannot write FOLDER/out/r.html: No " +
      "space left on device (write: ENOSPC)",
    ]);
  },
);

testWith(needsJudge, "boxes that do not exist are refused with the option's name", async () => {
  assertOneSentence(
    await judgeBad({ boxes: "11-20" }),
    "Option --box-ids must be from 0 to 19, as num_boxes is 20: current value is 11-20",
  );
});

testWith(
  needsJudge,
  "a directory that is not a control group is reported, and judging goes on",
  async () => {
    const result = await judgeBad({ config: "cg_root: FOLDER/task\n" });
    assertEquals(result.code, 0, result.stdout);
    assertStringIncludes(
      result.stdout,
      "note: Memory is limited for each process alone: The directory " +
        "FOLDER/task (configured as cg_root) lies in no cgroup file system",
    );
  },
);

testWith(needsJudge, "a package that vanishes is not the contestant's fault", async () => {
  const files = {
    ...TWICE,
    "submissions/accepted/slow.sh": "sleep 1\nread n\necho $((n * 2))\n",
  };
  const meanwhile = async (folder: string) => {
    await eventually("a test runs", async () => {
      return /^ *616\d\d sleep 1$/m.test(await sh("ps -e -o uid=,args="));
    });
    await Deno.remove(`${folder}/task`, { recursive: true });
  };
  const result = await judgeBad({ files, args: ["-j1"], meanwhile });
  assertEquals(result.code, 2, result.stdout);
  assertMatch(
    lineOf(result, "accepted/slow.sh"),
    /^JE judge error on tests\/1: The judge failed: Cannot open FOLDER\/task\/tests\/1\.ans: No /,
  );
  assertMatch(
    lineOf(result, GOOD_NAME),
    /^JE judge error: Cannot open FOLDER\/task\/submissions\/accepted\/twice\.sh: No such file/,
  );
});

testWith(needsJudge, "a package without submissions is reported to have none", async () => {
  const { [`submissions/${GOOD_NAME}`]: _, ...files } = TWICE;
  const result = await judgeBad({ files });
  assertEquals(result.code, 0, result.stdout);
  assertStringIncludes(result.stdout, "note: There are no submissions: nothing was judged\n");
});

testWith(needsJudge, "boxes that others use are waited for", async () => {
  const holder: { stop?: () => Promise<void> } = {};
  // Another judge with a program that sleeps in the only box.
  const prepare = async (folder: string) => {
    await Deno.writeTextFile(`${folder}/sleep.sh`, "sleep 31\n");
    const other = startIsolate([
      "judge",
      `--config=${folder}/isolate.yaml`,
      "--box-ids=11-11",
      "--no-cache",
      "--time-limit=60",
      `${folder}/task`,
      `${folder}/sleep.sh`,
    ], { env: { TMPDIR: `${folder}/tmp` } });
    holder.stop = async () => {
      other.kill("SIGTERM");
      const { stdout } = await other.result;
      assertStringIncludes(stdout, "interrupted");
    };
    await eventually("the other one runs", async () => {
      return /^ *616\d\d sleep 31$/m.test(await sh("ps -e -o uid=,args="));
    });
  };
  // It waits, and takes the box when it is free.
  const meanwhile = async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await holder.stop!();
  };
  const result = await judgeBad({ prepare, meanwhile, boxes: "11-11", args: ["-j1"] });
  assertEquals(result.code, 0, result.stdout + result.stderr);
  assertMatch(lineOf(result, GOOD_NAME), /^AC/);
});
