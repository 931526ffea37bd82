import { assertEquals } from "@std/assert";
import type { Route } from "./route.ts";
import { Router } from "./router.ts";

const route = (method: Route["method"], path: string): Route => ({
  method,
  path,
  handle: () => new Response(path),
});

const ROUTES = [
  route("GET", "/a"),
  route("POST", "/a"),
  route("GET", "/a/{id}"),
  route("GET", "/a/{id}/b/{name}"),
  route("DELETE", "/a/{id}"),
  route("GET", "/a/fixed"),
];

/** Gives the path of the route and its parameters, or why there is none. */
function find(method: string, path: string): unknown {
  const found = new Router(ROUTES).find(method, path);
  if (found.kind === "route") return [found.route.method, found.route.path, found.parameters];
  return found.kind === "wrong-method" ? found.allowed : found.kind;
}

Deno.test("Router finds routes by method and path", () => {
  assertEquals(find("GET", "/a"), ["GET", "/a", {}]);
  assertEquals(find("HEAD", "/a/"), ["GET", "/a", {}]);
  assertEquals(find("POST", "/a"), ["POST", "/a", {}]);
  assertEquals(find("DELETE", "/a"), ["GET", "POST"]);
  assertEquals(find("GET", "/b"), "not-found");
  assertEquals(find("GET", "/a/b/c"), "not-found");
});

Deno.test("Router decodes the parts of a path, and prefers routes without them", () => {
  assertEquals(find("GET", "/a/x%2Fy"), ["GET", "/a/{id}", { id: "x/y" }]);
  assertEquals(find("GET", "/a/1/b/two"), ["GET", "/a/{id}/b/{name}", { id: "1", name: "two" }]);
  assertEquals(find("GET", "/a/fixed"), ["GET", "/a/fixed", {}]);
  assertEquals(find("DELETE", "/a/fixed"), ["GET"]);
  assertEquals(find("GET", "/a/%zz"), "not-found");
  assertEquals(find("GET", "/a//b/x"), "not-found");
});
