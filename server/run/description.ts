/** Describes our own API for the OpenAPI document. */

import {
  type ApiDescription,
  IDEMPOTENCY_KEY,
  list,
  NUMBER,
  object,
  orNull,
  ref,
  type Schema,
  TEXT,
  TRUTH,
  WHOLE,
} from "../openapi/description.ts";

const FAILURE = object({ message: TEXT });
const BYTES: Schema = {
  anyOf: [TEXT, object({ base64: TEXT }, { additionalProperties: false })],
};
const COUNT: Schema = { type: "integer", minimum: 0 };
const COMPARISON: Schema = { enum: ["words", "lines", "exact"], default: "words" };
const STATUS: Schema = {
  enum: [
    ...["ok", "accepted", "wrong-answer", "compile-error", "runtime-error", "time-limit"],
    ...["memory-limit", "output-limit", "not-executed", "failed", "cancelled"],
  ],
};
const CLOSED = { additionalProperties: false };

const LIMITS = object({
  "cpuTimeMs?": COUNT,
  "extraCpuTimeMs?": COUNT,
  "wallTimeMs?": COUNT,
  "memoryKib?": COUNT,
  "stackKib?": COUNT,
  "processes?": COUNT,
  "openFiles?": COUNT,
  "fileSizeKib?": COUNT,
  "outputBytes?": COUNT,
}, CLOSED);

const FILES = list(object({ name: { type: "string", minLength: 1 }, content: BYTES }, CLOSED));

const TEST = object({
  "name?": TEXT,
  "stdin?": BYTES,
  "args?": list(TEXT),
  "environment?": { type: "object", additionalProperties: TEXT },
  "files?": FILES,
  "expected?": BYTES,
  "comparison?": COMPARISON,
  "limits?": ref("Limits"),
  "mergeErrors?": TRUTH,
  "network?": TRUTH,
}, CLOSED);

const REQUEST = object({
  language: TEXT,
  "source?": BYTES,
  "files?": FILES,
  "compile?": object({ "args?": list(TEXT), "limits?": ref("Limits") }, CLOSED),
  "limits?": ref("Limits"),
  "tests?": list(ref("Test"), { minItems: 1, maxItems: 1000 }),
  "comparison?": COMPARISON,
  "checker?": object({
    language: TEXT,
    "source?": BYTES,
    "files?": FILES,
    "kind?": { enum: ["validator", "testlib"], default: "validator" },
    "limits?": ref("Limits"),
  }, CLOSED),
  "stopAtFirstFailure?": TRUTH,
  "encoding?": { enum: ["utf8", "base64"], default: "utf8" },
  "output?": { enum: ["whole", "pieces"], default: "whole" },
  "priority?": { type: "integer", minimum: -100, maximum: 100 },
}, CLOSED);

const STAGE_PROPERTIES = {
  status: STATUS,
  message: TEXT,
  exitCode: orNull(WHOLE),
  signal: orNull(WHOLE),
  stdout: TEXT,
  stderr: TEXT,
  isStdoutTruncated: TRUTH,
  isStderrTruncated: TRUTH,
  cpuTimeMs: NUMBER,
  wallTimeMs: NUMBER,
  memoryKib: NUMBER,
};

const ANSWER = object({
  id: TEXT,
  status: STATUS,
  version: TEXT,
  isCached: TRUTH,
  compile: orNull(ref("Stage")),
  tests: list(ref("TestResult")),
});

/** Our own API. */
export const runDescription: ApiDescription = {
  tag: "isolate",
  routes: {
    "POST /run": {
      summary: "Compiles a program once, and runs it with several tests",
      parameters: [IDEMPOTENCY_KEY],
      body: ref("RunRequest"),
      answers: {
        200: {
          description:
            "What became of it. With Accept: application/x-ndjson or text/event-stream, " +
            "events (accepted, begin, output, compile, test, end, error) as they come.",
          schema: ref("RunAnswer"),
        },
        409: { description: "A run with this X-Request-Id goes on", schema: FAILURE },
        422: { description: "The Idempotency-Key is that of another request", schema: FAILURE },
      },
    },
    "GET /run/languages": {
      summary: "Lists languages that can be used",
      answers: {
        200: {
          description: "Their ids, names, and what their tools print of their versions",
          schema: list(object({ id: TEXT, name: TEXT, version: TEXT, isCompiled: TRUTH }, CLOSED)),
        },
      },
    },
    "DELETE /run/{id}": {
      summary: "Cancels a run by its X-Request-Id",
      answers: {
        202: { description: "It is being cancelled" },
        404: { description: "It has ended, or there was none", schema: FAILURE },
      },
    },
  },
  schemas: {
    RunRequest: REQUEST,
    RunAnswer: ANSWER,
    Limits: LIMITS,
    Test: TEST,
    Stage: object(STAGE_PROPERTIES, CLOSED),
    TestResult: object(
      { index: WHOLE, "name?": TEXT, ...STAGE_PROPERTIES, "difference?": TEXT },
      CLOSED,
    ),
  },
  failure: FAILURE,
};
