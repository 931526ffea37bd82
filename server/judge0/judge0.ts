/** The API of Judge0 CE: submissions that are answered by a token at once, or when they are finished. */

import type { CallbackSender } from "../callbacks/callback_sender.ts";
import type { Dialect, Route } from "../http/route.ts";
import type { ResultStore } from "../store/result_store.ts";
import { informationRoutes } from "./information.ts";
import type { Judge0Settings } from "./settings.ts";
import { submissionRoutes } from "./submission_routes.ts";

/** What the dialect needs besides what all have. */
export interface Judge0Options {
  readonly settings: Judge0Settings;
  readonly store: ResultStore;
  readonly callbacks: CallbackSender;
  /** What the header `X-Auth-User` must say of who may list and delete; undefined: nobody may. */
  readonly userToken: string | undefined;
  /** How many submissions may wait. */
  readonly maxQueueSize: number;
}

/** Answers as a server of Judge0 CE does. */
export function judge0(options: Judge0Options): Dialect {
  return (context) =>
    [...submissionRoutes(options, context), ...informationRoutes(options, context)]
      .map((route): Route => ({ ...route, failureBody: (error) => ({ error }) }));
}
