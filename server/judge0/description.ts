/** Describes the API of Judge0 for the OpenAPI document. */

import {
  type ApiDescription,
  list,
  object,
  orNull,
  type ParameterDescription,
  ref,
  type Schema,
  TEXT,
  TRUTH,
  WHOLE,
} from "../openapi/description.ts";
import { FLAG_NAMES, STRING_NAMES } from "./attributes.ts";
import { LIMIT_NAMES } from "./settings.ts";
import { STATUSES } from "./statuses.ts";
import { ALL_FIELDS } from "./submission_fields.ts";

const NUMBER_OR_TEXT: Schema = { type: ["number", "string", "null"] };
const TEXT_OR_NULL = orNull(TEXT);
const ERROR = object({ error: TEXT });

const REQUEST: Schema = object({
  source_code: { type: "string", minLength: 1 },
  language_id: { type: ["integer", "string"] },
  "stdin?": TEXT_OR_NULL,
  "expected_output?": TEXT_OR_NULL,
  "additional_files?": { ...TEXT_OR_NULL, description: "A zip archive in base64" },
  ...Object.fromEntries(STRING_NAMES.map((name) => [`${name}?`, TEXT_OR_NULL])),
  ...Object.fromEntries(LIMIT_NAMES.map((name) => [`${name}?`, NUMBER_OR_TEXT])),
  ...Object.fromEntries(FLAG_NAMES.map((name) => [`${name}?`, orNull(TRUTH)])),
});

/** Fields that are no texts. */
const FIELD_SCHEMAS: Readonly<Record<string, Schema>> = {
  status: object({
    id: { enum: STATUSES.map(({ id }) => id) },
    description: { enum: STATUSES.map(({ description }) => description) },
  }),
  status_id: { enum: STATUSES.map(({ id }) => id) },
  language: object({ id: WHOLE, name: TEXT }),
  language_id: WHOLE,
  time: orNull({ type: "string", description: "CPU time in seconds" }),
  wall_time: orNull({ type: "string", description: "Seconds" }),
  memory: orNull({ type: "number", description: "Kilobytes" }),
  exit_code: orNull(WHOLE),
  exit_signal: orNull(WHOLE),
  token: TEXT,
  ...Object.fromEntries(LIMIT_NAMES.map((name) => [name, NUMBER_OR_TEXT])),
  ...Object.fromEntries(FLAG_NAMES.map((name) => [name, TRUTH])),
};

const SUBMISSION: Schema = object(
  Object.fromEntries(ALL_FIELDS.map((name) => [`${name}?`, FIELD_SCHEMAS[name] ?? TEXT_OR_NULL])),
  { additionalProperties: false },
);

const LANGUAGE = { id: WHOLE, name: TEXT };

function query(name: string, description: string, schema: Schema = TEXT): ParameterDescription {
  return { in: "query", name, description, schema };
}

const FORM = [
  query("base64_encoded", "Whether texts are in base64, in the request and in the answer", TRUTH),
  query("fields", "The fields of the answer, divided by commas; * for all"),
];
const USER: ParameterDescription = {
  in: "header",
  name: "X-Auth-User",
  description: "The token of who may list and delete submissions",
  schema: TEXT,
};

const WRONG = {
  description: "What is wrong, by attribute",
  schema: { type: "object", additionalProperties: { anyOf: [list(TEXT), TEXT] } },
};
const MISSING = { description: "There is none", schema: ERROR };
const EMPTY = { description: "It is so" };

