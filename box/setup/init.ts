/**
 * The plan of a box's init: it makes the box, starts the program in it, and then only reaps.
 *
 * The box depends on the rules, the network and the terminal of a run, and on nothing else of it.
 */

import { ERRNO } from "../../ffi/errno.ts";
import * as linux from "../../ffi/linux.ts";
import { Plan, type Slot } from "../../ffi/plan.ts";
import type { Run } from "../run_options.ts";
import { planRoot } from "./mounts.ts";
import { planBecome, planBoundCapabilities } from "./privileges.ts";
import { planProgram } from "./program.ts";
import type { PlacedRule } from "./sources.ts";
import { planLeaveTerminal } from "./terminal.ts";

const KEEPER_IS_DEAD_STATUS = 126;

/** What is opened for init, which has it under the same numbers. */
export interface InitFds {
  /** Init's end of the socket on which the box reports. */
  readonly reportFd: number;
  /** The memory file with init's plan. */
  readonly planFd: number;
  /** The mounts that the rules take from the host, in the order of the rules. */
  readonly mountFds: readonly (number | undefined)[];
}

/** Plans everything that init does. */
export function planInit(run: Run, rules: readonly PlacedRule[], fds: InitFds): Plan {
  const plan = new Plan();
  plan.reportFd = fds.reportFd;
  planBox(plan, { run, rules, fds });
  const program = planStart(plan, run, fds.reportFd);
  planReap(plan, { run, program, reportFd: fds.reportFd });
  return plan;
}

/** Adds the steps that make the box, in the namespaces that init was cloned into. */
function planBox(plan: Plan, { run, rules, fds }: {
  run: Run;
  rules: readonly PlacedRule[];
  fds: InitFds;
}): void {
  const { reportFd, planFd, mountFds } = fds;
  // Init has it mapped. Whoever could open it again in the program's process (--inherit-fds, or a
  // redirection to a planted link to /proc/self/fd) could write steps for init.
  plan.step("close", [planFd]);
  planCloseOnExec(plan, [reportFd, ...mountFds]);
  plan.step("prctl", [linux.PR_SET_NAME, plan.string("isolate-init"), 0, 0, 0]);
  // For the mount points, and then for the program.
  plan.step("umask", [0o022]);
  planDieWithKeeper(plan, reportFd);
  if (!run.options.terminal) planLeaveTerminal(plan);
  planRoot(plan, rules, mountFds);
  if (!run.options.shareNetwork) planLoopback(plan);
  plan.because("the capabilities of the box", () => planBoundCapabilities(plan));
}

/** Adds the steps that clone the program's process. */
function planStart(plan: Plan, run: Run, reportFd: number): Slot {
  planCloseOnExec(plan, programFds(run));
  const program = plan.slot("program");
  const args = plan.cloneArgs({ cgroupFd: run.controlGroup?.birthFd });
  plan.spawn(args, { into: program, what: "clone the program's process" }, () => {
    planProgram(plan, run, reportFd);
  });
  return program;
}

/** Adds the steps by which init gives up all that it has, and reaps until the program ends. */
function planReap(plan: Plan, { run, program, reportFd }: {
  run: Run;
  program: Slot;
  reportFd: number;
}): void {
  // Readers of the program's output must see its end although init lives on.
  if (reportFd > 0) plan.step("close_range", [0, reportFd - 1, 0]);
  plan.step("close_range", [reportFd + 1, 0xffffffff, 0]);
  plan.because("the init process", () => planBecome(plan, run.sandbox.caller));
  // A change of ids clears the parent-death signal.
  planDieWithKeeper(plan, reportFd);
  plan.step("reap", [program]);
}

/** Lists the descriptors that a run hands to its program, besides the standard ones. */
export function programFds({ controlGroup, streams: { stdin, stdout, stderr } }: Run): number[] {
  const fds = [stdin, stdout, stderr].flatMap((stream) =>
    typeof stream === "object" && "fd" in stream && stream.fd > 2 ? [stream.fd] : []
  );
  return [...controlGroup?.fds ?? [], ...fds];
}

function planCloseOnExec(plan: Plan, fds: readonly (number | undefined)[]): void {
  for (const fd of fds) {
    if (fd !== undefined) plan.step("fcntl", [fd, linux.F_SETFD, linux.FD_CLOEXEC]);
  }
}

/** If the keeper dies, so does init, and with it the box; and at once if it has died already. */
function planDieWithKeeper(plan: Plan, reportFd: number): void {
  plan.step("prctl", [linux.PR_SET_PDEATHSIG, linux.SIGKILL, 0, 0, 0]);
  const nothing = plan.struct([0n, 0n, 0n, 0n, 0n, 0n, 0n]);
  const received = plan.slot("from the keeper");
  // The keeper never sends anything: what can be received is the end of the connection.
  plan.step("recvmsg", [reportFd, nothing, linux.MSG_DONTWAIT], {
    into: received,
    ignore: ERRNO.EAGAIN,
  });
  plan.step("exit_group", [KEEPER_IS_DEAD_STATUS], { when: [received, 0] });
}

function planLoopback(plan: Plan): void {
  plan.because("the network of the box", () => {
    const socket = plan.slot("socket");
    const request = new Uint8Array(40); // struct ifreq: 16 bytes of name, then the flags
    request.set([0x6c, 0x6f]);
    request[16] = linux.IFF_UP;
    plan.step("socket", [linux.AF_INET, linux.SOCK_DGRAM | linux.SOCK_CLOEXEC, 0], {
      into: socket,
    });
    plan.step("ioctl", [socket, linux.SIOCSIFFLAGS, plan.bytes(request)], {
      what: "bring the loopback interface up",
    });
    plan.step("close", [socket]);
  });
}
