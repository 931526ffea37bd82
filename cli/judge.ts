/**
 * `isolate judge`: judges submissions with a problem package, or the package with its own.
 *
 * Progress goes to standard output, or with `--json`, which prints the report there, to standard error.
 */

import { setColorEnabled } from "../vendor/std/colors.ts";
import {
  HostFiles,
  judge,
  type JudgeReport,
  loadLanguages,
  partOfProblem,
  type Problem,
  readPackage,
  readSubmission,
  type UnpackedPackage,
  unpackPackage,
} from "../judge/mod.ts";
import { callerEnvironment, Sandbox, SandboxError, type SignalName } from "../mod.ts";
import type { ServedBoxes } from "../service/client/served_boxes.ts";
import { ExpectedError } from "../text/errors.ts";
import { visibleText } from "../text/visible.ts";
import { describeError, FAILURE_STATUS, tell, UsageError, write } from "./complain.ts";
import type { JudgeRequest } from "./judge_options.ts";
import { verdictMatrix } from "./judge_matrix.ts";
import { JudgeProgress } from "./judge_progress.ts";
import { isFine, resultTable, summaryText } from "./judge_table.ts";

const ENDING_SIGNALS: readonly SignalName[] = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"];
/** The last boxes are taken: the classic command's clients count from the first. */
const BOXES_MAX = 100;
const COLUMNS_DEFAULT = 80;
const TRANSCRIPT_BYTES = 65536;

/** What is judged, and how. */
export interface JudgeArguments {
  readonly request: JudgeRequest;
  /** The package's folder. */
  readonly directory: string;
  /** Submissions to judge; none: verify the package with its own. */
  readonly submissions: readonly string[];
}

/** `isolate judge [OPTION...] PACKAGE [SUBMISSION...]`. */
export async function judgePackage(given: JudgeArguments): Promise<number> {
  const { request } = given;
  const output = request.json ? Deno.stderr : Deno.stdout;
  setColorEnabled(!Deno.noColor && output.isTerminal());
  const environment = await callerEnvironment();
  const { sandbox, boxes } = await openBoxes(request, environment);
  const host = new HostFiles(sandbox);
  checkBoxIds(request, sandbox.settings.numBoxes);
  checkReportPlaces(host, request);
  using unpacked = isArchive(given.directory) ? await openArchive(host, given) : undefined;
  const problem = await readWanted(host, unpacked?.directory ?? given.directory, given);
  const submissions = request.check ? [] : given.submissions.length === 0
    ? problem.submissions
    // The author of a submission must not be able to say what it should get: no tag, no folder counts.
    : given.submissions.map((path) => ({
      ...readSubmission(host, path),
      language: request.language,
    }));
  const languages = await loadLanguages(host, {
    environment,
    ...request.languagesFile === undefined ? {} : { userFile: request.languagesFile },
  });
  if (request.language !== undefined && !languages.find(request.language)) {
    const known = languages.languages.map(({ id }) => id).join(", ");
    throw new UsageError(`Unknown language: ${request.language} (known: ${known})`);
  }
  const width = () => output.isTerminal() ? columnsOfTerminal() : undefined;
  const progress = new JudgeProgress({
    write: (text) => write(output, text),
    width,
    verbosity: request.quiet ? -1 : request.verbose ? 1 : 0,
    nowMs: () => performance.now(),
  });
  const report = await judge({
    sandbox,
    host,
    problem,
    submissions,
    languages,
    pypy: request.pypy,
    allTests: request.allTests,
    verify: given.submissions.length === 0 && !request.check,
    onlyTests: request.check,
    jobs: request.jobs ?? navigator.hardwareConcurrency,
    boxes,
    boxIds: request.boxIds ?? boxes?.permitted?.[0] ?? lastBoxes(sandbox.settings.numBoxes),
    timeLimitMs: request.timeLimitMs,
    cacheDirectory: cacheDirectory(request, boxes || sandbox.isRootless ? environment : undefined),
    keep: request.keep,
    transcriptBytes: request.transcript ? TRANSCRIPT_BYTES : 0,
    signal: abortOnSignals(sandbox),
    onEvent: (event) => progress.tell(event),
  });
  progress.end();
  if (!request.quiet) {
    const columns = width();
    if (columns !== undefined && !request.check) {
      write(output, `\n${resultTable(report, columns)}\n`);
    }
    if (request.allTests || columns !== undefined && report.submissions.length > 1) {
      const matrix = verdictMatrix(report, columns ?? COLUMNS_DEFAULT);
      if (matrix !== "") write(output, `${matrix}\n`);
    }
    write(output, summaryText(report, { onlyTests: request.check }));
  } else {
    for (const complaint of report.complaints) tell(visibleText(complaint));
    // They may be the reason.
    if (exitStatus(report) !== 0) {
      for (const warning of report.warnings) tell(`note: ${visibleText(warning)}`);
    }
  }
  const isWritten = await writeReports(host, report, request);
  return isWritten ? exitStatus(report) : FAILURE_STATUS;
}

/** Reads the package, or the part of it that is asked for. */
async function readWanted(
  host: HostFiles,
  directory: string,
  { request: { fileMib, root, submissions, tests }, directory: name }: JudgeArguments,
): Promise<Problem> {
  const problem = await readPackage(host, directory, { fileMib, root, name });
  if (submissions.length === 0 && tests.length === 0) return problem;
  return partOfProblem(problem, {
    submissions: submissions.length > 0 ? submissions : undefined,
    tests: tests.length > 0 ? tests : undefined,
  });
}

