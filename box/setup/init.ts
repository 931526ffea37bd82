/**
 * The plan of a box's init: it makes the box, starts the program in it, and then only reaps.
 *
 * The box depends on the rules, the network and the terminal of a run, and on nothing else of it. So it
 * can be made before the run is known: init then waits for a second plan, which starts the program.
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { Plan, type Slot } from "../../ffi/plan.ts";
import type { Run } from "../run_options.ts";
import { planDeferred, planRoot } from "./mounts.ts";
import { planBecome, planBoundCapabilities } from "./privileges.ts";
import { planProgram, type ProgramFds } from "./program.ts";
import type { PlacedRule } from "./sources.ts";
import { planLeaveTerminal } from "./terminal.ts";
import { planTracing } from "./tracing.ts";

const KEEPER_IS_DEAD_STATUS = 126;

/** What is opened for the box that init makes. */
export interface BoxFds {
  /** Init's end of the socket on which the box reports. */
  readonly reportFd: number | Slot;
  /** The mounts that the rules take from the host, in the order of the rules. */
  readonly mountFds: readonly (number | Slot | undefined)[];
}

/** What is opened for init, which has it under the same numbers. */
export interface InitFds extends BoxFds {
  readonly reportFd: number;
  /** The memory file with init's plan, which init closes when it has it mapped. */
  readonly planFd: number;
  readonly mountFds: readonly (number | undefined)[];
}

/** What is opened for a stage. */
interface StageFds extends BoxFds {
  /** For each rule, whether its mount is left to the boxes. */
  readonly deferred: readonly boolean[];
}

/** Where an init that waits has its socket; 0 to 2 are that too, as long as it waits. */
export const WAITING_FD = 3;

/** What a box is made of, whatever is then run in it. */
export interface BoxSetup {
  readonly rules: readonly PlacedRule[];
  /** Stay in the keeper's network namespace. */
  readonly shareNetwork: boolean;
  /** A network namespace to be in. Default: a new one. */
  readonly networkFd?: number | undefined;
  /**
   * A mount namespace to start from, which has little in it; see `bare_mounts.ts`. Default: the keeper's.
   */
  readonly mountsFd?: number | undefined;
  /** What the host is called inside; undefined: as outside. */
  readonly hostname?: string | undefined;
  /** Keep the caller's controlling terminal. */
  readonly terminal: boolean;
  /** Whether the program has a control group, in which case it makes the namespace of those itself. */
  readonly controlGroup: boolean;
}

/** Reads from a run what its box is made of. */
export function boxSetup(
  { sandbox, options, controlGroup, networkFd }: Run,
  rules: readonly PlacedRule[],
): BoxSetup {
  const { shareNetwork = false, hostname } = options;
  // That of a caller in another process is not ours.
  const terminal = (options.terminal ?? false) && !sandbox.remote;
  return {
    rules,
    shareNetwork,
    networkFd,
    hostname,
    terminal,
    controlGroup: controlGroup !== undefined,
  };
}

/** The namespaces that a box's init is cloned into. */
export function namespacesOf(
  { mountsFd, controlGroup, shareNetwork, networkFd }: BoxSetup,
): number {
  const always = linux.CLONE_NEWUTS | linux.CLONE_NEWIPC | linux.CLONE_NEWPID |
    (mountsFd === undefined ? linux.CLONE_NEWNS : 0);
  // From within a namespace of control groups nobody gets into a group outside of it (cgroups(7),
  // "nsdelegate"), so with a group it is the program that makes one, when it is there.
  return always | (controlGroup ? 0 : linux.CLONE_NEWCGROUP) |
    (shareNetwork || networkFd !== undefined ? 0 : linux.CLONE_NEWNET);
}

/** Plans everything that init does. */
export function planInit(run: Run, { setup, fds, programFds }: {
  setup: BoxSetup;
  fds: InitFds;
  programFds: ProgramFds;
}): Plan {
  const plan = new Plan();
  plan.reportFd = fds.reportFd;
  planBox(plan, setup, fds);
  planStart(plan, run, { reportFd: fds.reportFd, programFds });
  return plan;
}

/**
 * Adds the steps of a stage: it has all mounts of a box but those that it leaves to each box, and for each
 * message of the keeper it clones an init, which makes the rest of a box, and dies with the stage at the
 * latest.
 *
 * @param fds the stage's socket, and what its rules mount
 */
export function planStage(
  plan: Plan,
  setup: BoxSetup,
  { reportFd, mountFds, deferred }: StageFds,
): void {
  planBegin(plan, "isolate-stage", { reportFd, mountFds });
  planRoot(plan, setup.rules, { mounts: mountFds, deferred });
  plan.because("the capabilities of the box", () => planBoundCapabilities(plan));
  // What is sent to it gets numbers above those of the standard streams; see sentFds().
  for (const fd of [0, 1, 2]) plan.step("dup3", [reportFd, fd, linux.O_CLOEXEC]);
  plan.step("dup3", [0, WAITING_FD, linux.O_CLOEXEC]);
  plan.step("close_range", [WAITING_FD + 1, 0xffffffff, 0]);
  const flags = linux.CLONE_NEWNS | namespacesOf({ ...setup, shareNetwork: true });
  const args = plan.cloneArgs({ flags });
  plan.spawn(args, { eachOf: WAITING_FD, what: "wait for boxes to make" }, () => {
    planWaitingInit(plan, setup, deferred);
  });
}

