/**
 * Starts a box: opens what its plan needs, clones its init and hands it the plan.
 *
 * The keeper clones a child that shares its memory just until it executes the shim's own file (no
 * copy of the runtime's address space); that is init, with a memory of its own, which reads its plan
 * from a memory file.
 */

import * as linux from "../../ffi/linux.ts";
import { type Data, Plan } from "../../ffi/plan.ts";
import { type System, SystemError } from "../../ffi/system.ts";
import type { BoxPlaces } from "../claim/paths.ts";
import type { Run } from "../run_options.ts";
import type { Sandbox } from "../sandbox.ts";
import { boxKind } from "./box_kind.ts";
import { planMask, planStartMounts, reap, STACK_SIZE } from "./clone.ts";
import { defaultDirectoryRules } from "./directory_rules.ts";
import { rulesWithin } from "./contained_rules.ts";
import { type BoxSetup, boxSetup, type InitFds, namespacesOf, planInit } from "./init.ts";
import { planClones } from "./mounts.ts";
import { clonedFds } from "./program_fds.ts";
import type { ReadyBox } from "./ready_box.ts";
import { closeSources, type GivenSources, openSources, type PlacedRule } from "./sources.ts";

/** A box that has been started. */
export interface StartedBox {
  /** Descriptor of the init process. */
  readonly initFd: number;
  readonly initPid: number;
  /** Init is the child of a stage, not ours: the kernel reaps it. */
  readonly isStaged: boolean;
  /** The keeper's end of the socket on which the box reports. */
  readonly socket: number;
  /** The plan that init carries out, to which its failure reports refer. */
  readonly plan: Plan;
  /** When it was started, in milliseconds of CLOCK_MONOTONIC. */
  readonly startedMs: number;
}

/** Starts a box and its program; one that is ready is taken, and another one made ready, if asked for. */
export async function spawnBox(run: Run, given?: GivenSources): Promise<StartedBox> {
  const { sandbox, places, options } = run;
  const { system } = sandbox;
  const asked = options.directoryRules ?? defaultDirectoryRules();
  const wantedRules = sandbox.contained ? rulesWithin(asked, sandbox.contained) : asked;
  const rules = openSources(sandbox, { rules: wantedRules, places, given });
  try {
    const setup = boxSetup(run, rules);
    // What is ready has a network of its own, which the run after this one can have.
    const keeper = run.networkFd === undefined ? run.ready : undefined;
    const wanted = keeper && { setup, kind: boxKind(setup), nowMs: system.nowMs() };
    // What a caller has opened nobody else can open for another box.
    if (wanted && !given?.size) keeper.recipe = { rules: wantedRules, setup };
    if (wanted) keeper.choose(wanted, run);
    const arrival = wanted && keeper.arrival();
    if (arrival) await arrival;
    const ready = wanted && keeper.take();
    const startedMs = system.nowMs();
    const started = ready && keeper?.programs.start(run, ready) || startCold(run, setup);
    if (wanted) keeper.put(wanted);
    return { ...started, startedMs };
  } finally {
    closeSources(system, rules);
  }
}

/** Has a new box made ready, as if its next run were like the one before, if there is a stage for that. */
export function prepareBox(
  sandbox: Sandbox,
  { places, ready, controlGroup }: { places: BoxPlaces; ready: ReadyBox; controlGroup: boolean },
): void {
  const { system } = sandbox;
  const { recipe } = ready;
  if (!recipe || !ready.outlivesBox) return;
  let rules: PlacedRule[] = [];
  try {
    rules = openSources(sandbox, { rules: recipe.rules, places });
    const setup = { ...recipe.setup, rules, controlGroup };
    ready.prepare({ setup, kind: boxKind(setup), nowMs: system.nowMs() });
  } catch (error) {
    // The run itself says what is wrong with it.
    if (!(error instanceof SystemError)) throw error;
  } finally {
    closeSources(system, rules);
  }
}

function startCold(run: Run, made: BoxSetup): Omit<StartedBox, "startedMs"> {
  const { sandbox: { system } } = run;
  // Asked for now: since the run began, what was kept may have been closed.
  const setup = { ...made, mountsFd: run.ready?.bareMounts };
  const programFds = clonedFds(run);
  const plan = (fds: InitFds) => planInit(run, { setup, fds, programFds });
  const reportFdMin = (run.inherited.at(-1) ?? 2) + 1;
  return cloneInit(system, { setup, passed: programFds.passed, plan, reportFdMin });
}

