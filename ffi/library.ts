/** Loads the shim. Besides `hand_over.ts` nothing says `Deno.dlopen`. */

import { ABI_VERSION, PLAN, REPORT, STEP } from "./abi.ts";
import { ExpectedError } from "../text/errors.ts";
import { AT_FDCWD, MFD_CLOEXEC, MFD_EXEC, O_CLOEXEC, O_PATH } from "./linux.ts";
import { openShim, type ShimSymbols, SYMBOLS } from "./hand_over.ts";
import { Plan } from "./plan.ts";

/** The shim cannot be loaded, or belongs to another version of this program. */
export class ShimError extends ExpectedError {
  override readonly name = "ShimError";
}

/** Is the loaded shim. */
export interface Library {
  /** A path, or `"embedded"`. */
  readonly origin: string;
  /** A descriptor of the library's file, which a box executes as its init. */
  readonly imageFd: number;
  /** Executes an encoded plan in this thread. */
  exec(image: Uint8Array<ArrayBuffer>): number;
  /** Executes an encoded plan on another thread; the caller keeps a reference to it meanwhile. */
  execAside(image: Uint8Array<ArrayBuffer>): Promise<number>;
  /** Writes a signal's number to a descriptor whenever the signal is sent to the process. */
  signal(signal: number, fd: number): number;
}

const LIBC = {
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
} as const satisfies Deno.ForeignLibraryInterface;

const REMEDY = "build it with `./dev shim` in a checkout of the project";

function fileName(arch: string): string {
  if (arch !== "x86_64" && arch !== "aarch64") {
    throw new ShimError(`Cannot run on ${arch}: isolate supports x86_64 and aarch64`);
  }
  return `libisolate-${arch}.so`;
}

export interface LoadOptions {
  /**
   * `"file"`: the one beside the module; `"embedded"`: the one in the program. Default: the first of
   * them that is there.
   */
  from?: "file" | "embedded";
  /** The directory of the shim files; for tests. */
  directory?: URL;
}

let loaded: Library | undefined;

/** Loads the shim once in a process. */
export async function library(): Promise<Library> {
  return loaded ??= await loadLibrary();
}

/** Loads the shim once more; for tests. */
export async function loadLibrary(options: LoadOptions = {}): Promise<Library> {
  const name = fileName(Deno.build.arch);
  const url = new URL(name, options.directory ?? new URL("../lib/", import.meta.url));
  // A compiled program would have its file unpacked into the temporary directory, which is shared.
  const tryFile = options.from === "file" ||
    (options.from !== "embedded" && url.protocol === "file:" && !Deno.build.standalone);
  if (tryFile) {
    try {
      const opened = options.directory ? Deno.dlopen(url, SYMBOLS) : openShim(url);
      return wrap(opened, decodeURIComponent(url.pathname));
    } catch (error) {
      if (error instanceof ShimError) throw error;
      if (error instanceof Deno.errors.NotCapable) throw error;
      const missing = /No such file|cannot open shared object/.test(String(error));
      if (options.from === "file" || !missing) {
        throw new ShimError(`Cannot load the shim ${url.pathname}: ${reasonOf(error)}; ${REMEDY}`, {
          cause: error,
        });
      }
    }
  }
  const { embeddedShim } = await import("./embedded.ts");
  return loadBytes(embeddedShim(Deno.build.arch));
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error))
    .replace(/^Could not open library: (Could not open library: )?/, "");
}

/** Loads the shim from memory: no path in a file system that others could write to is involved. */
function loadBytes(bytes: Uint8Array<ArrayBuffer>): Library {
  const libc = Deno.dlopen("libc.so.6", LIBC);
  try {
    const name = new TextEncoder().encode("isolate-shim\0");
    let fd = libc.symbols.memfd_create(name, MFD_CLOEXEC | MFD_EXEC);
    // Kernels before 6.3 do not know MFD_EXEC and make every memfd executable.
    if (fd < 0) fd = libc.symbols.memfd_create(name, MFD_CLOEXEC);
    const length = BigInt(bytes.length);
    if (fd < 0 || BigInt(libc.symbols.write(fd, bytes, length)) !== length) {
      throw new ShimError(
        "Cannot load the embedded shim: the kernel refuses a memory file (memfd_create)",
      );
    }
    const path = `/proc/self/fd/${fd}`;
    try {
      return wrap(Deno.dlopen(path, SYMBOLS), "embedded", fd);
    } catch (error) {
      if (error instanceof ShimError) throw error;
      throw new ShimError(
        `Cannot load the embedded shim through ${path}: ${reasonOf(error)} (is /proc mounted?)`,
        { cause: error },
      );
    }
  } finally {
    libc.close();
  }
}

function wrap({ symbols }: { symbols: ShimSymbols }, origin: string, imageFd?: number): Library {
  const record = new Deno.UnsafePointerView(symbols.abi()!);
  const [version, planSize, stepSize, reportSize] = [8, 12, 16, 20].map((at) =>
    record.getUint32(at)
  );
  if (
    version !== ABI_VERSION || planSize !== PLAN.size || stepSize !== STEP.size ||
    reportSize !== REPORT.size
  ) {
    throw new ShimError(
      `The shim ${origin} is of version ${version}, this program needs ${ABI_VERSION}; ${REMEDY}`,
    );
  }
  return {
    origin,
    get imageFd() {
      return imageFd ??= openImage(symbols, origin);
    },
    exec: (image) => symbols.exec(image, image.length),
    execAside: (image) => symbols.execAside(image, image.length),
    signal: (signal, fd) => symbols.signal(signal, fd),
  };
}

function openImage(symbols: ShimSymbols, path: string): number {
  const plan = new Plan();
  const fd = plan.slot("shim");
  plan.step("openat", [AT_FDCWD, plan.string(path), O_PATH | O_CLOEXEC, 0], { into: fd });
  const image = plan.encode();
  if (symbols.exec(image, image.length) < 0) {
    throw new ShimError(`Cannot open the shim ${path}: it was there when it was loaded`);
  }
  return plan.result(fd);
}
