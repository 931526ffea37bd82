/** A package that changes while it is judged: links that were not there when it was read. */

import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { readPackage } from "isolate/judge/mod.ts";
import { type Files, needsJudge, SUM, withPackage } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

const BOXES = { first: 921, count: 4 };
const SECRET = "correct-horse-battery-staple";

const PACKAGE: Files = {
  ...SUM,
  "submissions/accepted/sum.py": "print(sum(map(int, input().split())))\n",
};

const CUSTOM: Files = {
  ...PACKAGE,
  "problem.yaml": SUM["problem.yaml"]!.replace("name: Sum", "name: Sum\nvalidation: custom"),
  "output_validators/v.py": `import sys
for path in sys.argv[1:3]:
    open(sys.argv[3] + "/judgemessage.txt", "a").write(open(path).read())
sys.exit(43)
`,
};

/** What is replaced by a link after the package was read, and by a link to what. */
const CHANGES: readonly (readonly [string, Files, string, (secret: string) => string])[] = [
  ["an answer", PACKAGE, "data/secret/1.ans", (secret) => `${secret}/1.ans`],
  ["an input", PACKAGE, "data/secret/1.in", (secret) => `${secret}/1.ans`],
  ["the folder of the tests", PACKAGE, "data/secret", (secret) => secret],
  ["the folder above them", PACKAGE, "data", (secret) => `${secret}/above`],
  ["a validator's answer", CUSTOM, "data/secret/1.ans", (secret) => `${secret}/1.ans`],
  ["a validator's input", CUSTOM, "data/secret/1.in", (secret) => `${secret}/1.ans`],
];

async function withSecret(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/above`);
    await Deno.symlink("..", `${folder}/above/secret`);
    for (const name of ["1.in", "1.ans", "2.in", "2.ans"]) {
      await Deno.writeTextFile(`${folder}/${name}`, `${SECRET}\n`, { mode: 0o600 });
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const [what, files, path, target] of CHANGES) {
  testWith(
    needsJudge,
    `${what} that becomes a link after the package was read is not followed`,
    async () => {
      await withSecret(async (secret) => {
        await withPackage(files, async ({ folder, host, judge }) => {
          const problem = await readPackage(host, folder);
          await Deno.rename(`${folder}/${path}`, `${folder}/${path}.old`);
          await Deno.symlink(target(secret), `${folder}/${path}`);
          const report = await judge({ problem, boxIds: BOXES });
          const text = JSON.stringify(report);
          assertNotMatch(text, new RegExp(SECRET));
          const tests = report.submissions[0]!.tests;
          const changed = tests.find(({ test }) => test === "secret/1");
          assert(changed, text);
          assertEquals(changed.verdict, "JE", changed.message);
          assertMatch(changed.message, /symbolic link/);
        });
      });
    },
  );
}

testWith(
  needsJudge,
  "a package is judged as it was read, though another folder has its name by then",
  async () => {
    await withPackage(PACKAGE, async ({ folder, host, judge }) => {
      await Deno.mkdir(`${folder}/pack`);
      for (const name of ["problem.yaml", "data", "submissions"]) {
        await Deno.rename(`${folder}/${name}`, `${folder}/pack/${name}`);
      }
      const problem = await readPackage(host, `${folder}/pack`);
      await Deno.rename(`${folder}/pack`, `${folder}/moved`);
      // Not links: real folders, as somebody could have brought from elsewhere.
      await Deno.mkdir(`${folder}/pack/data/secret`, { recursive: true });
      for (const name of ["1.in", "1.ans", "2.in", "2.ans"]) {
        await Deno.writeTextFile(`${folder}/pack/data/secret/${name}`, `${SECRET}\n`);
      }
      const report = await judge({ problem, boxIds: BOXES });
      assertNotMatch(JSON.stringify(report), new RegExp(SECRET));
      assertEquals(report.submissions.map(({ verdict }) => verdict), ["AC"]);
    });
  },
);

testWith(
  needsJudge,
  "a submission that becomes a link after the package was read is not followed",
  async () => {
    await withSecret(async (secret) => {
      await withPackage(PACKAGE, async ({ folder, host, judge }) => {
        const problem = await readPackage(host, folder);
        const path = `${folder}/submissions/accepted/sum.py`;
        await Deno.remove(path);
        await Deno.symlink(`${secret}/1.ans`, path);
        const text = JSON.stringify(await judge({ problem, boxIds: BOXES }));
        assertNotMatch(text, new RegExp(SECRET));
        assertMatch(text, /symbolic link/);
      });
    });
  },
);
