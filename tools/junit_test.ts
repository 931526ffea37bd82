import { assertEquals } from "@std/assert";
import { parseJunit } from "./junit.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="0" time="0.179">
    <testsuite name="./a_test.ts" tests="5" disabled="1" errors="0" failures="1">
        <testcase name="a &lt;b&gt; &amp; &#39;q&#39;" classname="./a_test.ts" time="0.000" line="2" col="6">
        </testcase>
        <testcase name="needs root [skipped: not root]" classname="./a_test.ts" time="0.000" line="3" col="6">
            <skipped/>
        </testcase>
        <testcase name="needs v2 [skipped: v1] [in ./b_test.ts]" classname="./skip.ts" time="0.000" line="3" col="6">
            <skipped/>
        </testcase>
        <testcase name="of another [in ./b_test.ts]" classname="./skip.ts" time="1.250" line="3" col="6">
        </testcase>
        <testcase name="of another [in ./b_test.ts] &gt; step" classname="./skip.ts" time="1.000" line="3" col="6">
        </testcase>
        <testcase name="bare" classname="./a_test.ts" time="0.000" line="3" col="6">
            <skipped/>
        </testcase>
        <testcase name="steps" classname="./a_test.ts" time="0.002" line="5" col="6">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
        <testcase name="steps &gt; one" classname="./a_test.ts" time="0.000" line="5" col="43">
            <failure message="x
y">x</failure>
        </testcase>
        <testcase name="is 2 &gt; 1" classname="./a_test.ts" time="0.000" line="5" col="43">
        </testcase>
    </testsuite>
</testsuites>`;

Deno.test("parseJunit() lists tests with their outcomes and reasons", () => {
  const [file, wallTimeS] = ["./a_test.ts", 0];
  const other = "./b_test.ts";
  assertEquals(parseJunit(REPORT), [
    { file, name: "a <b> & 'q'", outcome: "passed", wallTimeS },
    { file, name: "needs root", outcome: "skipped", reason: "not root", wallTimeS },
    { file: other, name: "needs v2", outcome: "skipped", reason: "v1", wallTimeS },
    { file: other, name: "of another", outcome: "passed", wallTimeS: 1.25 },
    { file, name: "bare", outcome: "skipped", wallTimeS },
    { file, name: "steps", outcome: "failed", wallTimeS: 0.002 },
    { file, name: "is 2 > 1", outcome: "passed", wallTimeS },
  ]);
});

Deno.test("parseJunit() finds nothing in an empty report", () => {
  assertEquals(parseJunit(`<testsuites name="deno test" tests="0"></testsuites>`), []);
});
