/** Programs that attack the walls of a box: tests/walls/programs/, one file a subject. */

import { assert, assertEquals } from "@std/assert";
import { compileC } from "./c_program.ts";
import { processesOf, type RunResult, type TestBox } from "./isolate.ts";

const PROGRAMS = new URL("../walls/programs/", import.meta.url).pathname;

/** The user of the boxes' programs, with the default configuration. */
export const FIRST_UID = 60000;

/** Compiles an attack program; gives its path on the host, where everybody may execute it. */
export async function attackProgram(name: string): Promise<string> {
  const source = await Deno.readTextFile(`${PROGRAMS}${name}.c`);
  return await compileC(source, [`-I${PROGRAMS}`, "-pthread", "-lrt"]);
}

/** Puts an attack program into a box; gives the path by which the box executes it. */
export async function installAttack(box: TestBox, name: string): Promise<string> {
  const inside = `attack-${name}`;
  await Deno.copyFile(await attackProgram(name), box.path(inside));
  await Deno.chmod(box.path(inside), 0o755);
  return inside;
}

/** Runs an attack in a box. */
export async function attack(
  box: TestBox,
  [program, ...args]: readonly [string, ...string[]],
  options: readonly string[] = [],
): Promise<RunResult> {
  return await box.run(options, [await installAttack(box, program), ...args]);
}

/** One attempt of an attack program: its name and why it was denied, or undefined if it got through. */
export function attempts(output: string): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  for (const line of output.split(/\r?\n/)) {
    const [, name, through, reason] = /^(.*): (?:(GOT THROUGH.*)|denied \((.*)\))$/.exec(line) ??
      [];
    if (name !== undefined) found.set(name, through === undefined ? reason : undefined);
  }
  return found;
}

/** Asserts that the attack ended by itself, and that all of its different attempts were denied. */
export function assertDenied(
  result: { code: number; stdout: string; stderr: string },
  count: number,
) {
  const { code, stdout, stderr } = result;
  assertEquals(code, 0, stdout + stderr);
  const made = attempts(stdout);
  const through = [...made].filter(([, reason]) => reason === undefined).map(([name]) => name);
  assertEquals(through, [], "got through");
  assert(made.size >= count, `only ${made.size} of ${count} attempts were made:\n${stdout}`);
}

/** Asserts that nothing of a box is alive: everything is dead before the keeper returns. */
export async function assertNobodyLeft(boxId: number): Promise<void> {
  assertEquals(await processesOf(FIRST_UID + boxId), [], `processes of box ${boxId} are left`);
}
