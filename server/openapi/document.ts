/** Makes the OpenAPI document of the server out of the descriptions of its routes. */

import type { AnswerDescription, ApiDescription, RouteDescription, Schema } from "./description.ts";

/** What any request can be answered with, before its route has anything to say. */
const ALWAYS: Readonly<Record<number, string>> = {
  400: "The request is wrong; the answer says what.",
  401: "The token is missing or wrong.",
  403: "A page of another site has sent this, or it is not allowed.",
  405: "There is such a path for other methods.",
  429: "Too many requests: try again after the seconds in Retry-After.",
  500: "The server failed.",
  503: "Too much to do: try again after the seconds in Retry-After.",
};
/** The same for requests with a body. */
const WITH_BODY: Readonly<Record<number, string>> = {
  408: "The body came too slowly.",
  413: "The body is too large.",
  415: "The body is not of type application/json.",
};

/** Makes the document, as of OpenAPI 3.1. */
export function openApiDocument(
  apis: readonly ApiDescription[],
  { version }: { version: string },
): Schema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const api of apis) {
    for (const [key, route] of Object.entries(api.routes)) {
      const [method, path] = key.split(" ") as [string, string];
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(route, { api, path }) };
    }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "isolate api",
      summary: "Runs untrusted programs in boxes.",
      version,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    tags: apis.map(({ tag }) => ({ name: tag })),
    paths,
    components: {
      schemas: Object.assign({}, ...apis.map(({ schemas }) => schemas)),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        judge0: { type: "apiKey", in: "header", name: "X-Auth-Token" },
      },
    },
    // A server without a token asks for none.
    security: [{}, { bearer: [] }, { judge0: [] }],
  };
}

function operation(
  route: RouteDescription,
  { api, path }: { api: ApiDescription; path: string },
): Schema {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const parameters = [
    ...names.map((name) => ({
      in: "path",
      name,
      required: true,
      schema: { type: "string", minLength: 1 },
    })),
    ...route.parameters ?? [],
  ];
  const failures = Object.entries({ ...ALWAYS, ...route.body && WITH_BODY })
    .map(([status, description]) => [status, answer({ description, schema: api.failure })]);
  const answers = Object.entries(route.answers).map(([status, one]) => [status, answer(one)]);
  return {
    tags: [api.tag],
    summary: route.summary,
    ...parameters.length > 0 && { parameters },
    ...route.body && {
      requestBody: { required: true, content: { "application/json": { schema: route.body } } },
    },
    responses: { ...Object.fromEntries(failures), ...Object.fromEntries(answers) },
    ...route.isOpen && { security: [] },
  };
}

function answer({ description, type = "application/json", schema }: AnswerDescription): Schema {
  return { description, ...schema && { content: { [type]: { schema } } } };
}
