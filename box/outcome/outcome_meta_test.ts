import { assertEquals, assertThrows } from "@std/assert";
import { SandboxError } from "../../host/errors.ts";
import { formatMeta } from "./meta.ts";
import { type Outcome, outcomeMessage, type Usage } from "./outcome.ts";
import { fromMeta, toMeta } from "./outcome_meta.ts";

const usage: Usage = {
  cpuTimeMs: 1234.5,
  wallTimeMs: 2000.4,
  maxRssKib: 1500,
  voluntaryContextSwitches: 3,
  forcedContextSwitches: 4,
};

const TIMES = "time:1.234\ntime-wall:2.000\nmax-rss:1500\ncsw-voluntary:3\ncsw-forced:4\n";

/** Every kind of outcome with its message and what its meta-file has besides figures. */
const OUTCOMES: readonly [Outcome, string, string][] = [
  [{ kind: "exit", exitCode: 0, usage }, "OK (1.234 sec real, 2.000 sec wall)", "exitcode:0\n"],
  [
    { kind: "exit", exitCode: 3, usage },
    "Exited with error status 3",
    "exitcode:3\nstatus:RE\nmessage:Exited with error status 3\n",
  ],
  [
    { kind: "signal", signal: 11, usage },
    "Caught fatal signal 11",
    "exitsig:11\nstatus:SG\nmessage:Caught fatal signal 11\n",
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
    "exitsig:9\nstatus:SG\nmessage:Caught fatal signal 9\n",
  ],
  [
    { kind: "memory-limit", ending: { how: "exit", exitCode: 1 }, usage },
    "Exited with error status 1",
    "exitcode:1\nstatus:RE\nmessage:Exited with error status 1\n",
  ],
  [
    { kind: "memory-limit", ending: { how: "exit", exitCode: 0 }, usage },
    "OK (1.234 sec real, 2.000 sec wall)",
    "exitcode:0\n",
  ],
  [
    { kind: "output-limit", stream: "stdout", usage },
    "Output limit exceeded (standard output)",
    "status:SG\nmessage:Output limit exceeded (standard output)\nkilled:1\nexitsig:25\n",
  ],
  [
    { kind: "output-limit", stream: "stderr", usage },
    "Output limit exceeded (standard error)",
    "status:SG\nmessage:Output limit exceeded (standard error)\nkilled:1\nexitsig:25\n",
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

/** Times that a meta-file can tell exactly. */
const exactUsage: Usage = { ...usage, cpuTimeMs: 1234, wallTimeMs: 2000, controlGroup: undefined };

/** What the meta-file has besides, with a control group. */
const CONTROL_GROUP: readonly [NonNullable<Usage["controlGroup"]>, string][] = [
  [{ peakMemoryKib: 2048, oomKills: 0 }, "cg-enabled:1\ncg-mem:2048\n"],
  [{ peakMemoryKib: 2048, oomKills: 3 }, "cg-enabled:1\ncg-mem:2048\ncg-oom-killed:1\n"],
  [{ peakMemoryKib: 0, oomKills: 0 }, "cg-enabled:1\ncg-mem:0\n"],
  [{ peakMemoryKib: undefined, oomKills: 1 }, "cg-enabled:1\ncg-oom-killed:1\n"],
];

/** Whoever ends a run says so first; of a program that ends the figures come first. */
function metaText(verdict: string, figures: string): string {
  return verdict.includes("killed:1") ? verdict + figures : figures + verdict;
}

for (const [outcome, message, verdict] of OUTCOMES) {
  Deno.test(`outcomeMessage() and toMeta() tell: ${message} (${outcome.kind})`, () => {
    assertEquals(outcomeMessage(outcome), message);
    assertEquals(formatMeta(toMeta(outcome)), metaText(verdict, TIMES));
    for (const [controlGroup, figures] of CONTROL_GROUP) {
      const meta = toMeta({ ...outcome, usage: { ...usage, controlGroup } });
      assertEquals(formatMeta(meta), metaText(verdict, TIMES + figures));
    }
  });
}

Deno.test("toMeta() hides how a program over its time limit ended", () => {
  for (
    const ending of [
      { how: "exit", exitCode: 5 },
      { how: "signal", signal: 11 },
    ] as const
  ) {
    const meta = toMeta({ kind: "time-limit", limit: "cpu", killed: false, ending, usage });
    assertEquals(formatMeta(meta), `${TIMES}status:TO\nmessage:Time limit exceeded\n`);
  }
});

for (const [outcome, message] of OUTCOMES) {
  Deno.test(`fromMeta() reads what toMeta() has written: ${message} (${outcome.kind})`, () => {
    // Only a program whose group was out of memory has passed a limit of memory.
    const oomKills = outcome.kind === "memory-limit" ? 1 : 0;
    for (const controlGroup of [undefined, { peakMemoryKib: 2048, oomKills }]) {
      if (oomKills > 0 && !controlGroup) continue;
      const given = { ...outcome, usage: { ...exactUsage, controlGroup } };
      assertEquals(fromMeta(toMeta(given)), given);
      assertEquals(fromMeta(formatMeta(toMeta(given))), given);
      assertEquals(toMeta(fromMeta(toMeta(given))), toMeta(given));
    }
  });
}

Deno.test("fromMeta() reads what other programs write", () => {
  const text = "time:0.005\ntime-wall:0.100\nmax-rss:3000\ncsw-voluntary:1\ncsw-forced:2\n" +
    "cg-mem:5120\ncg-enabled:1\nexitsig:9\nstatus:TO\nkilled:1\nunknown-key:7\n" +
    "message:Time limit exceeded (wall clock)\n";
  const usage: Usage = {
    cpuTimeMs: 5,
    wallTimeMs: 100,
    maxRssKib: 3000,
    voluntaryContextSwitches: 1,
    forcedContextSwitches: 2,
    controlGroup: { peakMemoryKib: 5120, oomKills: 0 },
  };
  const outcome: Outcome = {
    kind: "time-limit",
    limit: "wall",
    killed: true,
    ending: undefined,
    usage,
  };
  assertEquals(fromMeta(text), outcome);
});

Deno.test("fromMeta() says how a program over its time limit ended", () => {
  const outcome = fromMeta("status:TO\nmessage:Time limit exceeded\nexitsig:11\n");
  assertEquals(outcome.kind === "time-limit" && outcome.ending, { how: "signal", signal: 11 });
});

Deno.test("fromMeta() assumes nothing that the file does not say", () => {
  const { usage } = fromMeta("exitcode:0\n");
  assertEquals(usage, {
    cpuTimeMs: 0,
    wallTimeMs: 0,
    maxRssKib: 0,
    voluntaryContextSwitches: 0,
    forcedContextSwitches: 0,
    controlGroup: undefined,
  });
});

Deno.test("fromMeta() throws if the sandbox had failed", () => {
  const error = assertThrows(
    () => fromMeta("status:XX\nmessage:no luck\n"),
    SandboxError,
    "no luck",
  );
  assertEquals(error.kind, "internal");
});

Deno.test("fromMeta() refuses a file without an outcome", () => {
  const texts = [
    "",
    "status:RE\n",
    "status:RE\nexitcode:0\n",
    "status:SG\nexitcode:1\n",
    "exitsig:9\n",
    "exitcode:1\n",
    "time:0.100\n",
    "status:OK\nexitcode:0\n",
    "exitcode:-1\n",
    "exitcode:1x\n",
    "exitcode:0\ntime:1e3\n",
    "exitcode:0\nkilled:yes\n",
    "no key\n",
    "exitcode:0\nexitcode:1\n",
  ];
  for (const text of texts) assertThrows(() => fromMeta(text), SyntaxError, "meta-file", text);
});
