/**
 * Has init trace the program, for a crash report. What a program dies of is known to nobody else: a core
 * file is a setting of the machine, and /proc no longer has the registers of what has ended.
 */

import * as linux from "../../ffi/linux.ts";
import type { Plan, Slot } from "../../ffi/plan.ts";

/** Both sides of the beginning: init's comes after the program's process is cloned. */
export interface Tracing {
  /** Adds the steps by which the program's process waits until it is traced. */
  wait(): void;
  /** Adds the steps by which init traces it, with all threads that it will have, but no other process. */
  begin(): void;
}

/** Adds the steps that come before the program's process is cloned. */
export function planTracing(plan: Plan, program: Slot): Tracing {
  const pair = plan.struct([0, 0]);
  const [reader, writer] = [plan.slot("reader"), plan.slot("writer")];
  const byte = plan.alloc(1);
  plan.because("option --crash-report", () => {
    plan.step("pipe2", [pair, linux.O_CLOEXEC]);
    plan.step("load", [pair.part(0, 4), 4], { into: reader });
    plan.step("load", [pair.part(4, 4), 4], { into: writer });
  });
  return {
    wait: () =>
      plan.because("option --crash-report", () => {
        plan.step("close", [writer]);
        plan.step("read", [reader, byte, 1]);
        plan.step("close", [reader]);
      }),
    begin: () =>
      plan.because("option --crash-report", () => {
        const options = linux.PTRACE_O_TRACECLONE;
        plan.step("ptrace", [linux.PTRACE_SEIZE, program, 0, options], {
          what: "trace the program",
        });
        plan.step("write", [writer, byte, 1]);
      }),
  };
}