/** The first descriptor of a message to a stage: the socket. Mounts follow, and a network, if there is one. */
const SENT_FD = WAITING_FD + 1;

/**
 * Adds the steps of an init that a stage has cloned: it makes the rest of the box, keeps nothing open but
 * its socket, says so with one byte, and waits there.
 */
function planWaitingInit(plan: Plan, setup: BoxSetup, deferred: readonly boolean[]): void {
  let sent = SENT_FD;
  const mounts = setup.rules.map(({ source }, i) => source && deferred[i] ? ++sent : undefined);
  for (const fd of [0, 1, 2, WAITING_FD]) plan.step("dup3", [SENT_FD, fd, linux.O_CLOEXEC]);
  planBegin(plan, "isolate-init", { reportFd: WAITING_FD, mountFds: [] });
  if (!setup.terminal) planLeaveTerminal(plan);
  if (setup.hostname !== undefined) planHostname(plan, setup.hostname);
  planDeferred(plan, setup.rules, { mounts, deferred });
  if (!setup.shareNetwork) planGivenNetwork(plan, sent + 1);
  plan.step("close_range", [SENT_FD, 0xffffffff, 0]);
  plan.step("sendto", [WAITING_FD, plan.alloc(1), 1, linux.MSG_NOSIGNAL, 0, 0]);
  plan.step("next", [WAITING_FD], { what: "wait for a program" });
}

/** Adds the steps that enter the network namespace that came, or a new one if none did. */
function planGivenNetwork(plan: Plan, networkFd: number): void {
  plan.because("the network of the box", () => {
    const given = plan.slot("given network");
    const isNew = [given, -ERRNO.EBADF] as const;
    plan.step("fcntl", [networkFd, linux.F_GETFD], { into: given, ignore: ERRNO.EBADF });
    plan.step("setns", [networkFd, linux.CLONE_NEWNET], { when: [given, 0] });
    plan.step("unshare", [linux.CLONE_NEWNET], { when: isNew });
    planLoopback(plan, isNew);
  });
}

/** Plans what an init that waits does next. */
export function planProgramStart(run: Run, programFds: ProgramFds): Plan {
  const plan = new Plan();
  plan.reportFd = WAITING_FD;
  planStart(plan, run, { reportFd: WAITING_FD, programFds });
  return plan;
}

/** Adds the steps that make the box, in the namespaces that init was cloned into. */
function planBox(plan: Plan, setup: BoxSetup, { reportFd, mountFds }: BoxFds): void {
  planBegin(plan, "isolate-init", { reportFd, mountFds });
  if (!setup.terminal) planLeaveTerminal(plan);
  if (setup.hostname !== undefined) planHostname(plan, setup.hostname);
  planRoot(plan, setup.rules, { mounts: mountFds });
  if (!setup.shareNetwork) plan.because("the network of the box", () => planLoopback(plan));
  plan.because("the capabilities of the box", () => planBoundCapabilities(plan));
}

function planBegin(plan: Plan, name: string, { reportFd, mountFds }: BoxFds): void {
  planCloseOnExec(plan, [reportFd, ...mountFds]);
  plan.step("prctl", [linux.PR_SET_NAME, plan.string(name), 0, 0, 0]);
  // For the mount points, and then for the program.
  plan.step("umask", [0o022]);
  planDieWithKeeper(plan, reportFd);
}

/** Adds the steps that clone the program's process, and after that only reap. */
function planStart(plan: Plan, run: Run, { reportFd, programFds }: {
  reportFd: number;
  programFds: ProgramFds;
}): void {
  planCloseOnExec(plan, programFds.passed);
  if (programFds.remote) planTakeStreams(plan, programFds.remote);
  const program = plan.slot("program");
  const tracing = run.options.crashReport ? planTracing(plan, program) : undefined;
  const args = plan.cloneArgs({ flags: programFlags(run), cgroupFd: programFds.birth });
  plan.spawn(args, { into: program, what: "clone the program's process" }, () => {
    tracing?.wait();
    planProgram(plan, run, { reportFd, programFds });
  });
  tracing?.begin();
  planReap(plan, { run, program, reportFd });
}

/** With less memory a control group may have none left before the program is executed. */
const EXECUTED_KIB_MIN = 4096;

/**
 * Says how the program's process is cloned: until it executes the program it has init's memory, and init waits,
 * so that nothing is copied. But one that is traced waits for init; and where memory runs out the kernel kills
 * only what has its own.
 */
