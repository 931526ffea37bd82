import { assertEquals } from "@std/assert";
import { type LiveRun, Runs } from "./runs.ts";

const run = (boxId: number, command: string[]) =>
  ({ boxId, callerUid: 7, command }) as unknown as LiveRun;

Deno.test("Runs knows a run until it ends, and its outcome until the next one", () => {
  const ended: unknown[] = [];
  const runs = new Runs((outcome) => ended.push(outcome));
  const end = runs.begin(run(3, ["a", "\udcff"]));
  assertEquals([runs.live(3)?.command, runs.last(3)], [["a", "\udcff"], undefined]);
  end(undefined);
  assertEquals([runs.live(3), runs.last(3)?.command], [undefined, ["a", "\udcff"]]);
  assertEquals(ended, [undefined]);
  runs.begin(run(3, ["b"]));
  assertEquals(runs.last(3), undefined);
});

Deno.test("Runs keeps only the beginning of a long command line", () => {
  const runs = new Runs(() => {});
  runs.begin(run(1, ["x", "y".repeat(1 << 20), "z"]))(undefined);
  const [first, second, third, ...more] = runs.last(1)!.command;
  assertEquals([first, second?.length, third, more], ["x", 4095, "…", []]);
  runs.begin(run(1, Array.from({ length: 100_000 }, () => "a")))(undefined);
  assertEquals(runs.last(1)?.command.length, 2049);
});
