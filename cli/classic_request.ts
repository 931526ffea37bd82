/** What a classic command line asks for. */

import type { BoxSize, DiskQuota, Limits, RunOptions } from "../core.ts";

/** The commands of the classic command line. */
export type ClassicCommand =
  | "init"
  | "run"
  | "cleanup"
  | "version"
  | "help"
  | "check-config"
  | "print-cg-root";

/** Everything that a classic command line asks for; at first, what an empty one does. */
export class ClassicRequest {
  command: ClassicCommand | undefined;
  boxId = 0;
  wait = false;
  /** The user and the group to act for: both or none. */
  asUid: number | undefined;
  /** The name of the user, whose numbers are not known yet. */
  asName: string | undefined;
  asGid: number | undefined;
  configFile: string | undefined;
  quota: DiskQuota | undefined;
  boxSize: BoxSize | undefined;
  controlGroup = false;
  /** The option given that makes sense with `--cg` only. */
  controlGroupOption: string | undefined;
  readonly limits: Limits = {};
  /** What is handed on to the run as it is. */
  readonly run: RunOptions = { limits: this.limits };
  fullEnvironment = false;
  noDefaultDirectories = false;
  /** The rules as typed, in order. */
  readonly environmentRules: string[] = [];
  readonly directoryRules: string[] = [];
  /** All are emptied, the last one is written; `-` is standard output. */
  readonly metaFiles: string[] = [];
  /** Where the progress of the run is written; `-` is standard output. */
  followFile: string | undefined;
  silent = false;
  verbosity = 0;
  /** The program and its arguments. */
  commandLine: readonly string[] = [];
}
