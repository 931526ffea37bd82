/** The service under a real systemd, in the guest of `./dev vm-test` that has one. */

import { CLIENT, COMMAND, eventually, start, startIsolate, type TestBox } from "./isolate.ts";
import { needs, testWith } from "./skip.ts";

export const REQUIREMENTS = [
  needs.path("/run/systemd/system", "systemd"),
  needs.path("/vm/run", "a guest"),
];

export const UNITS = "/etc/systemd/system";
export const FILE = "/run/isolate/cgroup";
export const SOCKET = "/run/isolate/socket";
/** What the service reads, and every command without --config. */
export const MACHINE_CONFIG = "/etc/isolate";
export const GROUP = "/sys/fs/cgroup/isolate.slice/isolate.service";
export const CONFIG = "/etc/isolate-service-test";
export const OPTIONS = [`--config=${CONFIG}`, "--cg"];
export const MEMORY_KIB = 65536;

export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

export async function read(path: string): Promise<string> {
  return (await Deno.readTextFile(path)).trim();
}

export async function systemctl(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await start(["systemctl", ...words]).result;
  if (code === 0) return stdout.trim();
  const status = await start(["systemctl", "status", "--no-pager", "-l", "isolate"]).result;
  throw new Error(`systemctl ${words.join(" ")}: ${stderr}\n${status.stdout}`);
}

export async function property(name: string): Promise<string> {
  return await systemctl("show", "--value", `--property=${name}`, "isolate.service");
}

export const UNIT_NAMES = [
  "isolate.service",
  "isolate.socket",
  "isolate.slice",
  "isolate-cg-keeper.service",
];

/** Starts the native client, as a user would. */
export function startClient(args: readonly string[], through: readonly string[] = []) {
  return start([CLIENT, ...args], { env: { ISOLATE_SERVICE: SOCKET }, through });
}

/** Gives the units settings of their own until the test ends. */
export async function withDropIn(
  unit: string,
  lines: string,
  test: () => Promise<void>,
): Promise<void> {
  const folder = `/run/systemd/system/${unit}.d`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/test.conf`, lines);
  await systemctl("daemon-reload");
  try {
    await test();
  } finally {
    await Deno.remove(folder, { recursive: true });
    await systemctl("daemon-reload");
  }
}

export async function pidOf(): Promise<string> {
  return await property("MainPID");
}

/** Installs the units as they are, and the command where they expect it. */
export async function install(): Promise<void> {
  const source = new URL("../../systemd/", import.meta.url).pathname;
  for (const name of UNIT_NAMES) {
    await Deno.copyFile(`${source}${name}`, `${UNITS}/${name}`);
  }
  await Deno.mkdir("/usr/local/bin", { recursive: true });
  const script = `#!/bin/sh\nexec ${COMMAND.join(" ")} "$@"\n`;
  await Deno.writeTextFile("/usr/local/bin/isolate", script, { mode: 0o755 });
  await Deno.writeTextFile(CONFIG, `cg_root = auto:${FILE}\n`, { mode: 0o644 });
  await systemctl("daemon-reload");
}

/** Registers a test that begins with the service running, and ends with it stopped. */
export function serviceTest(name: string, test: () => Promise<void>): void {
  testWith(REQUIREMENTS, name, async () => {
    await install();
    await systemctl("start", "isolate.service");
    try {
      await test();
    } finally {
      await systemctl("stop", "isolate.socket", "isolate.service");
    }
  });
}

/** Starts a program that sleeps in a box with a group, and waits until it does. */
export async function startSleeper(box: TestBox) {
  const running = startIsolate(
    box.args(["-p", "-o", "ready"], ["/bin/sh", "-c", "echo ready; exec sleep 300"]),
  );
  await eventually("the sleeper runs", async () => {
    return (await Deno.readTextFile(box.path("ready")).catch(() => "")) === "ready\n";
  });
  return running;
}
