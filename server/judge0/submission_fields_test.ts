import { assertEquals, assertThrows } from "@std/assert";
import type { Attributes } from "./attributes.ts";
import { NO_FINDINGS } from "./job.ts";
import {
  ALL_FIELDS,
  DEFAULT_FIELDS,
  NotUtf8Error,
  readFields,
  type StoredSubmission,
  writeFields,
} from "./submission_fields.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

const SUBMISSION: StoredSubmission = {
  token: "t",
  attributes: {
    source_code: utf8("é"),
    language_id: 71,
    additional_files: new Uint8Array([0]),
    cpu_time_limit: 5,
  } as Attributes,
  findings: { ...NO_FINDINGS, status_id: 3, stdout: new Uint8Array([0xff]), time: "0.1" },
  createdAtMs: 0,
  finishedAtMs: 1500,
};

function write(fields: string[], isBase64 = false): unknown {
  return writeFields(SUBMISSION, { fields, isBase64, names: (id) => `language ${id}` });
}

Deno.test("fields are those that are named, all with *, or the usual ones", () => {
  assertEquals(readFields("stdout, time,stdout"), { fields: ["stdout", "time"] });
  assertEquals(readFields(""), { fields: DEFAULT_FIELDS });
  assertEquals(readFields("a,*"), { fields: ALL_FIELDS });
  assertEquals(readFields("stdout,a,constructor"), { unknown: ["a", "constructor"] });
});

Deno.test("fields are written as Judge0 writes them", () => {
  assertEquals(
    write(["source_code", "status", "status_id", "language", "cpu_time_limit", "time", "token"]),
    {
      source_code: "é",
      status: { id: 3, description: "Accepted" },
      status_id: 3,
      language: { id: 71, name: "language 71" },
      cpu_time_limit: "5.0",
      time: "0.1",
      token: "t",
    },
  );
  assertEquals(write(["created_at", "finished_at", "stderr"]), {
    created_at: "1970-01-01T00:00:00.000Z",
    finished_at: "1970-01-01T00:00:01.500Z",
    stderr: null,
  });
});

Deno.test("bytes that are no UTF-8 need base64", () => {
  assertThrows(() => write(["stdout"]), NotUtf8Error);
  assertEquals(write(["stdout", "source_code"], true), { stdout: "/w==", source_code: "w6k=" });
  assertEquals(write(["additional_files"]), { additional_files: "AA==" });
});
