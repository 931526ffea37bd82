/** Reads a classic command line into a request. */

import {
  buildEnvironment,
  parseDirectoryRule,
  parseEnvironmentRule,
  resolveDirectoryRules,
  type RunOptions,
} from "../core.ts";
import { CLASSIC_OPTIONS } from "./classic_options.ts";
import { ClassicRequest } from "./classic_request.ts";
import { UsageError } from "./complain.ts";
import { getopt } from "./getopt.ts";

/** How a classic command line is read. */
export interface ParseClassicOptions {
  /** Whether the first positional argument ends the options (`POSIXLY_CORRECT` is in the environment). */
  readonly posixlyCorrect?: boolean;
  /** The request to fill in; after a usage error it holds what came before the mistake. */
  readonly request?: ClassicRequest;
}

/**
 * Reads a classic command line, and checks all that can be checked without the configuration.
 *
 * `--version`, `--check-config` and `--help` ignore everything else that is well-formed.
 */
export function parseClassic(
  args: readonly string[],
  { posixlyCorrect = false, request = new ClassicRequest() }: ParseClassicOptions = {},
): ClassicRequest {
  request.commandLine = getopt(args, {
    options: CLASSIC_OPTIONS,
    posixlyCorrect,
    programAt: 0,
    onOption: ({ option, value }) => option.apply(request, value),
  }).positionals;
  if (request.command === undefined) {
    throw new UsageError("Please specify an isolate command (e.g. --init, --run).");
  }
  if (!standsAlone(request)) checkTogether(request);
  return request;
}

/**
 * Checks what is left once the configuration is known: the box's number, then the positional arguments.
 */
export function checkClassic(request: ClassicRequest, { numBoxes }: { numBoxes: number }): void {
  const { command, boxId, commandLine } = request;
  if (standsAlone(request)) return;
  if (boxId >= numBoxes) {
    const error = new UsageError(`Sandbox ID out of range (allowed: 0-${numBoxes - 1})`);
    throw Object.assign(error, { isFailure: true });
  }
  if (command === "run" && commandLine.length === 0) {
    throw new UsageError("--run mode requires a command to run, e.g. isolate --run -- /bin/true");
  }
  if (command !== "run" && commandLine.length > 0) {
    throw new UsageError(`--${command} mode takes no parameters, but got: ${commandLine[0]}`);
  }
}

function standsAlone({ command }: ClassicRequest): boolean {
  return command === "version" || command === "help" || command === "check-config";
}

function checkTogether(request: ClassicRequest): void {
  const { asUid, asName, asGid, configFile, controlGroup, controlGroupOption, run } = request;
  if (controlGroupOption !== undefined && !controlGroup) {
    throw new UsageError(
      `Options related to control groups require --cg to be set. (${controlGroupOption} is one.)`,
    );
  }
  if (run.address !== undefined && run.shareNetwork) {
    throw new UsageError(
      "Options --address and --share-net exclude each other: a box has its own network or the caller's.",
    );
  }
  if (configFile !== undefined && (asName !== undefined || (asUid ?? 0) !== 0)) {
    throw new UsageError(
      "Options --config and --as-uid do not go together: only root may choose the configuration, " +
        "and --as-uid names somebody else.",
    );
  }
  if (asName === undefined && (asUid === undefined) !== (asGid === undefined)) {
    const [given, missing] = asGid === undefined
      ? ["--as-uid", "--as-gid"]
      : ["--as-gid", "--as-uid"];
    throw new UsageError(
      `Options --as-uid and --as-gid go together: ${given} is given, ${missing} is not.`,
    );
  }
}

/** Most runs have no rules of their own: then these are the same objects each time. */
let defaultRules: DirectoryRules | undefined;

type DirectoryRules = NonNullable<RunOptions["directoryRules"]>;

function directoryRules(request: ClassicRequest): DirectoryRules {
  const defaults = !request.noDefaultDirectories;
  if (request.directoryRules.length === 0 && defaults) {
    return defaultRules ??= Object.freeze(
      resolveDirectoryRules({ rules: [], defaults }).map((rule) => Object.freeze(rule)),
    );
  }
  const rules = request.directoryRules.map(parseDirectoryRule);
  return resolveDirectoryRules({ rules, defaults });
}

/** Completes the options of the run, for which the rules are read. */
export function runOptions(
  request: ClassicRequest,
  callerEnvironment: ReadonlyMap<string, string>,
): RunOptions {
  try {
    return {
      ...request.run,
      directoryRules: directoryRules(request),
      environment: buildEnvironment({
        callerEnvironment,
        inheritAll: request.fullEnvironment,
        rules: request.environmentRules.map(parseEnvironmentRule),
      }),
    };
  } catch (error) {
    // A malformed rule is a usage error.
    if (error instanceof SyntaxError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
