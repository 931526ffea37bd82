/**
 * Programs that make random system calls in a box, and what must hold afterwards. As a program
 * (`wall_fuzz.ts SECONDS SEED`) it prints its report as JSON; so it can be alone in a mount namespace.
 */

import { Box, Capture } from "isolate/mod.ts";
import { attackProgram, FIRST_UID } from "./attack.ts";
import { processesOf } from "./isolate.ts";

const BOX_ID = 498;
const UID = FIRST_UID + BOX_ID;
const PROGRAM_SECONDS = 3;
const WALL_MS = 10_000;
const CPU_MS = 8000;
/** The kernel counts children's times in hundredths of a second; set-up and clean-up are not the program's. */
const CPU_TOLERANCE_MS = 400;

/** What random programs did, and what came of it. */
export interface WallFuzzReport {
  readonly programs: number;
  /** Processes that made up to 300 random calls each. */
  readonly children: number;
  /** How often a program ended in which way. */
  readonly ends: Readonly<Record<string, number>>;
  /** What should not have happened; empty if all is well. */
  readonly harm: readonly string[];
}

/** Lets random programs run for some seconds, in a process with mounts of its own. */
export async function fuzzWalls(
  { seconds, seed = 1 }: { seconds: number; seed?: number },
): Promise<WallFuzzReport> {
  const script = new URL(import.meta.url).pathname;
  const { stdout } = await new Deno.Command("unshare", {
    args: ["--mount", Deno.execPath(), "run", "-A", "--no-check", script, `${seconds}`, `${seed}`],
    // What it imports would start a service, and would not let it end.
    env: { ISOLATE_TEST_SERVICE: "0" },
    stdin: "null",
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** What no program may change on the host. */
async function lookAtHost(witness: string): Promise<Record<string, string>> {
  const read = (path: string) => Deno.readTextFile(path).catch((error) => String(error));
  const looks: Record<string, string> = {};
  for (
    const path of [
      "/etc/passwd",
      "/etc/shadow",
      "/bin/true",
      `${witness}/file`,
      "/etc",
      "/dev/null",
    ]
  ) {
    const { mode, uid, gid, size, mtime, nlink } = await Deno.stat(path);
    looks[path] = JSON.stringify([mode, uid, gid, path === "/dev/null" ? 0 : size, nlink]) +
      (path === "/dev/null" ? "" : mtime?.toISOString());
  }
  for (const path of [`${witness}/file`, "/proc/self/mountinfo", "/proc/sys/kernel/core_pattern"]) {
    // The box's own file system is a new one for each program.
    const lines = (await read(path)).split("\n").filter((line) =>
      !line.includes(`/${BOX_ID}/box `)
    );
    looks[path] = (looks[path] ?? "") + lines.join("\n");
  }
  for (const kind of ["shm", "sem", "msg"]) looks[kind] = await linesOf(`/proc/sysvipc/${kind}`);
  looks["keys"] = await linesOf("/proc/keys");
  looks["/dev/shm"] = [...Deno.readDirSync("/dev/shm")].map(({ name }) => name)
    .filter((name) => Deno.lstatSync(`/dev/shm/${name}`).uid === UID).join();
  return looks;
}

/** The lines of a table of the kernel that name the user of the box. */
async function linesOf(path: string): Promise<string> {
  const text = await Deno.readTextFile(path).catch(() => "");
  return text.split("\n").filter((line) => line.split(/\s+/).includes(`${UID}`))
    // Keyrings that every user gets come and go with the use that is made of them.
    .filter((line) => !/_uid(_ses)?\.|_ses\b/.test(line)).join("\n");
}

/** The CPU time of ended children, in milliseconds; see proc_pid_stat(5). */
async function childrenCpuMs(): Promise<number> {
  const stat = await Deno.readTextFile("/proc/self/stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

async function main(seconds: number, seed: number): Promise<WallFuzzReport> {
  const harm: string[] = [];
  const ends: Record<string, number> = {};
  let [programs, children] = [0, 0];
  const witness = await Deno.makeTempDir({ prefix: "isolate-fuzz-" });
  await Deno.writeTextFile(`${witness}/file`, "as it was");
  const program = await attackProgram("random");
  const box = await Box.init({ boxId: BOX_ID, size: { sizeKib: 16384 } });
  try {
    const before = await lookAtHost(witness);
    const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
    for (
      const end = Date.now() + seconds * 1000;
      Date.now() < end && harm.length === 0;
      programs++
    ) {
      await box.clear();
      await Deno.copyFile(program, `${box.directory}/box/random`);
      await Deno.chmod(`${box.directory}/box/random`, 0o755);
      const cpuBefore = await childrenCpuMs();
      const open = descriptors();
      const stdout = new Capture({ limitBytes: 1 << 16 });
      const outcome = await box.run(["/box/random", `${seed + programs}`, `${PROGRAM_SECONDS}`], {
        stdout,
        stderr: "stdout",
        limits: {
          wallTimeMs: WALL_MS,
          cpuTimeMs: CPU_MS,
          processes: 20,
          addressSpaceKib: 1 << 20,
          fileSizeKib: 4096,
        },
      });
      const cpuMs = await childrenCpuMs() - cpuBefore;
      const complain = (what: string) => harm.push(`seed ${seed + programs}: ${what}`);
      ends[outcome.kind] = (ends[outcome.kind] ?? 0) + 1;
      const said = stdout.text();
      children += Number(/^(\d+) children$/m.exec(said)?.[1] ?? 0);
      if (outcome.kind === "exit" && outcome.exitCode === 0 && !/ children\n/.test(said)) {
        complain("it seems to have ended well, but did not say so");
      }
      if (Math.abs(outcome.usage.cpuTimeMs - cpuMs) > CPU_TOLERANCE_MS + cpuMs / 5) {
        complain(`CPU time: ${outcome.usage.cpuTimeMs} ms reported, ${cpuMs} ms by the kernel`);
      }
      const left = await processesOf(UID);
      if (left.length > 0) complain(`it left processes: ${left}`);
      const after = await lookAtHost(witness);
      for (const [what, was] of Object.entries(before)) {
        if (after[what] !== was) complain(`${what} was\n${was}\nand is\n${after[what]}`);
      }
      if (descriptors() > open + 8) complain(`${descriptors()} descriptors are open, not ${open}`);
    }
    await box.cleanup();
  } catch (error) {
    harm.push(`seed ${seed + programs}: ${error instanceof Error ? error.stack : error}`);
  } finally {
    await box.cleanup().catch((error) => harm.push(String(error)));
    await Deno.remove(witness, { recursive: true });
  }
  return { programs, children, ends, harm };
}

if (import.meta.main) {
  const [seconds, seed] = Deno.args.map(Number);
  console.log(JSON.stringify(await main(seconds!, seed!)));
}
