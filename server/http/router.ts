/** Finds the route of a request. */

import type { Route } from "./route.ts";

/** What a path and a method lead to. */
export type Found =
  | { readonly kind: "route"; readonly route: Route; readonly parameters: Record<string, string> }
  | { readonly kind: "not-found" }
  /** There is such a path, for these methods. */
  | { readonly kind: "wrong-method"; readonly allowed: readonly string[] };

interface PathPattern {
  readonly route: Route;
  readonly parts: readonly string[];
}

/** A table of routes. */
export class Router {
  /** Those without names in their paths, which most requests want. */
  readonly #exact = new Map<string, Route[]>();
  readonly #patterns: PathPattern[] = [];

  /** Makes a table; of two equal routes the first one counts. */
  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      if (route.path.includes("{")) this.#patterns.push({ route, parts: route.path.split("/") });
      else this.#exact.set(route.path, [...this.#exact.get(route.path) ?? [], route]);
    }
  }

  /** Finds a route; a slash at the end of the path does not matter, and HEAD goes to GET. */
  find(method: string, path: string): Found {
    const trimmed = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
    // A path with a route of its own is no name: so its methods are those that it says.
    const candidates: { route: Route; parameters: Record<string, string> }[] =
      this.#exact.get(trimmed)?.map((route) => ({ route, parameters: {} })) ??
        this.#matching(trimmed.split("/"));
    const wanted = method === "HEAD" ? "GET" : method;
    const found = candidates.find(({ route }) => route.method === wanted);
    if (found) return { kind: "route", ...found };
    if (candidates.length === 0) return { kind: "not-found" };
    return {
      kind: "wrong-method",
      allowed: [...new Set(candidates.map((one) => one.route.method))],
    };
  }

  #matching(parts: readonly string[]) {
    return this.#patterns.flatMap(({ route, parts: pattern }) => {
      const parameters = match(pattern, parts);
      return parameters ? [{ route, parameters }] : [];
    });
  }
}

function match(
  pattern: readonly string[],
  parts: readonly string[],
): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [i, expected] of pattern.entries()) {
    const part = parts[i]!;
    const name = /^\{(\w+)\}$/.exec(expected)?.[1];
    if (name === undefined) {
      if (part !== expected) return undefined;
      continue;
    }
    const value = decoded(part);
    if (value === undefined || value === "") return undefined;
    parameters[name] = value;
  }
  return parameters;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
