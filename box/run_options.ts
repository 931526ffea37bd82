/** What a caller asks of a run, and the run that comes of it. */

import type { ControlGroupRun } from "../cgroup/types.ts";
import type { BoxPlaces } from "./claim/paths.ts";
import type { LiveRun } from "./keep/runs.ts";
import type { Sandbox } from "./sandbox.ts";
import type { DirectoryRule } from "./setup/directory_rules.ts";
import type { CallerLimits, Limits } from "./setup/limits.ts";
import type { ReadyBox } from "./setup/ready_box.ts";
import type { SyscallFilter } from "./setup/syscall_filter.ts";
import type { Input, Output, ProgramStreams } from "./streams/streams.ts";

/** How a program is run. */
export interface RunOptions {
  /** What it may use. */
  limits?: Limits;
  /** What it sees where. Default: {@linkcode defaultDirectoryRules}. */
  directoryRules?: readonly DirectoryRule[];
  /** Its whole environment. Default: only `LIBC_FATAL_STDERR_=1`. */
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
   * The CPUs, by number, that the program is put on; see sched_setaffinity(2). For stable timing; not
   * a security boundary: the program can choose others. Default: those of this process.
   */
  cpus?: readonly number[];
  /** Stay in the network namespace of this process. */
  shareNetwork?: boolean;
  /**
   * An address of its own, with the length of its network: `"10.77.0.5/24"`, `"fd77::5/64"`. The program
   * then finds an interface `eth0` with it, whose other end is on the bridge of the configuration; it
   * reaches the host there, and other boxes if the configuration says so. What it may be says the
   * configuration too, except for root. Not together with `shareNetwork`. Default: no network.
   *
   * @example
   * ```ts
   * import type { RunOptions } from "@isolate/isolate";
   *
   * const options: RunOptions = { address: "10.77.0.5/24" };
   * console.log(options.address);
   * ```
   */
  address?: string | undefined;
  /**
   * What the host is called inside: up to 64 letters, digits, dots and dashes. Default: as it is called
   * outside.
   */
  hostname?: string | undefined;
  /**
   * Let the program be root in its box, and nobody outside: user and group 0 of a user namespace of its own
   * stand for the box's user and group, to whom its files belong outside. It gets the capabilities that
   * have a meaning among files and processes of that one user; it still cannot mount, make namespaces,
   * change its root, or become another user. Files of all others, root's own too, seem to belong to nobody
   * (65534). Default: false.
   *
   * @example
   * ```ts
   * import { Box, Capture } from "@isolate/isolate";
   * import { assertEquals } from "@std/assert";
   *
   * await using box = await Box.init({ boxId: 936 });
   * const stdout = new Capture({ limitBytes: 100 });
   * await box.run(["/usr/bin/id", "-u"], { rootInside: true, stdout });
   * assertEquals(stdout.text(), "0\n");
   * ```
   */
  rootInside?: boolean;
  /** Keep this process's descriptors above 2 that are not closed on execve. */
  inheritDescriptors?: boolean;
  /** Make the program the foreground of the terminal on standard output. */
  terminal?: boolean;
  /** Keep symbolic links, FIFOs, sockets and devices in `box/`. */
  keepSpecialFiles?: boolean;
  /**
   * Find out what the program dies of, if a signal ends it: the address of a fault and the registers, in
   * `crash` of the outcome. It is then traced (ptrace(2)), which it can notice, and cannot trace itself;
   * each signal, and each start of a thread, costs it some microseconds more. Default: false.
   */
  crashReport?: boolean;
  /** The system call filter, a sum of `SYSCALL_FLAGS`. Default: the configured one. */
  syscallFlags?: number;
  /** With a control group, count the CPU time of all its processes (default) or of the main one. */
  controlGroupTiming?: boolean;
  /**
   * Called while the program runs. If it throws, the program is killed and the run fails with that
   * error.
   */
  onProgress?: TellProgress;
  /** Time between two calls of `onProgress`, in milliseconds. Default: 100. */
  progressEveryMs?: number;
  /**
   * Called once everything in the box is dead, with the time when the program ended, in milliseconds of
   * CLOCK_MONOTONIC. It tells which of two programs ended first.
   */
  onEnd?: (endedMs: number) => void;
  /**
   * Ends the run when aborted. The outcome is then `interrupted`, unless the program has ended by itself
   * already.
   */
  signal?: AbortSignal;
}

/** How a run goes. */
export interface Progress {
  /** CPU time used so far, in milliseconds, counted as in `Usage`. */
  readonly cpuTimeMs: number;
  /** Wall clock time since the program was started, in milliseconds. */
  readonly wallTimeMs: number;
  /** Peak memory so far in KiB, in a box with a control group whose kernel reports it. */
  readonly peakMemoryKib: number | undefined;
  /**
   * How long its present threads have waited for a CPU so far, all together, in milliseconds; undefined
   * if the kernel does not say, for more than 64 threads, and in boxes of a service.
   */
  readonly waitedMs?: number | undefined;
  /**
   * Whether one of its threads runs, waits for a CPU or for a disk at this moment; a program of which
   * this is false sleeps. Undefined where `waitedMs` is.
   */
  readonly isBusy?: boolean | undefined;
}

/** Receives the progress of a run. */
export type TellProgress = (progress: Progress) => void;

/** Describes one run to setup/ and keep/. Each option is read where it takes effect. */
export interface Run {
  readonly sandbox: Sandbox;
  readonly places: BoxPlaces;
  readonly command: readonly string[];
  readonly options: RunOptions;
  readonly environment: ReadonlyMap<string, string>;
  readonly filter: SyscallFilter | undefined;
  readonly callerLimits: CallerLimits;
  /** How many CPUs can use up the run's CPU time at once. */
  readonly cpuCount: number;
  readonly streams: ProgramStreams;
  /** The descriptors that a caller in another process passes on, by their numbers there. */
  readonly inherited: readonly number[];
  /** Whether such a caller has made a terminal for the program. */
  readonly ownTerminal: boolean;
  /** The network namespace that it is to be in; undefined: what its options say. */
  readonly networkFd?: number | undefined;
  /** The user namespace of the program, if it has one: to be root in it, or as there are no users for boxes. */
  readonly userNamespace?: number | undefined;
  readonly controlGroup: ControlGroupRun | undefined;
  /** Where boxes are kept ready, if they are. */
  readonly ready: ReadyBox | undefined;
  /** Told what can be done with the run while it goes on, and with `undefined` that it has ended. */
  readonly onLive?: ((live: LiveRun | undefined) => void) | undefined;
}
