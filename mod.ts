/**
 * Runs untrusted programs in a sandbox with its own processes, files and network, under limits on
 * time and memory, and reports exactly how they ended.
 *
 * The process needs root rights and the permission `--allow-ffi`, nothing else. Importing this
 * module does nothing yet; the shim is loaded when the first sandbox is opened.
 *
 * @example Judging one program
 * ```ts
 * import { Box, Capture } from "@isolate/isolate";
 *
 * await using box = await Box.init({ boxId: 901 });
 * const stdout = new Capture({ limitBytes: 1 << 20 });
 * await box.files.write("hello.sh", "echo hello; exit 3");
 * const outcome = await box.run(["/bin/sh", "hello.sh"], {
 *   limits: { cpuTimeMs: 1000, wallTimeMs: 3000, addressSpaceKib: 262144 },
 *   stdin: { text: "1 2\n" },
 *   stdout,
 * });
 * switch (outcome.kind) {
 *   case "exit":
 *     console.log(`status ${outcome.exitCode} after ${outcome.usage.cpuTimeMs} ms`);
 *     break;
 *   case "signal":
 *   case "time-limit":
 *   case "memory-limit":
 *   case "output-limit":
 *   case "interrupted":
 *     console.log(outcome.kind);
 * }
 * console.log(stdout.text());
 * ```
 *
 * @module
 */

export { Capture, type CaptureOptions, type Overflow } from "./box/streams/capture.ts";
export { Box } from "./box/box.ts";
export type { BoxOptions, BoxTaken, InitOptions, OpenOptions } from "./box/claim/box_claim.ts";
export {
  type BindRule,
  defaultDirectoryRules,
  describeDirectoryRule,
  type DirectoryRule,
  type DirectoryRuleBase,
  type FilesystemRule,
  parseDirectoryRule,
  type RemoveDirectoryRule,
  resolveDirectoryRules,
  type ResolveDirectoryRulesOptions,
  type RuleFilesystem,
  type TemporaryRule,
} from "./box/setup/directory_rules.ts";
export {
  buildEnvironment,
  type BuildEnvironmentOptions,
  type EnvironmentRule,
  parseEnvironmentRule,
} from "./box/setup/environment.ts";
export { SandboxError, type SandboxErrorKind, type SandboxErrorOptions } from "./host/errors.ts";
export type {
  CopiedFile,
  CopyItem,
  FileContent,
  FileEntry,
  WriteOptions,
} from "./box/files/file_types.ts";
export { BoxFiles } from "./box/files/files.ts";
export { HostDirectory, HostFiles } from "./host/files.ts";
export type { TemporaryDirectory } from "./host/temporary.ts";
export type { HostAccess, Identity } from "./host/identity.ts";
export type { HostEntry } from "./host/list.ts";
export {
  type FileBlock,
  HostFile,
  HostReader,
  type OpenFileOptions,
  type ReadOptions,
} from "./host/reader.ts";
export type { FileKind, FileStatus } from "./host/status.ts";
export { openOutputFile } from "./box/streams/output_file.ts";
export type { Limits } from "./box/setup/limits.ts";
export { formatMeta, type MetaRecord, type MetaStatus, parseMeta } from "./box/outcome/meta.ts";
export { MetaFile } from "./box/outcome/meta_file.ts";
export { type Crash, crashCodeName } from "./box/outcome/crash.ts";
export {
  type ControlGroupUse,
  type Ending,
  type NotExecuted,
  type Outcome,
  outcomeMessage,
  type Usage,
} from "./box/outcome/outcome.ts";
export { fromMeta, toMeta } from "./box/outcome/outcome_meta.ts";
export { type PairOptions, type PairOutcome, type PairProgram, runPair } from "./box/pair/pair.ts";
export type { Lease, PoolOptions } from "./box/pool/lease.ts";
export { BoxPool } from "./box/pool/pool.ts";
export type { BoxSize } from "./box/claim/own_file_system.ts";
export type { DiskQuota } from "./box/claim/quota.ts";
export type { Progress, RunOptions, TellProgress } from "./box/run_options.ts";
export type { Input, Output, Stream } from "./box/streams/streams.ts";
export {
  callerEnvironment,
  exactArguments,
  type Log,
  type PlanTrace,
  Sandbox,
  type SandboxOptions,
  sharedSandbox,
} from "./box/sandbox.ts";
export { type CatchSignalsOptions, type SignalName, SIGNALS } from "./box/signals.ts";
export { SYSCALL_FLAGS } from "./box/setup/syscall_filter.ts";
export { ExpectedError, FileError, type FilePlace } from "./text/errors.ts";
export {
  type AddressGrant,
  type BoxSettings,
  type CgroupRoot,
  defaultSettings,
  describeSettings,
  type NetworkSettings,
  type ServiceGrant,
  type ServiceSettings,
  type Settings,
} from "./config/settings.ts";
export { type PairSide, Transcript, type TranscriptPiece } from "./box/pair/transcript.ts";
export { type IpNetwork, parseIpNetwork } from "./text/ip_address.ts";
