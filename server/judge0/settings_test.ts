import { assertEquals, assertThrows } from "@std/assert";
import { ExpectedError } from "../../text/errors.ts";
import { readSettings } from "./settings.ts";

const read = (list: string) => readSettings(list, { allowNetwork: false, allowDelete: false });

Deno.test("limits and other settings can be set under Judge0's names", () => {
  const settings = read("cpu_time_limit=2, MAX_CPU_TIME_LIMIT=60,max_extract_size=1");
  assertEquals(settings.limits.cpu_time_limit, { default: 2, min: 0, max: 60, isWhole: false });
  assertEquals(settings.limits.wall_time_limit.default, 10);
  assertEquals([settings.maxExtractSizeKb, settings.maxBatchSize], [1, 20]);
});

Deno.test("a maximum takes the default with it, and a default its maximum", () => {
  const { limits } = read("max_wall_time_limit=5,memory_limit=600000");
  assertEquals([limits.wall_time_limit.default, limits.wall_time_limit.max], [5, 5]);
  assertEquals([limits.memory_limit.default, limits.memory_limit.max], [600_000, 600_000]);
});

Deno.test("settings that cannot hold are refused with what would be right", () => {
  assertThrows(() => read("max_cpu_tme_limit=3"), ExpectedError, "meant: max_cpu_time_limit?");
  assertThrows(() => read("colour=3"), ExpectedError, "known: number_of_runs, ");
  assertThrows(
    () => read("stack_limit=big"),
    ExpectedError,
    "needs a number, as in stack_limit=10",
  );
  assertThrows(() => read("stack_limit"), ExpectedError, "needs a number");
  assertThrows(
    () => read("wall_time_limit=9,max_wall_time_limit=3"),
    ExpectedError,
    "wall_time_limit of Judge0 must be between 1 and max_wall_time_limit, 3: it is 9",
  );
  assertThrows(() => read("wall_time_limit=0.5"), ExpectedError, "must be between 1 and");
});
