/** The APIs that `isolate api` speaks, and what they need. */

import { CallbackSender } from "../server/callbacks/callback_sender.ts";
import { Destinations } from "../server/callbacks/destinations.ts";
import type { Dialect } from "../server/http/route.ts";
import { judge0 } from "../server/judge0/judge0.ts";
import { readSettings } from "../server/judge0/settings.ts";
import { judging } from "../server/judging/judging.ts";
import { openApi } from "../server/openapi/openapi.ts";
import { page } from "../server/page/page.ts";
import { piston } from "../server/piston/piston.ts";
import { run } from "../server/run/run.ts";
import { ResultStore } from "../server/store/result_store.ts";
import type { HostFiles, Sandbox } from "../mod.ts";
import { boxIdsOf } from "./local_executor.ts";
import type { ApiRequest } from "./api_options.ts";
import { tell } from "./complain.ts";

/** Dialects; they end after the server. */
export interface OpenDialects extends AsyncDisposable {
  readonly list: readonly Dialect[];
}

/** Opens all dialects. */
export function openDialects(
  request: ApiRequest,
  { userToken, stopWaitMs, sandbox, host }: {
    userToken: string | undefined;
    stopWaitMs: number;
    sandbox: Sandbox;
    host: HostFiles;
  },
): OpenDialects {
  const { allowNetwork, allowDelete, queueLimit: maxQueueSize } = request;
  const destinations = new Destinations(request.callbacks);
  const settings = readSettings(request.judge0, { allowNetwork, allowDelete });
  const callbacks = new CallbackSender({ destinations, onFailure: tell });
  const store = new ResultStore({
    file: request.resultsFile,
    keptMs: request.resultsTimeMs,
    countMax: request.resultsMax,
    bytesMax: request.resultsMib << 20,
  });
  return {
    list: [
      piston,
      judge0({ settings, store, callbacks, userToken, maxQueueSize }),
      run({ store }),
      judging({
        packages: request.packages && host.absolute(request.packages),
        languagesFile: request.languagesFile,
        boxIds: boxIdsOf(request, sandbox),
        ...{ sandbox, host, store },
      }),
      openApi,
      page,
    ],
    async [Symbol.asyncDispose]() {
      // Whoever waits for a callback of a job that has ended gets it, if that does not take long.
      await callbacks.close(AbortSignal.timeout(stopWaitMs));
      store.close();
    },
  };
}
