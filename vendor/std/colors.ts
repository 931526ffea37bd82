/** What is used of `@std/fmt/colors`. To take it from there, name `jsr:@std/fmt@1/colors` here and drop the types. */
// @ts-types="./colors.d.ts"
export * from "./fmt/colors.js";
