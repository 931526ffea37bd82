/**
 * The command lines of real systems, word for word, and the keys of the meta-file that each of them
 * reads afterwards.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { cgTest, greedyProgram, groupsOf, membersOf } from "../support/control_group.ts";
import {
  type CommandResult,
  eventually,
  isolate,
  parseMetaText,
  processesOf,
  sh,
  start,
  startIsolate,
  withScratch,
} from "../support/isolate.ts";

type Meta = Record<string, string>;

/** What a client has: its box, which it makes and cleans up itself, and places of its own. */
interface Places {
  id: number;
  /** `BOX_ROOT/ID`, as it is printed. */
  box: string;
  /** A directory of the host. */
  outer: string;
  /** The program `greedy`, on the host. */
  greedy: string;
}

function client(name: string, id: number, test: (places: Places) => Promise<void>): void {
  cgTest(name, async () => {
    await withScratch(async (outer) => {
      const greedy = `${outer}/greedy`;
      await Deno.copyFile(await greedyProgram(), greedy);
      await Deno.chmod(greedy, 0o755);
      try {
        await test({ id, box: `/var/local/lib/isolate/${id}`, outer, greedy });
      } finally {
        await isolate(["--cg", "--cleanup", `-b${id}`]);
      }
      assertEquals(groupsOf(id), []);
      assertEquals(await processesOf(60000 + id), []);
    });
  });
}

/** As Piston reads it: a line without a colon makes it throw. */
async function readMeta(path: string): Promise<Meta> {
  return parseMetaText(await Deno.readTextFile(path));
}

function assertNumbers(meta: Meta, keys: readonly string[]): void {
  for (const key of keys) assertMatch(meta[key] ?? "missing", /^\d+(\.\d+)?$/, key);
}

/** One line of a shell, as many clients start the command; \`isolate\` is the command. */
function shell(line: string, env: Record<string, string> = {}): Promise<CommandResult> {
  const command = startWords.map((word) => `'${word}'`).join(" ");
  return start(["/bin/bash", "-c", `isolate() { ${command} "$@"; }\n${line}`], { env }).result;
}

const startWords = [
  Deno.execPath(),
  ...["run", "--quiet", "--no-prompt", "--allow-ffi"],
  new URL("../../direct.ts", import.meta.url).pathname,
];

async function cms({ id, outer, greedy }: Places): Promise<void> {
  // On a box that never existed.
  assertEquals((await isolate([`--box-id=${id}`, "--cg", "--cleanup"])).code, 0);
  assertEquals((await isolate([`--box-id=${id}`, "--cg", "--init"])).code, 0);
  await sh(`mkdir ${outer}/home; chmod 777 ${outer}/home; cp ${greedy} ${outer}/home/greedy
    printf '1 2' > ${outer}/home/x`);
  const run = async (
    { extra = [], limits = ["--time=1.5", "--wall-time=10", "--extra-time=0.5"] }: {
      extra?: string[];
      limits?: string[];
    },
    command: string[],
  ) => {
    const [time, ...walls] = limits;
    const { code, stderr } = await isolate([
      ...["--cg", `--box-id=${id}`, "--chdir=/tmp", `--dir=/tmp=${outer}/home:rw`],
      ...["--dir=/dev/shm:tmp", "--dir=/etc/alternatives=/etc/alternatives", "--full-env"],
      ...["--env=HOME=/tmp", "--fsize=1048576", ...extra, "--stack=65536", "--cg-mem=51200"],
      ...["--stdout=/tmp/stdout.txt", "--processes=9", "--stderr=/tmp/stderr.txt", time!],
      ...["--verbose", "--verbose", ...walls, `--meta=${outer}/run.meta.0`, "--run", "--"],
      ...command,
    ]);
    assert(code < 2, stderr);
    return { code, meta: await readMeta(`${outer}/run.meta.0`) };
  };
  const sum = await run({ extra: ["--stdin=/tmp/x"] }, [
    "/bin/sh",
    "-c",
    "read a b; echo $((a+b))",
  ]);
  assertEquals([sum.code, await Deno.readTextFile(`${outer}/home/stdout.txt`)], [0, "3\n"]);
  assertNumbers(sum.meta, ["time", "time-wall", "cg-mem", "exitcode"]);
  for (const key of ["exitsig", "status", "message", "cg-oom-killed"]) {
    assert(!(key in sum.meta), key);
  }

  const large = await run({}, ["./greedy", "heap", "100000"]);
  assertEquals([large.code, large.meta["exitsig"], large.meta["cg-oom-killed"]], [1, "9", "1"]);
  assertEquals([large.meta["status"], large.meta["message"]], ["SG", "Caught fatal signal 9"]);

  const crashed = await run({}, ["/bin/sh", "-c", "kill -SEGV $$"]);
  assertEquals([crashed.code, crashed.meta["exitsig"]], [1, "11"]);

  // The word `wall` distinguishes a wall clock timeout from a CPU timeout.
  const asleep = await run({ limits: ["--time=1.5", "--wall-time=0.3"] }, ["/bin/sleep", "9"]);
  assertEquals(asleep.meta["status"], "TO");
  assertMatch(asleep.meta["message"]!, /wall/);
  const limits = ["--time=0.2", "--wall-time=20", "--extra-time=0.5"];
  const busy = await run({ limits }, ["./greedy", "busy", "60000", "2"]);
  assertEquals([busy.meta["status"], busy.meta["message"]], ["TO", "Time limit exceeded"]);

  // Owned by the box's user, as what a program has made there.
  await sh(`chown -R ${60000 + id}:${60000 + id} ${outer}/home`);
  const chmod = await isolate([
    ...[`--box-id=${id}`, "--cg", `--dir=/tmp=${outer}/home:rw`, "--run", "--"],
    ...["/bin/chmod", "777", "-R", "/tmp"],
  ]);
  assertEquals(chmod.code, 0, chmod.stderr);
}

