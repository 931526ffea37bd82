import { assertEquals, assertThrows } from "@std/assert";
import { ExpectedError } from "../../text/errors.ts";
import { readQueueAddress } from "./queue_url.ts";

Deno.test("the address of a queue says its kind, and its name is not for the client", () => {
  assertEquals(readQueueAddress("rediss://host:7000/2?queue=contest"), {
    kind: "redis",
    url: "rediss://host:7000/2",
    shown: "rediss://host:7000/2",
    name: "contest",
  });
  const { kind, url, name } = readQueueAddress("postgres://judge@host/jobs?host=/run/postgresql");
  assertEquals({ kind, url, name }, {
    kind: "postgres",
    url: "postgres://judge@host/jobs?host=%2Frun%2Fpostgresql",
    name: "isolate",
  });
});

Deno.test("what is shown of an address has no password", () => {
  const { url, shown } = readQueueAddress("redis://user:secret@host/0?password=secret");
  assertEquals(url.includes("secret"), true);
  assertEquals(shown, "redis://user@host/0");
});

Deno.test("what is no address of a queue is refused, without a password in the sentence", () => {
  const wrong = {
    "host:6379": "cannot begin with host:",
    "": "is no URL",
    "amqp://user:secret@host": "cannot begin with amqp:",
    "redis://user:secret@host?queue=A": "must be at most 20 of a-z",
    "redis://user:secret@host?queue=": "must be at most 20 of a-z",
  };
  for (const [text, reason] of Object.entries(wrong)) {
    const error = assertThrows(() => readQueueAddress(text), ExpectedError, reason);
    assertEquals(error.message.includes("secret"), false);
  }
});
