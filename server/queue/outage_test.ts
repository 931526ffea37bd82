import { assertEquals } from "@std/assert";
import { Outage } from "./outage.ts";
import { readQueueAddress } from "./queue_url.ts";

function setUp() {
  const log: string[] = [];
  const outage = new Outage({
    address: readQueueAddress("redis://user:secret@host/0"),
    log: (message) => log.push(message),
    onReconnect: () => log.push("reconnected"),
  });
  return { log, outage };
}

Deno.test("an outage is told once, and its end", () => {
  const { log, outage } = setUp();
  outage.ends();
  for (const message of ["Connection is closed.", "again"]) outage.begins(new Error(message));
  outage.ends();
  outage.ends();
  assertEquals(log, [
    "The queue redis://user@host/0 cannot be reached: Connection is closed.",
    "The queue redis://user@host/0 can be reached again",
    "reconnected",
  ]);
});

Deno.test("until there was a connection, nothing is told", () => {
  const { log, outage } = setUp();
  outage.begins(new Error("refused"));
  assertEquals((outage.error as Error).message, "refused");
  outage.ends();
  assertEquals(log, []);
});

Deno.test("what fails while there is a connection is no outage, unless it is about the connection", () => {
  const { log, outage } = setUp();
  outage.ends();
  outage.fails(new Error("Missing lock"), { isConnected: true });
  outage.fails(Object.assign(new Error("read"), { code: "ECONNRESET" }), { isConnected: true });
  outage.ends();
  assertEquals(log, [
    "The queue redis://user@host/0: Missing lock",
    "The queue redis://user@host/0 cannot be reached: read",
    "The queue redis://user@host/0 can be reached again",
    "reconnected",
  ]);
});
