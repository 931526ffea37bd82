/** What workers say of themselves, and what a server makes of it. */

import type { LanguageInfo } from "../engine/executor.ts";

/** How often a worker says that it is there. */
export const WORKER_TOLD_MS = 3000;
/** For how long a worker is thought to be there when nothing is heard of it. */
export const WORKER_KEPT_MS = 15_000;

/** What a worker says of itself. */
export interface WorkerInfo {
  readonly name: string;
  readonly boxes: number;
  readonly running: number;
  readonly languages: readonly LanguageInfo[];
}

/**
 * The languages that every worker can use, as a job may come to each of them. Where one lacks a
 * language, that is why it cannot be used.
 */
export function commonLanguages(workers: readonly WorkerInfo[]): readonly LanguageInfo[] {
  const common = new Map<string, LanguageInfo>();
  for (const { languages } of workers) {
    for (const language of languages) {
      if (!common.has(language.id)) common.set(language.id, language);
    }
  }
  for (const { name, languages } of workers) {
    for (const [id, language] of common) {
      const own = languages.find((other) => other.id === id);
      if (language.missing !== undefined || own && own.missing === undefined) continue;
      const missing = `worker ${name}: ${own?.missing ?? "its table has no such language"}`;
      common.set(id, { ...language, version: undefined, missing });
    }
  }
  return [...common.values()];
}
