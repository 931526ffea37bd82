/** Notes what most validators do not see in inputs and answers: line ends, and how a file begins and ends. */

import type { HostFiles } from "../../mod.ts";
import type { DataCheckWork } from "./data_check_work.ts";

/** Files whose first lines are right are right in the others, too. */
const START_BYTES = 1 << 12;
const [NUL, LF, CR] = [0, 10, 13];
const MARK = [0xef, 0xbb, 0xbf];

/** What can be odd about a file, and the words for several files. */
const ODDITIES = {
  mark: ["begins with a byte order mark", "begin with a byte order mark"],
  lineEnds: ["has the line ends of Windows (CR LF)", "have the line ends of Windows (CR LF)"],
  noEnd: ["does not end with a newline", "do not end with a newline"],
} as const;

type Oddity = keyof typeof ODDITIES;

/** Looks at all inputs and answers. */
export async function checkTexts(work: DataCheckWork): Promise<void> {
  const { problem: { validation }, host } = work.context;
  // What talks, or runs again and again, has no output that an answer is like.
  const isDialogue = validation.kind === "custom" &&
    (validation.interactive || validation.passes !== undefined);
  await work.unlessRight({ what: "texts", programs: [], tests: work.tests }, () => {
    const found = new Map<Oddity, string[]>();
    for (const { test: { name, inputFile, answerFile } } of work.tests) {
      const files = [[`${name}.in`, inputFile], [`${name}.ans`, answerFile]] as const;
      for (const [file, path] of isDialogue ? files.slice(0, 1) : files) {
        for (const oddity of odditiesOf(host, path)) {
          const names = found.get(oddity);
          if (names) names.push(file);
          else found.set(oddity, [file]);
        }
      }
    }
    for (const [oddity, [first, ...others]] of found) {
      const [singular, plural] = ODDITIES[oddity];
      const sentence = others.length === 0
        ? `${first} ${singular}`
        : `${first} and ${others.length} more ${others.length === 1 ? "file" : "files"} ${plural}`;
      work.findings.warnings.push(sentence);
    }
    return Promise.resolve(found.size === 0);
  });
}

function odditiesOf(host: HostFiles, path: string): Oddity[] {
  const sizeBytes = host.status(path)?.sizeBytes ?? 0;
  if (sizeBytes === 0) return [];
  using file = host.open(path, { followLinks: false });
  const { bytes, read } = file.block(START_BYTES);
  const start = bytes.slice(0, read(0));
  if (start.includes(NUL)) return [];
  const end = sizeBytes <= start.length ? start : bytes.subarray(0, read(sizeBytes - 1));
  const firstEnd = start.indexOf(LF);
  return [
    ...MARK.every((byte, at) => start[at] === byte) ? ["mark" as const] : [],
    ...firstEnd > 0 && start[firstEnd - 1] === CR ? ["lineEnds" as const] : [],
    ...end.at(-1) === LF ? [] : ["noEnd" as const],
  ];
}
