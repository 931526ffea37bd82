/** An executor of jobs for tests, and jobs for it. */

import { assert } from "@std/assert";
import {
  Box,
  callerEnvironment,
  defaultSettings,
  HostFiles,
  type Sandbox,
  sharedSandbox,
} from "isolate/mod.ts";
import { loadLanguages } from "isolate/judge/mod.ts";
import { LocalExecutor, type LocalExecutorOptions } from "isolate/server/engine/local_executor.ts";
import type { Job, JobRun, StageLimits } from "isolate/server/engine/types.ts";

/** Languages that take no time to find. */
export const FEW_LANGUAGES = new URL("few_languages.yaml", import.meta.url).pathname;

/** The boxes of the tests of the execution server. */
export const SERVER_BOXES = { first: 800, count: 40 } as const;

/** Limits that no test is meant to hit. */
export const LIMITS: StageLimits = {
  cpuTimeMs: 20_000,
  wallTimeMs: 60_000,
  memoryKib: 512 << 10,
  processes: 64,
  openFiles: 256,
  fileSizeKib: 64 << 10,
  outputBytes: 64 << 10,
};

/** Makes an executor. */
export async function openExecutor(
  changes: Partial<LocalExecutorOptions> = {},
): Promise<LocalExecutor> {
  const sandbox: Sandbox = changes.sandbox ?? await sharedSandbox();
  const host = new HostFiles(sandbox);
  return await LocalExecutor.open({
    sandbox,
    languages: await loadLanguages(host, {
      environment: await callerEnvironment(),
      userFile: FEW_LANGUAGES,
    }),
    boxes: 2,
    boxIds: SERVER_BOXES,
    waiting: 10,
    memoryKib: 512 << 10,
    compileLimits: LIMITS,
    complain: (message) => console.error(message),
    ...changes,
  });
}

/** Encodes a text. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Decodes bytes. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Makes a run without arguments and input. */
export function runOf(changes: Partial<JobRun> & { input?: string } = {}): JobRun {
  const { input = "", ...others } = changes;
  return { args: [], stdin: bytesOf(input), limits: LIMITS, ...others };
}

/** Makes a job of one file. */
export function jobOf(
  language: string,
  text: string,
  changes: Partial<Job> & { input?: string } = {},
): Job {
  const { input, ...others } = changes;
  return {
    id: crypto.randomUUID(),
    language,
    files: [{ name: "main", content: bytesOf(text) }],
    runs: [runOf(input === undefined ? {} : { input })],
    ...others,
  };
}

/** The processes of the boxes of these tests. */
export function boxProcesses(): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const uid = Deno.statSync(`/proc/${name}`).uid! - 60000;
      if (uid >= SERVER_BOXES.first && uid < SERVER_BOXES.first + SERVER_BOXES.count) count++;
    } catch {
      // It has ended.
    }
  }
  return count;
}

/** Waits until something is true, but not for long. */
export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !await what(); tries++) {
    assert(tries < 500, `never true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Removes the boxes that a killed server has left, unless another test uses them. */
export async function removeLeftBoxes(): Promise<void> {
  const { boxRoot } = defaultSettings();
  for (let i = 0; i < SERVER_BOXES.count; i++) {
    const boxId = SERVER_BOXES.first + i;
    if (!await Deno.stat(`${boxRoot}/${boxId}`).catch(() => undefined)) continue;
    const box = await Box.initIfFree({ boxId });
    if (box instanceof Box) await box.cleanup();
  }
}
