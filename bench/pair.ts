/** Two programs that talk, with a transcript in between, against pipes with nothing in between. */

import { Box, runPair, Transcript } from "isolate/mod.ts";
import { BOX_IDS, install, mediansInTurns, type Row, timeMs } from "./measure.ts";

const LINES = 100_000;
const ROUNDS = 4;

/** Exchanges the lines once, in milliseconds. */
async function exchange(boxes: readonly [Box, Box], transcript?: Transcript): Promise<number> {
  const [asker, answerer] = boxes;
  return await timeMs(async () => {
    const { first, second } = await runPair({
      first: { box: asker, command: ["./exchange", "ask", String(LINES)] },
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

/** Measures a pair of programs. */
export async function measurePair(): Promise<Row[]> {
  await using asker = await Box.init({ boxId: BOX_IDS[0]! });
  await using answerer = await Box.init({ boxId: BOX_IDS[1]! });
  const boxes = [asker, answerer] as const;
  for (const box of boxes) await install("exchange", box);
  const ms = await mediansInTurns(ROUNDS, {
    direct: () => exchange(boxes),
    all: async () => {
      const transcript = new Transcript({ limitBytes: 16 << 20 });
      const time = await exchange(boxes, transcript);
      if (transcript.truncated || transcript.pieces.length !== 2 * LINES) {
        throw new Error("The transcript is not complete");
      }
      return time;
    },
    full: () => exchange(boxes, new Transcript({ limitBytes: 65536 })),
  });
  const common = { against: "direct pipes", unit: "ms" as const, reference: ms.direct };
  const what = `${LINES} questions and answers, a transcript of`;
  return [
    { what: `${what} everything`, ...common, here: ms.all },
    { what: `${what} the first 64 KiB`, ...common, here: ms.full },
  ];
}
