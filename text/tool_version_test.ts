import { assertEquals } from "@std/assert";
import { format } from "../vendor/std/semver.ts";
import { versionIn } from "./tool_version.ts";

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
    assertEquals([text, format(versionIn(text)!)], [text, version]);
  }
  assertEquals(versionIn("POSIX shell"), undefined);
});
