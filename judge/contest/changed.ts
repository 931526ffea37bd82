/** Asks git which files have changed. It runs in a box, as whatever else reads what others wrote. */

import {
  BoxPool,
  Capture,
  type HostFiles,
  resolveDirectoryRules,
  type Sandbox,
} from "../../mod.ts";
import { ExpectedError } from "../../text/errors.ts";
import { cut } from "../../text/quantities.ts";
import { visibleText } from "../../text/visible.ts";
import type { JudgeBox, JudgeBoxes } from "../boxes.ts";
import { bindRule } from "../compile/program.ts";
import { describeEnding } from "../grading/outcome_verdict.ts";
import { placeInBox, ToolFinder } from "../languages/tool_finder.ts";
import type { Problem } from "../types.ts";

const LIST_BYTES = 64 << 20;
const LINK_BYTES = 4096;
const LIMITS = { cpuTimeMs: 120_000, wallTimeMs: 300_000, stackKib: undefined, processes: 100 };
const MEMORY_KIB = 2 << 20;
/** Packs are mapped whole. */
const SPACE_KIB = 16 << 20;
/** Nothing that a repository names is executed, and nothing is written. */
const SAFE = ["-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false"];

/** What is needed to ask. */
export interface ChangedFilesOptions {
  /** The sandbox. */
  readonly sandbox: Sandbox;
  /** The files of the host. */
  readonly host: HostFiles;
  /** Where boxes come from; default: this process makes them. */
  readonly boxes?: JudgeBoxes | undefined;
  /** The boxes that may be used. */
  readonly boxIds: { readonly first: number; readonly count: number };
  /** For PATH. */
  readonly environment: ReadonlyMap<string, string>;
  /** Interrupts it. */
  readonly signal?: AbortSignal | undefined;
}

/** A repository of git; all paths are absolute. */
interface Repository {
  /** The folder with the files. */
  readonly top: string;
  /** What git keeps of it. */
  readonly common: string;
  /** The folder in there that is about these files alone; empty: all of it. */
  readonly own: string;
}

/**
 * Lists the files below a folder that differ from a commit, also those that git does not know; those that
 * it ignores are left out. All paths are absolute.
 *
 * @param of the folder, and a commit by any name that git knows
 * @param options what is needed to ask
 * @returns the files, sorted
 * @throws {ExpectedError} if there is no git, no repository, or no such commit
 *
 * @example
 * ```ts
 * import { callerEnvironment, sharedSandbox } from "@isolate/isolate";
 * import { changedFiles, HostFiles } from "@isolate/isolate/judge";
 * import { assertRejects } from "@std/assert";
 *
 * const sandbox = await sharedSandbox();
 * const host = new HostFiles(sandbox);
 * const environment = await callerEnvironment();
 * const options = { sandbox, host, environment, boxIds: { first: 970, count: 1 } };
 * // No repository has this folder.
 * await assertRejects(() => changedFiles({ directory: "/proc", since: "HEAD" }, options));
 * ```
 */
export async function changedFiles(
  of: { directory: string; since: string },
  options: ChangedFilesOptions,
): Promise<string[]> {
  const { host } = options;
  const { directory, since } = of;
  const git = new ToolFinder(host, options.environment).find({ commands: ["git"], alone: false });
  if (typeof git === "string") {
    throw new ExpectedError(`Option --changed-since needs git: install it (${git})`);
  }
  const folder = host.realPath(directory);
  const repository = findRepository(host, folder);
  const below = folder === repository.top ? "" : folder.slice(repository.top.length + 1);
  return await withBox(options, async (box) => {
    const call = async (...args: string[]) => {
      const said = new Capture({ limitBytes: LIST_BYTES });
      const why = new Capture({ limitBytes: LINK_BYTES, overflow: "discard" });
      await box.clear();
      const outcome = await box.run([git.path, ...SAFE, ...args], {
        ...limitsOf(box),
        directoryRules: rulesFor(repository, git.bind),
        environment: environmentFor(repository),
        workingDirectory: "/repository/files",
        stdin: "none",
        stdout: said,
        stderr: why,
        ...options.signal && { signal: options.signal },
      });
      options.signal?.throwIfAborted();
      return { outcome, said, why: visibleText(why.text().trim().split("\n").at(-1) ?? "") };
    };
    const names = async (...args: string[]) => {
      const { outcome, said, why } = await call(...args, "--", `:(top,literal)${below}`);
      if (outcome.kind === "exit" && outcome.exitCode === 0) {
        return said.text().split("\0").filter((name) => name !== "");
      }
      throw new ExpectedError(
        `Cannot ask git what has changed in ${repository.top}: ${describeEnding(outcome)}` +
          (why === "" ? "" : ` (${cut(why, 300)})`),
      );
    };
    const commit = await call("rev-parse", "--verify", "--end-of-options", `${since}^{commit}`);
    const hash = /^[0-9a-f]{40,64}$/.exec(commit.said.text().trim())?.[0];
    if (hash === undefined) {
      throw new ExpectedError(
        `Option --changed-since=${visibleText(since)} names no commit of ${repository.top}` +
          (commit.why === "" ? "" : ` (${cut(commit.why, 300)})`),
      );
    }
    const changed = [
      ...await names("diff", ...DIFF, hash),
      ...await names("ls-files", "-z", "--others", "--exclude-standard"),
    ];
    return [...new Set(changed)].sort().map((name) => `${repository.top}/${name}`);
  });
}

