import { assert, assertEquals, assertLess } from "@std/assert";
import { shrinkInput } from "./shrink.ts";

/** Reads an input as a validator would: a count, and so many numbers below it or beside each other. */
function numbersOf(input: string): number[] | undefined {
  if (!/^\d+\n([\d \n]*\n)?$/.test(input)) return undefined;
  const [first, ...rest] = input.split(/\s+/).filter((word) => word !== "").map(Number);
  return first === rest.length ? rest : undefined;
}

function shrink(input: string, isBad: (numbers: number[]) => boolean, triesMax = 1000) {
  let tries = 0;
  return shrinkInput(input, {
    triesMax,
    isAsBad: (text) => {
      tries++;
      assertLess(tries, triesMax + 2);
      const numbers = numbersOf(text);
      return Promise.resolve(numbers !== undefined && isBad(numbers));
    },
  });
}

const MANY = Array.from({ length: 30 }, (_, i) => 100 + i * 7);

Deno.test("shrinkInput() removes lines, and keeps their count right", async () => {
  const input = `${MANY.length}\n${MANY.join("\n")}\n`;
  assertEquals(await shrink(input, (numbers) => numbers.some((n) => n > 150)), "1\n151\n");
});

Deno.test("shrinkInput() removes words, and keeps their count right", async () => {
  const input = `${MANY.length}\n${MANY.join(" ")}\n`;
  const small = await shrink(input, (numbers) => numbers.filter((n) => n % 2 === 0).length >= 2);
  assertEquals(small, "2\n0 0\n");
});

Deno.test("shrinkInput() leaves alone what cannot be smaller", async () => {
  assertEquals(await shrink("0\n", () => true), "0\n");
  assertEquals(await shrink("2\n5 6\n", (numbers) => numbers.join() === "5,6"), "2\n5 6\n");
});

Deno.test("shrinkInput() tries no more inputs than it may", async () => {
  const input = `${MANY.length}\n${MANY.join("\n")}\n`;
  const small = await shrink(input, (numbers) => numbers.some((n) => n > 150), 20);
  const numbers = numbersOf(small);
  assert(numbers && numbers.some((n) => n > 150), small);
});

Deno.test("shrinkInput() ends early where it is told so", async () => {
  const controller = new AbortController();
  controller.abort();
  const input = "2\n5\n6\n";
  const isAsBad = () => Promise.reject(new Error("tried"));
  assertEquals(
    await shrinkInput(input, { triesMax: 10, isAsBad, signal: controller.signal }),
    input,
  );
});
