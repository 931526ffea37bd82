import { assertEquals } from "@std/assert";
import { System } from "../ffi/system.ts";
import { usableCpus } from "./cpus.ts";

/** What the kernel says for people, such as `0-3,8`. */
function allowedCpus(): number[] {
  const status = Deno.readTextFileSync("/proc/thread-self/status");
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(status)![1]!;
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

Deno.test("usableCpus() lists what the kernel says", async () => {
  assertEquals(usableCpus(await System.load()), allowedCpus());
});
