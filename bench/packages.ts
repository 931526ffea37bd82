/**
 * Verifying whole packages, as their authors do, against problemtools where `VERIFYPROBLEM` names its
 * `verifyproblem`. Both compile everything, check the tests by the input validators, and must agree on
 * all verdicts.
 */

import { execute, output, ROOT } from "../tools/process.ts";
import { BOX_IDS, mediansInTurns, type Row, timeMs, withFolder } from "./measure.ts";
import { MADE_PACKAGES, makePackage } from "./package_makers.ts";

const ROUNDS = 2;
const JOBS = 1;
const GOAL = 1;
const MEAN_GOAL = 0.6;
const EXAMPLES = ["guess", "inversions", "pairs", "primesum"];
/** Folders of submissions that problemtools does not know or does not run. */
const FOLDERS_OF_OURS = [
  "compile_error",
  "memory_limit_exceeded",
  "output_limit_exceeded",
  "rejected",
];

interface Package {
  readonly what: string;
  readonly folder: string;
}

/** Verdicts of submissions by their names. */
type Verdicts = Record<string, string>;

/** Runs a judge on a package. */
type Verify = (folder: string) => Promise<Verdicts>;

/** Measures verifying packages. */
export async function measurePackages(): Promise<Row[]> {
  return await withFolder(async (folder) => {
    const theirs = await problemtools(folder);
    const rows: Row[] = [];
    for (const one of await preparePackages(folder)) rows.push(await comparison(one, theirs));
    const ratios = rows.flatMap(({ here, reference }) =>
      reference === undefined ? [] : here / reference
    );
    if (ratios.length === 0) return rows;
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    const what = "verifying packages: geometric mean of the ratios";
    return [...rows, { what, unit: "", here: mean, goal: MEAN_GOAL }];
  });
}

async function comparison(
  { what, folder }: Package,
  theirs: Verify | undefined,
): Promise<Row> {
  const seen: Verdicts[] = [];
  const measure = (verify: Verify) => async () => {
    const ms = await timeMs(async () => seen.push(await verify(folder)));
    assertSame(seen.at(-1)!, seen[0]!);
    return ms / 1000;
  };
  const row = { what: `verifying a package: ${what}`, unit: "s" } as const;
  const here = measure(verifyHere);
  if (!theirs) return { ...row, ...await mediansInTurns(ROUNDS, { here }) };
  const medians = await mediansInTurns(ROUNDS, { reference: measure(theirs), here });
  return { ...row, against: "problemtools", ...medians, goal: GOAL };
}

/** A judge that is fast because it does something else proves nothing. */
function assertSame(one: Verdicts, other: Verdicts): void {
  const [text, otherText] = [one, other].map((verdicts) =>
    JSON.stringify(Object.entries(verdicts).sort())
  );
  if (text !== otherText) throw new Error(`The verdicts differ: ${text}, ${otherText}`);
}

async function preparePackages(folder: string): Promise<Package[]> {
  const packages: Package[] = [];
  for (const name of EXAMPLES) {
    const copy = `${folder}/${name}`;
    await output(["cp", "-r", `${ROOT}/examples/${name}`, copy]);
    for (const other of FOLDERS_OF_OURS) {
      await Deno.remove(`${copy}/submissions/${other}`, { recursive: true }).catch(() => {});
    }
    packages.push({ what: `examples/${name}`, folder: copy });
  }
  for (const made of MADE_PACKAGES) {
    const own = `${folder}/${made.name}`;
    await makePackage(made, own);
    packages.push({ what: made.what, folder: own });
  }
  return packages;
}

/** Verifies with `isolate judge`, which finds nothing in its cache. */
async function verifyHere(folder: string): Promise<Verdicts> {
  const boxes = `--box-ids=${BOX_IDS.at(0)}-${BOX_IDS.at(-1)}`;
  const deno = [Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-ffi"];
  const judge = [`${ROOT}/direct.ts`, "judge", `-j${JOBS}`, "--no-cache", "--json", boxes];
  const { code, stdout, stderr } = await execute([...deno, ...judge, folder]);
  if (code !== 0) throw new Error(`isolate judge ${folder} failed: ${stderr}`);
  const { submissions } = JSON.parse(stdout) as {
    submissions: { submission: string; verdict: string }[];
  };
  return Object.fromEntries(submissions.map(({ submission, verdict }) => [submission, verdict]));
}

/**
 * Makes problemtools run the same Python and Java; its own table asks for PyPy, and for a release of Java
 * that not every machine has.
 */
async function problemtools(folder: string): Promise<Verify | undefined> {
  const command = Deno.env.get("VERIFYPROBLEM");
  if (command === undefined) return undefined;
  const configuration = `${folder}/configuration`;
  await Deno.mkdir(`${configuration}/problemtools`, { recursive: true });
  await Deno.writeTextFile(
    `${configuration}/problemtools/languages.yaml`,
    `python3:
  compile: 'python3 -m py_compile {files}'
  run: 'python3 "{mainfile}"'
java:
  compile: 'javac -encoding UTF-8 -sourcepath {path} -d {path} {files}'
`,
  );
  const parts = ["-p", "config", "validators", "graders", "data", "submissions"];
  return async (folder) => {
    const { stdout, stderr } = await execute(
      [command, "-j", String(JOBS), ...parts, "--", folder],
      { env: { XDG_CONFIG_HOME: configuration } },
    );
    const lines = `${stdout}\n${stderr}`.matchAll(/^ *(\S+) \([^\n]*\) (?:OK|\w+): ([A-Z]+)/gm);
    return Object.fromEntries([...lines].map(([, name, verdict]) => [name!, verdict!]));
  };
}
