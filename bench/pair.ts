/** Two programs that talk: through a tee that takes it down, against pipes with nothing in between. */

import { Box, runPair, Transcript } from "isolate/mod.ts";
import { type Benchmark, compile, median, type Row, timeMs, withFolder } from "./measure.ts";

const BOX_IDS = [960, 961] as const;
const LINES = 100_000;
const ROUNDS = 5;

/** Exchanges the lines once; gives the time in milliseconds. */
async function exchange(
  boxes: readonly [Box, Box],
  { lines, transcript }: { lines: number; transcript?: Transcript },
): Promise<number> {
  const [asker, answerer] = boxes;
  return await timeMs(async () => {
    const { first, second } = await runPair({
      first: { box: asker, command: ["./exchange", "ask", String(lines)] },
      second: { box: answerer, command: ["./exchange", "answer"] },
      ...(transcript ? { transcript } : {}),
    });
    for (const outcome of [first, second]) {
      if (outcome.kind !== "exit" || outcome.exitCode !== 0) {
        throw new Error(`The exchange has failed: ${JSON.stringify(outcome)}`);
      }
    }
  });
}

async function measure(): Promise<Row[]> {
  return await withFolder(async (folder) => {
    const binary = await compile("exchange", folder);
    await using asker = await Box.init({ boxId: BOX_IDS[0] });
    await using answerer = await Box.init({ boxId: BOX_IDS[1] });
    const boxes = [asker, answerer] as const;
    for (const box of boxes) {
      await Deno.copyFile(binary, `${box.directory}/box/exchange`);
      await Deno.chmod(`${box.directory}/box/exchange`, 0o755);
    }
    const direct: number[] = [];
    const all: number[] = [];
    const full: number[] = [];
    await exchange(boxes, { lines: 1000 });
    await exchange(boxes, { lines: 1000, transcript: new Transcript({ limitBytes: 1000 }) });
    for (let round = 0; round < ROUNDS; round++) {
      direct.push(await exchange(boxes, { lines: LINES }));
      const transcript = new Transcript({ limitBytes: 16 << 20 });
      all.push(await exchange(boxes, { lines: LINES, transcript }));
      if (transcript.truncated || transcript.pieces.length !== 2 * LINES) {
        throw new Error("The transcript is not complete");
      }
      const small = new Transcript({ limitBytes: 65536 });
      full.push(await exchange(boxes, { lines: LINES, transcript: small }));
    }
    const common = {
      against: "direct pipes",
      unit: "ms" as const,
      reference: median(direct),
    };
    const what = `${LINES} questions and answers, a transcript of`;
    return [
      { what: `${what} everything`, ...common, here: median(all) },
      { what: `${what} the first 64 KiB`, ...common, here: median(full) },
    ];
  });
}

/** A pair of programs. */
export const pairBenchmark: Benchmark = {
  name: "pair",
  summary: "two programs that talk: with a transcript against direct pipes",
  measure,
};