client("CMS: cleanup, init, runs, chmod", 570, cms);

cgTest("CMS: two boxes at once talk through FIFOs in directories bound into both", async () => {
  await withScratch(async (outer) => {
    await sh(`mkdir ${outer}/fifos; chmod 777 ${outer}/fifos
      mkfifo -m 666 ${outer}/fifos/u0_to_m ${outer}/fifos/m_to_u0`);
    const ids = [571, 572];
    const box = (id: number, script: string) => [
      ...["--cg", `--box-id=${id}`, `--dir=/fifo0=${outer}/fifos:rw`, "--cg-mem=102400"],
      ...["--processes=2", "--time=5", "--wall-time=30", `--meta=${outer}/meta.${id}`],
      ...["--run", "--", "/bin/sh", "-c", script],
    ];
    try {
      for (const id of ids) {
        assertEquals((await isolate([`--box-id=${id}`, "--cg", "--init"])).code, 0);
      }
      const results = await Promise.all([
        isolate(box(571, "echo question > /fifo0/u0_to_m; read a < /fifo0/m_to_u0; echo got $a")),
        isolate(box(572, "read q < /fifo0/u0_to_m; echo answer to $q > /fifo0/m_to_u0")),
      ]);
      assertEquals(
        results.map(({ code }) => code),
        [0, 0],
        results[0]!.stderr + results[1]!.stderr,
      );
      assertEquals(results[0]!.stdout, "got answer to question\n");
      for (const id of ids) {
        assertNumbers(await readMeta(`${outer}/meta.${id}`), ["cg-mem", "time"]);
      }
    } finally {
      for (const id of ids) await isolate([`--box-id=${id}`, "--cg", "--cleanup"]);
    }
  });
});

cgTest("CMS: box ids up to 65000, where so many are configured", async () => {
  await withScratch(async (outer) => {
    const config = `${outer}/isolate`;
    const roots = `box_root = ${outer}/boxes\nlock_root = ${outer}/locks\n`;
    await Deno.writeTextFile(config, `${roots}num_boxes = 65536\n`, { mode: 0o644 });
    const box = [`--config=${config}`, "--box-id=65000", "--cg"];
    try {
      assertEquals((await isolate([...box, "--cleanup"])).code, 0);
      assertEquals((await isolate([...box, "--init"])).stdout, `${outer}/boxes/65000\n`);
      const run = [...box, "--cg-mem=51200", `--meta=${outer}/meta`, "--run", "--", "/bin/true"];
      assertEquals((await isolate(run)).code, 0);
      assertNumbers(await readMeta(`${outer}/meta`), ["time", "time-wall", "cg-mem", "exitcode"]);
    } finally {
      assertEquals((await isolate([...box, "--cleanup"])).code, 0);
    }
    assertEquals(groupsOf(65000), []);
  });
});

