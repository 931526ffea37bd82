/** Copies a folder of the host into a box. */

import type { HostFiles } from "../../mod.ts";
import type { JudgeBox } from "../boxes.ts";

const EXECUTABLE = 0o111;

/** Copies regular files and folders; `to` is `.` for the box itself. */
export async function copyTree(
  host: HostFiles,
  { from, box, to }: { from: string; box: JudgeBox; to: string },
): Promise<void> {
  if (to !== ".") await box.files.makeDirectory(to);
  for (const { name, kind, mode } of host.list(from)) {
    const [hostFile, path] = [`${from}/${name}`, to === "." ? name : `${to}/${name}`];
    if (kind === "directory") await copyTree(host, { from: hostFile, box, to: path });
    if (kind !== "file") continue;
    await box.files.write(path, { hostFile }, { mode: mode & EXECUTABLE ? 0o755 : 0o644 });
  }
}
