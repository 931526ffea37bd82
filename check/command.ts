/** Runs a command of the shell that fixes something. */

import { ERRNO } from "../ffi/errno.ts";
import { CLD_EXITED, CLOSE_RANGE_CLOEXEC, P_PID, SIG_SETMASK, WEXITED } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";

const LAST_FD = 0xffff_ffff;
const SIGINFO = { size: 128, code: 8, status: 24 } as const;

/** Runs a command by `/bin/sh` and waits for its end. What it prints goes to standard error. */
export function runCommand(
  system: System,
  command: string,
  environment: ReadonlyMap<string, string>,
): number {
  const plan = new Plan();
  const child = plan.slot("child");
  const what = `run ${command}`;
  plan.spawn(plan.cloneArgs(), { into: child, what }, () => {
    const strings = (texts: readonly string[]) => plan.pointers(texts.map((t) => plan.string(t)));
    const variables = [...environment].map(([name, value]) => `${name}=${value}`);
    plan.step("rt_sigprocmask", [SIG_SETMASK, plan.struct([0n]), 0, 8]);
    plan.step("dup3", [2, 1, 0]);
    plan.step("close_range", [3, LAST_FD, CLOSE_RANGE_CLOEXEC]);
    const words = ["sh", "-c", command];
    plan.step("execve", [plan.string("/bin/sh"), strings(words), strings(variables)]);
  });
  system.run(plan, what);
  return waitFor(system, plan.result(child));
}

function waitFor(system: System, pid: number): number {
  for (;;) {
    const plan = new Plan();
    const waited = plan.slot("waited");
    const info = plan.alloc(SIGINFO.size);
    plan.step("waitid", [P_PID, pid, info, WEXITED, 0], { into: waited, ignore: ERRNO.EINTR });
    system.run(plan, "wait for the command");
    if (plan.result(waited) < 0) continue;
    const status = plan.view(info).getInt32(SIGINFO.status, true);
    const isExit = plan.view(info).getInt32(SIGINFO.code, true) === CLD_EXITED;
    return isExit ? status : 128 + status;
  }
}
