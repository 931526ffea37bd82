/** A box with very many files, against the tools of the system on the same tree. */

import { Box, sharedSandbox } from "isolate/mod.ts";
import {
  type Benchmark,
  BOX_IDS,
  compile,
  median,
  type Row,
  succeed,
  timeMs,
  withFolder,
} from "./measure.ts";

const FILES = 100_000;
const ROUNDS = 3;

type MakeTree = (folder: string) => Promise<void>;

async function tools(folder: string, makeTree: MakeTree): Promise<number> {
  await Deno.mkdir(folder);
  try {
    await makeTree(folder);
    return await timeMs(async () => {
      await succeed("chown", ["-R", "60440:60440", folder]);
      await succeed("chown", ["-R", "0:0", folder]);
      await succeed("rm", ["-rf", folder]);
    });
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

async function ours(makeTree: MakeTree): Promise<number> {
  let box!: Box;
  let ms = await timeMs(async () => box = await Box.init({ boxId: BOX_IDS[0]! }));
  try {
    await makeTree(`${box.directory}/box`);
    ms += await timeMs(() => box.run(["/bin/true"]));
  } finally {
    ms += await timeMs(() => box.cleanup());
  }
  return ms;
}

async function measure(): Promise<Row[]> {
  const { settings } = await sharedSandbox();
  return await withFolder(async (folder) => {
    const program = await compile("tree", folder);
    const makeTree = async (cwd: string) => {
      await succeed(program, [String(FILES)], { cwd });
      // What is not on the disk yet would slow down whoever comes next.
      await succeed("sync", []);
    };
    const references: number[] = [];
    const heres: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      heres.push(await ours(makeTree));
      // Beside the boxes: on the same file system.
      const beside = `${settings.boxRoot}/bench-${Deno.pid}`;
      references.push(await tools(beside, makeTree));
    }
    return [{
      what: `init, run and cleanup of a box with ${FILES / 1000},000 files`,
      against: "chown -R twice and rm -rf",
      unit: "ms",
      reference: median(references),
      here: median(heres),
      goal: 2,
    }];
  });
}

/** Very many files. */
export const filesBenchmark: Benchmark = {
  name: "files",
  summary: "a box with 100,000 files against chown -R and rm -rf",
  measure,
};
