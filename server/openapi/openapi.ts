/** Serves the OpenAPI document. */

import { serverDescription } from "../http/description.ts";
import { type Dialect, json } from "../http/route.ts";
import { judge0Description } from "../judge0/description.ts";
import { judgingDescription } from "../judging/description.ts";
import { pistonDescription } from "../piston/description.ts";
import { runDescription } from "../run/description.ts";
import type { ApiDescription, Schema } from "./description.ts";
import { openApiDocument } from "./document.ts";

/** All that clients can ask. */
export const API_DESCRIPTIONS: readonly ApiDescription[] = [
  runDescription,
  judgingDescription,
  judge0Description,
  pistonDescription,
  serverDescription,
];

/** Answers with the document, which is no secret. */
export const openApi: Dialect = ({ version }) => {
  let document: Schema | undefined;
  return [{
    method: "GET",
    path: "/openapi.json",
    isOpen: true,
    handle: () => json(document ??= openApiDocument(API_DESCRIPTIONS, { version })),
  }];
};
