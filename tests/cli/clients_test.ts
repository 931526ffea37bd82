/**
 * The command lines of real systems, word for word but for control groups, and what each of them
 * reads afterwards.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  eventually,
  isolate,
  parseMetaText,
  processesOf,
  sh,
  startIsolate,
  withScratch,
} from "../support/isolate.ts";

/** A box that the client itself makes and cleans up. */
function client(
  name: string,
  id: number,
  test: (places: { box: string; outer: string }) => Promise<void>,
): void {
  Deno.test(name, async () => {
    await withScratch(async (outer) => {
      try {
        await test({ box: `/var/local/lib/isolate/${id}`, outer });
      } finally {
        await isolate(["--cleanup", `-b${id}`]);
      }
    });
  });
}

async function meta(path: string): Promise<Record<string, string>> {
  return parseMetaText(await Deno.readTextFile(path));
}

client("CMS: cleanup, init, compile, evaluate, chmod, cleanup", 120, async ({ outer }) => {
  const run = async (options: string[], command: string[]) => {
    const { code } = await isolate([
      ...["--box-id=120", "--chdir=/tmp", `--dir=/tmp=${outer}/home:rw`, "--dir=/dev/shm:tmp"],
      ...["--dir=/etc/alternatives=/etc/alternatives", ...options, "--run", "--", ...command],
    ]);
    assert([0, 1, 2].includes(code), `exit status ${code}`);
    return code;
  };
  assertEquals((await isolate(["--box-id=120", "--cleanup"])).code, 0);
  assertEquals((await isolate(["--box-id=120", "--init"])).code, 0);
  await sh(`mkdir ${outer}/home; chmod 777 ${outer}/home; echo '1 2' > ${outer}/home/x`);
  await sh(
    `printf '#!/bin/sh\\nread a b\\necho $((a+b))\\n' > ${outer}/home/program; chmod 755 ${outer}/home/program`,
  );
  const options = (extra: string[] = []) => [
    ...["--env=HOME=/tmp", "--fsize=1024", "--stdin=/tmp/x", "--stack=65536", ...extra],
    ...["--stdout=/tmp/stdout.txt", "--processes=3", "--stderr=/tmp/stderr.txt", "--time=1.5"],
    ...["--verbose", "--wall-time=10", "--extra-time=0.5", `--meta=${outer}/run.meta.0`],
  ];
  assertEquals(await run(options(["--full-env"]), ["./program"]), 0);
  assertEquals(await Deno.readTextFile(`${outer}/home/stdout.txt`), "3\n");
  const good = await meta(`${outer}/run.meta.0`);
  assertEquals([good["exitcode"], good["status"], good["message"]], ["0", undefined, undefined]);
  assert(Number(good["time"]) < 1.5 && Number(good["time-wall"]) < 10);

  assertEquals(await run(options(), ["/bin/sh", "-c", "kill -SEGV $$"]), 1);
  assertEquals((await meta(`${outer}/run.meta.0`))["exitsig"], "11");

  // The word `wall` distinguishes a wall clock timeout from a CPU timeout.
  assertEquals(await run([...options(), "--wall-time=0.3"], ["/bin/sleep", "9"]), 1);
  assertMatch((await meta(`${outer}/run.meta.0`))["message"]!, /wall/);
  assertEquals(
    await run([...options(), "--time=0.1", "--extra-time=0"], [
      "/bin/sh",
      "-c",
      "while :; do :; done",
    ]),
    1,
  );
  const slow = await meta(`${outer}/run.meta.0`);
  assertEquals([slow["status"], slow["message"]!.includes("wall")], ["TO", false]);

  const chmod = [
    "--box-id=120",
    `--dir=/tmp=${outer}/home:rw`,
    "--run",
    "--",
    "/bin/chmod",
    "777",
    "-R",
    "/tmp",
  ];
  // Owned by somebody else, as in the original only files of the box's user can be changed.
  assertEquals((await isolate(chmod)).code, 1);
  await sh(`chown -R 60120:60120 ${outer}/home`);
  assertEquals((await isolate(chmod)).code, 0);
  assertEquals((await isolate(["--box-id=120", "--cleanup"])).code, 0);
});

