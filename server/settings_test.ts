import { assertEquals } from "@std/assert";
import { addressText, isLocal, parseListen } from "./settings.ts";

Deno.test("parseListen() reads addresses, and isLocal() says who can reach them", () => {
  const expected: Record<string, [string, boolean] | undefined> = {
    "127.0.0.1:2000": ["http://127.0.0.1:2000/", true],
    "127.8.9.1:1": ["http://127.8.9.1:1/", true],
    "localhost:0": ["http://localhost:0/", true],
    "[::1]:2000": ["http://[::1]:2000/", true],
    "0.0.0.0:80": ["http://0.0.0.0:80/", false],
    "[::]:80": ["http://[::]:80/", false],
    "example.com:80": ["http://example.com:80/", false],
    "127.0.0.1.example.com:80": ["http://127.0.0.1.example.com:80/", false],
    "unix:/run/api": ["unix:/run/api", true],
    "unix:": undefined,
    "2000": undefined,
    "127.0.0.1": undefined,
    "127.0.0.1:": undefined,
    "127.0.0.1:65536": undefined,
    "::1:2000": undefined,
    "a b:1": undefined,
  };
  for (const [text, wanted] of Object.entries(expected)) {
    const address = parseListen(text);
    const found = address && [addressText(address), isLocal(address)];
    assertEquals([text, found], [text, wanted]);
  }
});