/** Opens all that init's plan has to know the descriptors of, and our end of its socket. */
function openInitFds(
  system: System,
  rules: readonly PlacedRule[],
  reportFdMin = 0,
): { socket: number; fds: InitFds } {
  const plan = new Plan();
  const pair = plan.struct([-1, -1]);
  const memory = plan.slot("memory file");
  plan.step("socketpair", [linux.AF_UNIX, linux.SOCK_SEQPACKET | linux.SOCK_CLOEXEC, 0, pair]);
  plan.step("memfd_create", [plan.string("isolate-plan"), linux.MFD_CLOEXEC], { into: memory });
  if (reportFdMin > 3) planMove(plan, pair.part(4, 4), reportFdMin);
  const clones = planClones(plan, rules);
  const failure = system.attempt(plan, "take the mounts of the directory rules");
  const socket = plan.view(pair).getInt32(0, true);
  const fds = {
    reportFd: plan.view(pair).getInt32(4, true),
    planFd: plan.result(memory),
    mountFds: clones.map((slot) => slot && plan.result(slot)),
  };
  if (!failure) return { socket, fds };
  system.close(socket, ...allOf(fds));
  throw failure;
}

/** Adds steps that give a descriptor a number that is not below another one. */
function planMove(plan: Plan, place: Data, minimum: number): void {
  const [old, moved] = [plan.slot("descriptor"), plan.slot("descriptor")];
  plan.because("option --inherit-fds", () => {
    plan.step("load", [place, 4], { into: old });
    plan.step("fcntl", [old, linux.F_DUPFD_CLOEXEC, minimum], {
      into: moved,
      what: `use a number above ${minimum - 1}`,
    });
    plan.step("store", [place, 4, moved]);
    plan.step("close", [old]);
  });
}

function allOf({ reportFd, planFd, mountFds }: InitFds): number[] {
  return [reportFd, planFd, ...mountFds.filter((fd) => fd !== undefined)];
}

/** Clones an init and has it execute the shim with a plan, in which it has our descriptors. */
function cloneInit(system: System, { setup, passed, plan: build, reportFdMin }: {
  setup: BoxSetup;
  passed: readonly number[];
  /** Below it are numbers that the program gets from its caller. */
  reportFdMin?: number;
  plan: (fds: InitFds) => Plan;
}): Omit<StartedBox, "startedMs"> {
  const { socket, fds } = openInitFds(system, setup.rules, reportFdMin);
  try {
    const plan = build(fds);
    system.trace?.(plan, "the box");
    system.writeAll(fds.planFd, plan.encode(), "the plan of the box");
    const init = executeInit(system, { setup, passed: [...allOf(fds), ...passed], socket, fds });
    return { ...init, socket, plan, isStaged: false };
  } catch (error) {
    system.close(socket);
    throw error;
  } finally {
    system.close(...allOf(fds));
  }
}

function executeInit(system: System, { setup, passed, socket, fds }: {
  setup: BoxSetup;
  passed: readonly number[];
  socket: number;
  fds: InitFds;
}): { initFd: number; initPid: number } {
  const plan = new Plan();
  const pid = plan.slot("init");
  const pidfd = plan.alloc(8);
  const flags = linux.CLONE_VM | linux.CLONE_VFORK | linux.CLONE_PIDFD | namespacesOf(setup);
  const args = plan.cloneArgs({ flags, stack: plan.alloc(STACK_SIZE) });
  plan.point(args, 8, pidfd);
  const argv = plan.pointers(["isolate-init", `${fds.planFd}`].map((text) => plan.string(text)));
  const envp = plan.pointers([]);
  // The kernel adds the sender's process id, as we see it, to every message of the box.
  plan.step("setsockopt", [socket, linux.SOL_SOCKET, linux.SO_PASSCRED, plan.struct([1]), 4]);
  planMask(plan, () => {
    plan.spawn(args, { into: pid, what: "clone the init process of the box" }, () => {
      planStartMounts(plan, setup);
      if (setup.networkFd !== undefined) plan.step("setns", [setup.networkFd, linux.CLONE_NEWNET]);
      for (const fd of passed) {
        plan.step("fcntl", [fd, linux.F_SETFD, 0], { what: `pass descriptor ${fd} to the box` });
      }
      const image = [system.library.imageFd, plan.string(""), argv, envp, linux.AT_EMPTY_PATH];
      plan.step("execveat", image, { what: "execute the shim as the init process of the box" });
    });
  });
  const failure = system.attempt(plan, "start the box");
  const started = { initFd: plan.view(pidfd).getInt32(0, true), initPid: plan.result(pid) };
  if (!failure) return started;
  if (started.initPid > 0) {
    reap(system, started.initFd);
    system.close(started.initFd);
  }
  throw failure;
}
