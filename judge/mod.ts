/**
 * Judging with problem packages: what scripts import that do the work of `isolate judge` themselves.
 *
 * @example Judging a package
 * ```ts ignore
 * import { callerEnvironment, sharedSandbox } from "isolate/mod.ts";
 * import { HostFiles, judge, loadLanguages, readPackage } from "isolate/judge/mod.ts";
 *
 * const sandbox = await sharedSandbox();
 * const host = new HostFiles(sandbox);
 * const problem = await readPackage(host, "examples/hello");
 * const languages = await loadLanguages(host, { environment: await callerEnvironment() });
 * const { submissions } = problem;
 * const report = await judge({ sandbox, host, problem, submissions, languages, verify: true, jobs: 2 });
 * for (const { submission, verdict, message } of report.submissions) {
 *   console.log(submission, verdict, message);
 * }
 * ```
 *
 * @module
 */

export { Compiler, type CompilerOptions } from "./compile.ts";
export { HostFiles } from "./host_files.ts";
export { judge, type JudgeOptions } from "./judge.ts";
export { type Language, LanguageTable, loadLanguages } from "./languages.ts";
export { PackageError } from "./package/errors.ts";
export { readPackage } from "./package/read.ts";
export { readSubmission } from "./package/submission.ts";
export type * from "./types.ts";