client("Piston: init, compile, run, SIGABRT, another box, cleanup", 573, async (places) => {
  const { id, outer, greedy } = places;
  const init = await isolate(["--init", "--cg", `-b${id}`]);
  assertEquals([init.code, init.stdout], [0, `${places.box}\n`]);
  const inside = `${init.stdout.trim()}/box`;
  await sh(`mkdir ${inside}/submission ${outer}/package; chmod 755 ${outer}/package
    cp ${greedy} ${outer}/package
    echo 'echo "$HOME $K $1"; cat; pwd; test -e /etc/passwd' > ${outer}/package/run
    echo '${outer}/package/greedy heap 100000' > ${outer}/package/large
    echo 'touch ready; sleep 30 & yes' > ${outer}/package/flood`);
  // The original cannot bind below /tmp, where this test's package is; here the rule for /tmp goes first.
  const where = outer.startsWith("/tmp/") ? ["--dir=/tmp="] : [];
  const args = (script: string, extra: string[] = []) => [
    ...[
      ...where,
      "--run",
      `-b${id}`,
      `--meta=${outer}/meta`,
      "--cg",
      "-s",
      "-c",
      "/box/submission",
    ],
    ...["-E", "HOME=/tmp", "-E", "K=V", "-E", "PATH=/usr/bin:/bin", `--dir=${outer}/package`],
    ...["--dir=/etc:noexec", "--processes=64", "--open-files=2048", "--fsize=10000"],
    ...["--wall-time=3", "--time=3", "--extra-time=0", ...extra],
    ...["--", "/bin/bash", `${outer}/package/${script}`, "arg"],
  ];
  const result = await isolate(args("run", ["--cg-mem=102400", "--share-net"]), {
    stdin: "input\n",
  });
  const expected = [0, "/tmp V arg\ninput\n/box/submission\n", ""];
  assertEquals([result.code, result.stdout, result.stderr], expected);
  const keys = [
    "time",
    "time-wall",
    "exitcode",
    "cg-mem",
    "csw-voluntary",
    "csw-forced",
    "max-rss",
  ];
  assertNumbers(await readMeta(`${outer}/meta`), keys);

  assertEquals((await isolate(args("large", ["--cg-mem=51200"]))).code, 1);
  const large = await readMeta(`${outer}/meta`);
  assertEquals(large["cg-oom-killed"], "1");

  // Output is read until it is too much; then the command gets SIGABRT.
  const flood = args("flood").filter((arg) => arg !== "--wall-time=3");
  await using running = startIsolate(flood);
  await eventually(
    "the program runs",
    () => Deno.stat(`${inside}/submission/ready`).then(() => true, () => false),
  );
  running.kill("SIGABRT");
  assertEquals((await running.result).code, 2);
  assertEquals((await readMeta(`${outer}/meta`))["status"], "XX");
  assertEquals([await processesOf(60000 + id), await membersOf(id)], [[], []]);

  // The submission moves from one box into another.
  await sh(`echo compiled > ${inside}/submission/binary; mv ${inside}/submission ${outer}/moved`);
  assertEquals((await isolate(["--cleanup", "--cg", `-b${id}`])).code, 0);
  assertEquals((await isolate(["--init", "--cg", `-b${id}`])).code, 0);
  await sh(`mv ${outer}/moved ${inside}/submission; echo 'cat binary' > ${outer}/package/run`);
  const moved = await isolate(args("run"));
  assertEquals([moved.code, moved.stdout], [0, "compiled\n"]);
});

