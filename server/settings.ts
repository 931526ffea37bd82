/** What an administrator can set. */

import type { StageLimits } from "./engine/types.ts";
import type { AllowedOrigins } from "./http/origins.ts";
import type { TrustedProxies } from "./http/proxies.ts";

/** Where the server listens. */
export type ListenAddress =
  | { readonly kind: "tcp"; readonly hostname: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** The settings of the server. */
export interface ServerSettings {
  readonly listen: ListenAddress;
  /** What clients must know; undefined: nothing. */
  readonly token: string | undefined;
  /** Sites whose pages may ask. */
  readonly origins: AllowedOrigins;
  /** Who may say for whom it asks. */
  readonly proxies: TrustedProxies;
  /** How many requests each client may make in a second; undefined: any number. */
  readonly requestsPerSecond: number | undefined;
  /** How long a client may be silent on its connection, in milliseconds. */
  readonly idleMs: number;
  /** The size of the body of a request. */
  readonly bodyBytes: number;
  /** The most files of a request. */
  readonly filesMax: number;
  /** What compilers may use: the default of requests, and the most that they may ask for. */
  readonly compileLimits: StageLimits;
  /** The same for programs. */
  readonly runLimits: StageLimits;
  /** Whether programs may have the network. */
  readonly allowNetwork: boolean;
  /** How long a stopped server waits for what runs, in milliseconds. */
  readonly stopWaitMs: number;
}

/** Tells whether only this machine can reach an address. */
export function isLocal(address: ListenAddress): boolean {
  if (address.kind === "unix") return true;
  const { hostname } = address;
  return hostname === "localhost" || hostname === "::1" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Reads where to listen: `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`; undefined if it is none. */
export function parseListen(text: string): ListenAddress | undefined {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    return path === "" ? undefined : { kind: "unix", path };
  }
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text);
  const hostname = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return hostname === undefined || port > 65535 ? undefined : { kind: "tcp", hostname, port };
}

/** Writes an address as people know it. */
export function addressText(address: ListenAddress): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const { hostname, port } = address;
  return `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}/`;
}
