/** Makes what executes jobs in boxes of this machine, for `isolate api` and `isolate worker`. */

import { loadLanguages } from "../judge/mod.ts";
import { callerEnvironment, type HostFiles, type Sandbox } from "../mod.ts";
import { LocalExecutor } from "../server/engine/local_executor.ts";
import type { StageLimits } from "../server/engine/types.ts";
import { CACHE_DIRECTORY } from "./judge_options.ts";
import { tell, UsageError } from "./complain.ts";

const BOXES_MAX = 200;
const MEMORY_MIB_MAX = 2048;
const JOBS_PER_CPU = 2;
const KIB_PER_MIB = 1024;

/** What command lines say of it. */
export interface LocalRequest {
  readonly jobs: number | undefined;
  readonly cacheMib: number;
  readonly allowNetwork: boolean;
  readonly languagesFile: string | undefined;
  readonly boxIds: { readonly first: number; readonly count: number } | undefined;
}

/** What else it needs. */
export interface LocalSurroundings {
  readonly sandbox: Sandbox;
  readonly host: HostFiles;
  readonly waiting: number;
  readonly memoryKib: number;
  readonly compileLimits: StageLimits;
}

/** Makes an executor for this machine. */
export async function openLocalExecutor(
  request: LocalRequest,
  { sandbox, host, waiting, memoryKib, compileLimits }: LocalSurroundings,
): Promise<LocalExecutor> {
  const { languagesFile, cacheMib, allowNetwork } = request;
  const languages = await loadLanguages(host, {
    environment: await callerEnvironment(),
    ...languagesFile === undefined ? {} : { userFile: languagesFile },
  });
  return await LocalExecutor.open({
    ...{ sandbox, languages, waiting, memoryKib, compileLimits, allowNetwork },
    boxes: request.jobs ?? JOBS_PER_CPU * navigator.hardwareConcurrency,
    boxIds: boxIdsOf(request, sandbox),
    // To prepare a language takes minutes, and a judge has done it perhaps.
    preparedDirectory: sandbox.isRootless ? undefined : CACHE_DIRECTORY,
    cacheLimitBytes: cacheMib * KIB_PER_MIB * 1024,
    complain: tell,
  });
}

/** Says so where memory is not limited well. */
export function warnOfControlGroups({ whyNoControlGroups }: LocalExecutor): void {
  if (whyNoControlGroups === undefined) return;
  tell(`WARNING: memory is limited for each process alone: ${whyNoControlGroups}`);
}

/** The memory of programs where nobody says otherwise. */
export function defaultMemoryMib(host: HostFiles): number {
  const text = host.readText("/proc/meminfo", { limitBytes: 1 << 16 });
  const kib = Number(/^MemTotal:\s+(\d+) kB/m.exec(text)?.[1] ?? 0);
  const ofMachineMib = Math.max(2, Math.floor(kib / KIB_PER_MIB));
  return Math.min(MEMORY_MIB_MAX, Math.floor(ofMachineMib / 2));
}

/** The boxes to use; by default the last ones. */
export function boxIdsOf({ boxIds, jobs }: LocalRequest, { settings: { numBoxes } }: Sandbox) {
  if (!boxIds) {
    const count = Math.min(BOXES_MAX, numBoxes);
    return { first: numBoxes - count, count };
  }
  if (boxIds.first + boxIds.count > numBoxes) {
    throw new UsageError(
      `Option --box-ids must be from 0 to ${numBoxes - 1}, as num_boxes is ${numBoxes}: current ` +
        `value is ${boxIds.first}-${boxIds.first + boxIds.count - 1}`,
    );
  }
  if (jobs !== undefined && jobs > boxIds.count) {
    throw new UsageError(
      `Option --jobs must be at most ${boxIds.count}, as --box-ids names so many boxes: it is ${jobs}`,
    );
  }
  return boxIds;
}
