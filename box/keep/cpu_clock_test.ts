import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { System } from "../../ffi/system.ts";
import { parseChildrenTimeMs, readCpuTimeMs } from "./cpu_clock.ts";

const AFTER_NAME = "S 1 7 7 0 -1 4194560 100 200 0 0 5 6 20 30 20 0 1 0 100 0 0";

Deno.test("parseChildrenTimeMs() adds the ticks of user and system time of children", () => {
  assertEquals(parseChildrenTimeMs(`7 (sh) ${AFTER_NAME}`), 500);
});

for (
  const name of [
    "a b",
    "a\nb",
    ") R 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9",
    "((",
    "))",
    ")\n7 (x) S 0",
    "",
    "\uFFFD",
  ]
) {
  Deno.test(`parseChildrenTimeMs() is not misled by the name ${JSON.stringify(name)}`, () => {
    assertEquals(parseChildrenTimeMs(`7 (${name}) ${AFTER_NAME}`), 500);
  });
}

Deno.test("parseChildrenTimeMs() gives 0 for a line that is not complete", () => {
  for (const line of ["", "7", "7 (sh", "7 (sh)", "7 (sh) S 1 7 7 0 -1 4194560 100 0 0 0 5 6 20"]) {
    assertEquals(parseChildrenTimeMs(line), 0, line);
  }
});

/** A shell that does something, says "ready", and waits for its end. */
async function withShell(
  { script, name }: { script: string; name?: string },
  test: (pid: number) => void,
): Promise<void> {
  const rename = name === undefined ? "" : `printf %s '${name}' > /proc/$$/comm; `;
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", `${rename}${script}; echo ready; read -r line`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  try {
    const { value } = await child.stdout[Symbol.asyncIterator]().next();
    assertEquals(new TextDecoder().decode(value), "ready\n");
    test(child.pid);
  } finally {
    await child.stdin.close();
    await child.status;
  }
}

const BUSY = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";

Deno.test("readCpuTimeMs() reads the clock of another process, finer than in ticks", async () => {
  const system = await System.load();
  await withShell({ script: BUSY }, (pid) => {
    const ms = readCpuTimeMs(system, { programPid: pid, initPid: pid, children: false });
    assert(ms !== undefined);
    assertGreater(ms, 5);
    assertLess(ms, 60_000);
    assert(ms % 1 !== 0, `${ms} is a whole number of milliseconds`);
  });
});

Deno.test("readCpuTimeMs() adds children that were waited for, whatever the name", async () => {
  const system = await System.load();
  await withShell({ script: `(${BUSY})`, name: ") S 1 (" }, (pid) => {
    const processes = { programPid: pid, initPid: Deno.pid };
    const own = readCpuTimeMs(system, { ...processes, children: false })!;
    const all = readCpuTimeMs(system, { programPid: pid, initPid: pid, children: true })!;
    // The same process twice: its children count twice.
    assertGreater(all, own + 20);
    assertEquals(Math.round((all - own) / 20) * 20, Math.round(all - own));
  });
});

Deno.test("readCpuTimeMs() gives nothing for a process that is gone", async () => {
  const system = await System.load();
  const child = new Deno.Command("/bin/true", { stdin: "null" }).spawn();
  await child.status;
  const processes = { programPid: child.pid, initPid: Deno.pid, children: true };
  assertEquals(readCpuTimeMs(system, processes), undefined);
});
