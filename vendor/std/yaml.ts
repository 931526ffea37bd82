/** What is used of `@std/yaml`. To take it from there, name `jsr:@std/yaml@1` here and drop the types. */
// @ts-types="./yaml.d.ts"
export { parse } from "./yaml/parse.js";
