import { assertEquals } from "@std/assert";
import { formatMeta } from "./meta.ts";
import { type Outcome, outcomeMessage, outcomeMeta, type Usage } from "./outcome.ts";

const usage: Usage = {
  cpuTimeMs: 1234.5,
  wallTimeMs: 2000.4,
  maxRssKib: 1500,
  voluntaryContextSwitches: 3,
  forcedContextSwitches: 4,
};

const TIMES = "time:1.234\ntime-wall:2.000\nmax-rss:1500\ncsw-voluntary:3\ncsw-forced:4\n";

/** Every kind of outcome with its message and the head of its meta-file. */
const OUTCOMES: readonly [Outcome, string, string][] = [
  [{ kind: "exit", exitCode: 0, usage }, "OK (1.234 sec real, 2.000 sec wall)", "exitcode:0\n"],
  [
    { kind: "exit", exitCode: 3, usage },
    "Exited with error status 3",
    "status:RE\nmessage:Exited with error status 3\nexitcode:3\n",
  ],
  [
    { kind: "signal", signal: 11, usage },
    "Caught fatal signal 11",
    "status:SG\nmessage:Caught fatal signal 11\nexitsig:11\n",
  ],
  [
    { kind: "time-limit", limit: "cpu", killed: true, ending: undefined, usage },
    "Time limit exceeded",
    "status:TO\nmessage:Time limit exceeded\nkilled:1\n",
  ],
  [
    { kind: "time-limit", limit: "wall", killed: true, ending: undefined, usage },
    "Time limit exceeded (wall clock)",
    "status:TO\nmessage:Time limit exceeded (wall clock)\nkilled:1\n",
  ],
  [
    { kind: "memory-limit", ending: { how: "signal", signal: 9 }, usage },
    "Caught fatal signal 9",
    "status:SG\nmessage:Caught fatal signal 9\nexitsig:9\n",
  ],
  [
    { kind: "memory-limit", ending: { how: "exit", exitCode: 1 }, usage },
    "Exited with error status 1",
    "status:RE\nmessage:Exited with error status 1\nexitcode:1\n",
  ],
  [
    { kind: "memory-limit", ending: { how: "exit", exitCode: 0 }, usage },
    "OK (1.234 sec real, 2.000 sec wall)",
    "exitcode:0\n",
  ],
  [
    { kind: "interrupted", signal: 15, usage },
    "Interrupted",
    "status:SG\nmessage:Interrupted\nkilled:1\nexitsig:15\n",
  ],
  [
    { kind: "interrupted", signal: undefined, usage },
    "Interrupted",
    "status:SG\nmessage:Interrupted\nkilled:1\n",
  ],
];

/** What the meta-file has besides, with a control group. */
const CONTROL_GROUP: readonly [NonNullable<Usage["controlGroup"]>, string][] = [
  [{ peakMemoryKib: 2048, oomKills: 0 }, "cg-enabled:1\ncg-mem:2048\n"],
  [{ peakMemoryKib: 2048, oomKills: 3 }, "cg-enabled:1\ncg-mem:2048\ncg-oom-killed:1\n"],
  [{ peakMemoryKib: 0, oomKills: 0 }, "cg-enabled:1\ncg-mem:0\n"],
  [{ peakMemoryKib: undefined, oomKills: 1 }, "cg-enabled:1\ncg-oom-killed:1\n"],
];

for (const [outcome, message, head] of OUTCOMES) {
  Deno.test(`outcomeMessage() and outcomeMeta() tell: ${message} (${outcome.kind})`, () => {
    assertEquals(outcomeMessage(outcome), message);
    assertEquals(formatMeta(outcomeMeta(outcome)), head + TIMES);
    for (const [controlGroup, tail] of CONTROL_GROUP) {
      const meta = outcomeMeta({ ...outcome, usage: { ...usage, controlGroup } });
      assertEquals(formatMeta(meta), head + TIMES + tail);
    }
  });
}

Deno.test("outcomeMeta() hides how a program ended that was over its time limit by then", () => {
  for (
    const ending of [
      { how: "exit", exitCode: 5 },
      { how: "signal", signal: 11 },
    ] as const
  ) {
    const meta = outcomeMeta({ kind: "time-limit", limit: "cpu", killed: false, ending, usage });
    assertEquals(formatMeta(meta), `status:TO\nmessage:Time limit exceeded\n${TIMES}`);
  }
});
