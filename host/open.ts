/**
 * Files of the host that are copied into a box or out of it: everything is done with the rights of
 * whom the sandbox acts for.
 */

import { ERRNO } from "../ffi/errno.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_WRONLY,
  RESOLVE_NO_MAGICLINKS,
  S_IFMT,
  S_IFREG,
  STATX_BASIC_STATS,
} from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import { readStatx, STATX_SIZE } from "../ffi/system.ts";
import { SandboxError } from "./errors.ts";
import { asIdentity } from "./identity.ts";
import type { Sandbox } from "../box/sandbox.ts";

/** Opens a regular file of the host to be read. */
export function openHostFile(sandbox: Sandbox, path: string): { fd: number; sizeBytes: number } {
  const { system, caller, own } = sandbox;
  const plan = new Plan();
  const fd = plan.slot("host file");
  const status = plan.alloc(STATX_SIZE);
  asIdentity(plan, { identity: caller, own }, () => {
    const flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    plan.step("openat2", [AT_FDCWD, plan.string(path), howOfCaller(plan, sandbox, flags), 24], {
      into: fd,
      what: `open ${path}`,
    });
  });
  plan.step("statx", [fd, plan.string(""), AT_EMPTY_PATH, STATX_BASIC_STATS, status]);
  const failure = system.attempt(plan, `open ${path}`);
  if (failure?.errno === ERRNO.ELOOP) {
    throw new SandboxError(
      "bad-option",
      `Cannot copy ${path} into the box: it is a symbolic link; name the file that it leads to`,
    );
  }
  if (failure) throw failure;
  const { mode, sizeBytes } = readStatx(plan.view(status));
  if ((mode & S_IFMT) === S_IFREG) return { fd: plan.result(fd), sizeBytes };
  system.close(plan.result(fd));
  throw new SandboxError("bad-option", `Cannot copy ${path} into the box: it is no regular file`);
}

/** Links such as /proc/self/cwd are the sandbox's own; nobody else is led through them. */
function howOfCaller(plan: Plan, { caller, own }: Sandbox, flags: number) {
  const resolve = caller.uid === own.uid ? 0 : RESOLVE_NO_MAGICLINKS;
  return plan.struct([BigInt(flags | O_CLOEXEC), 0n, BigInt(resolve)]);
}

/** A file of the host that is being made. */
export class NewHostFile {
  /** Its descriptor, for writing. */
  readonly fd: number;
  readonly #sandbox: Sandbox;
  readonly #directory: number;
  readonly #names: { readonly temporary: string; readonly last: string; readonly path: string };

  private constructor(sandbox: Sandbox, { fd, directory, names }: {
    fd: number;
    directory: number;
    names: { temporary: string; last: string; path: string };
  }) {
    this.fd = fd;
    this.#sandbox = sandbox;
    this.#directory = directory;
    this.#names = names;
  }

  /** Begins to make a file, beside the place that it is to take. */
  static create(sandbox: Sandbox, path: string, mode: number | undefined): NewHostFile {
    const slash = path.lastIndexOf("/");
    const last = path.slice(slash + 1);
    if (last === "" || last === "." || last === "..") {
      throw new SandboxError(
        "bad-option",
        `Cannot write ${JSON.stringify(path)}: it names a directory, not a file`,
      );
    }
    const { system, caller, own } = sandbox;
    const temporary = `.isolate-${crypto.randomUUID()}`;
    const plan = new Plan();
    const [directory, fd] = [plan.slot("directory"), plan.slot("new file")];
    asIdentity(plan, { identity: caller, own }, () => {
      const above = plan.string(slash < 0 ? "." : path.slice(0, slash) || "/");
      const how = howOfCaller(plan, sandbox, O_PATH | O_DIRECTORY);
      const what = `write ${path}`;
      plan.step("openat2", [AT_FDCWD, above, how, 24], { into: directory, what });
      const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
      const name = plan.string(temporary);
      plan.step("openat", [directory, name, flags, 0o666], { into: fd, what });
      if (mode !== undefined) plan.step("fchmod", [fd, mode], { what });
    });
    const failure = system.attempt(plan, `write ${path}`);
    const file = new NewHostFile(sandbox, {
      fd: plan.result(fd),
      directory: plan.result(directory),
      names: { temporary, last, path },
    });
    if (!failure) return file;
    file.drop();
    throw failure;
  }

  /** Gives the complete file its name, in place of what was there. */
  finish(): void {
    const { temporary, last, path } = this.#names;
    this.#asCaller((plan) => {
      const names = [
        this.#directory,
        plan.string(temporary),
        this.#directory,
        plan.string(last),
        0,
      ];
      plan.step("renameat2", names, { what: `replace ${path}` });
    });
    this.#close();
  }

  /** Removes the file. */
  drop(): void {
    try {
      this.#asCaller((plan) => {
        const name = plan.string(this.#names.temporary);
        plan.step("unlinkat", [this.#directory, name, 0], { ignore: "all" });
      });
    } finally {
      this.#close();
    }
  }

  #asCaller(build: (plan: Plan) => void): void {
    const { system, caller, own } = this.#sandbox;
    const plan = new Plan();
    asIdentity(plan, { identity: caller, own }, () => build(plan));
    system.run(plan, `write ${this.#names.path}`);
  }

  #close(): void {
    this.#sandbox.system.close(this.fd, this.#directory);
  }
}
