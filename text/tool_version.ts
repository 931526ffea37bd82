/** The versions that tools say of themselves. */

import type { SemVer } from "../vendor/std/semver.ts";

/** Finds the version in what a tool says of itself; what stands in parentheses is of something else. */
export function versionIn(text: string): SemVer | undefined {
  for (const candidate of [text.replace(/\([^)]*\)/g, " "), text]) {
    const match = /(?<![\d.])(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?/.exec(candidate);
    if (!match) continue;
    return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0) };
  }
  return undefined;
}