client(
  "Piston: init, run of a package with files moved between boxes, SIGABRT, cleanup",
  121,
  async ({ outer }) => {
    const init = await isolate(["--init", "-b121"]);
    assertEquals([init.code, init.stdout.trim() + "/box"], [0, "/var/local/lib/isolate/121/box"]);
    const inside = `${init.stdout.trim()}/box`;
    await sh(`mkdir ${inside}/submission ${outer}/package; chmod 755 ${outer}/package
    echo 'echo "$HOME $K $1"; cat; pwd; test -e /etc/passwd' > ${outer}/package/run; echo 'touch made; sleep 30 & yes' > ${outer}/package/flood`);
    const args = (script: string) => [
      ...[
        "--run",
        "-b121",
        `--meta=${outer}/meta`,
        "-s",
        "-c",
        "/box/submission",
        "-E",
        "HOME=/tmp",
      ],
      ...["-E", "K=V", "-E", "PATH=/usr/bin:/bin", `--dir=${outer}/package`, "--dir=/etc:noexec"],
      ...["--processes=64", "--open-files=2048", "--fsize=10000", "--wall-time=3", "--time=3"],
      ...["--extra-time=0", "--share-net", "--", "/bin/bash", `${outer}/package/${script}`, "arg"],
    ];
    // The original cannot bind below /tmp, where this test's package is; here the rule for /tmp goes first.
    const where = outer.startsWith("/tmp/") ? ["--dir=/tmp="] : [];
    const result = await isolate([...where, ...args("run")], { stdin: "input\n" });
    assertEquals([result.code, result.stdout, result.stderr], [
      0,
      "/tmp V arg\ninput\n/box/submission\n",
      "",
    ]);
    const read = await meta(`${outer}/meta`);
    for (const key of ["time", "time-wall", "exitcode", "csw-voluntary", "max-rss"]) {
      assert(
        key in read,
        key,
      );
    }

    // Output is read until it is too much; then the command gets SIGABRT.
    await using flood = startIsolate([
      ...where,
      ...args("flood").filter((arg) => arg !== "--wall-time=3"),
    ]);
    await eventually(
      "the program runs",
      async () => await Deno.stat(`${inside}/submission/made`).then(() => true, () => false),
    );
    flood.kill("SIGABRT");
    assertEquals((await flood.result).code, 2);
    assertEquals((await meta(`${outer}/meta`))["status"], "XX");
    assertEquals(await processesOf(60121), []);

    // The submission moves from one box into another.
    await sh(`echo compiled > ${inside}/submission/binary; mv ${inside}/submission ${outer}/moved`);
    assertEquals((await isolate(["--cleanup", "-b121"])).code, 0);
    assertEquals((await isolate(["--init", "-b121"])).code, 0);
    await sh(`mv ${outer}/moved ${inside}/submission`);
    const moved = await isolate([
      "--run",
      "-b121",
      "-s",
      "-c",
      "/box/submission",
      "--",
      "/bin/cat",
      "binary",
    ]);
    assertEquals([moved.code, moved.stdout], [0, "compiled\n"]);
  },
);

client(
  "Judge0: init, compile, run with redirected streams, unzip, cleanup",
  122,
  async ({ box, outer }) => {
    assertEquals((await isolate(["-b", "122", "--init"])).stdout.trim(), box);
    await sh(
      `echo 'read x; echo "got $x $HOME"; echo oops >&2; exit 7' > ${box}/box/run.sh; echo data > ${outer}/in`,
    );
    const environment = [
      "-E",
      "HOME=/tmp",
      "-E",
      'PATH="/usr/bin:/bin"',
      "-E",
      "LANG",
      "-E",
      "LANGUAGE",
      "-E",
      "LC_ALL",
    ];
    const limits = ["-t", "5.0", "-x", "1.0", "-w", "10.0", "-k", "64000", "-p60"];
    const through = [
      "/bin/bash",
      "-c",
      `exec "$0" "$@" < ${outer}/in > ${outer}/out 2> ${outer}/err`,
    ];
    for (const timing of ["--cg-timing", "--no-cg-timing"]) {
      const args = ["-s", "-b", "122", timing, "--run", "--", "/bin/true"];
      assertEquals((await isolate(args)).code, 0, timing);
    }
    const run = async (extra: string[], command: string[]) =>
      (await isolate([
        ...[
          "-s",
          "-b",
          "122",
          "-M",
          `${outer}/meta`,
          ...extra,
          ...limits,
          "-m",
          "512000",
          "-f",
          "1024",
        ],
        ...[...environment, "-d", "/etc:noexec", "--run", "--", ...command],
      ], { through })).code;
    assertEquals(await run([], ["/bin/bash", "run.sh"]), 1);
    assertEquals(await Deno.readTextFile(`${outer}/out`), "got data /tmp\n");
    assertEquals(await Deno.readTextFile(`${outer}/err`), "oops\n");
    const read = await meta(`${outer}/meta`);
    assertEquals([read["status"], read["exitcode"]], ["RE", "7"]);
    assertEquals(read["message"], "Exited with error status 7");

    assertEquals(
      await run(["--stderr-to-stdout", "--share-net", "-i", "/dev/null"], ["/bin/bash", "run.sh"]),
      1,
    );
    assertEquals(await Deno.readTextFile(`${outer}/out`), "got  /tmp\noops\n");

    assertEquals(await run([], ["./missing"]), 1);
    assertMatch(
      await Deno.readTextFile(`${outer}/err`),
      /^execve\("\.\/missing"\): No such file or directory$/m,
    );

    const unzip = [
      "-s",
      "-b",
      "122",
      "-M",
      `${outer}/meta`,
      "-t",
      "2",
      "-x",
      "1",
      "-w",
      "4",
      "-k",
      "128000",
      "-p60",
      "-f",
      "4096",
    ];
    assertEquals((await isolate([...unzip, "--run", "--", "/bin/true"])).code, 0);
    assertEquals((await isolate(["-b", "122", "--cleanup"])).code, 0);
    assertEquals(
      await Deno.stat(box).then(() => true, () => false),
      false,
      "the work directory vanishes",
    );
  },
);

