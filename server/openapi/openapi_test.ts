import { assertEquals } from "@std/assert";
import { CallbackSender } from "../callbacks/callback_sender.ts";
import { Destinations } from "../callbacks/destinations.ts";
import type { ServerContext } from "../http/route.ts";
import { judge0 } from "../judge0/judge0.ts";
import { readSettings } from "../judge0/settings.ts";
import { judging, type JudgingOptions } from "../judging/judging.ts";
import { page } from "../page/page.ts";
import { piston } from "../piston/piston.ts";
import { run } from "../run/run.ts";
import { ResultStore } from "../store/result_store.ts";
import { API_DESCRIPTIONS, openApi } from "./openapi.ts";

/** OpenAPI has no sockets. */
const SOCKETS = ["GET /api/v2/connect", "GET /api/v2/piston/connect"];
const OWN = ["GET /healthz", "GET /metrics", "GET /readyz"];

Deno.test("each route is described, and each description is that of a route", () => {
  using store = new ResultStore({ keptMs: 1, countMax: 1, bytesMax: 1 });
  const destinations = new Destinations("");
  const dialects = [
    piston,
    judge0({
      settings: readSettings("", { allowNetwork: false, allowDelete: false }),
      store,
      callbacks: new CallbackSender({ destinations, onFailure: () => {} }),
      userToken: undefined,
      maxQueueSize: 1,
    }),
    run({ store }),
    judging({ store } as unknown as JudgingOptions),
    openApi,
    page,
  ];
  // Nothing is asked of them.
  const context = { settings: { compileLimits: {} }, executor: {} } as unknown as ServerContext;
  const routes = dialects.flatMap((dialect) => dialect(context))
    .map(({ method, path }) => `${method} ${path}`);
  const described = API_DESCRIPTIONS.flatMap(({ routes }) => Object.keys(routes));
  assertEquals(
    described.toSorted(),
    [...routes.filter((route) => !SOCKETS.includes(route)), ...OWN].toSorted(),
  );
});

Deno.test("no two APIs have schemas of one name", () => {
  const names = API_DESCRIPTIONS.flatMap(({ schemas }) => Object.keys(schemas));
  assertEquals(new Set(names).size, names.length);
});
