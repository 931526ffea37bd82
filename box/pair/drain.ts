/** Throws away what a program says to one that has ended. */

import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import type { Waiter } from "../keep/waiter.ts";
import { PipeReader } from "../streams/pump.ts";

const READ_SIZE = 65536;

/** Reads from a pipe until nobody can write to it any more, and closes it. */
export async function drain(
  fd: number,
  { system, waiter }: { system: System; waiter: Waiter },
): Promise<void> {
  try {
    const plan = new Plan();
    plan.step("fcntl", [fd, linux.F_SETFL, linux.O_NONBLOCK]);
    system.run(plan, "never wait for the program that goes on");
    const reader = new PipeReader(system, fd);
    for (;;) {
      const bytes = reader.read(READ_SIZE);
      if (bytes === undefined) await waiter.readable([fd], Infinity);
      else if (bytes.length === 0) return;
    }
  } finally {
    waiter.forget(fd);
    system.close(fd);
  }
}
