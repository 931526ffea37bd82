/** One run of a program in a box. */

import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { defaultDirectoryRules, type DirectoryRule } from "./setup/directory_rules.ts";
import { buildEnvironment } from "./setup/environment.ts";
import type { ControlGroup, ControlGroupRun } from "../cgroup/types.ts";
import { SandboxError } from "../host/errors.ts";
import { keep, type TellProgress } from "./keep/keeper.ts";
import type { Limits } from "./setup/limits.ts";
import type { Outcome } from "./outcome/outcome.ts";
import type { BoxPlaces } from "./claim/paths.ts";
import type { Stream } from "./setup/program.ts";
import type { RunStreams } from "./streams/run_streams.ts";
import type { Sandbox } from "./sandbox.ts";
import { closeSources, openSources } from "./setup/sources.ts";
import { spawnBox } from "./setup/spawn.ts";
import type { Input, Output } from "./streams/streams.ts";
import { describeFilter, type SyscallFilter } from "./setup/syscall_filter.ts";
import type { TransferredFds } from "./streams/transfer.ts";

const RLIMIT_NOFILE = 7;
const TIOCSPGRP = 0x5410;
const SIGTTOU = 22;
const SIG_BLOCK = 0;
const SIG_SETMASK = 2;
/** The kernel's own bound, CONFIG_NR_CPUS. */
const CPUS_MAX = 8192;
const PROGRESS_EVERY_MS = 100;

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
  stdin?: Input;
  /** Standard output. Default: `"inherit"`. */
  stdout?: Output;
  /** Standard error; `"stdout"`: wherever that goes. Default: `"inherit"`. */
  stderr?: Output | "stdout";
  /**
   * The CPUs that the program is put on (sched_setaffinity(2)), by number; default: those of this
   * process. It is for steady times, and no wall: the program can choose others.
   */
  cpus?: readonly number[];
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
  /**
   * Is told how the run goes, while the program runs. If it throws, the program is killed and the run
   * fails with what was thrown.
   */
  onProgress?: TellProgress;
  /** How often that is, in milliseconds. Default: 100. */
  progressEveryMs?: number;
  /**
   * Is told when the program ended, in milliseconds of CLOCK_MONOTONIC, once everything in the box is
   * dead: what tells which of two programs ended first.
   */
  onEnd?: (endedMs: number) => void;
  /**
   * Ends the run when aborted; the outcome is then `interrupted`, unless the program has ended by
   * itself by then.
   */
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
  /** Descriptors that are closed here as soon as the box has them. */
  readonly transferred: TransferredFds;
}

/** Runs a program; everything of it is dead when this returns or throws. */
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
  checkNumbers(options);
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
  const streams = plainStreams(options) ?? await openStreams(context);
  try {
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
        stdin: streams.stdin,
        stdout: streams.stdout,
        stderr: streams.stderr,
        inheritDescriptors: options.inheritDescriptors ?? false,
        terminal,
        limits,
        callerLimits: { ...facts, groupLimitsProcesses: controlGroup?.limitsProcesses ?? false },
        cpus: options.cpus,
        controlGroup,
        filter,
        boxUser: places.boxUser,
      });
    } finally {
      closeSources(system, sources);
      context.transferred.close();
      streams.attended?.passed();
    }
    try {
      const { onProgress, progressEveryMs = PROGRESS_EVERY_MS } = options;
      const cpus = options.cpus ? new Set(options.cpus).size : facts.cpus;
      return await keep({
        system,
        waiter: sandbox.waiter,
        box,
        limits,
        cpus: limits.processes === undefined || limits.processes === 1 ? 1 : cpus,
        spawnedMs,
        abort: options.signal,
        onEnd: options.onEnd,
        log: sandbox.log,
        controlGroup,
        controlGroupTiming: options.controlGroupTiming ?? true,
        streams: streams.attended,
        progress: onProgress && { everyMs: progressEveryMs, tell: onProgress },
      });
    } finally {
      if (terminal) takeTerminalBack(system);
    }
  } finally {
    streams.attended?.close();
  }
}

/** What the program gets, and what the keeper has to look after. */
interface OpenedStreams {
  readonly stdin: Stream;
  readonly stdout: Stream;
  readonly stderr: Stream | "stdout";
  readonly attended: RunStreams | undefined;
}

/** Many runs have no stream that needs more than the box itself does. */
function plainStreams(options: RunOptions): OpenedStreams | undefined {
  const { stdin = "inherit", stdout = "inherit", stderr = "inherit" } = options;
  const arePlain = isPlain(stdin) && isPlain(stdout) && (stderr === "stdout" || isPlain(stderr));
  return arePlain ? { stdin, stdout, stderr, attended: undefined } : undefined;
}

async function openStreams({ sandbox, places, options }: RunContext): Promise<OpenedStreams> {
  const { stdin = "inherit", stdout = "inherit", stderr = "inherit" } = options;
  const { RunStreams } = await import("./streams/run_streams.ts");
  const { system, waiter, caller, own, settings } = sandbox;
  const attended = new RunStreams({
    system,
    waiter,
    stdin,
    stdout,
    stderr,
    caller,
    own,
    boxUser: places.boxUser,
    boxRoot: settings.boxRoot,
  });
  return { stdin: attended.stdin, stdout: attended.stdout, stderr: attended.stderr, attended };
}

function isPlain(stream: Input | Output): stream is Stream {
  return stream === "inherit" ||
    typeof stream === "object" && ("path" in stream || "fd" in stream && !("limitBytes" in stream));
}

function checkNumbers({ cpus, progressEveryMs = PROGRESS_EVERY_MS }: RunOptions): void {
  const wrong = cpus?.find((cpu) => !Number.isInteger(cpu) || cpu < 0 || cpu >= CPUS_MAX);
  if (wrong !== undefined || cpus?.length === 0) {
    throw new RangeError(
      `Cannot choose CPUs as cpus must be a list of numbers from 0 to ${CPUS_MAX - 1}: ` +
        (wrong === undefined ? "it is empty" : `one of them is ${wrong}`),
    );
  }
  if (!(progressEveryMs > 0)) {
    throw new RangeError(
      `Cannot tell progress as progressEveryMs must be > 0: current value is ${progressEveryMs}`,
    );
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
  const own = plan.alloc(16);
  const parents = plan.alloc(16);
  const parent = plan.slot("parent");
  const cpus = plan.alloc(1024);
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
  const mask = plan.alloc(8);
  const group = plan.slot("process group");
  const groupData = plan.alloc(8);
  plan.step("rt_sigprocmask", [SIG_BLOCK, plan.struct([1n << BigInt(SIGTTOU - 1)]), mask, 8]);
  plan.step("getpgid", [0], { into: group });
  plan.step("store", [groupData, 4, group]);
  plan.step("ioctl", [1, TIOCSPGRP, groupData], { ignore: "all" });
  plan.step("rt_sigprocmask", [SIG_SETMASK, mask, 0, 8], { always: true });
  system.run(plan, "take the terminal back");
}
