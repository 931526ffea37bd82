import { assertEquals, assertThrows } from "@std/assert";
import { SandboxError } from "../../host/errors.ts";
import type { Run, RunOptions } from "../run_options.ts";
import type { StartedBox } from "../setup/spawn.ts";
import { conclude, type KillReason, type RunFacts } from "./conclude.ts";

type Ended = NonNullable<RunFacts["ended"]>;

const STARTED = { kind: "started", pid: 9, pidFd: 8, wallMs: 100, cpuMs: 2 } as const;
const ENDED: Ended = {
  kind: "ended",
  ending: { how: "exit", exitCode: 0 },
  isAlone: true,
  wallMs: 150,
  cpuMs: 32,
  maxRssKib: 1000,
  voluntaryContextSwitches: 3,
  forcedContextSwitches: 4,
};
const KILLED: Ended = { ...ENDED, ending: { how: "signal", signal: 9 } };

const overflow = { kind: "overflow", stream: "stdout" } as const;

function concluded(
  facts: Partial<Pick<RunFacts, "started" | "ended" | "killedFor" | "cpuTimeMs">>,
  { streamEnd, oomKills, ...options }: RunOptions & {
    streamEnd?: typeof overflow | { kind: "error"; error: unknown };
    oomKills?: number;
  } = {},
) {
  const usage = { cpuTimeMs: 40, peakMemoryKib: 5000, oomKills: oomKills ?? 0 };
  const controlGroup = oomKills === undefined ? undefined : { usage: () => usage };
  const run = { options, controlGroup } as unknown as Run;
  const box = { startedMs: 90 } as StartedBox;
  const nothing = {
    crash: undefined,
    failed: undefined,
    thrown: undefined,
    killedFor: undefined,
    cpuTimeMs: 7,
    pausedMs: 0,
  };
  return conclude(
    { run, box, started: STARTED, ended: ENDED, ...nothing, ...facts },
    { streamEnd, nowMs: 200 },
  );
}

const killed = (killedFor: KillReason, options: Parameters<typeof concluded>[1] = {}) =>
  concluded({ killedFor, ended: KILLED }, options);

Deno.test("conclude() counts from execve on, and leaves out what the sandbox used before", () => {
  assertEquals(concluded({}), {
    kind: "exit",
    exitCode: 0,
    usage: {
      cpuTimeMs: 30,
      wallTimeMs: 50,
      maxRssKib: 1000,
      voluntaryContextSwitches: 3,
      forcedContextSwitches: 4,
      controlGroup: undefined,
    },
  });
});

Deno.test("conclude() takes the CPU time of the control group unless told otherwise", () => {
  assertEquals(concluded({}, { oomKills: 0 }).usage.cpuTimeMs, 38);
  assertEquals(concluded({}, { oomKills: 0, controlGroupTiming: false }).usage.cpuTimeMs, 30);
});

Deno.test("conclude() knows the last look and the death of a box that reported no end", () => {
  const { usage } = concluded({ ended: undefined, killedFor: "wall" });
  assertEquals([usage.cpuTimeMs, usage.wallTimeMs, usage.maxRssKib], [7, 100, 0]);
});

Deno.test("conclude() gives the first reason to kill the program as the verdict", () => {
  const limits = { cpuTimeMs: 10, wallTimeMs: 10 };
  const kinds = (["abort", "stream", "cpu", "wall"] as const).map((reason) =>
    killed(reason, { limits, streamEnd: overflow, oomKills: 1 }).kind
  );
  assertEquals(kinds, ["interrupted", "output-limit", "time-limit", "time-limit"]);
});

Deno.test("conclude() ranks time, output and memory of a program that nobody killed", () => {
  const limits = { cpuTimeMs: 10 };
  assertEquals(concluded({}, { limits, streamEnd: overflow, oomKills: 1 }), {
    kind: "time-limit",
    limit: "cpu",
    killed: false,
    ending: { how: "exit", exitCode: 0 },
    usage: concluded({}, { oomKills: 1 }).usage,
  });
  assertEquals(concluded({}, { streamEnd: overflow, oomKills: 1 }).kind, "output-limit");
  assertEquals(concluded({}, { oomKills: 1 }).kind, "memory-limit");
  assertEquals(concluded({ ended: KILLED }, { oomKills: 0 }).kind, "signal");
});

Deno.test("conclude() keeps how a program ended that was faster than the kill", () => {
  const outcome = concluded({ killedFor: "wall" });
  assertEquals(outcome.kind === "time-limit" && [outcome.killed, outcome.ending?.how], [
    false,
    "exit",
  ]);
});

Deno.test("conclude() names the signal that interrupted a command, or fails with what aborted it", () => {
  const outcome = killed("abort", { signal: AbortSignal.abort(15) });
  assertEquals(outcome.kind === "interrupted" && outcome.signal, 15);
  const reason = new SandboxError("stream", "no more");
  assertThrows(
    () => killed("abort", { signal: AbortSignal.abort(reason) }),
    SandboxError,
    "no more",
  );
});

Deno.test("conclude() fails if a stream failed, or if a box died for no reason of ours", () => {
  const error = new SandboxError("stream", "broken");
  const streamEnd = { kind: "error", error } as const;
  assertThrows(() => killed("stream", { streamEnd }), SandboxError, "broken");
  assertThrows(() => concluded({ started: undefined, ended: undefined }), SandboxError, "before");
  assertThrows(() => concluded({ ended: undefined }), SandboxError, "killed by somebody else");
});

Deno.test("conclude() allows that the memory was not enough to start the program", () => {
  assertEquals(concluded({ started: undefined }, { oomKills: 1 }).kind, "memory-limit");
});
