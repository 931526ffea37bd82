/** The direct command and the client of a service: what they say, write and return is the same. */

import { assertEquals } from "@std/assert";
import {
  CLIENT,
  type CommandOptions,
  DIRECT,
  ENTRY,
  start,
  withScratch,
} from "../support/isolate.ts";
import { startService } from "../support/service.ts";

/** A command line, with `$S` in place of a scratch directory. */
interface Case {
  readonly args: readonly string[];
  readonly options?: CommandOptions;
}

function command(...args: string[]): Case {
  return { args };
}

/** A run in box 7 with a meta-file. */
function run(options: string[], program: string[], surroundings?: CommandOptions): Case {
  const args = ["-b7", "-M$S/meta", ...options, "--run", "--", ...program];
  return surroundings ? { args, options: surroundings } : { args };
}

const sh = (script: string) => ["/bin/sh", "-c", script];
const shell = (script: string): CommandOptions => ({ through: ["/bin/bash", "-c", script] });
const OTHER = ["--as-uid=1234", "--as-gid=4321"];
/** Runs as another user, who may read everything: the project may lie where only root can go. */
const UNPRIVILEGED = [
  ...["setpriv", "--reuid=1234", "--regid=1234", "--clear-groups"],
  ...["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"],
];

const CASES: readonly Case[] = [
  command(),
  command("--version"),
  command("--help"),
  command("--check-config"),
  command("-vv", "--check-config"),
  command("--nonsense", "--init"),
  command("--run"),
  command("-b7", "--init", "extra"),
  command("-b99999999", "--init"),
  command("prog", "--run", "-b8"),
  command("prog", "--version"),
  command("-b7", "--run", "--", "/bin/true"),
  command("-b7", "-v", "--cleanup"),
  command("-b7", "--cleanup", "-M-"),
  command("-b7", "-v", "--init"),
  command("-b7", "--cg-mem=1", "--init"),
  command("-b7", "--as-uid=5", "--init"),
  command("--config=/no/where", "--init"),
  command("--config=/usr", "--init"),
  command("-b7", "-M$S", "--init"),
  command("-b7", "-M$S/none/meta", "--run", "--", "/bin/true"),
  command("-b7", "-M$S/first", "-M$S/meta", "--run", "--", "/bin/true"),
  command("-b7", "-M$S/first", "-M/no/where", "--run", "--", "/bin/true"),
  command("-b7", "-M-", "--run", "--", "/bin/echo", "x"),
  command("-b7", "-M/dev/full", "--run", "--", "/bin/true"),
  command("-b7", "-M/dev/null", "-s", "--run", "--", "/bin/true"),
  command("-b7", "-M$S/meta", "--nonsense"),
  command("-b7", "-M$S/meta", ...OTHER, "--run", "--", "/bin/true"),
  run([], ["/bin/true"]),
  run(["-s"], ["/bin/true"]),
  command("-b7", "-M$S/first", "-M$S/meta", "-M-", "-s", "--run", "--", "/bin/true"),
  {
    args: ["-b7", "-M$S/fifo", "--run", "--", "/bin/true"],
    options: {
      through: [
        "/bin/bash",
        "-c",
        'for f in "$@"; do case $f in -M*) f=${f#-M}; break; esac; done; mkfifo $f; cat $f > ${f%fifo}meta & "$0" "$@"; x=$?; wait; exit $x',
      ],
    },
  },
  run(["-v"], ["/bin/true"]),
  run(["-vv", "-EA=1"], ["/bin/true"]),
  run([], ["/bin/false"]),
  run([], sh("exit 3")),
  run([], ["/none"]),
  run([], ["relative"]),
  run([], ["/etc"]),
  run([], sh("kill -SEGV $$")),
  run([], sh("echo out; echo err >&2")),
  run(["-w0.2"], ["/bin/sleep", "9"]),
  run(["-t0.1"], sh("while :; do :; done")),
  run(["-f1"], sh("yes > file")),
  run(["-m20000"], sh("x=$(yes)")),
  run(["-n3"], sh("ulimit -n")),
  run(["-p"], sh("sleep 60 & echo $(ulimit -a)")),
  run(["-ofile"], sh("echo x")),
  run(["-ifile"], ["/bin/cat"]),
  run(["-inone"], ["/bin/cat"]),
  run(["-ofile", "--stderr-to-stdout"], sh("echo x; echo y >&2")),
  run(["-rfile"], sh("echo y >&2")),
  run([], ["/bin/cat"], { stdin: "input\n" }),
  run(["-e"], ["/usr/bin/env"], { clearEnv: true, env: { PATH: "/bin:/usr/bin", B: "2" } }),
  run(["-EPATH"], ["/usr/bin/env"], { clearEnv: true, env: { PATH: "/bin:/usr/bin" } }),
  run(["-E="], ["/bin/true"]),
  run(["--dir=x"], ["/bin/true"]),
  run(["--dir=/x=/no/where"], ["/bin/true"]),
  run(["--dir=/x=/no/where:maybe"], sh("ls /")),
  run(["--dir=/x=$S:rw"], sh("ls /x")),
  run(["--dir=/x=$S:bad"], ["/bin/true"]),
  run(["--dir=/y=./:rw"], sh("ls /y")),
  run(["-c/none"], ["/bin/true"]),
  run(["--inherit-fds"], sh("cat <&9"), shell('exec 9<<<nine; exec "$0" "$@"')),
  run(["--tty-hack"], ["/bin/true"]),
  run(["--syscalls=0"], ["/bin/true"]),
  run(["--cpus=0"], ["/bin/true"]),
  // Above the default of open files: only root who may raise limits gets that where the caller has less.
  run([], sh("ulimit -s; ulimit -Hn"), shell('ulimit -n 1500; ulimit -s 4000; exec "$0" "$@"')),
  run(["-n0"], sh("ulimit -Sn; ulimit -Hn"), shell('ulimit -n 700; exec "$0" "$@"')),
  run([], sh("umask"), shell('umask 0; exec "$0" "$@"')),
  run([], ["/bin/cat"], shell('exec "$0" "$@" <&- >&-')),
  run([], sh("ls /proc/self/fd"), shell('exec "$0" "$@" 0</dev/null 8</dev/null')),
  run([], ["/bin/echo", "x"], shell('exec "$0" "$@" >/dev/full')),
  run([], sh("kill -TERM $PPID; exit 0")),
  run([], ["/bin/sleep", "9"], shell('timeout -s INT 2 "$0" "$@"')),
  run([], ["/bin/sleep", "9"], shell('timeout -s ABRT 2 "$0" "$@"')),
  run([], ["/bin/echo", "\u00fc", "a\nb", ""]),
  command("-b7", "-M$S/meta", "--run", ...OTHER, "--", "/usr/bin/id"),
  command("-b7", ...OTHER, "--init"),
  command("-b7", ...OTHER, "-M$S/own/meta", "--run", "--", "/usr/bin/id"),
  command("-b7", "--as-uid=77", "--as-gid=77", "--run", "--", "/bin/true"),
  command("-b7", "-q10,10", "--init"),
  command("-b7", "--cleanup"),
];

