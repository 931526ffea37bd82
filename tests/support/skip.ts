/**
 * Tests that need something of the machine. If it is missing they are skipped, and the reason
 * is part of their name: `./dev test` lists it, and refuses a skipped test without one.
 *
 * @example A test that needs root and a compiler
 * ```ts ignore
 * import { needs, testWith } from "isolate/tests/support/skip.ts";
 *
 * testWith([needs.root(), needs.command("gcc")], "box runs a compiled program", async () => {
 *   // …
 * });
 * ```
 */

/** Why a test cannot run here; `undefined` where nothing is missing. */
export type Missing = string | undefined;

/** A test's body. */
export type TestBody = (context: Deno.TestContext) => void | Promise<void>;

/** Registers a test that is skipped, with all reasons in its name, where something is missing. */
export function testWith(requirements: readonly Missing[], name: string, fn: TestBody): void {
  const reasons = requirements.filter((missing) => missing !== undefined);
  if (reasons.length === 0) {
    Deno.test(`${name}${origin()}`, fn);
  } else {
    Deno.test({ name: `${name} [skipped: ${reasons.join("; ")}]${origin()}`, ignore: true, fn });
  }
}

/**
 * Deno's report files a test under the module that registers it, which is this one. Where a report
 * is made the name says whose it is: see `tools/junit.ts`.
 */
function origin(): string {
  if (!Deno.env.has("ISOLATE_TEST_REPORT")) return "";
  const root = new URL("../../", import.meta.url).href;
  return ` [in ./${Deno.mainModule.replace(root, "")}]`;
}

/** What tests can ask for. Each returns what is missing. */
export const needs: {
  root(): Missing;
  command(name: string): Missing;
  /** A file or folder, with the words that tell people what it is for. */
  path(path: string, what: string): Missing;
  /** A capability by its number, see capabilities(7), with its name and what it is for. */
  capability(number: number, what: string): Missing;
  /** Anything else: a condition with the reason that holds where it is false. */
  that(condition: boolean, reason: string): Missing;
} = {
  root: () => Deno.uid() === 0 ? undefined : "needs root",
  command: (name) => findCommand(name) ? undefined : `needs the command ${name}`,
  path: (path, what) => exists(path) ? undefined : `needs ${what} (${path})`,
  capability: (number, what) => hasCapability(number) ? undefined : `needs ${what}`,
  that: (condition, reason) => condition ? undefined : reason,
};

function hasCapability(number: number): boolean {
  const effective = /^CapEff:\s*(\w+)/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1];
  return (BigInt(`0x${effective ?? "0"}`) >> BigInt(number) & 1n) === 1n;
}

function findCommand(name: string): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":").concat("/usr/sbin", "/sbin");
  return folders.map((folder) => `${folder}/${name}`).find(exists);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