/** A folder may have such a name, too. */
async function openArchive(
  host: HostFiles,
  { directory, request }: JudgeArguments,
): Promise<UnpackedPackage | undefined> {
  if (host.status(directory)?.kind === "directory") return undefined;
  return await unpackPackage(host, directory, request);
}

function isArchive(path: string): boolean {
  return /\.(zip|kpp)$/i.test(path);
}

/**
 * Boxes are made here by root, and by a running service for everybody else. Without a service this process
 * becomes root of a user namespace.
 */
async function openBoxes(
  { configFile }: JudgeRequest,
  environment: ReadonlyMap<string, string>,
): Promise<{ sandbox: Sandbox; boxes: ServedBoxes | undefined }> {
  try {
    return { sandbox: await Sandbox.open({ configFile }), boxes: undefined };
  } catch (error) {
    if (!(error instanceof SandboxError && error.kind === "missing-rights")) throw error;
  }
  const { ServedBoxes } = await import("../service/client/served_boxes.ts");
  let boxes: ServedBoxes;
  try {
    boxes = await ServedBoxes.open(environment);
  } catch (error) {
    if (!(error instanceof SandboxError && error.kind === "missing-rights")) throw error;
    const sandbox = await Sandbox.open({ configFile, userNamespace: true }).catch((own) => {
      throw own instanceof SandboxError && own.kind === "missing-rights"
        ? new SandboxError("missing-rights", `${error.message}; ${own.message}`)
        : own;
    });
    return { sandbox, boxes: undefined };
  }
  if (configFile !== undefined) {
    throw new UsageError(
      "Option --config can be used only by root: the boxes of others are those of the service",
    );
  }
  const { permitted } = boxes;
  if (permitted?.length === 0) {
    throw new SandboxError(
      "restricted",
      `isolate judge needs boxes: the service's configuration gives user ${boxes.sandbox.caller.uid} ` +
        "none (service_user, service_group)",
    );
  }
  return { sandbox: boxes.sandbox, boxes };
}

/** Programs that a user's submissions become are kept by the user. */
function cacheDirectory(
  { noCache, cache, cacheDirectory }: JudgeRequest,
  environment: ReadonlyMap<string, string> | undefined,
): string | undefined {
  if (!environment || noCache || cache !== undefined) return cacheDirectory;
  const home = environment.get("HOME");
  const folder = environment.get("XDG_CACHE_HOME") || (home && `${home}/.cache`);
  return folder?.startsWith("/") ? `${folder}/isolate/judge` : undefined;
}

/** A terminal that does not know its size says 0. */
function columnsOfTerminal(): number {
  try {
    return Deno.consoleSize().columns || COLUMNS_DEFAULT;
  } catch {
    return COLUMNS_DEFAULT;
  }
}

/** Lets Ctrl-C end all boxes; partial results are reported. */
function abortOnSignals(sandbox: Sandbox): AbortSignal {
  const controller = new AbortController();
  sandbox.catchSignals({
    caught: ENDING_SIGNALS,
    ignored: ["SIGPIPE"],
    standard: [],
    onSignal: (_, signal) => controller.abort(signal),
  });
  return controller.signal;
}

function lastBoxes(numBoxes: number): { first: number; count: number } {
  const count = Math.min(BOXES_MAX, numBoxes);
  return { first: numBoxes - count, count };
}

function checkBoxIds({ boxIds }: JudgeRequest, numBoxes: number): void {
  if (!boxIds || boxIds.first + boxIds.count <= numBoxes) return;
  throw new UsageError(
    `Option --box-ids must be from 0 to ${numBoxes - 1}, as num_boxes is ${numBoxes}: current ` +
      `value is ${boxIds.first}-${boxIds.first + boxIds.count - 1}`,
  );
}

/** Finds out before hours of judging that a report cannot be written. */
function checkReportPlaces(host: HostFiles, { junit, html }: JudgeRequest): void {
  for (const [option, path] of [["--junit", junit], ["--html", html]] as const) {
    if (path === undefined) continue;
    const directory = host.absolute(path).replace(/\/[^/]*$/, "") || "/";
    if (host.status(directory)?.kind === "directory") continue;
    throw new ExpectedError(
      `Cannot write the report ${path} (option ${option}): ${directory} is not a directory`,
    );
  }
}

/** Writes the reports, for each of which a module is loaded. */
async function writeReports(
  host: HostFiles,
  report: JudgeReport,
  { json, junit, html }: JudgeRequest,
): Promise<boolean> {
  if (json) {
    const { jsonReport } = await import("../judge/report/json.ts");
    write(Deno.stdout, jsonReport(report));
  }
  let isWritten = true;
  const writeTo = (option: string, path: string, text: string) => {
    try {
      host.write(path, text);
    } catch (error) {
      tell(`Cannot write the report ${path} (option ${option}): ${describeError(error)}`);
      isWritten = false;
    }
  };
  if (junit !== undefined) {
    const { junitReport } = await import("../judge/report/junit.ts");
    writeTo("--junit", junit, junitReport(report));
  }
  if (html !== undefined) {
    const { htmlReport } = await import("../judge/report/html.ts");
    writeTo("--html", html, htmlReport(report));
  }
  return isWritten;
}

function exitStatus({ submissions, complaints, interrupted }: JudgeReport): number {
  if (interrupted || submissions.some(({ verdict }) => verdict === "JE")) return FAILURE_STATUS;
  return complaints.length > 0 || !submissions.every(isFine) ? 1 : 0;
}