client("Judge0: init, runs with redirected streams, unzip, cleanup", 574, async (places) => {
  const { id, box, outer, greedy } = places;
  const init = await shell(`isolate --cg -b ${id} --init`);
  assertEquals([init.code, init.stdout], [0, `${box}\n`]);
  await sh(`echo 'read x; echo "got $x $HOME"; echo oops >&2; exit 7' > ${box}/box/run.sh
    echo data > ${outer}/in; cp ${greedy} ${box}/box/greedy; echo './greedy heap 100000' > ${box}/box/large.sh`);
  const line = (extra: string, command: string) =>
    `isolate --cg -s -b ${id} -M ${outer}/meta ${extra} -t 5.0 -x 1.0 -w 10.0 -k 64000 -p60 ` +
    `--cg-timing --cg-mem=51200 -f 1024 -E HOME=/tmp -E PATH="/usr/bin:/bin" -E LANG -E LANGUAGE ` +
    `-E LC_ALL -d /etc:noexec --run -- ${command} < ${outer}/in > ${outer}/out 2> ${outer}/err`;
  assertEquals((await shell(line("", "/bin/bash run.sh"))).code, 1);
  assertEquals(await Deno.readTextFile(`${outer}/out`), "got data /tmp\n");
  assertEquals(await Deno.readTextFile(`${outer}/err`), "oops\n");
  const meta = await readMeta(`${outer}/meta`);
  assertNumbers(meta, ["time", "time-wall", "cg-mem", "exitcode"]);
  assertEquals([meta["status"], meta["message"]], ["RE", "Exited with error status 7"]);

  assertEquals((await shell(line("--stderr-to-stdout --share-net", "/bin/bash run.sh"))).code, 1);
  assertEquals(await Deno.readTextFile(`${outer}/out`), "got data /tmp\noops\n");
  assertEquals((await shell(line("-i /dev/null", "/bin/bash run.sh"))).code, 1);
  assertEquals(await Deno.readTextFile(`${outer}/out`), "got  /tmp\n");

  // Without the time of the group, and with a limit of the address space.
  const older = line("", "/bin/bash run.sh").replace("--cg-timing", "--no-cg-timing")
    .replace("--cg-mem=51200", "-m 512000");
  assertEquals((await shell(older)).code, 1);
  assertEquals((await readMeta(`${outer}/meta`))["exitcode"], "7");

  assertEquals((await shell(line("", "/bin/bash large.sh"))).code, 1);
  assertEquals((await readMeta(`${outer}/meta`))["cg-oom-killed"], "1");

  assertEquals((await shell(line("", "./missing"))).code, 1);
  const complaint = await Deno.readTextFile(`${outer}/err`);
  assertMatch(complaint, /^execve\("\.\/missing"\): No such file or directory$/m);

  const unzip = await shell(
    `isolate --cg -s -b ${id} -M ${outer}/meta --stderr-to-stdout -i /dev/null -t 2 -x 1 -w 4 ` +
      `-k 128000 -p60 --cg-timing --cg-mem=512000 -f 4096 --run -- /bin/true`,
  );
  assertEquals([unzip.code, unzip.stderr], [0, ""]);
  assertEquals((await shell(`isolate --cg -b ${id} --cleanup`)).code, 0);
  assert(!(await Deno.stat(box).then(() => true, () => false)), "the work directory vanishes");
});

client("ReCodEx: init, runs with its rules, directories moved, cleanup", 575, async (places) => {
  const { id, box, outer, greedy } = places;
  assertEquals((await isolate(["--cg", `--box-id=${id}`, "--init"])).code, 0);
  await sh(`mkdir -p ${box}/box/d ${outer}/src; echo data > ${outer}/src/file
    cp ${greedy} ${box}/box/greedy; echo input > ${box}/box/d/in; chmod 755 ${outer}/src`);
  const run = async (command: string[], extra: string[] = []) => {
    const { code, stderr } = await isolate([
      ...["--cg", "--cg-timing", `--box-id=${id}`, "--cg-mem=51200", "--time=1.5", "--wall-time=8"],
      ...["--extra-time=0", "--stack=65536", "--fsize=1024", "--stdin=d/in", "--stdout=out"],
      ...["--stderr-to-stdout", "--chdir=../box/d", "--processes=5", "--share-net", "--dir=/etc"],
      ...["--env=K=V", `--dir=evaluate=${outer}/src:rw`, ...extra],
      ...["--dir=etc/alternatives=/etc/alternatives:maybe", `--meta=${outer}/meta`, "--run", "--"],
      ...command,
    ]);
    assert(code < 2, stderr);
    return await readMeta(`${outer}/meta`);
  };
  const script = "pwd; cat; cat /evaluate/file; echo $K >&2";
  const meta = await run(["/bin/sh", "-c", script]);
  assertEquals(await Deno.readTextFile(`${box}/box/out`), "/box/d\ninput\ndata\nV\n");
  const numbers = ["time", "time-wall", "max-rss", "cg-mem", "csw-voluntary", "csw-forced"];
  assertNumbers(meta, [...numbers, "exitcode"]);
  for (const key of ["killed", "exitsig", "status", "message"]) assert(!(key in meta), key);

  const killed = await run(["/box/greedy", "busy", "60000", "3"], ["--time=0.2"]);
  assertEquals([killed["status"], killed["killed"], killed["message"]], [
    "TO",
    "1",
    "Time limit exceeded",
  ]);
  assertNumbers(killed, numbers);
  const large = await run(["/box/greedy", "heap", "100000"]);
  assertEquals([large["status"], large["exitsig"]], ["SG", "9"]);

  await sh(`mv ${box}/box ${outer}/taken; mkdir -p ${outer}/new/d; touch ${outer}/new/d/in
    mv ${outer}/new ${box}/box`);
  assertEquals((await run(["/bin/ls", "-A", "/box"], ["--processes"]))["exitcode"], "0");
  assertEquals(await Deno.readTextFile(`${outer}/taken/d/in`), "input\n");
  assertEquals((await isolate(["--cg", `--box-id=${id}`, "--cleanup"])).code, 0);
});

