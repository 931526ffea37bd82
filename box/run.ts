/**
 * One run of a program in a box.
 *
 * @module
 */

import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { defaultDirectoryRules, type DirectoryRule } from "./directory_rules.ts";
import { buildEnvironment } from "./environment.ts";
import type { ControlGroup, ControlGroupRun } from "../cgroup/types.ts";
import { SandboxError } from "./errors.ts";
import { keep } from "./keeper.ts";
import type { Limits } from "./limits.ts";
import type { Outcome } from "./outcome.ts";
import type { BoxPlaces } from "./paths.ts";
import type { Stream } from "./program.ts";
import type { Sandbox } from "./sandbox.ts";
import { closeSources, openSources } from "./sources.ts";
import { spawnBox } from "./spawn.ts";
import { describeFilter, type SyscallFilter } from "./syscall_filter.ts";

const RLIMIT_NOFILE = 7;
const TIOCSPGRP = 0x5410;
const SIGTTOU = 22;
const SIG_BLOCK = 0;
const SIG_SETMASK = 2;

/** How a program is run. */
export interface RunOptions {
  /** What it may use. */
  limits?: Limits;
  /** What it sees where; default: {@linkcode defaultDirectoryRules}. */
  directoryRules?: readonly DirectoryRule[];
  /** Its whole environment; default: only `LIBC_FATAL_STDERR_=1`. */
  environment?: ReadonlyMap<string, string>;
  /** Working directory inside the box. Default: `/box`. */
  workingDirectory?: string;
  /** Standard input. Default: `"inherit"`. */
  stdin?: Stream;
  /** Standard output. Default: `"inherit"`. */
  stdout?: Stream;
  /** Standard error; `"stdout"`: wherever that goes. Default: `"inherit"`. */
  stderr?: Stream | "stdout";
  /** Stay in the network namespace of this process. */
  shareNetwork?: boolean;
  /** Keep this process's descriptors above 2 that are not closed on execve. */
  inheritDescriptors?: boolean;
  /** Make the program the foreground of the terminal on standard output. */
  terminal?: boolean;
  /** Keep symbolic links, FIFOs, sockets and devices in `box/`. */
  keepSpecialFiles?: boolean;
  /** The system call filter, a sum of `SYSCALL_FLAGS`; default: the configured one. */
  syscallFlags?: number;
  /** With a control group, count the CPU time of all its processes (default) or of the main one. */
  controlGroupTiming?: boolean;
  /** Ends the run when aborted; the outcome is then `interrupted`. */
  signal?: AbortSignal;
}

/** What a run needs besides its options. */
export interface RunContext {
  /** The sandbox. */
  readonly sandbox: Sandbox;
  /** The box, whose files belong to its user by now. */
  readonly places: BoxPlaces;
  /** The control group of the box, if it has one. */
  readonly controlGroup: ControlGroup | undefined;
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** The options. */
  readonly options: RunOptions;
}

/**
 * Runs a program; everything of it is dead when this returns or throws.
 *
 * @param context the box and what to run
 * @returns what became of the program
 * @throws {SystemError} if a step of the sandbox fails
 */
export async function runProgram(context: RunContext): Promise<Outcome> {
  const { sandbox, places, controlGroup, options } = context;
  const { processes, controlGroupMemoryKib } = options.limits ?? {};
  if (!controlGroup) {
    if (controlGroupMemoryKib === undefined) return await runIn(context, undefined);
    throw new SandboxError(
      "bad-option",
      "The limit controlGroupMemoryKib needs a box with a control group",
    );
  }
  const run = controlGroup.begin({
    memoryKib: controlGroupMemoryKib,
    processes: processes === "unlimited" ? undefined : processes ?? 1,
    ...sandbox.settings.perBox.get(places.boxId),
  });
  try {
    return await runIn(context, run);
  } finally {
    try {
      run.killAll();
    } finally {
      run.close();
    }
  }
}

