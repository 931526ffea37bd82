/** A box with very many files, against the tools of the system on the same tree. */

import { Box, defaultSettings, Sandbox } from "isolate/mod.ts";
import { output } from "../tools/process.ts";
import { BOX_IDS, compile, median, type Row, timeMs, withFolder } from "./measure.ts";

const FILES = 100_000;
const ROUNDS = 5;

type MakeTree = (folder: string) => Promise<void>;

/** Milliseconds of giving the tree away and back, and of removing it. */
interface Times {
  give: number;
  remove: number;
}

async function tools(folder: string, makeTree: MakeTree): Promise<Times> {
  await Deno.mkdir(folder);
  try {
    await makeTree(folder);
    const give = await timeMs(async () => {
      await output(["chown", "-R", "60440:60440", folder]);
      await output(["chown", "-R", "0:0", folder]);
    });
    return { give, remove: await timeMs(() => output(["rm", "-rf", folder])) };
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

async function ours(sandbox: Sandbox, makeTree: MakeTree): Promise<Times> {
  let box!: Box;
  const init = await timeMs(async () => box = await Box.init({ boxId: BOX_IDS[0]!, sandbox }));
  let give = NaN;
  let remove = NaN;
  try {
    await makeTree(`${box.directory}/box`);
    give = init + await timeMs(() => box.run(["/bin/true"]));
  } finally {
    remove = await timeMs(() => box.cleanup());
  }
  return { give, remove };
}

/**
 * Works in memory: the time that a disk needs to free the blocks of a file (with `discard` it waits
 * for each) has nothing to do with the program that removes it.
 */
async function rounds(folder: string): Promise<{ references: Times[]; heres: Times[] }> {
  const settings = {
    ...defaultSettings(),
    boxRoot: `${folder}/boxes`,
    lockRoot: `${folder}/locks`,
  };
  const sandbox = await Sandbox.open({ settings });
  const program = await compile("tree", folder);
  const makeTree = async (cwd: string) => {
    await output([program, String(FILES)], { cwd });
  };
  const references: Times[] = [];
  const heres: Times[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    heres.push(await ours(sandbox, makeTree));
    references.push(await tools(`${folder}/beside`, makeTree));
  }
  return { references, heres };
}

/** Measures a box with very many files. */
export async function measureFiles(): Promise<Row[]> {
  const { references, heres } = await withFolder(rounds, { parent: "/dev/shm" });
  const row = (what: string, against: string, ms: (times: Times) => number): Row => ({
    what: `${what} a box with ${FILES / 1000},000 files`,
    against,
    unit: "ms",
    reference: median(references.map(ms)),
    here: median(heres.map(ms)),
  });
  return [
    row("init and run of", "chown -R twice", ({ give }) => give),
    row("cleanup of", "rm -rf", ({ remove }) => remove),
    {
      ...row("init, run and cleanup of", "all of that", ({ give, remove }) => give + remove),
      goal: 2,
    },
  ];
}
