import { assert, assertEquals } from "@std/assert";
import type { BoxSight } from "../core.ts";
import { columns } from "../text/columns.ts";
import { boxTable } from "./steering_text.ts";

const RUNNING: BoxSight = {
  boxId: 222,
  ownerUid: 1000,
  state: "running",
  processes: [],
  command: ["/usr/bin/python3", "-c", "print('ünï 日本語', 'much more of it')"],
  sinceMs: 0,
  cpuTimeMs: 1234,
  wallTimeMs: 5678,
  memoryKib: 200_000,
  limits: { cpuTimeMs: 100_000, wallTimeMs: 300_000, processes: "unlimited" },
  last: undefined,
};
const IDLE: BoxSight = {
  ...RUNNING,
  boxId: 1,
  ownerUid: 0,
  state: "idle",
  command: undefined,
  sinceMs: undefined,
  cpuTimeMs: undefined,
  wallTimeMs: undefined,
  memoryKib: undefined,
  limits: undefined,
};

/** The first line, and how wide the widest one is. */
function shape(width?: number): { headings: string; widest: number } {
  const lines = boxTable([IDLE, RUNNING], width).split("\n");
  assertEquals(lines.length, 4);
  return { headings: lines[0]!.replace(/ +/g, " "), widest: Math.max(...lines.map(columns)) };
}

Deno.test("the table of boxes is never wider than the terminal, and leaves out the rest", () => {
  const all = "BOX OWNER STATE SINCE CPU WALL MEMORY PROCESSES LIMITS PROGRAM";
  assertEquals(shape().headings, all);
  assertEquals(shape(200).headings, all);
  assertEquals(shape(80).headings, "BOX OWNER STATE CPU WALL MEMORY PROCESSES PROGRAM");
  for (const width of [200, 132, 80, 60]) {
    assert(shape(width).widest <= width, `${shape(width).widest} columns of ${width}`);
    assert(shape(width).headings.endsWith("PROGRAM"));
  }
});
