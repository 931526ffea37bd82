import { assertEquals, assertThrows } from "@std/assert";
import { ExpectedError } from "../../text/errors.ts";
import { TrustedProxies } from "./proxies.ts";

Deno.test("only proxies of the list are believed, from the last one on", () => {
  const proxies = new TrustedProxies("127.0.0.1, 10.1.0.0/16,fd77::1");
  const clientOf = (peer: string, forwarded: string | null) => proxies.clientOf(peer, forwarded);
  assertEquals(clientOf("127.0.0.1", "203.0.113.9"), "203.0.113.9");
  assertEquals(clientOf("::ffff:127.0.0.1", "203.0.113.9"), "203.0.113.9");
  assertEquals(clientOf("fd77::1", "2001:db8::5"), "2001:db8::5");
  // What the client itself has sent stands at the left.
  assertEquals(clientOf("127.0.0.1", "1.1.1.1, 203.0.113.9, 10.1.2.3"), "203.0.113.9");
  assertEquals(clientOf("203.0.113.9", "1.1.1.1"), "203.0.113.9");
  assertEquals(clientOf("127.0.0.1", null), "127.0.0.1");
  assertEquals(clientOf("127.0.0.1", "unknown"), "127.0.0.1");
  assertEquals(clientOf("127.0.0.1", "203.0.113.9:4711"), "203.0.113.9");
  assertEquals(clientOf("127.0.0.1", "[2001:db8::5]:4711"), "2001:db8::5");
  assertEquals(clientOf("unix", "203.0.113.9"), "unix");
});

Deno.test("a proxy can come through a unix socket, and without a list nobody is believed", () => {
  assertEquals(new TrustedProxies("unix").clientOf("unix", "203.0.113.9"), "203.0.113.9");
  assertEquals(new TrustedProxies("").clientOf("127.0.0.1", "203.0.113.9"), "127.0.0.1");
});

Deno.test("what is no proxy is refused", () => {
  for (const wrong of ["proxy.example.org", "10.0.0.0/33", "any"]) {
    assertThrows(() => new TrustedProxies(wrong), ExpectedError, `"${wrong}" is no proxy`);
  }
});
