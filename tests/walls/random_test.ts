/** Short runs of what `./dev fuzz` does for longer: random programs, hostile packages, damaged texts. */

import { assert, assertEquals } from "@std/assert";
import { needsJudge } from "../support/judging.ts";
import { fuzzPackages } from "../support/package_fuzz.ts";
import { fuzzParsers } from "../support/parser_fuzz.ts";
import { needs, testWith } from "../support/skip.ts";
import { fuzzWalls } from "../support/wall_fuzz.ts";

const seed = Number(Deno.env.get("ISOLATE_FUZZ_SEED") ?? 1);

testWith(
  [needs.root(), needs.command("gcc"), needs.command("unshare")],
  "programs that make random system calls change nothing outside, and leave nothing",
  async () => {
    const { programs, harm } = await fuzzWalls({ seconds: 8, seed });
    assertEquals(harm, []);
    assert(programs > 0);
  },
);

testWith(
  [...needsJudge, needs.command("gcc")],
  "hostile packages, also such that change while they are judged, are judged or refused",
  async () => {
    const { packages, harm } = await fuzzPackages({ seconds: 10, seed });
    assertEquals(harm, []);
    assert(packages > 0);
  },
);

testWith([needs.root()], "damaged texts are read, or refused in a sentence", async () => {
  const { accepted, harm } = await fuzzParsers({ inputs: 20_000, seed });
  assertEquals(harm, []);
  // Damage that nothing survives would test little.
  const readers = Object.values(accepted).filter((count) => count > 0);
  assert(readers.length > Object.keys(accepted).length / 2, JSON.stringify(accepted));
});
