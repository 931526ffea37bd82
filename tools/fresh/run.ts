/**
 * Runs the commands of the README on fresh machines: minimal Debian systems, with nothing in them but
 * the checkout. They have the kernel of this machine and its devices; processes, mounts and control
 * groups are their own.
 *
 * usage: ./dev fresh-test [--if-possible] [RELEASE…] [VERB [WORD…]]
 */

import { projectFiles } from "../files.ts";
import { execute, output, ROOT } from "../process.ts";
import { groupsName, removeGroups } from "./groups.ts";
import {
  environment,
  FRESH_FOLDER,
  NoRootError,
  type Release,
  RELEASES,
  withRoot,
} from "./root.ts";

/** Only root may look into it: a place where strangers really put a checkout. */
const CHECKOUT = "/root/isolate";

/** Lines of a log that are shown in the end. */
const TAIL_LINES = { passed: 12, failed: 80 };

/** What is to run where. */
export interface Request {
  releases: Release[];
  /** Arguments of `./dev`, one list for each command. */
  commands: string[][];
  /** Whether a machine that cannot make roots is no failure. */
  ifPossible: boolean;
}

/** Reads the arguments: releases, then one command of `./dev`. */
export function parseRequest(args: readonly string[]): Request {
  const rest = [...args];
  const ifPossible = rest[0] === "--if-possible";
  if (ifPossible) rest.shift();
  const all = Object.keys(RELEASES) as Release[];
  const releases: Release[] = [];
  for (let name; (name = all.find((release) => release === rest[0])) !== undefined;) {
    releases.push(name);
    rest.shift();
  }
  if (rest[0]?.startsWith("-")) {
    throw new Error(`fresh-test: unknown option ${rest[0]}; --if-possible comes first`);
  }
  return {
    releases: releases.length > 0 ? releases : all,
    commands: rest.length > 0 ? [rest] : [["demo"], ["test"], ["deb-try"]],
    ifPossible,
  };
}

/** Copies the checkout as it is now: into a clone, or as the files of a tarball. */
async function addCheckout(root: string, { asClone }: { asClone: boolean }): Promise<void> {
  const folder = `${root}${CHECKOUT}`;
  const isRepository = await Deno.stat(`${ROOT}/.git`).then(() => true, () => false);
  if (asClone && isRepository) {
    await output(["git", "clone", "--quiet", "--depth=1", `file://${ROOT}`, folder]);
  }
  await Deno.mkdir(folder, { recursive: true });
  for (const file of await projectFiles()) {
    await Deno.mkdir(`${folder}/${file}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.copyFile(`${ROOT}/${file}`, `${folder}/${file}`);
  }
  await output(["chown", "-R", "root:root", folder]);
}

/** Runs `./dev` in a root and returns whether it succeeded. Its output goes into a file. */
async function runDev(root: string, command: readonly string[], log: string): Promise<boolean> {
  using file = await Deno.open(log, { write: true, create: true, truncate: true });
  const script = `cd ${CHECKOUT} && exec ./dev "$@"`;
  const child = new Deno.Command("setpriv", {
    args: [
      // The root's processes end with this one.
      ...["--pdeathsig=KILL", `${ROOT}/tools/fresh/enter.sh`, root, groupsName()],
      ...["/bin/sh", "-c", `exec 2>&1; ${script}`, "sh", ...command],
    ],
    clearEnv: true,
    env: environment(Deno.env.toObject()),
    stdin: "null",
    stdout: "piped",
  }).spawn();
  for await (const piece of child.stdout) {
    for (let at = 0; at < piece.length;) at += file.writeSync(piece.subarray(at));
  }
  const { success } = await child.status;
  await removeGroups();
  return success;
}

async function runRelease(
  release: Release,
  { commands, asClone }: { commands: readonly string[][]; asClone: boolean },
): Promise<boolean> {
  const name = `Debian ${RELEASES[release]}`;
  return await withRoot(release, async (root) => {
    await addCheckout(root, { asClone });
    let isGood = true;
    for (const command of commands) {
      const words = `./dev ${command.join(" ")}`;
      console.log(`${name} (${asClone ? "a clone" : "a tarball"} in ${CHECKOUT}): ${words}`);
      const log = `${FRESH_FOLDER}/${release}-${command[0]}.log`;
      const start = performance.now();
      const success = await runDev(root, command, log);
      const seconds = Math.round((performance.now() - start) / 1000);
      const lines = (await Deno.readTextFile(log)).trimEnd().split("\n");
      const shown = lines.slice(-(success ? TAIL_LINES.passed : TAIL_LINES.failed));
      console.log(shown.map((line) => `  ${line}`).join("\n"));
      console.log(`${name}: ${words} ${success ? "passed" : "FAILED"} in ${seconds} s, see ${log}`);
      isGood &&= success;
    }
    return isGood;
  });
}

/** Says what stands in the way of roots on this machine. */
async function obstacle(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "needs root";
  const { success, stderr } = await execute(["unshare", "--mount", "--pid", "--fork", "true"]);
  return success ? undefined : `cannot make namespaces: ${stderr.trim()}`;
}

function cannot(reason: string, ifPossible: boolean): number {
  console.log(`${ifPossible ? "skipped" : "failed"}: fresh-test: ${reason}`);
  return ifPossible ? 0 : 2;
}

/** Runs everything and returns the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const { releases, commands, ifPossible } = parseRequest(args);
  const missing = await obstacle();
  if (missing !== undefined) return cannot(missing, ifPossible);
  await removeGroups();
  let isGood = true;
  try {
    for (const release of releases) {
      isGood = await runRelease(release, { commands, asClone: release === "trixie" }) && isGood;
    }
  } catch (error) {
    if (!(error instanceof NoRootError)) throw error;
    return cannot(error.message, ifPossible);
  }
  return isGood ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
