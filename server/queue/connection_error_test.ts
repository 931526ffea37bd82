import { assertEquals, assertRejects } from "@std/assert";
import { isConnectionError, persist } from "./connection_error.ts";

function withCode(code: string, message = "failed"): Error {
  return Object.assign(new Error(message), { code });
}

Deno.test("lost connections are told from other errors", () => {
  const lost = [
    withCode("ECONNREFUSED"),
    withCode("57P03"),
    withCode("08006"),
    new Error("Connection terminated unexpectedly"),
    new Error("Connection is closed."),
    new AggregateError([withCode("ECONNREFUSED")]),
  ];
  assertEquals(lost.map(isConnectionError), lost.map(() => true));
  const others = [
    withCode("23505"),
    new Error("OOM command not allowed when used memory > 'maxmemory'"),
    "ECONNREFUSED",
    new AggregateError([]),
  ];
  assertEquals(others.map(isConnectionError), others.map(() => false));
});

Deno.test("what fails for lack of a connection is tried again, anything else is not", async () => {
  let tries = 0;
  assertEquals(
    await persist(() => ++tries < 3 ? Promise.reject(withCode("EPIPE")) : Promise.resolve("done")),
    "done",
  );
  assertEquals(tries, 3);
  await assertRejects(
    () => persist(() => Promise.reject(withCode("23505", "twice"))),
    Error,
    "twice",
  );
  await assertRejects(
    () => persist(() => Promise.reject(withCode("EPIPE", "gone")), { limitMs: 120 }),
    Error,
    "gone",
  );
});
