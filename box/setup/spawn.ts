/**
 * Starts a box: the plans of the keeper, of the box's init and of the program, put together.
 *
 * The keeper clones a child that shares its memory just until it executes the shim's own file (no
 * copy of the runtime's address space); that is init, with a memory of its own. Init reads its plan
 * from a memory file, builds the root, clones the program's process, gives up its rights and then
 * only waits.
 */

import { ERRNO } from "../../ffi/errno.ts";
import { Plan } from "../../ffi/plan.ts";
import { AT_EMPTY_PATH, AT_FDCWD, type System } from "../../ffi/system.ts";
import { O } from "../../ffi/abi.ts";
import type { Identity } from "../../host/identity.ts";
import { planClones, planRoot } from "./mounts.ts";
import type { PlacedRule } from "./placed_rule.ts";
import { planBecome, planBoundCapabilities } from "./privileges.ts";
import { planProgram, type ProgramOptions } from "./program.ts";

const CLONE = {
  vm: 0x100,
  pidfd: 0x1000,
  vfork: 0x4000,
  newMounts: 0x20000,
  newControlGroups: 0x02000000,
  newHostName: 0x04000000,
  newIpc: 0x08000000,
  newProcesses: 0x20000000,
  newNetwork: 0x40000000,
} as const;
const CLONE_INTO_CGROUP = 1n << 33n;
const SIGCHLD = 17;
const SIGKILL = 9;
const SIG_SETMASK = 2;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const PR_SET_PDEATHSIG = 1;
const PR_SET_NAME = 15;
const TIOCNOTTY = 0x5422;
const MSG_DONTWAIT = 0x40;
const KEEPER_IS_DEAD_STATUS = 126;
const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_PASSCRED = 16;
const MFD_CLOEXEC = 1;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;
const STACK_SIZE = 16384;

/** What a box is started with. */
export interface SpawnOptions extends Omit<ProgramOptions, "reportFd"> {
  /** The directory rules, with their sources opened. */
  readonly rules: readonly PlacedRule[];
  /** Whom init runs as. */
  readonly caller: Identity;
  /** Stay in the keeper's network namespace. */
  readonly shareNetwork: boolean;
}

/** A box that has been started. */
export interface Spawned {
  /** Descriptor of the init process. */
  readonly initFd: number;
  /** Process id of init. */
  readonly initPid: number;
  /** The keeper's end of the socket on which the box reports. */
  readonly socket: number;
  /** The plan that init carries out, to which its failure reports refer. */
  readonly plan: Plan;
}

/** Starts a box. */
export function spawnBox(system: System, options: SpawnOptions): Spawned {
  const prepared = prepare(system, options.rules);
  try {
    const [socket, reportFd] = prepared.sockets as [number, number];
    const plan = planInit({ ...options, reportFd, memory: prepared.memory }, prepared.clones);
    system.trace?.(plan, "the box");
    const image = plan.encode();
    const clones = prepared.clones.filter((fd) => fd !== undefined);
    const groupFds = options.controlGroup?.fds ?? [];
    const passed = [reportFd, prepared.memory, ...clones, ...groupFds, ...streamFds(options)];
    const { initFd, initPid } = start(system, {
      options,
      image,
      memory: prepared.memory,
      passed,
      socket,
    });
    return { initFd, initPid, socket, plan };
  } catch (error) {
    system.close(prepared.sockets[0]!);
    throw error;
  } finally {
    const clones = prepared.clones.filter((fd) => fd !== undefined);
    system.close(prepared.sockets[1]!, prepared.memory, ...clones);
  }
}

/** The descriptors that become standard streams of the program, unless they are such already. */
function streamFds({ stdin, stdout, stderr }: SpawnOptions): number[] {
  return [stdin, stdout, stderr].flatMap((stream) =>
    typeof stream === "object" && "fd" in stream && stream.fd > 2 ? [stream.fd] : []
  );
}

interface Prepared {
  sockets: number[];
  memory: number;
  clones: (number | undefined)[];
}