client("kjudge: success is the absence of a message", 576, async ({ id, outer, greedy, box }) => {
  assertEquals((await isolate([`-b${id}`, "--cg", "--init"])).code, 0);
  await Deno.copyFile(greedy, `${box}/box/greedy`);
  const run = async (command: string[]) => {
    const { code } = await isolate([
      ...[`-b${id}`, "--cg", "--run", "-M", `${outer}/meta`, "-t", "1.5", "-w", "8.0", "-x", "1.0"],
      ...["-f", "262144", "-p", "-s", "--env=ONLINE_JUDGE=1", "--cg-mem=51200", "--", ...command],
    ]);
    return { code, meta: await readMeta(`${outer}/meta`) };
  };
  const good = await run(["/bin/sh", "-c", "test $ONLINE_JUDGE = 1"]);
  assertEquals([good.code, good.meta["message"]], [0, undefined]);
  assertNumbers(good.meta, ["time", "time-wall", "cg-mem"]);
  const bad = await run(["/bin/false"]);
  assertEquals([bad.code, bad.meta["message"]], [1, "Exited with error status 1"]);
  const large = await run(["./greedy", "heap", "100000"]);
  assertEquals([large.code, large.meta["cg-oom-killed"]], [1, "1"]);
  assert((await isolate(["--version"])).stdout.includes("The process isolator"));
});

client("Kilonova: a run with everything spelled out", 577, async ({ id, box, outer }) => {
  assertEquals((await isolate([`--box-id=${id}`, "--cg", "--init"])).code, 0);
  await sh(`echo 42 > ${box}/box/in`);
  const run = async (script: string) => {
    const { code, stderr } = await isolate([
      ...[`--box-id=${id}`, "--cg", "--processes", "--cg-timing", "--dir=/etc/alternatives:maybe"],
      ...["--env=A=B", "--time=1", "--wall-time=8", "--cg-mem=51200", "--stdin=/box/in"],
      ...["--stdout=/box/out", "--stderr=/box/err", `--meta=${outer}/meta`, "--silent"],
      ...["--run", "--", "/bin/sh", "-c", script],
    ]);
    assertEquals(stderr, "");
    return { code, meta: await readMeta(`${outer}/meta`) };
  };
  const { code, meta } = await run("cat | cat; echo $A >&2");
  assertEquals([code, meta["exitcode"]], [0, "0"]);
  assertNumbers(meta, ["time", "time-wall", "cg-mem"]);
  assertEquals(await Deno.readTextFile(`${box}/box/out`), "42\n");
  assertEquals(await Deno.readTextFile(`${box}/box/err`), "B\n");
  assertEquals((await run("exit 3")).meta["status"], "RE");
});

client("taskgrader: rules with quotes, and a cleanup without --cg", 578, async ({ id, outer }) => {
  assertEquals((await isolate([`--box-id=${id}`, "--cg", "--init"])).code, 0);
  const line = `isolate --box-id=${id} --cg --cg-mem=51200 --processes --dir="/etc":maybe ` +
    `--dir="/no/where":maybe --dir="/opt":maybe --meta=${outer}/meta --run -- ` +
    `/bin/sh -c 'test -e /etc/passwd; test ! -e /no/where'`;
  const { code, stderr } = await shell(line);
  assertEquals(code, 0, stderr);
  assertNumbers(await readMeta(`${outer}/meta`), ["time", "time-wall", "cg-mem", "exitcode"]);
  assertEquals((await isolate([`--box-id=${id}`, "--cleanup"])).code, 0);
  assertEquals(groupsOf(id), []);
});