function programFlags({ options: { limits, crashReport } }: Run): number {
  const isShort = (limits?.controlGroupMemoryKib ?? Infinity) < EXECUTED_KIB_MIN;
  return isShort || crashReport ? 0 : linux.CLONE_VM | linux.CLONE_VFORK;
}

/**
 * Adds the steps by which init takes the standard streams of a caller in another process, which has put
 * them into a socket. A stream that is not there is closed in the box too.
 */
export function planTakeStreams(
  plan: Plan,
  { streamSocket, streams, ownTerminal }: NonNullable<ProgramFds["remote"]>,
): void {
  plan.because("the standard streams of the caller", () => {
    const vector = plan.struct([0n, 4n]);
    plan.point(vector, 0, plan.alloc(4));
    const control = plan.struct([0n, 0n, -1, -1, -1, -1]);
    const message = plan.struct([0n, 0n, 0n, 1n, 0n, BigInt(control.length), 0n]);
    plan.point(message, 16, vector);
    plan.point(message, 32, control);
    const what = "take them";
    const receive = [streamSocket, message, linux.MSG_DONTWAIT | linux.MSG_CMSG_CLOEXEC] as const;
    plan.step("recvmsg", receive, { what });
    if (ownTerminal) {
      // These were the caller's own.
      plan.step("store", [message.part(40, 8), 8, control.length]);
      plan.step("recvmsg", receive, { what });
    }
    const taken = streams.map((target, i) => {
      const fd = plan.slot(`descriptor ${target} of the caller`);
      plan.step("load", [control.part(16 + 4 * i, 4), 4], { into: fd, ignore: "all" });
      return { target, fd };
    });
    for (const { target, fd } of taken) plan.step("dup3", [fd, target, 0], { what });
    for (const target of [0, 1, 2]) if (!streams.includes(target)) plan.step("close", [target]);
  });
}

/** Adds the steps by which init gives up all that it has, and reaps until the program ends. */
function planReap(plan: Plan, { run, program, reportFd }: {
  run: Run;
  program: Slot;
  reportFd: number;
}): void {
  // Readers of the program's output must see its end although init lives on.
  planCloseAbove(plan, 0, reportFd);
  plan.because("the init process", () => planBecome(plan, run.sandbox.caller));
  // A change of ids clears the parent-death signal.
  planDieWithKeeper(plan, reportFd);
  plan.step("reap", [program, run.options.crashReport ? 1 : 0]);
}

function planCloseOnExec(plan: Plan, fds: readonly (number | Slot | undefined)[]): void {
  for (const fd of fds) {
    if (fd !== undefined) plan.step("fcntl", [fd, linux.F_SETFD, linux.FD_CLOEXEC]);
  }
}

function planCloseAbove(plan: Plan, first: number, reportFd: number): void {
  if (reportFd > first) plan.step("close_range", [first, reportFd - 1, 0]);
  plan.step("close_range", [reportFd + 1, 0xffffffff, 0]);
}

/** If the keeper dies, so does init, and with it the box; and at once if it has died already. */
function planDieWithKeeper(plan: Plan, reportFd: number | Slot): void {
  plan.step("prctl", [linux.PR_SET_PDEATHSIG, linux.SIGKILL, 0, 0, 0]);
  const vector = plan.struct([0n, 8n]);
  plan.point(vector, 0, plan.alloc(8));
  const message = plan.struct([0n, 0n, 0n, 1n, 0n, 0n, 0n]);
  plan.point(message, 16, vector);
  const received = plan.slot("from the keeper");
  // Only looks: what there is may be the end of the connection, or the program of a ready box.
  plan.step("recvmsg", [reportFd, message, linux.MSG_DONTWAIT | linux.MSG_PEEK], {
    into: received,
    ignore: ERRNO.EAGAIN,
  });
  plan.step("exit_group", [KEEPER_IS_DEAD_STATUS], { when: [received, 0] });
}

function planHostname(plan: Plan, hostname: string): void {
  plan.because("hostname", () => {
    const name = plan.string(hostname);
    plan.step("sethostname", [name, name.length - 1], { what: `call the host ${hostname}` });
  });
}

function planLoopback(plan: Plan, when?: readonly [Slot, number]): void {
  const options = when ? { when } : {};
  const socket = plan.slot("socket");
  const request = new Uint8Array(40); // struct ifreq: 16 bytes of name, then the flags
  request.set([0x6c, 0x6f]);
  request[16] = linux.IFF_UP;
  plan.step("socket", [linux.AF_INET, linux.SOCK_DGRAM | linux.SOCK_CLOEXEC, 0], {
    ...options,
    into: socket,
  });
  plan.step("ioctl", [socket, linux.SIOCSIFFLAGS, plan.bytes(request)], {
    ...options,
    what: "bring the loopback interface up",
  });
  plan.step("close", [socket], options);
}