/** Everything that init's plan has to know the descriptors of. */
function prepare(system: System, rules: readonly PlacedRule[]): Prepared {
  const plan = new Plan();
  const pair = plan.alloc(8);
  const memory = plan.slot("memory file");
  plan.step("socketpair", [AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair]);
  plan.step("memfd_create", [plan.string("isolate-plan"), MFD_CLOEXEC], { into: memory });
  const clones = planClones(plan, rules);
  const failure = system.attempt(plan, "take the mounts of the directory rules");
  const sockets = [plan.view(pair).getInt32(0, true), plan.view(pair).getInt32(4, true)];
  const fds = clones.map((slot) => slot && plan.result(slot));
  if (failure) {
    const opened = [...sockets, plan.result(memory), ...fds].filter((fd) =>
      fd !== undefined && fd > 0
    );
    system.close(...opened as number[]);
    throw failure;
  }
  return { sockets, memory: plan.result(memory), clones: fds };
}

/** Clones init and has it execute the shim. */
function start(system: System, { options, image, memory, passed, socket }: {
  options: SpawnOptions;
  image: Uint8Array;
  memory: number;
  passed: readonly number[];
  socket: number;
}): { initFd: number; initPid: number } {
  system.writeAll(memory, image, "the plan of the box");
  const plan = new Plan();
  const pid = plan.slot("init");
  const pidfd = plan.alloc(8);
  const stack = plan.alloc(STACK_SIZE);
  // From within a namespace of control groups nobody gets into a group outside of it (cgroups(7),
  // "nsdelegate"), so with a group it is the program that makes one, when it is there.
  const flags = CLONE.vm | CLONE.vfork | CLONE.pidfd | CLONE.newMounts | CLONE.newHostName |
    CLONE.newIpc | CLONE.newProcesses | (options.controlGroup ? 0 : CLONE.newControlGroups) |
    (options.shareNetwork ? 0 : CLONE.newNetwork);
  const args = cloneArgs(plan, flags);
  plan.point(args, 8, pidfd);
  plan.point(args, 40, stack);
  const mask = plan.alloc(8);
  const all = plan.struct([-1n]);
  const argv = plan.pointers(["isolate-init", String(memory)].map((text) => plan.string(text)));
  const envp = plan.pointers([]);
  // The kernel adds the sender's process id, as we see it, to every message of the box.
  plan.step("setsockopt", [socket, SOL_SOCKET, SO_PASSCRED, plan.struct([1]), 4]);
  // The runtime's handlers must not run in the child, on memory that it shares with us.
  plan.step("rt_sigprocmask", [SIG_SETMASK, all, mask, 8]);
  plan.spawn(args, { into: pid, what: "clone the init process of the box" }, () => {
    for (const fd of passed) {
      plan.step("fcntl", [fd, F_SETFD, 0], { what: `pass descriptor ${fd} to the box` });
    }
    const image = [system.library.imageFd, plan.string(""), argv, envp, AT_EMPTY_PATH];
    plan.step("execveat", image, { what: "execute the shim as the init process of the box" });
  });
  plan.step("rt_sigprocmask", [SIG_SETMASK, mask, 0, 8], { always: true });
  const failure = system.attempt(plan, "start the box");
  const started = { initFd: plan.view(pidfd).getInt32(0, true), initPid: plan.result(pid) };
  if (failure) {
    if (started.initPid > 0) {
      reap(system, started.initFd);
      system.close(started.initFd);
    }
    throw failure;
  }
  return started;
}

/** `struct clone_args`, see clone3(2). */
function cloneArgs(plan: Plan, flags: number, birthFd?: number) {
  const stackSize = (flags & CLONE.vm) !== 0 ? BigInt(STACK_SIZE) : 0n;
  const [allFlags, group] = birthFd === undefined
    ? [BigInt(flags), 0n]
    : [BigInt(flags) | CLONE_INTO_CGROUP, BigInt(birthFd)];
  return plan.struct([allFlags, 0n, 0n, 0n, BigInt(SIGCHLD), 0n, stackSize, 0n, 0n, 0n, group]);
}

