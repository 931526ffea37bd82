/** Input validators in Checktestdata, a language of its own. */

import { assertEquals, assertMatch } from "@std/assert";
import { loadLanguages } from "isolate/judge/mod.ts";
import { CHECKED } from "../support/data_checks.ts";
import { needsJudge, withPackage } from "../support/judging.ts";
import { needs, testWith } from "../support/skip.ts";

/** What `tools/py/clients.txt` names is put here. */
const PYTHON_MODULES = new URL("../../.tools/py-clients", import.meta.url).pathname;

/** Is called like the real one; for it, what is described is the whole input. */
const CHECKTESTDATA = `#!/bin/sh
[ "$1" = --version ] && { echo checktestdata 1; exit 0; }
cmp -s "$1" - || { echo "ERROR at line 1: not as described"; exit 1; }
`;

testWith(needsJudge, "an input validator in Checktestdata runs where that is set up", async () => {
  const { "input_validators/numbers.py": _, ...others } = CHECKED;
  const files = {
    ...others,
    "input_validators/numbers.ctd": "1 2\n",
    "tools/bin/checktestdata": CHECKTESTDATA,
  };
  await withPackage(files, async (judge) => {
    const complaints = async (path: string) => {
      const environment = new Map([["PATH", path]]);
      const languages = await loadLanguages(judge.host, { environment });
      return (await judge.judge({ onlyTests: true, submissions: [], languages })).complaints;
    };
    await Deno.chmod(judge.folder, 0o755);
    await Deno.chmod(`${judge.folder}/tools/bin/checktestdata`, 0o755);
    assertEquals(await complaints(`${judge.folder}/tools/bin:/usr/bin:/bin`), [
      "secret/2.in is refused by the input validator numbers.ctd: Exit status 1: ERROR at line 1: " +
      'not as described (line 1 is "20 22")',
    ]);
    const [missing] = await complaints("/nowhere");
    assertMatch(
      missing!,
      /numbers\.ctd cannot be used: Checktestdata is not set up: install check/,
    );
  });
});

/** Finds its modules beside itself, wherever a box shows them. */
const LAUNCHER = `#!/bin/sh
PYTHONPATH=\${0%/*}/../modules exec /usr/bin/python3 -m checktestdata "$@"
`;

testWith(
  [
    ...needsJudge,
    needs.path("/usr/bin/python3", "Debian's Python"),
    needs.path(`${PYTHON_MODULES}/checktestdata`, "Checktestdata from PyPI"),
  ],
  "the Checktestdata that organisers use says which input is wrong, and where",
  async () => {
    const { "input_validators/numbers.py": _, ...others } = CHECKED;
    const files = {
      ...others,
      "data/secret/3.in": "5  6\n",
      "data/secret/3.ans": "11\n",
      "data/secret/4.in": "5 600\n",
      "data/secret/4.ans": "605\n",
      "data/invalid_input/words.in": "five six\n",
      "input_validators/numbers.ctd": "INT(0,100) SPACE INT(0,100) NEWLINE EOF\n",
      "tools/bin/checktestdata": LAUNCHER,
    };
    await withPackage(files, async (judge) => {
      await Deno.chmod(judge.folder, 0o755);
      await Deno.chmod(`${judge.folder}/tools/bin/checktestdata`, 0o755);
      const from = `${PYTHON_MODULES}/checktestdata`;
      await Deno.mkdir(`${judge.folder}/tools/modules/checktestdata`, { recursive: true });
      for await (const { name, isFile } of Deno.readDir(from)) {
        const to = `${judge.folder}/tools/modules/checktestdata/${name}`;
        if (isFile) await Deno.copyFile(`${from}/${name}`, to);
      }
      const environment = new Map([["PATH", `${judge.folder}/tools/bin:/usr/bin:/bin`]]);
      const languages = await loadLanguages(judge.host, { environment });
      const { complaints } = await judge.judge({ onlyTests: true, submissions: [], languages });
      assertEquals(complaints.length, 2, complaints.join("\n"));
      assertMatch(
        complaints[0]!,
        /^secret\/3\.in is refused by the input validator numbers\.ctd: /,
      );
      assertMatch(complaints[1]!, /^secret\/4\.in is refused .*INT\(0,100\)/);
    });
  },
);
