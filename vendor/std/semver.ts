/** What is used of `@std/semver`. To take it from there, name `jsr:@std/semver@1` here and drop the types. */
// @ts-types="./semver.d.ts"
export { compare } from "./semver/compare.js";
// @ts-types="./semver.d.ts"
export { format } from "./semver/format.js";
// @ts-types="./semver.d.ts"
export { satisfies } from "./semver/satisfies.js";
// @ts-types="./semver.d.ts"
export { tryParseRange } from "./semver/try_parse_range.js";
export type { Range, SemVer } from "./semver.d.ts";