async function runIn(
  context: RunContext,
  controlGroup: ControlGroupRun | undefined,
): Promise<Outcome> {
  const { sandbox, places, command, options } = context;
  const { system, caller, own } = sandbox;
  const limits = options.limits ?? {};
  const facts = readFacts(system);
  const terminal = options.terminal ?? false;
  const environment = options.environment ??
    buildEnvironment({ callerEnvironment: new Map(), inheritAll: false, rules: [] });
  const filter = sandbox.syscallFilter({
    flags: options.syscallFlags ?? sandbox.settings.syscallFlags,
    // Even without --tty-hack: a terminal that is no session's own can be taken by one in the box.
    terminal: true,
  });
  logRun(context, environment, filter);
  const sources = openSources(system, {
    rules: options.directoryRules ?? defaultDirectoryRules(),
    places,
    caller,
    own,
  });
  const spawnedMs = system.nowMs();
  let box;
  try {
    box = spawnBox(system, {
      rules: sources,
      caller,
      shareNetwork: options.shareNetwork ?? false,
      command,
      environment,
      workingDirectory: options.workingDirectory ?? "/box",
      stdin: options.stdin ?? "inherit",
      stdout: options.stdout ?? "inherit",
      stderr: options.stderr ?? "inherit",
      inheritDescriptors: options.inheritDescriptors ?? false,
      terminal,
      limits,
      callerLimits: { ...facts, groupLimitsProcesses: controlGroup?.limitsProcesses ?? false },
      controlGroup,
      filter,
      boxUser: places.boxUser,
    });
  } finally {
    closeSources(system, sources);
  }
  try {
    return await keep({
      system,
      waiter: sandbox.waiter,
      box,
      limits,
      cpus: limits.processes === undefined || limits.processes === 1 ? 1 : facts.cpus,
      spawnedMs,
      abort: options.signal,
      log: sandbox.log,
      controlGroup,
      controlGroupTiming: options.controlGroupTiming ?? true,
    });
  } finally {
    if (terminal) takeTerminalBack(system);
  }
}

function logRun(
  { sandbox, places, command }: RunContext,
  environment: ReadonlyMap<string, string>,
  filter: SyscallFilter | undefined,
): void {
  const { log } = sandbox;
  const { uid, gid } = places.boxUser;
  log(1, () => `Running ${JSON.stringify(command)} in box ${places.boxId} as ${uid}:${gid}`);
  log(2, () => ["Environment:", ...[...environment].map(([k, v]) => `  ${k}=${v}`)].join("\n"));
  log(3, () => filter ? `System call filter:\n${describeFilter(filter)}` : "No system call filter");
}

/** What the program gets from this process where nothing else is asked for. */
function readFacts(system: System) {
  const plan = new Plan();
  const own = plan.room(16);
  const parents = plan.room(16);
  const parent = plan.slot("parent");
  const cpus = plan.room(1024);
  const length = plan.slot("length");
  plan.step("prlimit64", [0, RLIMIT_NOFILE, 0, own]);
  plan.step("getppid", [], { into: parent });
  plan.step("prlimit64", [parent, RLIMIT_NOFILE, 0, parents], { ignore: "all" });
  plan.step("sched_getaffinity", [0, cpus.length, cpus], { into: length });
  system.run(plan, "which limits this process has");
  // The runtime has raised its own soft limit; the parent's still is what it was.
  const soft = Number(plan.view(own).getBigUint64(0, true));
  const parentSoft = Number(plan.view(parents).getBigUint64(0, true)) || soft;
  const openFilesHard = Number(plan.view(own).getBigUint64(8, true));
  let count = 0;
  for (let byte of plan.content(cpus, plan.result(length))) {
    for (; byte; byte &= byte - 1) count++;
  }
  return { openFilesSoft: Math.min(soft, parentSoft), openFilesHard, cpus: Math.max(1, count) };
}

/** Who takes a terminal from the background is stopped, unless SIGTTOU is blocked meanwhile. */
function takeTerminalBack(system: System): void {
  const plan = new Plan();
  const mask = plan.room(8);
  const group = plan.slot("process group");
  const groupData = plan.room(8);
  plan.step("rt_sigprocmask", [SIG_BLOCK, plan.struct([1n << BigInt(SIGTTOU - 1)]), mask, 8]);
  plan.step("getpgid", [0], { into: group });
  plan.step("store", [groupData, 4, group]);
  plan.step("ioctl", [1, TIOCSPGRP, groupData], { ignore: "all" });
  plan.step("rt_sigprocmask", [SIG_SETMASK, mask, 0, 8], { always: true });
  system.run(plan, "take the terminal back");
}
