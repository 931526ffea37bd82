import { assertEquals, assertThrows } from "@std/assert";
import { ExpectedError } from "../../text/errors.ts";
import { AllowedOrigins } from "./origins.ts";

const SITE = "https://course.example.org";
const origins = new AllowedOrigins(`${SITE},http://localhost:8080`);

Deno.test("only origins of the list are allowed, by their whole name", () => {
  assertEquals(origins.has(SITE), true);
  assertEquals(origins.has("http://localhost:8080"), true);
  for (
    const other of ["http://course.example.org", `${SITE}.evil.example`, `${SITE}:444`, "null"]
  ) {
    assertEquals(origins.has(other), false, other);
  }
  assertEquals(new AllowedOrigins("").has(SITE), false);
});

Deno.test("a browser that asks before is answered for pages of the list alone", () => {
  const ask = (Origin: string, method = "OPTIONS") =>
    origins.preflight({
      method,
      headers: new Headers({ Origin, "Access-Control-Request-Method": "POST" }),
    });
  const answer = ask(SITE)!;
  assertEquals(answer.status, 204);
  assertEquals(answer.headers.get("Access-Control-Allow-Methods"), "GET, POST, DELETE");
  assertEquals(ask("https://evil.example"), undefined);
  assertEquals(ask(SITE, "POST"), undefined);
});

Deno.test("answers say which page may read them", () => {
  const marked = (origin: string | null, list = SITE) => {
    const response = new Response();
    new AllowedOrigins(list).mark(response, origin);
    return ["Access-Control-Allow-Origin", "Vary"].map((name) => response.headers.get(name));
  };
  assertEquals(marked(SITE), [SITE, "Origin"]);
  assertEquals(marked("https://evil.example"), [null, "Origin"]);
  assertEquals(marked(null), [null, "Origin"]);
  assertEquals(marked(SITE, ""), [null, null]);
});

Deno.test("what is no origin is refused", () => {
  for (const wrong of ["course.example.org", `${SITE}/`, `${SITE}/a`, "*", "ftp://a.example"]) {
    assertThrows(() => new AllowedOrigins(wrong), ExpectedError, "is no origin");
  }
});
