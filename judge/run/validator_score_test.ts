import { assertEquals } from "@std/assert";
import { readScore, type ScoredTest } from "./validator_score.ts";

function read(
  files: { score?: string; multiplier?: string },
  testScores: ScoredTest["testScores"],
  isAccepted = true,
): unknown {
  const { score, multiplier } = files;
  const given = readScore({ score, multiplier }, { testScores, isAccepted });
  return "error" in given ? given.error : given.score;
}

Deno.test("a score of a bounded test is a number up to the bound, or a part of it", () => {
  assertEquals(read({ score: "12.5\n" }, 20), 12.5);
  assertEquals(read({ score: "20" }, 20), 20);
  assertEquals(read({ multiplier: "0.25\n" }, 20), 5);
  assertEquals(read({}, 20), undefined);
});

Deno.test("a score without bound must be there, and is any number from 0", () => {
  assertEquals(read({ score: "123456" }, Infinity), 123456);
  assertEquals(read({}, Infinity, false), undefined);
});

Deno.test("scores of samples are ignored, and those of older versions may be anything", () => {
  assertEquals(read({ score: "x", multiplier: "y" }, "ignored"), undefined);
  assertEquals(read({ score: "-5", multiplier: "y" }, undefined), -5);
});

for (
  const [files, testScores, isAccepted, error] of [
    [{ score: "1", multiplier: "1" }, 5, true, "wrote both score.txt and score_multiplier.txt"],
    [{}, Infinity, true, "wrote no score.txt, but the score of this test is without bound"],
    [{ score: "1" }, 5, false, "wrote score.txt and rejects: only what it accepts has one"],
    [
      { multiplier: "1" },
      "none",
      true,
      "wrote score_multiplier.txt, but the tests of a group with pass-fail have no scores",
    ],
    [
      { score: "5.1" },
      5,
      true,
      "wrote 5.1 to score.txt, more than the highest score 5 of the test",
    ],
    [
      { multiplier: "1.1" },
      5,
      true,
      "wrote 1.1 to score_multiplier.txt, which must be from 0 to 1",
    ],
    [
      { multiplier: "1" },
      Infinity,
      true,
      "wrote score_multiplier.txt, but the score of this test is without bound",
    ],
    [{ score: "-1" }, 5, true, 'wrote no number from 0 to score.txt: "-1"'],
    [{ score: "\n much \x1b[1m" }, 5, true, 'wrote no number from 0 to score.txt: "much \\x1b[1m"'],
    [{ score: "0x10" }, undefined, true, 'wrote no number to score.txt: "0x10"'],
  ] as const
) {
  Deno.test(`a validator that ${error}, is at fault`, () => {
    assertEquals(read(files, testScores, isAccepted), error);
  });
}