/** Takes a dead init process off the kernel's list. */
export function reap(system: System, initFd: number): void {
  const P_PIDFD = 3;
  const WEXITED_WALL = 4 | 0x40000000;
  const plan = new Plan();
  // Fails where the caller ignores SIGCHLD: the kernel has done it then.
  plan.step("waitid", [P_PIDFD, initFd, plan.alloc(128), WEXITED_WALL, 0], { ignore: "all" });
  system.run(plan, "reap init");
}

function planInit(
  options: SpawnOptions & { reportFd: number; memory: number },
  clones: readonly (number | undefined)[],
): Plan {
  const plan = new Plan();
  const { reportFd } = options;
  plan.reportFd = reportFd;
  // Init has it mapped. Whoever could open it again in the program's process (--inherit-fds, or a
  // redirection to a planted link to /proc/self/fd) could write steps for init.
  plan.step("close", [options.memory]);
  const groupFds = options.controlGroup?.fds ?? [];
  for (const fd of [reportFd, ...clones, ...groupFds, ...streamFds(options)]) {
    if (fd !== undefined) plan.step("fcntl", [fd, F_SETFD, FD_CLOEXEC]);
  }
  plan.step("prctl", [PR_SET_NAME, plan.string("isolate-init"), 0, 0, 0]);
  // For the mount points, and then for the program.
  plan.step("umask", [0o022]);
  planDieWithKeeper(plan, reportFd);
  if (!options.terminal) planLeaveTerminal(plan);
  planRoot(plan, { rules: options.rules, clones });
  if (!options.shareNetwork) planLoopback(plan);
  plan.because("the capabilities of the box", () => planBoundCapabilities(plan));
  const program = plan.slot("program");
  const birthFd = options.controlGroup?.birthFd;
  plan.spawn(
    cloneArgs(plan, 0, birthFd),
    { into: program, what: "clone the program's process" },
    () => {
      planProgram(plan, options);
    },
  );
  // Who reads what the program writes must see its end although init lives on.
  if (reportFd > 0) plan.step("close_range", [0, reportFd - 1, 0]);
  plan.step("close_range", [reportFd + 1, 0xffffffff, 0]);
  plan.because("the init process", () => planBecome(plan, options.caller));
  // A change of ids clears the parent-death signal.
  planDieWithKeeper(plan, reportFd);
  plan.step("attend", [program]);
  return plan;
}

/** If the keeper dies, so does init, and with it the box; and at once if it has died already. */
function planDieWithKeeper(plan: Plan, reportFd: number): void {
  plan.step("prctl", [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0]);
  const nothing = plan.struct([0n, 0n, 0n, 0n, 0n, 0n, 0n]);
  const received = plan.slot("from the keeper");
  // The keeper never sends anything: what can be received is the end of the connection.
  plan.step("recvmsg", [reportFd, nothing, MSG_DONTWAIT], { into: received, ignore: ERRNO.EAGAIN });
  plan.step("exit_group", [KEEPER_IS_DEAD_STATUS], { when: [received, 0] });
}

/**
 * Nothing in the box has the caller's terminal as its controlling terminal: /dev/tty cannot be
 * opened, and input cannot be pushed into the terminal (TIOCSTI) through an inherited descriptor.
 */
function planLeaveTerminal(plan: Plan): void {
  const tty = plan.slot("terminal");
  const flags = O.O_RDWR | O.O_NOCTTY | O.O_CLOEXEC | O.O_NONBLOCK;
  plan.step("openat", [AT_FDCWD, plan.string("/dev/tty"), flags, 0], { into: tty, ignore: "all" });
  plan.step("ioctl", [tty, TIOCNOTTY, 0], { ignore: "all" });
}

function planLoopback(plan: Plan): void {
  plan.because("the network of the box", () => {
    const socket = plan.slot("socket");
    const request = new Uint8Array(40); // struct ifreq: 16 bytes of name, then the flags
    request.set([0x6c, 0x6f]);
    request[16] = IFF_UP;
    plan.step("socket", [AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0], { into: socket });
    plan.step("ioctl", [socket, SIOCSIFFLAGS, plan.bytes(request)], {
      what: "bring the loopback interface up",
    });
    plan.step("close", [socket]);
  });
}
