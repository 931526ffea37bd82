import { assertEquals } from "@std/assert";
import { clientOf, RateLimit } from "./rate_limit.ts";

Deno.test("RateLimit lets a burst through, and then so many each second", () => {
  const limit = new RateLimit({ perSecond: 2, burst: 3 });
  const take = (client: string, nowMs: number) => limit.take(client, nowMs).waitSeconds;
  assertEquals([take("a", 0), take("a", 0), take("a", 0), take("a", 0)], [0, 0, 0, 1]);
  assertEquals(take("b", 0), 0);
  assertEquals([take("a", 500), take("a", 500)], [0, 1]);
  assertEquals([take("a", 1e6), take("a", 1e6), take("a", 1e6), take("a", 1e6)], [0, 0, 0, 1]);
});

Deno.test("RateLimit says how long to wait where that is more than a second", () => {
  const limit = new RateLimit({ perSecond: 0.1, burst: 1 });
  assertEquals([limit.take("a", 0).waitSeconds, limit.take("a", 0).waitSeconds], [0, 10]);
});

Deno.test("RateLimit forgets the clients that have not come for longest", () => {
  const limit = new RateLimit({ perSecond: 0.001, burst: 1 });
  limit.take("first", 0);
  for (let i = 0; i < 10_000; i++) limit.take(`${i}`, 0);
  assertEquals(limit.take("first", 0).waitSeconds, 0);
});

Deno.test("clientOf() takes a network of IPv6 for one client", () => {
  const expected: Record<string, string> = {
    "192.0.2.1": "192.0.2.1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "::1": "0:0:0:0::/64",
    "2001:db8::1": "2001:db8:0:0::/64",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "fe80::1%eth0": "fe80:0:0:0::/64",
  };
  for (const [address, client] of Object.entries(expected)) {
    assertEquals([address, clientOf(address)], [address, client]);
  }
});
