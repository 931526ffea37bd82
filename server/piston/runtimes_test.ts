import { assertEquals, assertThrows } from "@std/assert";
import { findRuntime, type KnownRuntime } from "./runtimes.ts";

const runtime = (major: number, minor: number, patch: number): KnownRuntime => ({
  id: `python-${major}`,
  language: "python",
  version: `${major}.${minor}.${patch}`,
  numbers: { major, minor, patch },
  aliases: ["py"],
});
/** As they are listed, the latest one first. */
const RUNTIMES = [runtime(3, 11, 2), runtime(3, 9, 0), runtime(2, 7, 18)];

Deno.test("findRuntime() takes the latest version in the range", () => {
  const expected = {
    ...{ "*": "3.11.2", latest: "3.11.2", "3": "3.11.2", "3.9": "3.9.0", "2.x": "2.7.18" },
    ...{ "^3.9.0": "3.11.2", "~3.9": "3.9.0", "<3.10": "3.9.0", "2.7 - 3.9": "3.9.0" },
    ...{ "1 || 2": "2.7.18", "3.11.2": "3.11.2", "> 2 <3.11": "3.9.0" },
  };
  for (const [version, found] of Object.entries(expected)) {
    assertEquals([version, findRuntime(RUNTIMES, { language: "py", version }).version], [
      version,
      found,
    ]);
  }
});

Deno.test("findRuntime() tells a version that is not there from what is none", () => {
  const find = (version: string) => () => findRuntime(RUNTIMES, { language: "python", version });
  assertThrows(find("4.x"), Error, "there is python-3.11.2, python-3.9.0, python-2.7.18");
  for (const version of ["a", "1.2.3.4", ">>1", "1,2", "1 -", "^", "1".repeat(300)]) {
    assertThrows(find(version), Error, "version must be a version or a range");
  }
});
