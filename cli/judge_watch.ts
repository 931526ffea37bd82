/** `isolate judge --watch`: judges again whenever files change, and only what they change. */

import * as colors from "../vendor/std/colors.ts";
import { type ContestResult, type HostFiles, ResultMemory } from "../judge/mod.ts";
import { ExpectedError } from "../text/errors.ts";
import { cut } from "../text/quantities.ts";
import { visibleText } from "../text/visible.ts";
import { describeError, FAILURE_STATUS, tell, UsageError } from "./complain.ts";
import { ENDING_SIGNALS, type JudgeSession } from "./judge_session.ts";

const INTERVAL_MS = 300;
/** Looking takes at most this part of the time. */
const PART = 20;
const ENTRIES_MAX = 200_000;
const DEPTH_MAX = 32;
const NAMED_MAX = 3;

/** What is known from one round of judging to the next. */
export interface WatchState {
  readonly memory: ResultMemory;
  /** The packages of a contest with their last results; undefined: nothing has changed in one. */
  readonly known: Map<string, ContestResult | undefined>;
  /** The files that have changed since the last round; undefined: this is the first one. */
  changed: readonly string[] | undefined;
}

/** What a file was like; by real paths. */
type Snapshot = ReadonlyMap<string, string>;

/** Judges until a signal comes, and gives the last exit status. */
export async function watchAndJudge(
  session: JudgeSession,
  { directory, submissions }: { directory: string; submissions: readonly string[] },
  judge: (state: WatchState) => Promise<number>,
): Promise<number> {
  const { host, request } = session;
  using idle = endingSignals();
  const signal = AbortSignal.any([session.signal, idle.signal]);
  const state: WatchState = { memory: new ResultMemory(), known: new Map(), changed: undefined };
  const reports = [request.junit, request.html, request.clics].flatMap((path) => path ?? [])
    .map((path) => host.absolute(path));
  const look = () => snapshotOf(host, [directory, ...submissions], reports);
  for (;;) {
    // What changes from here on is for the next round.
    const before = look();
    state.memory.nextRound();
    let status = FAILURE_STATUS;
    try {
      status = await judge(state);
    } catch (error) {
      const isFirst = state.changed === undefined;
      if (!(error instanceof ExpectedError) || isFirst && error instanceof UsageError) throw error;
      tell(describeError(error));
    }
    if (signal.aborted) return status;
    const names = [directory, ...submissions].map(visibleText).join(", ");
    if (!request.quiet) session.say(colors.dim(`watching ${names}: Ctrl-C ends it\n`));
    const changed = await nextChange(look, { before, signal });
    if (!changed) return status;
    state.changed = changed;
    if (!request.quiet) session.say(`\n${colors.bold(changedText(changed))}\n`);
  }
}

/** Receives signals also while no box runs: the sandbox tells them only meanwhile. */
function endingSignals(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const name of ENDING_SIGNALS) Deno.addSignalListener(name, abort);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const name of ENDING_SIGNALS) Deno.removeSignalListener(name, abort);
    },
  };
}

function changedText(changed: readonly string[]): string {
  const names = changed.slice(0, NAMED_MAX).map((file) =>
    cut(visibleText(file.slice(file.lastIndexOf("/") + 1)), 80)
  );
  const more = changed.length - names.length;
  return `changed: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Waits until files have changed and stay as they are; undefined: it was aborted. */
async function nextChange(
  look: () => Snapshot,
  { before, signal }: { before: Snapshot; signal: AbortSignal },
): Promise<string[] | undefined> {
  let last = before;
  for (let costMs = 0;;) {
    await pause(Math.max(INTERVAL_MS, PART * costMs), signal);
    if (signal.aborted) return undefined;
    const startMs = performance.now();
    const now = look();
    costMs = performance.now() - startMs;
    const isQuiet = differences(last, now).length === 0;
    last = now;
    const changed = isQuiet ? differences(before, now) : [];
    if (changed.length > 0) return changed;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

function differences(before: Snapshot, after: Snapshot): string[] {
  const gone = [...before.keys()].filter((path) => !after.has(path));
  const other = [...after].flatMap(([path, state]) => before.get(path) === state ? [] : path);
  return [...gone, ...other].sort();
}

/** Looks at files and all that is in folders; a folder is only what is in it. */
function snapshotOf(
  host: HostFiles,
  paths: readonly string[],
  left: readonly string[],
): Snapshot {
  const found = new Map<string, string>();
  const add = (path: string, status: NonNullable<ReturnType<HostFiles["status"]>>) =>
    found.set(path, `${status.identity} ${status.sizeBytes} ${status.modifiedAtMs} ${status.mode}`);
  const visit = (path: string, depth: number): void => {
    // A file may be gone by now, or out of reach: whoever judges will say so.
    try {
      const status = host.status(path);
      if (!status || left.includes(path)) return;
      if (status.kind !== "directory") return void add(path, status);
      if (depth > DEPTH_MAX || found.has(path)) return;
      found.set(path, "folder");
      for (const entry of host.list(path)) {
        if (found.size > ENTRIES_MAX) return;
        if (/^\.|~$|^__pycache__$/.test(entry.name)) continue;
        const below = `${path}/${entry.name}`;
        if (entry.kind === "directory") visit(below, depth + 1);
        else if (entry.kind === "symlink") visit(host.realPath(below), depth + 1);
        else if (!left.includes(below)) add(below, entry);
      }
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
    }
  };
  for (const path of paths) {
    const absolute = host.absolute(path);
    visit(host.status(absolute) ? host.realPath(absolute) : absolute, 0);
  }
  return found;
}