client(
  "ReCodEx: init, run with its rules, all keys of the meta-file, directories moved",
  123,
  async ({ box, outer }) => {
    assertEquals((await isolate(["--box-id=123", "--init"])).code, 0);
    await sh(
      `mkdir -p ${box}/box/d ${outer}/src; echo data > ${outer}/src/file; chmod 755 ${outer}/src`,
    );
    const run = () =>
      isolate([
        ...["--box-id=123", "--time=0.5", "--wall-time=2", "--extra-time=0", "--stack=65536"],
        ...["--fsize=1024", "--stdin=d/in", "--stdout=out", "--stderr-to-stdout"],
        ...["--chdir=../box/d", "--processes=5", "--share-net", "--dir=/etc", "--env=K=V"],
        ...[`--dir=evaluate=${outer}/src:rw`, "--dir=etc/alternatives=/etc/alternatives:maybe"],
        ...[`--meta=${outer}/meta`, "--run", "--"],
        ...["/bin/sh", "-c", "pwd; cat; cat /evaluate/file; echo $K >&2"],
      ]);
    assertEquals((await run()).code, 2, "there is no input yet");
    assertEquals((await meta(`${outer}/meta`))["status"], "XX");
    await sh(`echo input > ${box}/box/d/in`);
    const again = await run();
    assertEquals(again.code, 0, again.stderr);
    assertEquals(await Deno.readTextFile(`${box}/box/out`), "/box/d\ninput\ndata\nV\n");
    const read = await meta(`${outer}/meta`);
    for (const key of ["time", "time-wall", "max-rss", "csw-voluntary", "csw-forced", "exitcode"]) {
      assertMatch(read[key] ?? "missing", /^[\d.]+$/, key);
    }
    await sh(`mv ${box}/box ${outer}/taken; mkdir ${outer}/new; mv ${outer}/new ${box}/box`);
    assertEquals(
      (await isolate(["--box-id=123", "--processes", "--run", "--", "/bin/ls", "-A"])).code,
      0,
    );
    assertEquals(await Deno.readTextFile(`${outer}/taken/d/in`), "input\n");
  },
);

client("kjudge: success is the absence of a message", 124, async ({ outer }) => {
  assertEquals((await isolate(["-b124", "--init"])).code, 0);
  const run = (command: string[]) =>
    isolate([
      ...[
        "-b124",
        "--run",
        "-M",
        `${outer}/meta`,
        "-t",
        "1.5",
        "-w",
        "3.0",
        "-x",
        "1.0",
        "-f",
        "262144",
      ],
      ...["-p", "-s", "--env=ONLINE_JUDGE=1", "--", ...command],
    ]);
  assertEquals((await run(["/bin/sh", "-c", "test $ONLINE_JUDGE = 1"])).code, 0);
  assertEquals((await meta(`${outer}/meta`))["message"], undefined);
  assertEquals((await run(["/bin/false"])).code, 1);
  assertEquals((await meta(`${outer}/meta`))["message"], "Exited with error status 1");
});

client("Kilonova: a run with everything spelled out", 125, async ({ box, outer }) => {
  assertEquals((await isolate(["--box-id=125", "--init"])).code, 0);
  await sh(`echo 42 > ${box}/box/in`);
  const { code, stderr } = await isolate([
    ...["--box-id=125", "--processes", "--dir=/etc/alternatives:maybe", "--env=A=B", "--time=1"],
    ...["--wall-time=3", "--stdin=/box/in", "--stdout=/box/out", "--stderr=/box/err"],
    ...[
      `--meta=${outer}/meta`,
      "--silent",
      "--run",
      "--",
      "/bin/sh",
      "-c",
      "cat | cat; echo $A >&2",
    ],
  ]);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(await Deno.readTextFile(`${box}/box/out`), "42\n");
  assertEquals(await Deno.readTextFile(`${box}/box/err`), "B\n");
  assertEquals((await meta(`${outer}/meta`))["exitcode"], "0");
});

client("taskgrader: rules with quotes and maybe", 126, async ({ outer }) => {
  assertEquals((await isolate(["--box-id=126", "--init"])).code, 0);
  // The shell takes the quotes off, as it does for the original.
  const rules = `--dir="/etc":maybe --dir="/no/where":maybe --dir="/opt":maybe`;
  const script =
    `"$0" "$@" ${rules} --meta=${outer}/meta --run -- /bin/sh -c 'test -e /etc/passwd; test ! -e /no/where'`;
  const { code, stderr } = await isolate(["--box-id=126"], {
    through: ["/bin/bash", "-c", script],
  });
  assertEquals(code, 0, stderr);
  assertEquals((await meta(`${outer}/meta`))["exitcode"], "0");
  assertEquals((await isolate(["--box-id=126", "--cleanup"])).code, 0);
});
