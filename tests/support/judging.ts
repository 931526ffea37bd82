/** Small problem packages for tests, and what judging them gives. */

import { callerEnvironment, defaultSettings, Sandbox, type Settings } from "isolate/mod.ts";
import {
  HostFiles,
  judge,
  type JudgeEvent,
  type JudgeOptions,
  type JudgeReport,
  loadLanguages,
  type Problem,
  readPackage,
  type SubmissionResult,
} from "isolate/judge/mod.ts";
import { withFolder } from "./folder.ts";
import { type Missing, needs } from "./skip.ts";

/** Paths in the package and what the files hold. */
export type Files = Readonly<Record<string, string>>;

/** What judging needs of the machine. */
export const needsJudge: readonly Missing[] = [needs.root(), needs.command("python3")];

/** The boxes of the tests of judging. */
export const JUDGE_BOXES = { first: 970, count: 20 } as const;

/** Writes files with the folders above them. */
export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = `${folder}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
}

/** A judge with a package in a folder of its own. */
export interface TestJudge {
  folder: string;
  sandbox: Sandbox;
  host: HostFiles;
  /** Reads the package again and judges; also keeps the events. */
  judge(options?: Partial<JudgeOptions>): Promise<JudgeReport>;
  /** The events of the last call. */
  events: JudgeEvent[];
}

/** A package that adds two numbers; the limits are small. */
export const SUM: Files = {
  "problem.yaml": "name: Sum\nlimits:\n  time_limit: 1\n  memory: 128\n  output: 1\n",
  "data/secret/1.in": "1 2\n",
  "data/secret/1.ans": "3\n",
  "data/secret/2.in": "20 22\n",
  "data/secret/2.ans": "42\n",
};

/** Gives `test` a judge with this package. */
export async function withPackage(
  files: Files,
  test: (judge: TestJudge) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    await writeFiles(folder, files);
    const sandbox = await Sandbox.open();
    const host = new HostFiles(sandbox);
    const tested: TestJudge = {
      folder,
      sandbox,
      host,
      events: [],
      async judge(options = {}) {
        tested.events = [];
        const problem: Problem = options.problem ?? await readPackage(host, folder);
        return await judge({
          sandbox,
          host,
          problem,
          submissions: problem.submissions,
          verify: false,
          languages: await loadLanguages(host, { environment: await callerEnvironment() }),
          jobs: 2,
          boxIds: JUDGE_BOXES,
          onEvent: (event) => tested.events.push(event),
          ...options,
        });
      },
    };
    await test(tested);
  });
}

/** Opens a sandbox with settings that differ, for {@linkcode TestJudge.judge}. */
export async function openWith(
  settings: Partial<Settings>,
): Promise<Pick<JudgeOptions, "sandbox" | "host">> {
  const sandbox = await Sandbox.open({ settings: { ...defaultSettings(), ...settings } });
  return { sandbox, host: new HostFiles(sandbox) };
}

/** The verdicts by submission, with the messages. */
export function verdicts(report: JudgeReport): Record<string, string> {
  return Object.fromEntries(
    report.submissions.map(({ submission, verdict, message }) => [
      submission,
      `${verdict}: ${message}`,
    ]),
  );
}

/** The result of one submission. */
export function resultOf(report: JudgeReport, submission: string): SubmissionResult {
  const result = report.submissions.find((result) => result.submission === submission);
  if (!result) throw new Error(`${submission} was not judged`);
  return result;
}

/** The ids of those boxes of {@linkcode JUDGE_BOXES} that exist. */
export function existingBoxes(): number[] {
  const { first, count } = JUDGE_BOXES;
  const ids = Array.from({ length: count }, (_, i) => first + i);
  return ids.filter((id) => {
    try {
      Deno.statSync(`/var/local/lib/isolate/${id}`);
      return true;
    } catch {
      return false;
    }
  });
}
