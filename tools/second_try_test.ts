/** Which tests get a second try, and what it decides. */

import { assertEquals } from "@std/assert";
import type { CaseResult, TestRun } from "./junit.ts";
import { filesForSecondTry, secondTry } from "./second_try.ts";

function one(name: string, outcome: CaseResult["outcome"], file = "./a_test.ts"): CaseResult {
  return { file, name, outcome, wallTimeS: 1 };
}

Deno.test("a test that passes alone has passed, and is marked; others stay as they were", async () => {
  const run: TestRun = {
    cases: [one("good", "passed"), one("slow", "failed"), one("broken", "failed")],
  };
  const asked: string[][] = [];
  const runs = await secondTry([run], (files) => {
    asked.push([...files]);
    const cases = [one("good", "failed"), one("slow", "passed"), one("broken", "failed")];
    return Promise.resolve([{ cases }]);
  });
  assertEquals(asked, [["./a_test.ts"]]);
  assertEquals(runs[0]!.cases, [
    one("good", "passed"),
    { ...one("slow", "passed"), neededSecondTry: true },
    one("broken", "failed"),
  ]);
});

Deno.test("a test that does not run in the second try has failed", async () => {
  const run: TestRun = { cases: [one("slow", "failed")] };
  const runs = await secondTry([run], () => Promise.resolve([{ cases: [] }]));
  assertEquals(runs, [run]);
});

Deno.test("no second try for broken runs, for many failures, and where all passed", () => {
  const failed: TestRun = { cases: [one("slow", "failed")] };
  assertEquals(filesForSecondTry([failed]), ["./a_test.ts"]);
  assertEquals(filesForSecondTry([failed, { cases: [], problem: "took too long" }]), []);
  assertEquals(filesForSecondTry([{ cases: [one("good", "passed")] }]), []);
  const many = Array.from({ length: 7 }, (_, i) => one("x", "failed", `./${i}_test.ts`));
  assertEquals(filesForSecondTry([{ cases: many }]), []);
});
