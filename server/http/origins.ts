/** Lets pages of certain sites use the server from the browsers of their visitors (CORS). */

import { ExpectedError } from "../../text/errors.ts";

const METHODS = "GET, POST, DELETE";
const REQUEST_HEADERS = "Accept, Authorization, Content-Type, Idempotency-Key, X-Auth-Token, " +
  "X-Auth-User, X-Request-Id";
const ANSWER_HEADERS = "Idempotency-Replayed, Retry-After, X-Request-Id";
const KNOWN_SECONDS = 600;

/** The sites whose pages may ask. */
export class AllowedOrigins {
  readonly #origins: ReadonlySet<string>;

  /**
   * Reads a list, whose parts are divided by commas, such as `https://course.example.org`.
   *
   * @throws {ExpectedError} if a part is no origin
   */
  constructor(list: string) {
    const parts = list.split(",").map((part) => part.trim()).filter((part) => part !== "");
    for (const part of parts) {
      const url = URL.parse(part);
      if (url && /^https?:$/.test(url.protocol) && url.origin === part) continue;
      throw new ExpectedError(
        `${JSON.stringify(part)} is no origin (option --allow-origin): write it as browsers do, ` +
          "https://course.example.org, without a slash at the end",
      );
    }
    this.#origins = new Set(parts);
  }

  /** Whether pages of that origin may ask. */
  has(origin: string | null): origin is string {
    return origin !== null && this.#origins.has(origin);
  }

  /** Answers the question of a browser whether a page may ask; undefined: it is another request. */
  preflight({ method, headers }: Pick<Request, "method" | "headers">): Response | undefined {
    const isAsked = method === "OPTIONS" && headers.has("Access-Control-Request-Method");
    if (!isAsked || !this.has(headers.get("Origin"))) return undefined;
    return new Response(null, {
      status: 204,
      headers: {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": REQUEST_HEADERS,
        "Access-Control-Max-Age": `${KNOWN_SECONDS}`,
      },
    });
  }

  /** Lets a page read an answer. */
  mark(response: Response, origin: string | null): void {
    if (this.#origins.size === 0) return;
    // Nobody between may give the answer for one site to another one.
    response.headers.append("Vary", "Origin");
    if (!this.has(origin)) return;
    response.headers.set("Access-Control-Allow-Origin", origin);
    response.headers.set("Access-Control-Expose-Headers", ANSWER_HEADERS);
  }
}
