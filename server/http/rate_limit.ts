/** Limits how often a client may ask. */

/** Clients that have not come for long are forgotten when there are so many. */
const CLIENTS_MAX = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** How often each client may ask. */
export interface RateLimitOptions {
  /** In the long run. */
  readonly perSecond: number;
  /** At once. */
  readonly burst: number;
}

/** A bucket of tokens for each client, which fills up again. */
export class RateLimit {
  readonly #options: RateLimitOptions;
  /** The one that came last is the last one. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** Takes a token; or tells after how many seconds there is one. */
  take(client: string, nowMs: number): { waitSeconds: number } {
    const { perSecond, burst } = this.#options;
    const known = this.#buckets.get(client) ?? { tokens: burst, atMs: nowMs };
    const tokens = Math.min(burst, known.tokens + (nowMs - known.atMs) / 1000 * perSecond);
    const isThere = tokens >= 1;
    this.#buckets.delete(client);
    this.#buckets.set(client, { tokens: isThere ? tokens - 1 : tokens, atMs: nowMs });
    if (this.#buckets.size > CLIENTS_MAX) {
      const [oldest] = this.#buckets.keys();
      this.#buckets.delete(oldest!);
    }
    return { waitSeconds: isThere ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond)) };
  }
}

/** Names a client by its address, or by another word for it: of IPv6, its network, as it has all addresses of that. */
export function clientOf(hostname: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(hostname)?.[1];
  if (mapped !== undefined) return mapped;
  if (!hostname.includes(":")) return hostname;
  const [head = "", tail] = hostname.split("%")[0]!.split("::");
  const parts = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = Array.from({ length: Math.max(0, 8 - parts.length - rest.length) }, () => "0");
  return [...parts, ...missing, ...rest].slice(0, 4).join(":") + "::/64";
}
