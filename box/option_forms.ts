/** What the options of boxes, runs and pools look like, for callers whose code is not type-checked. */

import {
  amount,
  ANYTHING,
  CALLBACK,
  checkForms,
  type Form,
  type Forms,
  listOf,
  object,
  oneOf,
  show,
  SIGNAL,
  SWITCH,
  TEXT,
} from "../text/forms.ts";
import type { InitOptions, OpenOptions } from "./claim/box_claim.ts";
import type { BoxSize } from "./claim/own_file_system.ts";
import type { DiskQuota } from "./claim/quota.ts";
import type { PoolOptions } from "./pool/lease.ts";
import type { RunOptions } from "./run_options.ts";
import { Sandbox } from "./sandbox.ts";
import type { Limits } from "./setup/limits.ts";

const LIMITS: Forms<Limits> = {
  cpuTimeMs: amount("milliseconds", { whole: false }),
  wallTimeMs: amount("milliseconds", { whole: false }),
  extraTimeMs: amount("milliseconds", { whole: false }),
  addressSpaceKib: amount("KiB"),
  stackKib: amount("KiB"),
  openFiles: oneOf(["unlimited"], amount("files")),
  fileSizeKib: amount("KiB"),
  coreKib: amount("KiB"),
  processes: oneOf(["unlimited"], amount("processes")),
  controlGroupMemoryKib: amount("KiB"),
};

const IS_TEXT = (value: unknown) => typeof value === "string";
/** Its range is checked where it is used. */
const NUMBER: Form = { expects: "a number", accepts: (value) => typeof value === "number" };
const HAS_FD = (value: object) => "fd" in value && Number.isInteger(value.fd);
const HAS = (key: string) => (value: object) =>
  key in value && IS_TEXT((value as Record<string, unknown>)[key]);

const INPUT: Form = oneOf(
  ["inherit", "none"],
  object(
    'an object such as { text: "hello" }, { bytes }, { stream }, { path } in the box, { file } of the host ' +
      "or { fd }",
    (value) =>
      ["text", "path", "file"].some((key) => HAS(key)(value)) || HAS_FD(value) ||
      "bytes" in value && value.bytes instanceof Uint8Array ||
      "stream" in value && value.stream instanceof ReadableStream,
  ),
);

const OUTPUT_OBJECT: Form = object(
  "a Capture, or an object such as { path } in the box, { file } of the host or { fd }",
  // A Capture is known by its limit: its module is loaded only where one is used.
  (value) =>
    "limitBytes" in value || ["path", "file"].some((key) => HAS(key)(value)) || HAS_FD(value),
);

const CPUS: Form = listOf("CPU numbers", (value) => typeof value === "number");

const RUN: Forms<RunOptions> = {
  // It has a form of its own.
  limits: ANYTHING,
  directoryRules: listOf(
    "rules, such as those of parseDirectoryRule()",
    (value) => typeof value === "object" && value !== null,
  ),
  environment: object("a Map of strings", (value) => value instanceof Map),
  workingDirectory: TEXT,
  stdin: INPUT,
  stdout: oneOf(["inherit", "none"], OUTPUT_OBJECT),
  stderr: oneOf(["inherit", "none", "stdout"], OUTPUT_OBJECT),
  cpus: CPUS,
  shareNetwork: SWITCH,
  address: TEXT,
  hostname: TEXT,
  rootInside: SWITCH,
  crashReport: SWITCH,
  inheritDescriptors: SWITCH,
  terminal: SWITCH,
  keepSpecialFiles: SWITCH,
  syscallFlags: amount("flags"),
  controlGroupTiming: SWITCH,
  onProgress: CALLBACK,
  progressEveryMs: NUMBER,
  onEnd: CALLBACK,
  signal: SIGNAL,
};

const SANDBOX: Form = object("a Sandbox", (value) => value instanceof Sandbox);

const OPEN: Forms<OpenOptions> = {
  boxId: { expects: "the number of a box", accepts: (value) => typeof value === "number" },
  sandbox: SANDBOX,
  wait: SWITCH,
  signal: SIGNAL,
  controlGroup: SWITCH,
};

const QUOTA: Forms<DiskQuota> = { blocksKib: amount("KiB"), inodes: amount("inodes") };
const SIZE: Forms<BoxSize> = { sizeKib: amount("KiB"), inodes: amount("inodes") };

const INIT: Forms<InitOptions> = {
  ...OPEN,
  // These have forms of their own.
  quota: ANYTHING,
  size: ANYTHING,
  ready: SWITCH,
  cpus: CPUS,
};

const POOL: Forms<PoolOptions> = {
  sandbox: SANDBOX,
  firstBoxId: OPEN.boxId,
  count: NUMBER,
  size: NUMBER,
  cpus: oneOf(["each"], CPUS),
  init: ANYTHING,
  waitMs: amount("milliseconds", { whole: false }),
};

/** Checks what a run is given. */
export function checkRun(command: readonly string[], options: RunOptions): void {
  const isCommand = Array.isArray(command) && command.length > 0 && command.every(IS_TEXT);
  if (!isCommand) {
    throw new TypeError(
      `The command must be an array such as ["/bin/echo", "hello"], but got: ${show(command)}`,
    );
  }
  checkForms("options of run()", options, RUN);
  if (options.limits !== undefined) checkForms("limits", options.limits, LIMITS);
}

/** Checks what a box is opened with. */
export function checkOpen(options: OpenOptions): void {
  checkForms("options of a box", options, OPEN);
}

/** Checks what a box is made with. */
export function checkInit(options: InitOptions): void {
  checkForms("options of a box", options, INIT);
  if (options.quota !== undefined) checkForms("quota", options.quota, QUOTA);
  if (options.size !== undefined) checkForms("size", options.size, SIZE);
}

/** Checks what a pool is made with. */
export function checkPool(options: PoolOptions): void {
  checkForms("options of a pool", options, POOL);
  if (options.init !== undefined) checkInit(options.init);
}
