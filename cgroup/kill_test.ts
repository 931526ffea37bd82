import { assert, assertEquals } from "@std/assert";
import { System } from "../ffi/system.ts";
import { withFolder } from "../tests/support/folder.ts";
import { ControlGroupFiles } from "./files.ts";
import { killProcesses } from "./kill.ts";

/** Kills a group as version 1 has them, here a folder with a list; `onPlan` sees each plan before it is executed. */
async function kill(
  folder: string,
  { pid, onPlan }: { pid: number; onPlan: (title: string) => void },
): Promise<void> {
  await Deno.writeTextFile(`${folder}/cgroup.procs`, `${pid}\n`);
  const system = await System.load((_, title) => onPlan(title));
  assert(killProcesses(new ControlGroupFiles(system, () => {}), folder));
}

async function withSleeper(test: (pid: number) => Promise<void>): Promise<Deno.CommandStatus> {
  const child = new Deno.Command("sleep", { args: ["100"], stdin: "null" }).spawn();
  try {
    await test(child.pid);
  } finally {
    try {
      child.kill("SIGTERM");
    } catch {
      // It is dead, as it should be.
    }
  }
  return await child.status;
}

Deno.test("killProcesses() kills what a group lists", () =>
  withFolder(async (folder) => {
    const { signal } = await withSleeper((pid) =>
      kill(folder, {
        pid,
        onPlan(title) {
          if (title.startsWith("kill")) Deno.writeTextFileSync(`${folder}/cgroup.procs`, "");
        },
      })
    );
    assertEquals(signal, "SIGKILL");
  }));

Deno.test("killProcesses() spares who got the number of a process that has died meanwhile", () =>
  withFolder(async (folder) => {
    const { signal } = await withSleeper((pid) =>
      kill(folder, {
        pid,
        onPlan(title) {
          // As if the process had ended, and its number had been given to the sleeper.
          if (/^(open|kill) what is left/.test(title)) {
            Deno.writeTextFileSync(`${folder}/cgroup.procs`, "");
          }
        },
      })
    );
    assertEquals(signal, "SIGTERM");
  }));
