/** Packages that are zip archives, with the ending `.zip` or `.kpp`. */

import type { HostFiles } from "../../mod.ts";
import { listZip, type ZipEntry, ZipError } from "../../text/zip.ts";
import { PackageError } from "./errors.ts";
import { FILE_MIB_MAX, nameOf } from "./files.ts";
import { PACKAGE_FILES } from "./read.ts";

const MIB = 1 << 20;
const ENTRIES_MAX = 60_000;
const TOTAL_BYTES = 4096 * MIB;
/** What some programs put into archives besides the package. */
const OTHERS = /^(__MACOSX|\.DS_Store)(\/|$)/;

/** A package that was unpacked. */
export interface UnpackedPackage extends Disposable {
  /** Its folder. */
  readonly directory: string;
}

/**
 * Unpacks a package into a temporary directory. Archives that lead out of it, have links, or unpack to
 * more than they say are refused.
 *
 * @param host the host's files
 * @param path the archive
 * @param options `fileMib`: the largest file in MiB (default 1024)
 * @returns the folder, which `using` removes
 * @throws {PackageError} if it is no such archive, or not a package
 *
 * @example
 * ```ts
 * import { HostFiles, sharedSandbox } from "@isolate/isolate";
 * import { PackageError, unpackPackage } from "@isolate/isolate/judge";
 * import { assertRejects } from "@std/assert";
 *
 * const host = new HostFiles(await sharedSandbox());
 * await assertRejects(() => unpackPackage(host, "/etc/passwd"), PackageError);
 * ```
 */
export async function unpackPackage(
  host: HostFiles,
  path: string,
  { fileMib = FILE_MIB_MAX }: { fileMib?: number | undefined } = {},
): Promise<UnpackedPackage> {
  const failed = (reason: string) => new PackageError(reason, { file: path });
  const status = host.status(path);
  if (!status) throw failed("is missing");
  if (status.kind !== "file") throw failed("must be a file");
  if (status.sizeBytes > fileMib * MIB) {
    throw failed(`has more than ${fileMib} MiB (--file-size=MIB)`);
  }
  using temporary = new DisposableStack();
  const { path: folder } = temporary.use(host.temporaryDirectory("isolate-package-"));
  try {
    const limits = { entries: ENTRIES_MAX, fileBytes: fileMib * MIB, totalBytes: TOTAL_BYTES };
    const bytes = host.readBytes(path, { limitBytes: fileMib * MIB });
    const entries = listZip(bytes, limits).filter(({ name }) => !OTHERS.test(name));
    const top = topOf(entries);
    // Named like the archive, which gives a package its short name.
    const directory = top ?? nameOf(path).replace(/\.[^.]+$/, "");
    const inside = top === undefined ? `${folder}/${directory}` : folder;
    host.makeDirectory(inside);
    for (const entry of entries) await unpack(host, inside, entry);
    const kept = temporary.move();
    return { directory: `${folder}/${directory}`, [Symbol.dispose]: () => kept.dispose() };
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    throw new PackageError(error.message, { file: path }, { cause: error });
  }
}

async function unpack(host: HostFiles, to: string, entry: ZipEntry): Promise<void> {
  const path = `${to}/${entry.name}`;
  if (entry.kind === "directory") return host.makeDirectory(path);
  host.makeDirectory(path.slice(0, path.lastIndexOf("/")));
  host.write(path, await entry.read());
}

/** Finds the folder that has the package; undefined: it is the archive itself. */
function topOf(entries: readonly ZipEntry[]): string | undefined {
  const names = entries.map(({ name }) => name);
  if (PACKAGE_FILES.some((file) => names.includes(file))) return undefined;
  const tops = new Set(names.map((name) => name.split("/")[0]!));
  const [top, ...others] = tops;
  const has = (top: string) => PACKAGE_FILES.some((file) => names.includes(`${top}/${file}`));
  if (top !== undefined && others.length === 0 && has(top)) return top;
  const found = [...tops].filter(has);
  if (found.length > 1) {
    throw new ZipError(`has several packages: ${found.join(", ")}; unpack it, and name one`);
  }
  throw new ZipError(
    `has no ${PACKAGE_FILES.join(" or ")}, neither at its top nor in the only folder there`,
  );
}
