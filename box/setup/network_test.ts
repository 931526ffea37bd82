import { assertEquals } from "@std/assert";
import { withoutOthers } from "./network.ts";

Deno.test("what other network namespaces do makes one no less like new", () => {
  const sockstat = (numbers: string) =>
    withoutOthers(new TextEncoder().encode(numbers.replaceAll("|", "\n")));
  const quiet = "sockets: used 0|TCP: inuse 0 orphan 0 tw 0 alloc 11 mem 1|UDP: inuse 0 mem 256|";
  const busy = "sockets: used 0|TCP: inuse 0 orphan 7 tw 0 alloc 99 mem 40|UDP: inuse 0 mem 0|";
  assertEquals(sockstat(quiet), sockstat(busy));
  const own = "sockets: used 0|TCP: inuse 0 orphan 0 tw 1 alloc 11 mem 1|UDP: inuse 0 mem 256|";
  assertEquals(new TextDecoder().decode(sockstat(own)).includes("tw 1"), true);
});
