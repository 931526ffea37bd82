/**
 * What walls add to a run of `true`: the steps of each in a child that does nothing else, against a child
 * without them.
 */

import { Plan } from "isolate/ffi/plan.ts";
import * as linux from "isolate/ffi/linux.ts";
import { callerIdentity } from "isolate/host/identity.ts";
import { System } from "isolate/ffi/system.ts";
import { killStrays } from "isolate/box/claim/strays.ts";
import { planMask } from "isolate/box/setup/clone.ts";
import { planFilter, planKeyrings, planPriority, planScope } from "isolate/box/setup/program.ts";
import { buildSyscallFilter, filterWalls } from "isolate/box/setup/syscall_filter.ts";
import { mediansInTurns, type Row, withFolder } from "./measure.ts";

const ROUNDS = 300;
const ROUNDS_OF_STRAYS = 15;
/** About as many calls as `true` makes. */
const CALLS = 50;
/** What all walls of a run may cost together. */
const GOAL_US = 100;
/** Nobody's. */
const UNUSED_UID = 4_000_000_000;
const STACK_SIZE = 16384;

/** Prepares a plan, and gives a function that executes it and says how long that took. */
function timer(system: System, build: (plan: Plan) => void): () => number {
  const plan = new Plan();
  build(plan);
  const execute = system.prepare(plan, "a wall");
  return () => {
    const startMs = performance.now();
    const failure = execute();
    const tookUs = (performance.now() - startMs) * 1000;
    if (failure) throw failure;
    return tookUs;
  };
}

/** Makes a child that executes some steps and ends, and waits for it. */
function inChild(build: (plan: Plan) => void): (plan: Plan) => void {
  return (plan) => {
    const child = plan.slot("child");
    planMask(plan, () => {
      const flags = linux.CLONE_VM | linux.CLONE_VFORK;
      const stack = plan.alloc(STACK_SIZE);
      plan.spawn(plan.cloneArgs({ flags, stack }), { into: child }, () => {
        plan.step("prctl", [linux.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
        build(plan);
        plan.step("exit_group", [0]);
      });
    });
    const args = [linux.P_PID, child, plan.alloc(128), linux.WEXITED | linux.__WALL, 0];
    plan.step("waitid", args);
  };
}

function planCalls(plan: Plan): void {
  for (let i = 0; i < CALLS; i++) plan.step("getpid", []);
}

/** Measures the walls. */
export async function measureWalls(): Promise<Row[]> {
  const system = await System.load();
  const own = callerIdentity(system);
  const arch = Deno.build.arch;
  const walls = filterWalls({}, { isRoot: false, configuredFlags: 31 });
  const filter = buildSyscallFilter({ flags: 31, arch, walls })!;
  const withoutWalls = buildSyscallFilter({ flags: 31, arch })!;
  return await withFolder(async (folder) => {
    const opening = new Plan();
    const opened = opening.slot("folder");
    const flags = linux.O_DIRECTORY | linux.O_CLOEXEC;
    opening.step("openat", [linux.AT_FDCWD, opening.string(folder), flags, 0], { into: opened });
    system.run(opening, "open a folder");
    const fd = opening.result(opened);
    const times = await mediansInTurns(ROUNDS, {
      child: timer(system, inChild(() => {})),
      flags: timer(
        system,
        inChild((plan) => {
          planFilter(plan, withoutWalls);
          planCalls(plan);
        }),
      ),
      filter: timer(
        system,
        inChild((plan) => {
          planFilter(plan, filter);
          planCalls(plan);
        }),
      ),
      scope: timer(system, inChild(planScope)),
      keyrings: timer(system, inChild(planKeyrings)),
      scheduling: timer(system, inChild(planPriority)),
      nothing: timer(system, (plan) => plan.step("getpid", [])),
      closed: timer(system, (plan) => {
        for (const mode of [0o700, 0o755]) plan.step("fchmod", [fd, mode]);
      }),
      lists: timer(system, (plan) => {
        for (let i = 0; i < 2; i++) {
          plan.step("flistxattr", [fd, plan.alloc(1024), 1024], { ignore: "all" });
        }
        for (const name of ["access", "default"]) {
          const list = plan.string(`system.posix_acl_${name}`);
          plan.step("fremovexattr", [fd, list], { ignore: "all" });
        }
      }),
    });
    system.close(fd);
    const strays = await mediansInTurns(ROUNDS_OF_STRAYS, {
      strays: async () => {
        const startMs = performance.now();
        await killStrays({ system, own, caller: own }, UNUSED_UID);
        return (performance.now() - startMs) * 1000;
      },
    });
    const costs: Readonly<Record<string, number>> = {
      [`setuid files and core limits in the filter, with ${CALLS} calls`]: times.filter -
        times.flags,
      "the scope of signals and sockets": times.scope - times.child,
      "keyrings left behind": times.keyrings - times.child,
      "the usual scheduling": times.scheduling - times.child,
      "the closed way to box/": times.closed - times.nothing,
      "access lists taken away": times.lists - times.nothing,
    };
    const here = Object.values(costs).reduce((sum, us) => sum + us, 0);
    return [
      ...Object.entries(costs).map(([what, us]): Row => ({ what, unit: "µs", here: us })),
      { what: "all these walls of a run", unit: "µs", here, goal: GOAL_US },
      { what: "init, cleanup: looking for strays", unit: "µs", here: strays.strays },
    ];
  });
}
