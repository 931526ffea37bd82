import { assert, assertEquals } from "@std/assert";
import { callerEnvironment, type Outcome, sharedSandbox } from "isolate/mod.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";
import { HostFiles } from "../../host/files.ts";
import type { Language } from "../languages/language_table.ts";
import { loadLanguages } from "../languages/languages.ts";
import { cannotLimit, Program } from "./program.ts";

async function language(id: string): Promise<Language> {
  const environment = await callerEnvironment();
  const table = await loadLanguages(new HostFiles(await sharedSandbox()), { environment });
  const found = table.find(id)!;
  // The same on all machines.
  const tools = [...found.definition.tools.keys()].map((
    name,
  ): [string, { path: string; bind: string }] => [
    name,
    { path: `/opt/it/bin/${name}`, bind: "/opt/it" },
  ]);
  return { ...found, missing: undefined, tools: new Map(tools), directories: ["/etc/it"] };
}

const usage = {
  cpuTimeMs: 1,
  wallTimeMs: 1,
  maxRssKib: 1,
  voluntaryContextSwitches: 0,
  forcedContextSwitches: 0,
};

testWith([needs.root()], "a heap is the memory limit less what the runtime takes", async () => {
  const program = new Program(await language("java"), "/srv/sum", new Map([["class", "Sum"]]));
  const command = (memoryMib: number) =>
    program.invocation({ memoryKib: memoryMib << 10, controlGroup: true }).command;
  assertEquals(command(256)[0], "/opt/it/bin/java");
  assertEquals(command(256).at(-1), "Sum");
  assert(command(256).includes("-Xmx176m"), command(256).join(" "));
  assert(command(1024).includes("-Xmx944m"));
  // But never less than half.
  assert(command(64).includes("-Xmx32m"));
});

testWith(
  [needs.root()],
  "with a control group it carries the limits of all processes",
  async () => {
    const program = new Program(await language("cpp"), "/srv/sum", new Map([["program", "sum"]]));
    const { limits, command, workingDirectory } = program.invocation({
      timeLimitMs: 1500,
      memoryKib: 65536,
      controlGroup: true,
    });
    assertEquals(command, ["/program/sum"]);
    assertEquals(workingDirectory, "/box");
    assertEquals(limits.cpuTimeMs, 1500);
    assertEquals(limits.controlGroupMemoryKib, 65536);
    assertEquals(limits.addressSpaceKib, undefined);
    assertEquals(limits.processes, 64);
  },
);

testWith([needs.root()], "without a control group one process has the address space", async () => {
  const cpp = await language("cpp");
  const program = new Program(cpp, "/srv/sum", new Map([["program", "sum"]]));
  const { limits } = program.invocation({ memoryKib: 65536, controlGroup: false });
  assertEquals(limits.controlGroupMemoryKib, undefined);
  assertEquals(limits.addressSpaceKib, 65536);
  assertEquals(limits.processes, 1);
  const go = await language("go");
  assertEquals(cannotLimit(cpp, cpp.definition.run, { hasControlGroup: false }), undefined);
  assertEquals(cannotLimit(go, go.definition.run, { hasControlGroup: true }), undefined);
  const reason = cannotLimit(go, go.definition.run, { hasControlGroup: false });
  assert(reason?.startsWith("Go needs boxes with control groups"));
});

testWith(
  [needs.root()],
  "without a control group a program cannot fill a disk, nor all memory",
  async () => {
    const program = new Program(await language("cpp"), "/srv/sum", new Map([["program", "sum"]]));
    const sizes = (leavesNothing: boolean) => {
      const invocation = program.invocation({
        memoryKib: 65536,
        controlGroup: false,
        leavesNothing,
      });
      const writable = invocation.directoryRules.filter((rule) =>
        rule.kind === "temporary" || rule.readWrite
      );
      return writable.map((rule) => [
        rule.inside,
        rule.kind === "filesystem" && rule.sizeKib !== undefined,
      ]);
    };
    assertEquals(sizes(true), [["box", true], ["dev/shm", true], ["tmp", true]]);
    // Its box has what it leaves, and is watched.
    assertEquals(sizes(false), [["box", false], ["dev/shm", true], ["tmp", true]]);
  },
);

testWith([needs.root()], "a program sees its folder and its tools, read-only", async () => {
  const program = new Program(await language("python3"), "/srv/sum", new Map([["main", "a.py"]]));
  const { directoryRules, environment } = program.invocation({
    memoryKib: 65536,
    controlGroup: true,
  });
  const rules = new Map(directoryRules.map((rule) => [rule.inside, rule]));
  for (
    const [inside, outside] of [["program", "/srv/sum"], ["opt/it", "/opt/it"], [
      "etc/it",
      "/etc/it",
    ]]
  ) {
    const rule = rules.get(inside!);
    assert(rule?.kind === "bind" && !rule.readWrite && rule.outside === outside, inside);
  }
  assertEquals(rules.get("tmp")?.kind, "filesystem");
  assert(rules.has("box") && rules.has("usr") && rules.has("proc"));
  assertEquals(environment.get("PYTHONHASHSEED"), "0");
  assertEquals(environment.get("LANG"), "C.UTF-8");
});

testWith([needs.root()], "a full heap is distinguished from other failures", async () => {
  const program = new Program(await language("java"), "/srv/sum", new Map());
  const failed: Outcome = { kind: "exit", exitCode: 1, usage };
  const full = 'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n';
  assertEquals(program.ranOutOfMemory(failed, full), true);
  assertEquals(program.ranOutOfMemory(failed, "java.lang.NullPointerException"), false);
  assertEquals(program.ranOutOfMemory({ kind: "exit", exitCode: 0, usage }, full), false);
  const limited: Outcome = {
    kind: "time-limit",
    limit: "cpu",
    killed: true,
    ending: undefined,
    usage,
  };
  assertEquals(program.ranOutOfMemory(limited, full), false);
  const killed: Outcome = { kind: "memory-limit", ending: { how: "signal", signal: 9 }, usage };
  assertEquals(program.ranOutOfMemory(killed, ""), true);
});
