/** What tests of control groups share: what this machine offers, and the groups on the host. */

import {
  Box,
  formatMeta,
  type Limits,
  type Outcome,
  type RunOptions,
  toMeta,
} from "isolate/mod.ts";
import { compileC, installC } from "./c_program.ts";
import { COMMAND, eventually, isolate, parseMetaText, type TestBox, withBox } from "./isolate.ts";
import { type Missing, needs, testWith } from "./skip.ts";

/** Where the groups of boxes are, with the default configuration. */
interface Place {
  version: 1 | 2;
  /** By controller; with v2 all of them are the same. */
  directories: Record<"memory" | "cpuacct" | "cpuset" | "pids", string | undefined>;
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function findPlace(): Place | string {
  if (Deno.uid() !== 0) return "needs root";
  const [program, ...args] = COMMAND;
  const { success, stdout, stderr } = new Deno.Command(program!, {
    args: [...args, "--print-cg-root"],
  }).outputSync();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!success) return `needs control groups: ${text(stderr)}`;
  const memory = text(stdout);
  if (exists(`${memory}/cgroup.controllers`)) {
    const names = Deno.readTextFileSync(`${memory}/cgroup.controllers`).trim().split(" ");
    const at = (name: string) => names.includes(name) ? memory : undefined;
    const directories = { memory, cpuacct: memory, cpuset: at("cpuset"), pids: at("pids") };
    return { version: 2, directories };
  }
  const at = (name: string) => {
    const path = memory.replace("/memory/", `/${name}/`);
    return exists(path) ? path : undefined;
  };
  return {
    version: 1,
    directories: { memory, cpuacct: at("cpuacct"), cpuset: at("cpuset"), pids: at("pids") },
  };
}

let known: Place | string | undefined;

/** Where the groups of boxes are on this machine. */
export function place(): Place {
  known ??= findPlace();
  if (typeof known === "string") throw new Error(known);
  return known;
}

/** What tests of control groups can ask for, in addition to {@linkcode needs}. */
export const needsControlGroup = {
  any(): Missing {
    known ??= findPlace();
    return typeof known === "string" ? known : needs.command("gcc");
  },
  version(version: 1 | 2): Missing {
    const reason = this.any();
    if (reason !== undefined) return reason;
    return needs.that(place().version === version, `needs cgroup v${version}`);
  },
  controller(name: "cpuset" | "pids"): Missing {
    const reason = this.any();
    if (reason !== undefined) return reason;
    return needs.that(place().directories[name] !== undefined, `needs the ${name} controller`);
  },
  /** Boxes on a disk, whose cached pages the kernel can drop, unlike those of a tmpfs. */
  disk(): Missing {
    const reason = this.any();
    if (reason !== undefined) return reason;
    let directory = "/var/local/lib/isolate";
    while (!exists(directory)) directory = directory.slice(0, directory.lastIndexOf("/")) || "/";
    const { stdout } = new Deno.Command("stat", {
      args: ["--file-system", "--format=%T", directory],
    }).outputSync();
    const type = new TextDecoder().decode(stdout).trim();
    return needs.that(!/^(tmpfs|ramfs)$/.test(type), `needs boxes on a disk (this is a ${type})`);
  },
  /** A kernel that reports the peak of one run: v1, or Linux 6.12. */
  peakOfRun(): Missing {
    const reason = this.any();
    if (reason !== undefined || place().version === 1) return reason;
    const [major = 0, minor = 0] = Deno.osRelease().split(".").map((part) => parseInt(part));
    const hasReset = major > 6 || (major === 6 && minor >= 12);
    return needs.that(hasReset, "needs a kernel that resets memory.peak (6.12)");
  },
};

/** Registers a test that needs control groups, whichever version. */
export function cgTest(name: string, test: () => Promise<void>): void {
  testWith([needsControlGroup.any()], name, test);
}

