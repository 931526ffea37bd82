import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ExpectedError } from "../../text/errors.ts";
import { parseIpAddress } from "../../text/ip_address.ts";
import { Destinations } from "./destinations.ts";
import { isPublic } from "./public_address.ts";

/** Where a URL leads, whose host has some addresses; undefined: nowhere. */
async function lead(list: string, url: string, ...addresses: string[]) {
  try {
    return await new Destinations(list).addressOf(
      new URL(url),
      () => Promise.resolve(addresses),
    );
  } catch (error) {
    if (error instanceof ExpectedError) return undefined;
    throw error;
  }
}

Deno.test("addresses of one machine, one site or a tunnel are not public", () => {
  const secret = [
    ...["127.0.0.1", "127.255.0.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255"],
    ...["192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255"],
    ...[
      "::1",
      "::",
      "fe80::1",
      "fc00::1",
      "fd12::1",
      "ff02::1",
      "::ffff:7f00:1",
      "64:ff9b::7f00:1",
    ],
    ...["2002:7f00:1::", "2001:0:7f00:1::", "::7f00:1", "2001:db8::1", "fec0::1"],
  ];
  assertEquals(secret.filter((text) => isPublic(parseIpAddress(text)!)), []);
  const open = ["8.8.8.8", "172.32.0.1", "100.128.0.1", "1.1.1.1", "2606:4700::1111", "2a00::1"];
  assertEquals(open.filter((text) => !isPublic(parseIpAddress(text)!)), []);
});

Deno.test("any leads to public addresses only, whatever a name resolves to", async () => {
  assertEquals(await lead("any", "http://a.example/", "8.8.8.8"), "8.8.8.8");
  assertEquals(await lead("any", "http://a.example/", "127.0.0.1", "8.8.8.8"), "8.8.8.8");
  assertEquals(await lead("any", "https://8.8.4.4/x"), "8.8.4.4");
  assertEquals(await lead("any", "http://[2606:4700::1111]/"), "2606:4700::1111");
  for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "fe80::1%eth0", "10.0.0.1"]) {
    assertEquals(await lead("any", "http://a.example/", address), undefined, address);
  }
  // Spellings of 127.0.0.1 that only the parser of URLs knows.
  for (const host of ["127.1", "0x7f000001", "2130706433", "[::ffff:127.0.0.1]", "127.0.0.1."]) {
    assertEquals(await lead("any", `http://${host}/`), undefined, host);
  }
});

Deno.test("a name that is listed leads to its public addresses, and others nowhere", async () => {
  const list = "hooks.example.org, *.trusted.example";
  assertEquals(await lead(list, "http://hooks.example.org/", "8.8.8.8"), "8.8.8.8");
  assertEquals(await lead(list, "http://HOOKS.example.org./", "8.8.8.8"), "8.8.8.8");
  assertEquals(await lead(list, "http://a.trusted.example:99/", "8.8.8.8"), "8.8.8.8");
  assertEquals(await lead(list, "http://hooks.example.org/", "192.168.0.1"), undefined);
  for (const host of ["example.org", "x.hooks.example.org", "trusted.example", "8.8.8.8"]) {
    assertEquals(await lead(list, `http://${host}/`, "8.8.8.8"), undefined, host);
  }
});

Deno.test("a network that is listed may be private, under any name", async () => {
  assertEquals(await lead("10.1.0.0/16", "http://10.1.2.3:8080/"), "10.1.2.3");
  assertEquals(await lead("10.1.0.0/16", "http://inside.example/", "10.1.2.3"), "10.1.2.3");
  assertEquals(await lead("10.1.0.0/16", "http://inside.example/", "10.2.2.3"), undefined);
  assertEquals(await lead("10.1.0.0/16", "http://outside.example/", "8.8.8.8"), undefined);
  assertEquals(await lead("127.0.0.1", "http://localhost/", "::1", "127.0.0.1"), "127.0.0.1");
  assertEquals(await lead("::1", "http://[::1]:80/"), "::1");
});

Deno.test("complaints say what is wrong with a URL", () => {
  const say = (url: string, list = "any") => new Destinations(list).complaint(url);
  assertEquals(say("http://a.example", ""), "is not allowed: this server sends no callbacks");
  assertEquals(say("ftp://a.example"), "must be an http or https URL");
  assertEquals(say("nothing"), "must be an http or https URL");
  assertEquals(say("http://me:secret@a.example"), "must not hold a user or a password");
  assertEquals(
    say("http://169.254.169.254/latest"),
    "must not lead to 169.254.169.254: this server does not send callbacks there",
  );
  assertEquals(say("https://a.example/x?y"), undefined);
});

Deno.test("a list with anything else in it is refused", () => {
  for (const list of ["http://a.example", "a b", "10.0.0.0/99", "a.example:80", "*", "1.2.3"]) {
    assertThrows(() => new Destinations(list), ExpectedError, "is no destination of callbacks");
  }
});

Deno.test("a name is resolved by what connects, and only there", async () => {
  let resolved = 0;
  const destinations = new Destinations("any");
  const resolve = () => Promise.resolve([["8.8.8.8"], ["127.0.0.1"]][resolved++]!);
  const url = new URL("http://changing.example/");
  assertEquals(destinations.complaint(url.href), undefined);
  assertEquals(await destinations.addressOf(url, resolve), "8.8.8.8");
  assertEquals(resolved, 1);
  await assertRejects(() => destinations.addressOf(url, resolve), ExpectedError);
});
