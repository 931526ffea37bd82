/** Real reports of the examples: what `isolate judge` writes for programs and for browsers. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import schema from "../../judge/report/report.schema.json" with { type: "json" };
import { withFolder } from "../support/folder.ts";
import { isolate, sh } from "../support/isolate.ts";
import { needsJudge } from "../support/judging.ts";
import { schemaErrors } from "../support/json_schema.ts";
import { needs, testWith } from "../support/skip.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url).pathname;

/** Programs in scripting languages are enough, and need no compiler. */
const SUBMISSIONS: Readonly<Record<string, readonly string[]>> = {
  guess: ["accepted", "run_time_error", "wrong_answer"],
  inversions: ["partially_accepted"],
  pairs: ["compile_error", "run_time_error", "wrong_answer"],
  plainpairs: ["accepted", "wrong_answer"],
  primesum: ["rejected", "wrong_answer"],
};

for (const [example, verdicts] of Object.entries(SUBMISSIONS)) {
  testWith(
    [...needsJudge, needs.command("python3")],
    `the reports of examples/${example} are what their formats ask for`,
    async () => {
      await withFolder(async (folder) => {
        const submissions = await Array.fromAsync(
          verdicts.map(async (verdict) => {
            const place = `${EXAMPLES}${example}/submissions/${verdict}`;
            const names = (await Array.fromAsync(Deno.readDir(place))).map(({ name }) => name);
            return names.sort().map((name) => `${place}/${name}`);
          }),
        );
        await Deno.writeTextFile(
          `${folder}/isolate.yaml`,
          `box_root: ${folder}/boxes\nlock_root: ${folder}/locks\nnum_boxes: 20\n` +
            "first_uid: 61600\nfirst_gid: 61600\n",
        );
        const { code, stdout, stderr } = await isolate([
          "judge",
          `--config=${folder}/isolate.yaml`,
          "--box-ids=11-18",
          "--no-cache",
          "--transcript",
          "--time-limit=0.5",
          "--json",
          `--junit=${folder}/report.xml`,
          `--html=${folder}/report.html`,
          `--clics=${folder}/feed.ndjson`,
          EXAMPLES + example,
          ...submissions.flat(),
        ]);
        assert(code < 2, stderr);
        const report = JSON.parse(stdout);
        assertEquals(schemaErrors(report, schema), []);
        assertEquals(report.submissions.length, submissions.flat().length);
        const read = "import sys, xml.dom.minidom as dom; tree = dom.parse(sys.argv[1]); " +
          "print(tree.documentElement.tagName, len(tree.getElementsByTagName('testsuite')))";
        assertEquals(
          await sh(`python3 -c "${read}" ${folder}/report.xml`),
          `testsuites ${report.submissions.length}\n`,
        );
        const feed = (await Deno.readTextFile(`${folder}/feed.ndjson`)).trimEnd().split("\n");
        const judgements = feed.map((line) => JSON.parse(line))
          .filter(({ type }) => type === "judgements");
        assertEquals(
          judgements.map(({ data }) => data.judgement_type_id),
          report.submissions.map(({ verdict }: { verdict: string }) => verdict),
        );
        assert(judgements.every(({ data }) => data.start_time <= data.end_time));
        const html = await Deno.readTextFile(`${folder}/report.html`);
        assertMatch(html, /^<!doctype html>[^]*<\/html>\s*$/i);
        for (const { submission } of report.submissions) {
          assert(html.includes(submission.split("/").at(-1)), submission);
        }
      });
    },
  );
}
