import { assertEquals } from "@std/assert";
import {
  endpointOf,
  formatIpNetwork,
  isWithin,
  parseIpAddress,
  parseIpNetwork,
} from "./ip_address.ts";

Deno.test("parseIpNetwork() and formatIpNetwork() read and write the usual forms", () => {
  const forms = {
    "10.77.0.5/24": "10.77.0.5/24",
    "0.0.0.0/0": "0.0.0.0/0",
    "fd77::5/64": "fd77::5/64",
    "::/0": "::/0",
    "::1/128": "::1/128",
    "FD77:0:0:1:0:0:0:A/48": "fd77:0:0:1::a/48",
    "1:2:3:4:5:6:7:8/128": "1:2:3:4:5:6:7:8/128",
    "1:0:3:4:5:6:7:8/128": "1:0:3:4:5:6:7:8/128",
    "fd77:10:0:0:10::/64": "fd77:10:0:0:10::/64",
    "10::/16": "10::/16",
  };
  for (const [text, written] of Object.entries(forms)) {
    assertEquals(formatIpNetwork(parseIpNetwork(text)!), written);
  }
});

Deno.test("parseIpNetwork() takes nothing for an address that is not one", () => {
  const wrong = [
    ...["", "10.0.0.1", "10.0.0/8", "10.0.0.256/8", "10.0.0.1/33", "10.0.0.01/8", "10.0.0.1/-1"],
    ...[
      "10.0.0.1/8/8",
      " 10.0.0.1/8",
      "10.0.0.1/8 ",
      "10.0.0.1/",
      "/8",
      "a.b.c.d/8",
      "10.0.0.1/8x",
    ],
    ...[
      "1:2:3:4:5:6:7/64",
      "1:2:3:4:5:6:7:8:9/64",
      "1::2::3/64",
      "::12345/64",
      "::1/129",
      "::g/64",
    ],
    ...["1:2:3:4:5:6:7::8/64", "fe80::1%eth0/64", ":1/64", ":::/64", "::ffff:10.0.0.1/128"],
  ];
  assertEquals(wrong.filter((text) => parseIpNetwork(text)), []);
  assertEquals(parseIpAddress("10.0.0.1/8"), undefined);
});

Deno.test("isWithin() compares whole networks", () => {
  const cases: [string, string, boolean][] = [
    ["10.77.0.5/24", "10.77.0.0/24", true],
    ["10.77.0.5/25", "10.77.0.0/24", true],
    ["10.77.0.5/23", "10.77.0.0/24", false],
    ["10.77.1.5/24", "10.77.0.0/24", false],
    ["10.77.0.130/25", "10.77.0.0/25", false],
    ["10.0.0.0/8", "0.0.0.0/0", true],
    ["fd77::5/64", "fd77::/48", true],
    ["fd77:0:1::5/64", "fd77::/47", true],
    ["fd77:0:2::5/64", "fd77::/47", false],
    ["::/0", "0.0.0.0/0", false],
  ];
  for (const [inner, outer, expected] of cases) {
    assertEquals(isWithin(parseIpNetwork(inner)!, parseIpNetwork(outer)!), expected, inner);
  }
});

Deno.test("endpointOf() names an address in one way, whichever way it is written", () => {
  assertEquals(endpointOf("127.0.0.1", 80), "7f000001:80");
  assertEquals(endpointOf("::ffff:127.0.0.1", 80), "7f000001:80");
  assertEquals(endpointOf("::ffff:7f00:1", 80), "7f000001:80");
  assertEquals(endpointOf("::1", 8080), endpointOf("0:0:0:0:0:0:0:1", 8080));
  assertEquals(endpointOf("fe80::1%eth0", 1), endpointOf("fe80::1", 1));
  assertEquals(endpointOf("nowhere", 1), undefined);
});
