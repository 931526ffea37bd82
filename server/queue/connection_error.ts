/** Tells lost connections, after which it makes sense to try again, from other errors. */

const FIRST_DELAY_MS = 50;
const DELAY_MAX_MS = 1000;

/** PostgreSQL is being stopped or started, or the connection broke. */
const SQL_STATES = /^(57P0[1-4]|08...)$/;
const CODES = /^(ECONN|EPIPE|ENOENT|ETIMEDOUT|EHOST|ENET|EAI_|ENOTFOUND)/;

/** Whether that error means that there is no connection at the moment. */
export function isConnectionError(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isConnectionError);
  if (!(error instanceof Error)) return false;
  const { code } = error as Error & { code?: unknown };
  if (typeof code === "string" && (SQL_STATES.test(code) || CODES.test(code))) return true;
  // Neither client has a code for these.
  return /^(Connection (is closed|terminated)|Client has encountered a connection error)/i
    .test(error.message);
}

/**
 * Does the work, again as long as there is no connection. What may have been done before the
 * connection broke must be the same when it is done twice.
 */
export async function persist<T>(
  work: () => Promise<T>,
  { limitMs = Infinity, isOver = () => false }: { limitMs?: number; isOver?: () => boolean } = {},
): Promise<T> {
  const end = performance.now() + limitMs;
  for (let delayMs = FIRST_DELAY_MS;; delayMs = Math.min(2 * delayMs, DELAY_MAX_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!isConnectionError(error) || performance.now() + delayMs > end || isOver()) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}
