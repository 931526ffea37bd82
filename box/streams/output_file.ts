/** A file for what a program writes. */

import { ERRNO } from "../../ffi/errno.ts";
import { AT_FDCWD, O_CLOEXEC, O_RDWR, O_TMPFILE } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { toSandboxError, translatedSync } from "../../host/errors.ts";
import { HostFile } from "../../host/reader.ts";
import type { Sandbox } from "../sandbox.ts";
import { makeMemoryFile } from "./stream_fds.ts";

/**
 * Makes a file without a name for the output of a program, to be read when the program has ended. It
 * lies where the boxes are, so that their disk counts, and nothing of it is left when it is closed.
 *
 * @param sandbox the sandbox
 * @returns the file, empty; its descriptor can be written to
 * @throws {SandboxError} if it cannot be made
 *
 * @example
 * ```ts
 * import { Box, openOutputFile } from "@isolate/isolate";
 * import { assertEquals } from "@std/assert";
 *
 * await using box = await Box.init({ boxId: 934 });
 * using output = openOutputFile(box.sandbox);
 * await box.run(["/bin/echo", "42"], { stdout: { fd: output.fd, limitBytes: 1000 } });
 * const block = output.block(1000);
 * assertEquals(new TextDecoder().decode(block.bytes.subarray(0, block.read(0))), "42\n");
 * ```
 */
export function openOutputFile(sandbox: Sandbox): HostFile {
  const { system, settings: { boxRoot } } = sandbox;
  const plan = new Plan();
  const fd = plan.slot("output");
  plan.step("openat", [AT_FDCWD, plan.string(boxRoot), O_TMPFILE | O_RDWR | O_CLOEXEC, 0o600], {
    into: fd,
    what: `make a file for the output in ${boxRoot}`,
  });
  // Another user's program may open it again by /dev/stdin.
  plan.step("fchmod", [fd, 0o444]);
  const failure = system.attempt(plan, "make a file for the output");
  if (!failure) return new HostFile(sandbox, plan.result(fd), "the output");
  // Some file systems have no such files, and callers of the service may not make them there.
  const withoutThem: number[] = [ERRNO.EOPNOTSUPP, ERRNO.EISDIR, ERRNO.EACCES];
  if (!withoutThem.includes(failure.errno)) {
    throw toSandboxError(failure);
  }
  return new HostFile(sandbox, translatedSync(() => makeMemoryFile(system)), "the output");
}