/** Registers a test of a box with a control group and the program `greedy` in it. */
export function groupTest(
  id: number,
  name: string,
  test: (box: TestBox) => Promise<void>,
  requirements: readonly Missing[] = [],
): void {
  const missing = requirements.length > 0 ? requirements : [needsControlGroup.any()];
  testWith(missing, name, () =>
    withBox(id, async (box) => {
      await installC(box.path("greedy"), GREEDY, ["-pthread"]);
      await test(box);
    }, { options: ["--cg"] }));
}

/** What a run in a {@linkcode GroupBox} gave. */
export interface GroupRun {
  outcome: Outcome;
  /** The keys and values of its meta-file. */
  meta: Record<string, string>;
  stdout: string;
}

/** A box of this process with a control group: faster than the command by the start of a process. */
export class GroupBox {
  readonly box: Box;

  constructor(box: Box) {
    this.box = box;
  }

  /** Runs `greedy` with these words, or another program; processes and time are not limited. */
  async run(
    words: string | readonly string[],
    limits: Limits = {},
    options: RunOptions = {},
  ): Promise<GroupRun> {
    const command = typeof words === "string" ? ["greedy", ...words.split(" ")] : words;
    const outcome = await this.box.run(command, {
      stdout: { path: "/box/stdout" },
      stderr: "stdout",
      ...options,
      limits: { processes: "unlimited", wallTimeMs: 60_000, ...limits },
    });
    const file = `${this.box.directory}/box/stdout`;
    // A program may be killed before it has a standard output.
    const stdout = exists(file) ? await Deno.readTextFile(file) : "";
    return { outcome, meta: parseMetaText(formatMeta(toMeta(outcome))), stdout };
  }
}

/** Registers a test of a box of this process with a control group and `greedy` in it. */
export function libraryTest(
  id: number,
  name: string,
  test: (box: GroupBox) => Promise<void>,
  requirements: readonly Missing[] = [],
): void {
  const missing = requirements.length > 0 ? requirements : [needsControlGroup.any()];
  testWith(missing, name, async () => {
    await using box = await Box.init({ boxId: id, controlGroup: true });
    await installC(`${box.directory}/box/greedy`, GREEDY, ["-pthread"]);
    await test(new GroupBox(box));
  });
}

/** The program `greedy`, compiled; its path on the host. */
export function greedyProgram(): Promise<string> {
  return compileC(GREEDY, ["-pthread"]);
}

/** The group of a box below a directory, or those of all that share it. */
export function groupsIn(directory: string, id: number): string[] {
  if (!exists(directory)) return [];
  return [...Deno.readDirSync(directory)].map(({ name }) => name)
    .filter((name) => name.startsWith(`box-${id}-`)).map((name) => `${directory}/${name}`);
}

/** The directories of a box's group in all hierarchies, as far as they exist. */
export function groupsOf(id: number): string[] {
  const all = Object.values(place().directories).filter((path) => path !== undefined);
  return [...new Set(all)].flatMap((path) => groupsIn(path, id));
}

/** The processes in a box's group, as the host sees them. */
export async function membersOf(id: number): Promise<number[]> {
  const [memory] = groupsIn(place().directories.memory!, id);
  const list = await Deno.readTextFile(`${memory}/cgroup.procs`).catch(() => "");
  return list.split("\n").filter((line) => line !== "").map(Number);
}

/** Puts a process of the host into a box's group, as a crashed keeper could leave one behind. */
export async function enter(id: number, pid: number): Promise<void> {
  for (const group of groupsOf(id)) await Deno.writeTextFile(`${group}/cgroup.procs`, `${pid}`);
}

/** Waits until a program in a box says that it is ready: until there is a file `ready` in `box/`. */
export function isReady(box: TestBox): Promise<void> {
  return eventually("the program is ready", () => exists(box.path("ready")));
}

/** Removes groups that a test has made on its own, the innermost first. */
export async function removeGroups(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    for (const { name, isDirectory } of exists(path) ? Deno.readDirSync(path) : []) {
      if (isDirectory) await removeGroups([`${path}/${name}`]);
    }
    if (exists(path)) {
      await eventually(
        `${path} can be removed`,
        () => Deno.remove(path).then(() => true, () => false),
      );
    }
  }
}

