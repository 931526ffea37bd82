/** Who may see and delete the submissions of others. */

import { TokenCheck } from "../http/token.ts";
import type { Judge0Options } from "./judge0.ts";

const CHECKS = new WeakMap<Judge0Options, TokenCheck>();

/** Tells whether a request says in `X-Auth-User`, a header or a parameter, what only the right ones know. */
export async function isAuthorized(request: Request, options: Judge0Options): Promise<boolean> {
  const { userToken } = options;
  if (userToken === undefined) return false;
  const check = CHECKS.get(options) ?? new TokenCheck(userToken);
  CHECKS.set(options, check);
  const given = request.headers.get("X-Auth-User") ??
    new URL(request.url).searchParams.get("X-Auth-User");
  return await check.matches(given);
}
