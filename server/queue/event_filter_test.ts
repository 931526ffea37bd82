import { assertEquals } from "@std/assert";
import { unfinished } from "../engine/stage_result.ts";
import type { JobEvent } from "../engine/types.ts";
import { EventFilter } from "./event_filter.ts";

const result = unfinished({ kind: "cancelled" });

function begin(run: number): JobEvent {
  return { stage: "run", run, kind: "begin" };
}

function output(run: number, byte: number): JobEvent {
  return { stage: "run", run, kind: "output", stream: "stdout", bytes: new Uint8Array([byte]) };
}

function end(run: number): JobEvent {
  return { stage: "run", run, kind: "end", result };
}

Deno.test("a job that begins again tells each stage once, and its output is not mixed", () => {
  const told: JobEvent[] = [];
  const filter = new EventFilter((event) => told.push(event));
  for (const event of [begin(0), output(0, 1), end(0), begin(1), output(1, 2)]) {
    filter.take(event, "first");
  }
  const again = [begin(0), output(0, 3), end(0), begin(1), output(1, 4), end(1), begin(2), end(2)];
  for (const event of again) filter.take(event, "second");
  // The first worker was only slow.
  for (const event of [output(1, 5), end(1), begin(2)]) filter.take(event, "first");
  const expected = [
    begin(0),
    output(0, 1),
    end(0),
    begin(1),
    output(1, 2),
    end(1),
    begin(2),
    end(2),
  ];
  assertEquals(told, expected);
});
