/** A package with an input validator, and what the checks of its tests find. */

import { assertEquals } from "@std/assert";
import { existingBoxes, type Files, SUM, withPackage } from "./judging.ts";

const GOOD = "print(sum(map(int, input().split())))\n";

/** Inputs are two numbers up to a limit, with one blank between them and a newline at the end. */
export const INPUT_VALIDATOR = `
import re, sys
text = sys.stdin.read()
limit = int(sys.argv[1]) if len(sys.argv) > 1 else 100
if not re.fullmatch(r"\\d+ \\d+\\n", text):
    print("line 1: not two numbers with one blank between them")
    sys.exit(43)
if max(map(int, text.split())) > limit:
    print("line 1: a number is more than", limit, file=sys.stderr)
    sys.exit(43)
sys.exit(42)
`;

/** The package. */
export const CHECKED: Files = {
  ...SUM,
  "submissions/accepted/a.py": GOOD,
  "input_validators/numbers.py": INPUT_VALIDATOR,
};

/** Verifies a package, and gives what is said of it. */
export async function complaintsOf(
  files: Files,
): Promise<{ complaints: string[]; warnings: string[] }> {
  const found = { complaints: [] as string[], warnings: [] as string[] };
  await withPackage(files, async (judge) => {
    const { complaints, warnings } = await judge.judge({ verify: true });
    found.complaints.push(...complaints);
    found.warnings.push(...warnings);
    // Whoever hands in a submission does not wait for it.
    const others = (await judge.judge({ verify: false })).complaints;
    assertEquals(others.filter((text) => text.includes("validator ")), []);
  });
  assertEquals(existingBoxes(), []);
  return found;
}
