/**
 * What the classic command needs of the library, and no more: each module costs every command a part
 * of a millisecond. Everybody else imports `mod.ts`.
 */

export { Box } from "./box/box.ts";
export type { BoxSize } from "./box/claim/own_file_system.ts";
export type { DiskQuota } from "./box/claim/quota.ts";
export { parseDirectoryRule, resolveDirectoryRules } from "./box/setup/directory_rules.ts";
export { buildEnvironment, parseEnvironmentRule } from "./box/setup/environment.ts";
export { type Enterable, enterBox } from "./box/enter.ts";
export { inHeldBox } from "./box/hold.ts";
export { SandboxError } from "./host/errors.ts";
export { formatMeta, type MetaRecord } from "./box/outcome/meta.ts";
export { MetaFile } from "./box/outcome/meta_file.ts";
export { crashCodeName } from "./box/outcome/crash.ts";
export { crashOf, type Outcome, outcomeMessage } from "./box/outcome/outcome.ts";
export { toMeta } from "./box/outcome/outcome_meta.ts";
export type { RunOptions } from "./box/run_options.ts";
export type { Limits } from "./box/setup/limits.ts";
export {
  type BoxSight,
  lookAtProcesses,
  nothingRuns,
  type ProcessSight,
  signalBox,
  stopBox,
  surveyBoxes,
} from "./box/survey/survey.ts";
export {
  callerEnvironment,
  exactArguments,
  findUser,
  Sandbox,
  type SandboxOptions,
} from "./box/sandbox.ts";
export { SIGNALS } from "./box/signals.ts";
export { defaultSettings, describeSettings } from "./config/settings.ts";
