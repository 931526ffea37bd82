/** Describes the API of Piston for the OpenAPI document. */

import {
  type ApiDescription,
  list,
  NUMBER,
  object,
  orNull,
  ref,
  type RouteDescription,
  type Schema,
  TEXT,
  TRUTH,
} from "../openapi/description.ts";

const LIMIT: Schema = { type: "number", minimum: 0 };
const FAILURE = object({ message: TEXT });

const EXECUTE: Schema = object({
  language: { type: "string", minLength: 1 },
  version: { type: "string", minLength: 1, description: "A range of versions, or *" },
  files: list(
    object({
      "name?": TEXT,
      content: TEXT,
      "encoding?": { enum: ["utf8", "base64", "hex"], default: "utf8" },
    }),
    { minItems: 1 },
  ),
  "stdin?": TEXT,
  "args?": list(TEXT),
  "run_timeout?": { ...LIMIT, description: "Wall time in milliseconds" },
  "compile_timeout?": { ...LIMIT, description: "Wall time in milliseconds" },
  "run_cpu_time?": { ...LIMIT, description: "CPU time in milliseconds" },
  "compile_cpu_time?": { ...LIMIT, description: "CPU time in milliseconds" },
  "run_memory_limit?": { type: "number", description: "Bytes; -1: as much as is allowed" },
  "compile_memory_limit?": { type: "number", description: "Bytes; -1: as much as is allowed" },
});

const STAGE = object({
  stdout: TEXT,
  stderr: TEXT,
  output: { ...TEXT, description: "Both, in order of arrival" },
  code: orNull(NUMBER),
  signal: orNull(TEXT),
  message: orNull(TEXT),
  status: { enum: [null, "RE", "SG", "TO", "OL", "EL", "XX"] },
  cpu_time: { type: "number", description: "Milliseconds" },
  wall_time: { type: "number", description: "Milliseconds" },
  memory: { type: "number", description: "Bytes" },
});

const execute: RouteDescription = {
  summary: "Compiles and runs a program",
  body: ref("PistonRequest"),
  answers: {
    200: {
      description: "What became of it",
      schema: object({
        language: TEXT,
        version: TEXT,
        "compile?": ref("PistonStage"),
        run: ref("PistonStage"),
      }),
    },
  },
};

const runtimes: RouteDescription = {
  summary: "Lists languages",
  answers: {
    200: {
      description: "Languages that programs can be written in",
      schema: list(
        object({ language: TEXT, version: TEXT, aliases: list(TEXT), "runtime?": TEXT }),
      ),
    },
  },
};

const packages: RouteDescription = {
  summary: "Lists languages as packages",
  answers: {
    200: {
      description: "Installed packages",
      schema: list(object({ language: TEXT, language_version: TEXT, installed: TRUTH })),
    },
  },
};

const refused: RouteDescription = {
  summary: "Refused: the administrator installs and removes languages",
  answers: { 403: { description: "Always", schema: FAILURE } },
};

const ROUTES = {
  "POST /execute": execute,
  "GET /runtimes": runtimes,
  "GET /packages": packages,
  "POST /packages": refused,
  "DELETE /packages": refused,
};

/** The API of Piston; its socket is not in the document, as OpenAPI knows none. */
export const pistonDescription: ApiDescription = {
  tag: "Piston",
  routes: Object.fromEntries(
    ["/api/v2", "/api/v2/piston"].flatMap((prefix) =>
      Object.entries(ROUTES).map(([key, route]) => [key.replace(" ", ` ${prefix}`), route])
    ),
  ),
  schemas: { PistonRequest: EXECUTE, PistonStage: STAGE },
  failure: FAILURE,
};
