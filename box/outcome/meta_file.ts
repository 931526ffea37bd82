/** The meta-file on disk. */

import { encodeOsString } from "../../text/os_string.ts";
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_NOCTTY, O_TRUNC, O_WRONLY } from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { translatedSync } from "../../host/errors.ts";
import { asCaller } from "../../host/identity.ts";
import { formatMeta, type MetaRecord } from "./meta.ts";
import type { Sandbox } from "../sandbox.ts";

const STDOUT = 1;

/** A meta-file, opened and emptied. */
export class MetaFile {
  readonly #sandbox: Sandbox;
  readonly #fd: number;
  readonly #path: string;

  private constructor(sandbox: Sandbox, { fd, path }: { fd: number; path: string }) {
    this.#sandbox = sandbox;
    this.#fd = fd;
    this.#path = path;
  }

  /**
   * Opens a meta-file with the caller's rights, and empties it.
   *
   * @param sandbox the sandbox, which knows the caller
   * @param path the file; `-` is standard output
   * @returns the open file
   * @throws {SandboxError} if the caller may not write it
   *
   * @example
   * ```ts
   * import { MetaFile, Sandbox } from "@isolate/isolate";
   *
   * const path = await Deno.makeTempFile();
   * const meta = MetaFile.open(await Sandbox.open(), path);
   * meta.write({ status: "XX", message: "no luck" });
   * meta.close();
   * await Deno.remove(path);
   * ```
   */
  static open(sandbox: Sandbox, path: string): MetaFile {
    if (path === "-") return new MetaFile(sandbox, { fd: STDOUT, path: "standard output" });
    const plan = new Plan();
    const fd = plan.slot("meta-file");
    plan.because("option --meta", () => {
      asCaller(plan, sandbox, () => {
        const flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY;
        plan.step("openat", [AT_FDCWD, plan.string(path), flags, 0o666], {
          into: fd,
          what: `open ${path}`,
        });
      });
    });
    translatedSync(() => sandbox.system.run(plan, "open the meta-file"));
    return new MetaFile(sandbox, { fd: plan.result(fd), path });
  }

  /**
   * Writes the record.
   *
   * @param record what happened
   * @throws {SandboxError} if it cannot be written whole
   */
  write(record: MetaRecord): void {
    this.writeText(formatMeta(record));
  }

  /**
   * Writes something else.
   *
   * @internal
   */
  writeText(text: string): void {
    translatedSync(() => {
      this.#sandbox.system.writeAll(this.#fd, encodeOsString(text), `the meta-file ${this.#path}`);
    });
  }

  /** Closes the file. */
  close(): void {
    if (this.#fd !== STDOUT) this.#sandbox.system.close(this.#fd);
  }
}
