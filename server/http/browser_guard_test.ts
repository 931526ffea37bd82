import { assertEquals, assertMatch } from "@std/assert";
import { pageComplaint } from "./browser_guard.ts";
import { AllowedOrigins } from "./origins.ts";

const LOOPBACK = { kind: "tcp", hostname: "127.0.0.1", port: 2000 } as const;
const EVERYWHERE = { kind: "tcp", hostname: "0.0.0.0", port: 2000 } as const;

function complaint(headers: Record<string, string>, { listen = LOOPBACK, hasToken = false }: {
  listen?: typeof LOOPBACK | typeof EVERYWHERE;
  hasToken?: boolean;
} = {}) {
  const origins = new AllowedOrigins("https://course.example.org");
  return pageComplaint({ headers: new Headers(headers) }, { listen, hasToken, origins });
}

Deno.test("a name that somebody else could own is refused on loopback without a token", () => {
  for (const Host of ["evil.example:2000", "127.0.0.1.evil.example", "localhost.evil.example"]) {
    assertMatch(complaint({ Host }) ?? "", /localhost/);
    assertMatch(complaint({ Host, Origin: `http://${Host}` }) ?? "", /localhost/);
    assertEquals(complaint({ Host }, { hasToken: true }), undefined);
    assertEquals(complaint({ Host }, { listen: EVERYWHERE }), undefined);
  }
});

Deno.test("addresses and names of this machine are answered", () => {
  for (
    const Host of [
      "localhost",
      "LOCALHOST:2000",
      "a.localhost:2000",
      "127.0.0.1:2000",
      "[::1]:2000",
    ]
  ) {
    assertEquals(complaint({ Host }), undefined);
  }
});

Deno.test("pages of other origins are refused, also with a token", () => {
  const headers = { Host: "127.0.0.1:2000", Origin: "http://evil.example" };
  assertEquals(
    [complaint(headers), complaint(headers, { hasToken: true })],
    Array(2).fill("requests of pages of other sites are not answered"),
  );
  assertEquals(
    complaint({ Host: "127.0.0.1:2000", Origin: "null" })?.includes("other sites"),
    true,
  );
  assertEquals(complaint({ Host: "127.0.0.1:2000", Origin: "http://127.0.0.1:2000" }), undefined);
});

Deno.test("pages of allowed origins are answered, but no name that somebody else could own", () => {
  const Origin = "https://course.example.org";
  assertEquals(complaint({ Host: "127.0.0.1:2000", Origin }), undefined);
  assertEquals(complaint({ Host: "judge.example.org", Origin }, { hasToken: true }), undefined);
  assertMatch(complaint({ Host: "judge.example.org", Origin }) ?? "", /localhost/);
});