/** Cleans a box up whatever its state is. */
export async function discard(id: number, options: readonly string[] = []): Promise<void> {
  await isolate([`-b${id}`, ...options, "--cleanup"]);
}

/** Takes as much as its arguments say, and prints how far it got. */
export const GREEDY = `
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *touch(char *p, long kib) {
  for (long i = 0; i < kib; i += 4) p[i * 1024] = 1;
  return p;
}
static int say(const char *word) { puts(word); fflush(stdout); return 0; }
static double cpu_ms(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}
static void spin(double ms) {
  while (cpu_ms(CLOCK_PROCESS_CPUTIME_ID) < ms) for (volatile int i = 0; i < 1000; i++) continue;
}
static void *idle(void *arg) { pause(); return arg; }

static int use(char **argv) {
  const char *how = argv[1];
  long n = atol(argv[2]);
  if (!strcmp(how, "heap")) { touch(malloc(n * 1024), n); return say("heap done"); }
  if (!strcmp(how, "shared")) {
    touch(mmap(0, n * 1024, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), n);
    return say("shared done");
  }
  if (!strcmp(how, "file")) {
    static char block[65536];
    memset(block, 1, sizeof block);
    int fd = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0) return 3;
    for (long i = 0; i < n; i += 64) if (write(fd, block, sizeof block) < 0) return errno == ENOSPC ? 4 : 5;
    return say("file done");
  }
  if (!strcmp(how, "child")) {
    int pid = fork(), status;
    if (pid == 0) { touch(malloc(n * 1024), n); _exit(0); }
    waitpid(pid, &status, 0);
    printf("child %s %d\\n", WIFSIGNALED(status) ? "signal" : "exit",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return 0;
  }
  if (!strcmp(how, "together")) {
    int count = atoi(argv[3]), pipes[2];
    char byte;
    pipe(pipes);
    for (int i = 0; i < count; i++) {
      if (fork() == 0) { touch(malloc(n * 1024), n); write(pipes[1], "x", 1); close(pipes[1]); pause(); }
    }
    close(pipes[1]);
    for (int i = 0; i < count; i++) if (read(pipes[0], &byte, 1) != 1) return 3;
    return say("together done");
  }
  if (!strcmp(how, "forks")) {
    long made = 1;
    for (; made < n; made++) {
      int pid = fork();
      if (pid < 0) break;
      if (pid == 0) { pause(); _exit(0); }
    }
    printf("%ld processes\\n", made);
    return 0;
  }
  if (!strcmp(how, "threads")) {
    long made = 1;
    pthread_t thread;
    while (made < n && pthread_create(&thread, 0, idle, 0) == 0) made++;
    printf("%ld threads\\n", made);
    fflush(stdout);
    _exit(0);
  }
  if (!strcmp(how, "row")) {
    for (long i = 0; i < n; i++) {
      int pid = fork(), status;
      if (pid < 0) return 3;
      if (pid == 0) { touch(malloc(4096 * 1024), 4096); _exit(7); }
      waitpid(pid, &status, 0);
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 7) return 4;
    }
    return say("row done");
  }
  if (!strcmp(how, "spin")) { spin(n); return say("spin done"); }
  if (!strcmp(how, "busy")) {
    int count = atoi(argv[3]);
    struct rusage usage;
    for (int i = 0; i < count; i++) if (fork() == 0) { spin(n); _exit(0); }
    while (wait(0) > 0) continue;
    getrusage(RUSAGE_CHILDREN, &usage);
    printf("%ld ms\\n", usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000 +
           usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000);
    return 0;
  }
  if (!strcmp(how, "background")) {
    int count = atoi(argv[3]);
    for (int i = 0; i < count; i++) if (fork() == 0) { setsid(); spin(1e9); }
    usleep(n * 1000);
    return say("background left behind");
  }
  if (!strcmp(how, "wait")) {
    close(open("ready", O_WRONLY | O_CREAT, 0666));
    usleep(n * 1000);
    return say("wait done");
  }
  return 9;
}

int main(int argc, char **argv) { return argc < 3 ? 9 : use(argv); }
`;
