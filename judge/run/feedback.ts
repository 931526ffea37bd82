/** What validators leave in the feedback directory of their box: messages, scores, the next input. */

import type { JudgeBox } from "../boxes.ts";
import { filesOfBox } from "../compile/box_tree.ts";
import type { ProblemLimits } from "../types.ts";

/** The directory, in `/box` of the validator. */
export const FEEDBACK = "feedback";

const MESSAGE_BYTES = 8192;
const FILES_MAX = 1000;
/** What is kept from one pass to the next, as that is in the memory of the judge. */
const KEPT_BYTES = 64 << 20;
const NEXT_INPUT = "nextpass.in";

/** What a further run of a submission on the same test needs. */
export interface NextPass {
  /** The input, for the submission and for the validator. */
  readonly input: Uint8Array<ArrayBuffer>;
  /** The other files that the validator has left, by their paths in its box. */
  readonly kept: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** Reads texts; what is no file or is empty counts as missing. There may be anything in the directory. */
export async function feedbackFiles(
  box: JudgeBox,
  limits: Pick<ProblemLimits, "validationOutputKib">,
): Promise<(name: string) => Promise<string | undefined>> {
  const entries = await box.files.list(FEEDBACK, { limitEntries: FILES_MAX });
  return async (name) => {
    const entry = entries.find((entry) => entry.name === name);
    if (entry?.kind !== "file" || entry.sizeBytes === 0) return undefined;
    const limitBytes = limits.validationOutputKib * 1024;
    const bytes = await box.files.read(`${FEEDBACK}/${name}`, { limitBytes });
    return new TextDecoder().decode(bytes.subarray(0, MESSAGE_BYTES));
  };
}

/** Reads what the next pass needs; undefined: this was the last one. */
export async function nextPass(box: JudgeBox): Promise<NextPass | undefined> {
  const entries = await box.files.list(FEEDBACK, { limitEntries: FILES_MAX });
  if (entries.find(({ name }) => name === NEXT_INPUT)?.kind !== "file") return undefined;
  let rest = KEPT_BYTES;
  const read = async (path: string) => {
    const bytes = await box.files.read(path, { limitBytes: rest });
    rest -= bytes.length;
    return bytes;
  };
  const input = await read(`${FEEDBACK}/${NEXT_INPUT}`);
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { name } of await filesOfBox(box.files)) {
    if (!name.startsWith(`${FEEDBACK}/`) || name === `${FEEDBACK}/${NEXT_INPUT}`) continue;
    kept.set(name, await read(name));
  }
  return { input, kept };
}
