/** What all judging of one command has in common: boxes, languages, the terminal, signals. */

import { setColorEnabled } from "../vendor/std/colors.ts";
import { HostFiles, type LanguageTable, loadLanguages } from "../judge/mod.ts";
import { callerEnvironment, Sandbox, SandboxError, type SignalName } from "../mod.ts";
import type { ServedBoxes } from "../service/client/served_boxes.ts";
import { UsageError, write } from "./complain.ts";
import type { JudgeRequest } from "./judge_options.ts";

/** The signals that end judging. */
export const ENDING_SIGNALS = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
] as const satisfies readonly SignalName[];
/** The last boxes are taken: the classic command's clients count from the first. */
const BOXES_MAX = 100;
/** The width of what is not a terminal, and of a terminal that does not know it. */
export const COLUMNS_DEFAULT = 80;

/** A command that judges. */
export interface JudgeSession {
  readonly request: JudgeRequest;
  readonly environment: ReadonlyMap<string, string>;
  readonly sandbox: Sandbox;
  readonly host: HostFiles;
  /** Boxes of the service; undefined: this process makes them. */
  readonly boxes: ServedBoxes | undefined;
  readonly boxIds: { readonly first: number; readonly count: number };
  readonly languages: LanguageTable;
  readonly cacheDirectory: string | undefined;
  /** Aborted by signals such as Ctrl-C. */
  readonly signal: AbortSignal;
  /** Writes to where people read. */
  readonly say: (text: string) => void;
  /** Columns of the terminal; undefined: there is none. */
  readonly width: () => number | undefined;
}

/** Prepares what a command needs to judge. */
export async function openSession(request: JudgeRequest): Promise<JudgeSession> {
  const output = request.json ? Deno.stderr : Deno.stdout;
  setColorEnabled(!Deno.noColor && output.isTerminal());
  const environment = await callerEnvironment();
  const { sandbox, boxes } = await openBoxes(request, environment);
  const host = new HostFiles(sandbox);
  checkBoxIds(request, sandbox.settings.numBoxes);
  const languages = await loadLanguages(host, {
    environment,
    ...request.languagesFile === undefined ? {} : { userFile: request.languagesFile },
  });
  if (request.language !== undefined && !languages.find(request.language)) {
    const known = languages.languages.map(({ id }) => id).join(", ");
    throw new UsageError(`Unknown language: ${request.language} (known: ${known})`);
  }
  return {
    request,
    environment,
    sandbox,
    host,
    boxes,
    boxIds: request.boxIds ?? boxes?.permitted?.[0] ?? lastBoxes(sandbox.settings.numBoxes),
    languages,
    cacheDirectory: cacheDirectory(request, boxes || sandbox.isRootless ? environment : undefined),
    signal: abortOnSignals(sandbox),
    say: (text) => write(output, text),
    width: () => output.isTerminal() ? columnsOfTerminal() : undefined,
  };
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
