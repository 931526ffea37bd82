/** Keeps pages of others from using, through the browser of a visitor, a server that this one can reach. */

import type { AllowedOrigins } from "./origins.ts";
import { isLocal, type ListenAddress } from "../settings.ts";

/** What decides whom a request can come from. */
export interface GuardedServer {
  readonly listen: ListenAddress;
  readonly hasToken: boolean;
  readonly origins: AllowedOrigins;
}

/** Tells why a request may not be answered; undefined: it may. */
export function pageComplaint(
  { headers }: Pick<Request, "headers">,
  { listen, hasToken, origins }: GuardedServer,
): string | undefined {
  const host = headers.get("Host") ?? "";
  const origin = headers.get("Origin");
  if (origin !== null && hostOf(origin) !== host && !origins.has(origin)) {
    return "requests of pages of other sites are not answered";
  }
  // Who owns a name can have it lead here, and a page of that name is then one of ours to the browser. It
  // does not know a token, and a server that others reach does not rely on being hidden.
  if (hasToken || listen.kind === "unix" || !isLocal(listen) || isOwnHost(host)) return undefined;
  return "without a token this server is asked as localhost or by its address; a proxy in front of it " +
    "has to send Host: localhost";
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Whether nobody else can have that name: an address, or a name of this machine. */
function isOwnHost(host: string): boolean {
  const name = host.replace(/:\d*$/, "").toLowerCase();
  return name === "" || name === "localhost" || name.endsWith(".localhost") ||
    /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || /^\[[0-9a-f:.]+\]$/.test(name);
}