/** Times, sizes and process ids differ from run to run. */
function masked(text: string): string {
  return text
    .replace(/^((?:time|time-wall|max-rss|csw-voluntary|csw-forced|cg-[a-z-]+):).*$/gm, "$1…")
    .replace(/\(\d+\.\d+ sec real, \d+\.\d+ sec wall\)/g, "(…)")
    .replace(/^(service_socket(?:_mode)? = ).*$/gm, "$1…")
    .replace(/^.*\bISOLATE_SERVICE=.*\n/gm, "")
    .replace(/is process \d+, its init \d+$/gm, "is process …, its init …");
}

/** Carries the case out on one way; gives everything that can be seen of it. */
async function outcome({ args, options }: Case, way: readonly string[], service: string) {
  let seen: unknown;
  await withScratch(async (scratch) => {
    await Deno.mkdir(`${scratch}/own`);
    await Deno.chown(`${scratch}/own`, 1234, 4321);
    const own = args.map((arg) => arg.replaceAll("$S", scratch));
    const env = { ...options?.env, ISOLATE_SERVICE: service };
    const { code, stdout, stderr } = await start([...way, ...own], { ...options, env }).result;
    const files: Record<string, string> = {};
    for (const name of ["meta", "first", "own/meta"]) {
      const text = await Deno.readTextFile(`${scratch}/${name}`).catch(() => undefined);
      if (text !== undefined) files[name] = masked(text).replaceAll(scratch, "$S");
    }
    const text = (output: string) => masked(output).replaceAll(scratch, "$S");
    seen = { code, stdout: text(stdout), stderr: text(stderr), files };
  });
  return seen;
}

Deno.test("command lines have the same outcome directly and through a service", async (t) => {
  await using service = await startService();
  for (const one of CASES) {
    await t.step(`isolate ${one.args.join(" ")}`, async () => {
      const direct = await outcome(one, DIRECT, "off");
      // What a command line changes, it has changed for the other way, too.
      assertEquals(await outcome(one, [CLIENT], service.socket), direct);
    });
  }
});

Deno.test("the command itself takes the way of the service where there is one", async () => {
  await using service = await startService();
  const one = run(["-s"], ["/bin/true"]);
  await outcome(command("-b7", "--init"), ENTRY, service.socket);
  assertEquals(
    await outcome(one, ENTRY, service.socket),
    await outcome(one, [CLIENT], service.socket),
  );
  await outcome(command("-b7", "--cleanup"), ENTRY, service.socket);
});

Deno.test("--as-uid is for root's clients only", async () => {
  await using service = await startService();
  const options = { through: UNPRIVILEGED, env: { ISOLATE_SERVICE: service.socket } };
  for (const args of [[...OTHER, "--cleanup"], ["-M-", ...OTHER, "--cleanup"]]) {
    const { code, stderr } = await start([CLIENT, "-b7", ...args], options).result;
    assertEquals([code, stderr.split("\n")[0]], [2, "--as-uid can be used only by root."]);
  }
});
