/** A compiled program, put into a box for people who look into it when judging is over. */

import type { Box } from "../../mod.ts";
import type { Program } from "../compile/compile.ts";
import type { HostFiles } from "../../host/files.ts";

const EXECUTABLE = 0o111;

/** Copies a program into a box, to `box/program/`. */
export async function leaveProgram(host: HostFiles, program: Program, box: Box): Promise<void> {
  const copy = async (from: string, to: string) => {
    await box.files.makeDirectory(to);
    for (const { name, kind, mode } of host.list(from)) {
      const [hostFile, path] = [`${from}/${name}`, `${to}/${name}`];
      if (kind === "directory") await copy(hostFile, path);
      if (kind !== "file") continue;
      await box.files.write(path, { hostFile }, { mode: mode & EXECUTABLE ? 0o755 : 0o644 });
    }
  };
  await copy(program.directory, "program");
}
