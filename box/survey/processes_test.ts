import { assertEquals } from "@std/assert";
import { parseStatus } from "./processes.ts";

const STATUS = "Name:\tsh\\nPid:\t1\nUmask:\t0022\nState:\tT (stopped)\nTgid:\t90\nPid:\t90\n" +
  "PPid:\t80\nUid:\t60001\t60001\t60001\t60001\nNSpid:\t90\t2\nVmSize:\t  2592 kB\n" +
  "VmHWM:\t 1800 kB\nVmRSS:\t 1740 kB\nRssAnon:\t 112 kB\nThreads:\t3\n";

Deno.test("parseStatus() reads what /proc shows of a process in a box", () => {
  const found = parseStatus(STATUS)!;
  assertEquals(found.name, "sh\\nPid:\t1");
  assertEquals([found.pid, found.parentPid, found.pidInBox, found.uid], [90, 80, 2, 60001]);
  assertEquals([found.state, found.threads], ["T", 3]);
  assertEquals(found.memory.residentKib, 1740);
  assertEquals(found.memory.swappedKib, 0);
});

Deno.test("parseStatus() gives number 0 to a process outside of boxes, and nothing of one that is gone", () => {
  assertEquals(parseStatus(STATUS.replace("90\t2", "90"))?.pidInBox, 0);
  assertEquals(parseStatus(""), undefined);
});
