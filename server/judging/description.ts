/** Describes the judging of packages for the OpenAPI document. */

import {
  type ApiDescription,
  IDEMPOTENCY_KEY,
  list,
  NUMBER,
  object,
  orNull,
  ref,
  TEXT,
  TRUTH,
} from "../openapi/description.ts";

const FAILURE = object({ message: TEXT });
const BYTES = { anyOf: [TEXT, object({ base64: TEXT }, { additionalProperties: false })] };

/** Our own API for problem packages. */
export const judgingDescription: ApiDescription = {
  tag: "isolate: packages",
  routes: {
    "POST /judge": {
      summary: "Judges a submission by a problem package of the server",
      parameters: [IDEMPOTENCY_KEY],
      body: object({
        package: { ...TEXT, description: "The name of its folder" },
        files: list(object({ name: { type: "string", minLength: 1 }, content: BYTES }), {
          minItems: 1,
        }),
        "language?": TEXT,
        "entrypoint?": TEXT,
        "allTests?": TRUTH,
      }, { additionalProperties: false }),
      answers: {
        200: {
          description:
            "The verdict. With Accept: application/x-ndjson or text/event-stream, events " +
            "(accepted, compile, test, end, error) as they come.",
          schema: object({
            id: TEXT,
            verdict: TEXT,
            message: TEXT,
            "score?": NUMBER,
            "decidedBy?": orNull(TEXT),
            compile: object({ ok: TRUTH, message: TEXT, output: TEXT }),
            tests: list(ref("JudgedTest")),
            maxCpuTimeMs: NUMBER,
            maxMemoryKib: NUMBER,
          }),
        },
        404: { description: "There is no such package", schema: FAILURE },
        409: { description: "A request with this X-Request-Id goes on", schema: FAILURE },
        422: { description: "The Idempotency-Key is that of another request", schema: FAILURE },
      },
    },
    "DELETE /judge/{id}": {
      summary: "Cancels judging by its X-Request-Id",
      answers: {
        202: { description: "It is being cancelled" },
        404: { description: "It has ended, or there was none", schema: FAILURE },
      },
    },
  },
  schemas: {
    JudgedTest: object({
      test: TEXT,
      verdict: TEXT,
      message: TEXT,
      cpuTimeMs: NUMBER,
      wallTimeMs: NUMBER,
      memoryKib: NUMBER,
      "score?": NUMBER,
    }),
  },
  failure: FAILURE,
};