/** The API of Judge0 CE. */
export const judge0Description: ApiDescription = {
  tag: "Judge0",
  routes: {
    "POST /submissions": {
      summary: "Submits a program",
      parameters: [...FORM, query("wait", "Whether the answer waits until it is finished", TRUTH)],
      body: ref("Judge0Submission"),
      answers: {
        201: {
          description: "A token to ask with, or what became of it",
          schema: ref("Judge0Result"),
        },
        400: {
          description: "The request is wrong, or a text of the answer is not UTF-8",
          schema: object({ error: TEXT, "token?": TEXT }),
        },
        422: WRONG,
      },
    },
    "GET /submissions": {
      summary: "Lists submissions, the newest first",
      parameters: [
        ...FORM,
        USER,
        query("page", "From 1", WHOLE),
        query("per_page", "1 to 100", WHOLE),
      ],
      answers: {
        200: {
          description: "A page",
          schema: object({
            submissions: list(ref("Judge0Result")),
            meta: object({
              current_page: WHOLE,
              next_page: orNull(WHOLE),
              prev_page: orNull(WHOLE),
              total_pages: WHOLE,
              total_count: WHOLE,
            }),
          }),
        },
      },
    },
    "POST /submissions/batch": {
      summary: "Submits several programs",
      parameters: FORM,
      body: object({ submissions: list({}, { minItems: 1 }) }),
      answers: {
        201: {
          description: "A token for each, or what is wrong with it",
          schema: list({ anyOf: [object({ token: TEXT }), WRONG.schema] }),
        },
      },
    },
    "GET /submissions/batch": {
      summary: "Tells what became of several submissions",
      parameters: [...FORM, query("tokens", "Divided by commas")],
      answers: {
        200: {
          description: "Each submission, or null",
          schema: object({ submissions: list(orNull(ref("Judge0Result"))) }),
        },
      },
    },
    "GET /submissions/{token}": {
      summary: "Tells what became of a submission",
      parameters: FORM,
      answers: {
        200: { description: "What is known of it", schema: ref("Judge0Result") },
        400: {
          description: "A field is not known, or a text is not UTF-8",
          schema: object({ error: TEXT, "token?": TEXT }),
        },
        404: MISSING,
      },
    },
    "DELETE /submissions/{token}": {
      summary: "Forgets a submission that is finished",
      parameters: [...FORM, USER],
      answers: {
        200: { description: "What was known of it", schema: ref("Judge0Result") },
        404: MISSING,
      },
    },
    "GET /languages": {
      summary: "Lists languages that can be used",
      answers: { 200: { description: "By number", schema: list(object(LANGUAGE)) } },
    },
    "GET /languages/all": {
      summary: "Lists all languages",
      answers: {
        200: {
          description: "By number",
          schema: list(object({ ...LANGUAGE, is_archived: TRUTH })),
        },
      },
    },
    "GET /languages/{id}": {
      summary: "Describes a language",
      answers: {
        200: {
          description: "The language",
          schema: object({
            ...LANGUAGE,
            is_archived: TRUTH,
            source_file: TEXT_OR_NULL,
            compile_cmd: TEXT_OR_NULL,
            run_cmd: TEXT_OR_NULL,
          }),
        },
        404: MISSING,
      },
    },
    "GET /statuses": {
      summary: "Lists what can become of submissions",
      answers: { 200: { description: "All", schema: list(FIELD_SCHEMAS.status!) } },
    },
    "GET /config_info": {
      summary: "Tells how the server is set up",
      answers: {
        200: {
          description: "Limits and switches by name",
          schema: {
            type: "object",
            additionalProperties: { type: ["number", "boolean", "array"] },
          },
        },
      },
    },
    "GET /system_info": {
      summary: "Tells about the machine",
      answers: {
        200: {
          description: "Facts by name",
          schema: { type: "object", additionalProperties: TEXT },
        },
      },
    },
    "GET /workers": {
      summary: "Tells how busy the server is",
      answers: {
        200: {
          description: "One queue",
          schema: list(object({
            queue: TEXT,
            size: WHOLE,
            available: WHOLE,
            idle: WHOLE,
            working: WHOLE,
            paused: WHOLE,
            failed: WHOLE,
          })),
        },
      },
    },
    "GET /about": {
      summary: "Tells the version of Judge0 whose API this is",
      answers: {
        200: {
          description: "The version, and who to turn to",
          schema: object({ version: TEXT, homepage: TEXT, source_code: TEXT, maintainer: TEXT }),
        },
      },
    },
    "GET /version": {
      summary: "Tells the version of Judge0 whose API this is",
      answers: { 200: { description: "The version", type: "text/plain", schema: TEXT } },
    },
    "POST /authenticate": {
      summary: "Checks the token",
      answers: { 200: EMPTY },
    },
    "POST /authorize": {
      summary: "Checks the token of who may list and delete submissions",
      parameters: [USER],
      answers: { 200: EMPTY, 403: { description: "It is not so" } },
    },
  },
  schemas: { Judge0Submission: REQUEST, Judge0Result: SUBMISSION },
  failure: ERROR,
};
