/** Packages in archives, and links of packages in the folder of a contest. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { PackageError, readPackage, unpackPackage } from "isolate/judge/mod.ts";
import { withFolder } from "../support/folder.ts";
import { isolate } from "../support/isolate.ts";
import { type Files, JUDGE_BOXES, needsJudge, SUM, writeFiles } from "../support/judging.ts";
import { withPackage } from "../support/package.ts";
import { needs, testWith } from "../support/skip.ts";
import { makeZip } from "../support/zip.ts";

const OPTIONS = [
  `--box-ids=${JUDGE_BOXES.first}-${JUDGE_BOXES.first + JUDGE_BOXES.count - 1}`,
  ...["--jobs=2", "--no-cache"],
];
const PACKAGE: Files = {
  ...SUM,
  "submissions/accepted/add.py": "print(sum(map(int, input().split())))\n",
};

testWith(
  needsJudge,
  "isolate judge takes archives that other programs make, of the folder or of what is in it",
  async () => {
    await withFolder(async (folder) => {
      await writeFiles(`${folder}/sum`, PACKAGE);
      for (const [name, from] of [["whole.kpp", ".."], ["flat.zip", "."]] as const) {
        const made = await new Deno.Command("python3", {
          args: ["-m", "zipfile", "-c", `${folder}/${name}`, from === "." ? "." : "../sum"],
          cwd: `${folder}/sum`,
        }).output();
        assertEquals(made.success, true, new TextDecoder().decode(made.stderr));
        const { code, stdout, stderr } = await isolate(["judge", ...OPTIONS, `${folder}/${name}`]);
        assertEquals([code, stderr], [0, ""], stdout);
        assertStringIncludes(stdout, "1 of 1 submission as expected");
      }
    });
  },
);

Deno.test("unpackPackage() finds the package, and removes it afterwards", async () => {
  await withPackage({}, async ({ host, directory }) => {
    const parts = Object.entries(PACKAGE).map(([name, text]) => ({ name, text }));
    const inside = parts.map((part) => ({ ...part, name: `other/${part.name}` }));
    const extra = { name: "__MACOSX/other/._x", text: "" };
    for (const [name, content] of [["sum.zip", parts], ["sum.kpp", [...inside, extra]]] as const) {
      await Deno.writeFile(`${directory}/${name}`, await makeZip(content));
      let path;
      {
        using unpacked = await unpackPackage(host, `${directory}/${name}`);
        path = unpacked.directory;
        const problem = await readPackage(host, path, { name });
        assertEquals(problem.shortName, name === "sum.zip" ? "sum" : "other");
        assertEquals(problem.submissions.map(({ name }) => name), ["accepted/add.py"]);
      }
      assertEquals(host.status(path), undefined);
    }
  });
});

Deno.test("unpackPackage() refuses what is no package, in one sentence that names the archive", async () => {
  await withPackage({ "text.zip": "text", "folder.zip/": "" }, async ({ host, directory }) => {
    const problem = { name: "problem.yaml", text: "" };
    const archives = {
      "bad.zip": [{ ...problem, name: "../problem.yaml" }],
      "empty.zip": [],
      "deep.zip": [{ ...problem, name: "a/b/problem.yaml" }],
      "two.zip": ["a", "b"].map((folder) => ({ ...problem, name: `${folder}/problem.yaml` })),
    };
    for (const [name, parts] of Object.entries(archives)) {
      await Deno.writeFile(`${directory}/${name}`, await makeZip(parts));
    }
    const complaint = async (name: string) => {
      const path = `${directory}/${name}`;
      const error = await assertRejects(() => unpackPackage(host, path), PackageError);
      return error.message.replace(`${directory}/`, "");
    };
    assertEquals(
      await complaint("bad.zip"),
      'bad.zip: has the name "../problem.yaml", which leads out of it',
    );
    assertEquals(await complaint("text.zip"), "text.zip: is no zip archive, or its end is missing");
    assertEquals(await complaint("folder.zip"), "folder.zip: must be a file");
    assertEquals(await complaint("none.zip"), "none.zip: is missing");
    assertEquals(
      await complaint("two.zip"),
      "two.zip: has several packages: a, b; unpack it, and name one",
    );
    const without =
      "has no problem.yaml or task.yaml, neither at its top nor in the only folder there";
    assertEquals(await complaint("empty.zip"), `empty.zip: ${without}`);
    assertEquals(await complaint("deep.zip"), `deep.zip: ${without}`);
  });
});

testWith(
  [...needsJudge, needs.command("gcc")],
  "links of a package lead to another folder of the contest with --root, and nowhere else",
  async () => {
    await withFolder(async (folder) => {
      const sum = `${folder}/contest/sum`;
      await writeFiles(sum, {
        ...PACKAGE,
        "submissions/accepted/add/add.c":
          '#include <stdio.h>\n#include "plus.h"\nint main(void) { int a, b; scanf("%d %d", &a, &b); ' +
          'printf("%d\\n", PLUS(a, b)); }\n',
      });
      await writeFiles(folder, {
        "contest/shared/plus.h": "#define PLUS(a, b) ((a) + (b))\n",
        "outside.h": "",
      });
      await Deno.symlink("../../../../shared/plus.h", `${sum}/submissions/accepted/add/plus.h`);
      const judge = (...options: string[]) => isolate(["judge", ...OPTIONS, ...options, sum]);
      const refused = await judge();
      assertEquals(refused.code, 2);
      assertStringIncludes(refused.stderr, "or with --root=FOLDER in a folder above it");
      const judged = await judge(`--root=${folder}/contest`);
      assertEquals([judged.code, judged.stderr], [0, ""]);
      const elsewhere = await judge("--root=/usr");
      assertStringIncludes(elsewhere.stderr, "is not in /usr, the folder that --root names");
      await Deno.symlink("../../../../../outside.h", `${sum}/submissions/accepted/add/more.h`);
      const outside = await judge(`--root=${folder}/contest`);
      assertStringIncludes(outside.stderr, "more.h: is a symbolic link that leads out");
    });
  },
);
