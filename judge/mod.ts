/**
 * Judges submissions by problem packages, as `isolate judge` does.
 *
 * @example Judging a submission
 * ```ts
 * import { callerEnvironment, sharedSandbox } from "@isolate/isolate";
 * import { HostFiles, judge, loadLanguages, readPackage, readSubmission } from "@isolate/isolate/judge";
 * import { assertEquals } from "@std/assert";
 *
 * const sandbox = await sharedSandbox();
 * const host = new HostFiles(sandbox);
 * const directory = host.makeTemporaryDirectory();
 * host.makeDirectory(`${directory}/tests`);
 * host.write(`${directory}/task.yaml`, "title: Sum\nlimits: {time: 1s, memory: 64 MiB}\n");
 * host.write(`${directory}/tests/1.in`, "20 22\n");
 * host.write(`${directory}/tests/1.ans`, "42\n");
 * host.write(`${directory}/mine.sh`, "read a b; echo $((a + b))\n");
 *
 * const report = await judge({
 *   sandbox,
 *   host,
 *   problem: await readPackage(host, directory),
 *   submissions: [readSubmission(host, `${directory}/mine.sh`)],
 *   languages: await loadLanguages(host, { environment: await callerEnvironment() }),
 *   verify: false,
 *   jobs: 2,
 *   boxIds: { first: 970, count: 20 },
 * });
 * host.removeTree(directory);
 * assertEquals(report.submissions.map(({ verdict, message }) => [verdict, message]), [
 *   ["AC", "Accepted"],
 * ]);
 * ```
 *
 * @module
 */

export { Compiler } from "./compile/compile.ts";
export type {
  Compiled,
  CompileLimits,
  CompileOptions,
  CompilerOptions,
  CompilerStreams,
} from "./compile/compile_options.ts";
export type { LoadedFile, LoadedSource } from "./compile/compile_source.ts";
export { changedFiles, type ChangedFilesOptions, hasChanged } from "./contest/changed.ts";
export { readContest } from "./contest/contest.ts";
export type * from "./contest/types.ts";
export { type Allowance, type Invocation, Program } from "./compile/program.ts";
export type { JudgeBox, JudgeBoxes, JudgeLease, JudgePool } from "./boxes.ts";
export { HostFiles } from "../mod.ts";
export { judge } from "./run/judge.ts";
export type { JudgeOptions } from "./run/judge_options.ts";
export { ResultMemory } from "./run/result_memory.ts";
export {
  type LanguageDefinition,
  LanguageError,
  type StepDefinition,
  type ToolDefinition,
} from "./languages/language_definition.ts";
export { type Language, LanguageTable, type RecogniseOptions } from "./languages/language_table.ts";
export { loadLanguages, type LoadLanguagesOptions } from "./languages/languages.ts";
export type { FoundTool } from "./languages/tool_finder.ts";
export { type UnpackedPackage, unpackPackage } from "./package/archive.ts";
export { StressError } from "./stress/errors.ts";
export { readGenerator } from "./stress/generator.ts";
export { stress } from "./stress/stress.ts";
export type * from "./stress/types.ts";
export { PackageError } from "./package/errors.ts";
export { NEW_PACKAGE_KINDS, newPackage, type NewPackageKind } from "./package/new_package.ts";
export { NoMatchError, partOfProblem, type PartOptions } from "./package/narrow.ts";
export { readPackage } from "./package/read.ts";
export { readSubmission } from "./package/submissions.ts";
export type * from "./types.ts";
