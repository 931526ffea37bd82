import { assertEquals } from "@std/assert";
import {
  compareVersions,
  parseRange,
  type Version,
  versionIn,
  versionText,
} from "./semver_range.ts";

const VERSIONS: readonly Version[] = [
  [0, 0, 3],
  [0, 2, 5],
  [1, 0, 0],
  [1, 2, 3],
  [1, 9, 0],
  [2, 0, 0],
  [3, 11, 2],
];

/** The versions that lie in a range. */
const within = (range: string) => {
  const isIn = parseRange(range);
  return isIn && VERSIONS.filter(isIn).map(versionText).join(" ");
};

Deno.test("parseRange() knows the ranges of npm", () => {
  const all = VERSIONS.map(versionText).join(" ");
  const expected: Record<string, string> = {
    "*": all,
    "": all,
    "x": all,
    "latest": all,
    ">=0": all,
    "1": "1.0.0 1.2.3 1.9.0",
    "1.x": "1.0.0 1.2.3 1.9.0",
    "1.2": "1.2.3",
    "1.2.*": "1.2.3",
    "1.2.3": "1.2.3",
    "v1.2.3": "1.2.3",
    "=1.2.3": "1.2.3",
    "1.2.3-rc.1+build": "1.2.3",
    "^1.0": "1.0.0 1.2.3 1.9.0",
    "^1.2.4": "1.9.0",
    "^0.2.3": "0.2.5",
    "^0.0.3": "0.0.3",
    "^0.0": "0.0.3",
    "^0": "0.0.3 0.2.5",
    "~1.2.0": "1.2.3",
    "~1": "1.0.0 1.2.3 1.9.0",
    "~> 1.2": "1.2.3",
    ">1": "2.0.0 3.11.2",
    "> 1.2.3": "1.9.0 2.0.0 3.11.2",
    "<=1": "0.0.3 0.2.5 1.0.0 1.2.3 1.9.0",
    "<1": "0.0.3 0.2.5",
    ">=1 <2": "1.0.0 1.2.3 1.9.0",
    "1.2 - 2": "1.2.3 1.9.0 2.0.0",
    "1.0.0 || ^3": "1.0.0 3.11.2",
    ">2 <1": "",
    "4.x": "",
  };
  for (const [range, versions] of Object.entries(expected)) {
    assertEquals([range, within(range)], [range, versions]);
  }
});

Deno.test("parseRange() refuses what is no range", () => {
  for (const text of ["a", "1.2.3.4", ">>1", "1,2", "1 -", "^", "1".repeat(300), "1.2.3 hello"]) {
    assertEquals([text, within(text)], [text, undefined]);
  }
});

Deno.test("versionIn() finds the version in what tools say of themselves", () => {
  const expected: Record<string, string> = {
    "Python 3.11.2": "3.11.2",
    "gcc (Debian 12.2.0-14+deb12u1) 12.2.0": "12.2.0",
    "javac 17.0.13": "17.0.13",
    "v20.20.2": "20.20.2",
    "go version go1.19.8 linux/amd64": "1.19.8",
    "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)": "5.2.15",
    "info: kotlinc-jvm 1.3.31 (JRE 17.0.13+11)": "1.3.31",
    "Perl v5.36.0": "5.36.0",
    "Tool (version 7.1)": "7.1.0",
    "deno 2.9.6 (stable, release, x86_64-unknown-linux-gnu)": "2.9.6",
  };
  for (const [text, version] of Object.entries(expected)) {
    assertEquals([text, versionText(versionIn(text)!)], [text, version]);
  }
  assertEquals(versionIn("POSIX shell"), undefined);
});

Deno.test("compareVersions() sorts by numbers", () => {
  const sorted = [[3, 9, 0], [3, 11, 2], [3, 2, 10]].map((v) => v as unknown as Version)
    .sort(compareVersions);
  assertEquals(sorted.map(versionText), ["3.2.10", "3.9.0", "3.11.2"]);
});
