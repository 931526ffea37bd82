import { assertEquals } from "@std/assert";
import { Plan } from "../../ffi/plan.ts";
import { stepsOf, structOf } from "../../tests/support/plans.ts";
import { type Limits, planLastLimit, planLimits } from "./limits.ts";

const CALLER = { openFilesSoft: 256, openFilesHard: 4096, hardLimits: new Map([[7, 4096n]]) };

/** The resources of getrlimit(2) that are set, with soft and hard limit; -1 is none. */
function planned(limits: Limits, caller = CALLER): [string, number, number][] {
  const names = [
    "cpu",
    "fsize",
    "data",
    "stack",
    "core",
    "rss",
    "nproc",
    "nofile",
    "memlock",
    "as",
  ];
  const plan = new Plan();
  planLimits(plan, limits, caller);
  planLastLimit(plan, limits, caller);
  return stepsOf(plan, "prlimit64").map((step) => {
    assertEquals([step.args[0], step.args[3]], [0, 0], "of itself, nothing asked back");
    const view = structOf(plan, step, 2);
    const [soft, hard] = [0, 8].map((at) => Number(view.getBigInt64(at, true)));
    return [names[step.args[1] as number]!, soft!, hard!];
  });
}

Deno.test("planLimits() sets the defaults: no core, no locked memory, one process", () => {
  assertEquals(planned({}), [
    ["stack", -1, -1],
    ["core", 1, 1],
    ["memlock", 0, 0],
    ["nproc", 1, 1],
    ["nofile", 1024, 1024],
  ]);
});

Deno.test("planLimits() turns KiB into bytes, soft and hard alike", () => {
  const limits = { addressSpaceKib: 1000, stackKib: 64, fileSizeKib: 2, coreKib: 1, processes: 5 };
  assertEquals(planned(limits), [
    ["stack", 65536, 65536],
    ["core", 1024, 1024],
    ["memlock", 0, 0],
    ["as", 1_024_000, 1_024_000],
    ["fsize", 2048, 2048],
    ["nproc", 5, 5],
    ["nofile", 1024, 1024],
  ]);
});

Deno.test("planLimits() does not lose limits beyond 32 bits", () => {
  const [, , , as] = planned({ addressSpaceKib: 2 ** 40 });
  assertEquals(as, ["as", 2 ** 50, 2 ** 50]);
});

Deno.test("planLimits() leaves processes and gives back open files where they are unlimited", () => {
  const all = planned({ processes: "unlimited", openFiles: "unlimited" });
  assertEquals(all.filter(([name]) => name === "nproc"), []);
  assertEquals(all.at(-1), ["nofile", 256, 4096]);
});

Deno.test("planLimits() raises the hard limit of open files while it still may", () => {
  const files = planned({ openFiles: 8192 }).filter(([name]) => name === "nofile");
  assertEquals(files, [["nofile", 8192, 8192], ["nofile", 8192, 8192]]);
});

Deno.test("planLimits() keeps below the caller's hard limits, and tries to raise defaults", () => {
  const hardLimits = new Map([[3, 8192n], [4, 0n], [7, 512n]]);
  assertEquals(planned({}, { openFilesSoft: 100, openFilesHard: 512, hardLimits }), [
    ["stack", 8192, 8192],
    ["stack", -1, -1],
    ["core", 0, 0],
    ["core", 1, 1],
    ["memlock", 0, 0],
    ["nproc", 1, 1],
    ["nofile", 512, 512],
    ["nofile", 1024, 1024],
    ["nofile", 512, 512],
    ["nofile", 1024, 1024],
  ]);
});

Deno.test("planLimits() names the hard limit that an impossible one would have to raise", () => {
  const plan = new Plan();
  const hardLimits = new Map([[3, 8192n], [4, 0n]]);
  planLimits(plan, { stackKib: 8, coreKib: 1 }, { ...CALLER, hardLimits });
  assertEquals(stepsOf(plan, "prlimit64").slice(0, 2).map((step) => step.options.what), [
    "set the resource limit",
    "raise the caller's hard limit of 0",
  ]);
});

Deno.test("planLimits() leaves CPU and wall clock time to the keeper", () => {
  assertEquals(planned({ cpuTimeMs: 1, wallTimeMs: 1, extraTimeMs: 1 }), planned({}));
});

Deno.test("planLimits() names the option behind each step", () => {
  const plan = new Plan();
  planLimits(plan, { addressSpaceKib: 1 }, CALLER);
  assertEquals(stepsOf(plan, "prlimit64").map((step) => step.reason), [
    "stack limit",
    "core limit",
    "locked memory limit",
    "memory limit",
    "process limit",
  ]);
});