const DIFF = [
  ...["--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv"],
  "--ignore-submodules",
];

const environmentFor = ({ own }: Repository) =>
  new Map([
    ["PATH", "/usr/local/bin:/usr/bin:/bin"],
    ["HOME", "/tmp"],
    ["LANG", "C.UTF-8"],
    ["GIT_DIR", own === "" ? "/repository/git" : `/repository/git/${own}`],
    ["GIT_WORK_TREE", "/repository/files"],
    ["GIT_OPTIONAL_LOCKS", "0"],
    ["GIT_CONFIG_NOSYSTEM", "1"],
  ]);

/**
 * Tells whether a package has changed: a file in its folder, or one that a link in it leads to.
 *
 * @param problem the package
 * @param changed absolute paths, without symbolic links
 * @returns whether one of them belongs to it
 *
 * @example
 * ```ts
 * import { HostFiles, sharedSandbox } from "@isolate/isolate";
 * import { hasChanged, newPackage, readPackage } from "@isolate/isolate/judge";
 * import { assertEquals } from "@std/assert";
 *
 * const host = new HostFiles(await sharedSandbox());
 * const directory = host.makeTemporaryDirectory();
 * newPackage(host, `${directory}/sum`, { kind: "pass-fail" });
 * const problem = await readPackage(host, `${directory}/sum`);
 * assertEquals(hasChanged(problem, [`${problem.directory}/task.yaml`]), true);
 * assertEquals(hasChanged(problem, [`${problem.directory}s/task.yaml`]), false);
 * host.removeTree(directory);
 * ```
 */
export function hasChanged(problem: Problem, changed: readonly string[]): boolean {
  if (changed.some((file) => file.startsWith(`${problem.directory}/`))) return true;
  const all = new Set(changed);
  let isUsed = false;
  JSON.stringify(problem, (_, value) => {
    if (typeof value === "string" && all.has(value)) isUsed = true;
    return value;
  });
  return isUsed;
}

function findRepository(host: HostFiles, folder: string): Repository {
  for (let top = folder; top !== ""; top = top.slice(0, top.lastIndexOf("/"))) {
    const status = host.status(`${top}/.git`);
    if (status?.kind === "directory") {
      return { top, common: host.realPath(`${top}/.git`), own: "" };
    }
    if (status?.kind !== "file") continue;
    const text = host.readText(`${top}/.git`, { limitBytes: LINK_BYTES });
    const named = /^gitdir: (.+)$/m.exec(text)?.[1];
    if (named === undefined) break;
    const own = host.realPath(named.startsWith("/") ? named : `${top}/${named}`);
    if (!host.status(`${own}/commondir`)) return { top, common: own, own: "" };
    const link = host.readText(`${own}/commondir`, { limitBytes: LINK_BYTES }).trim();
    const common = host.realPath(link.startsWith("/") ? link : `${own}/${link}`);
    if (!own.startsWith(`${common}/`)) break;
    return { top, common, own: own.slice(common.length + 1) };
  }
  throw new ExpectedError(
    `Option --changed-since needs a repository of git, but ${folder} is in none`,
  );
}

function rulesFor({ top, common }: Repository, installation: string | undefined) {
  return resolveDirectoryRules({
    rules: [
      ...installation === undefined
        ? []
        : [bindRule(placeInBox(installation).slice(1), installation)],
      bindRule("repository/files", top),
      bindRule("repository/git", common),
    ],
    defaults: true,
  });
}

function limitsOf({ hasControlGroup }: JudgeBox) {
  return {
    limits: {
      ...LIMITS,
      ...hasControlGroup ? { controlGroupMemoryKib: MEMORY_KIB } : { addressSpaceKib: SPACE_KIB },
    },
  };
}

async function withBox<T>(
  { sandbox, boxes, boxIds, signal }: ChangedFilesOptions,
  work: (box: JudgeBox) => Promise<T>,
): Promise<T> {
  await using pool = boxes?.pool({ range: boxIds }) ?? await BoxPool.create({
    sandbox,
    size: 1,
    firstBoxId: boxIds.first,
    count: boxIds.count,
  });
  await using lease = await pool.lease({ signal });
  return await work(lease.box);
}
