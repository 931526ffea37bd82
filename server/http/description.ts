/** Describes what operators ask, for the OpenAPI document. */

import { type ApiDescription, object, TEXT } from "../openapi/description.ts";

const said = { type: "text/plain", schema: TEXT };

/** The routes of the server itself. */
export const serverDescription: ApiDescription = {
  tag: "Operators",
  routes: {
    "GET /healthz": {
      summary: "Tells whether the server lives",
      isOpen: true,
      answers: { 200: { description: "It does", ...said } },
    },
    "GET /readyz": {
      summary: "Tells whether the server takes requests",
      isOpen: true,
      answers: {
        200: { description: "It does", ...said },
        503: { description: "It does not; the answer says why", ...said },
      },
    },
    "GET /metrics": {
      summary: "Tells numbers in the text format of Prometheus",
      answers: { 200: { description: "All of them", ...said } },
    },
    "GET /": {
      summary: "A page to try the server with",
      isOpen: true,
      answers: { 200: { description: "The page", type: "text/html", schema: TEXT } },
    },
    "GET /openapi.json": {
      summary: "This document",
      isOpen: true,
      answers: { 200: { description: "OpenAPI 3.1", schema: { type: "object" } } },
    },
  },
  schemas: {},
  failure: object({ message: TEXT }),
};
