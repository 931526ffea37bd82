import { getopt } from "./getopt.ts";
import { CLASSIC_OPTIONS } from "./option_table.ts";
import { type ClassicCommand, type ClassicRequest, emptyRequest } from "./request.ts";
import { UsageError } from "./complain.ts";

export { CLASSIC_OPTIONS } from "./option_table.ts";
export type { ClassicOption, GivenValue } from "./option_values.ts";
export type {
  ClassicCommand,
  ClassicRequest,
  FixedSize,
  PartialRequest,
  Quota,
} from "./request.ts";

/** How a classic command line is read. */
export interface ParseClassicOptions {
  /** Whether the first positional argument ends the options (`POSIXLY_CORRECT` is in the environment). */
  readonly posixlyCorrect?: boolean;
  /**
   * Called with the path of each `--meta` at the moment the option is met. The file is to be opened and emptied
   * then: it is empty after a usage error further on.
   */
  readonly onMetaFile?: (path: string) => void;
}

/**
 * Reads a classic command line, and checks all that can be checked without the configuration.
 *
 * `--version`, `--check-config` and `--help` ignore everything else that is well-formed; `--help` wins over
 * any other command.
 */
export function parseClassic(
  args: readonly string[],
  options: ParseClassicOptions = {},
): ClassicRequest {
  const partial = emptyRequest();
  const { positionals } = getopt(args, {
    options: CLASSIC_OPTIONS,
    posixlyCorrect: options.posixlyCorrect ?? false,
    onOption: ({ option, value }) => {
      option.apply(partial, { option, text: value ?? "", isGiven: value !== undefined });
      if (option.long === "meta" && value !== undefined) options.onMetaFile?.(value);
    },
  });
  const { command } = partial;
  if (command === undefined) {
    throw new UsageError("Please specify an isolate command (e.g. --init, --run).");
  }
  const request: ClassicRequest = { ...partial, command, commandLine: [...positionals] };
  if (!standsAlone(command)) checkTogether(request);
  return request;
}

/**
 * Checks what is left once the configuration is known: the box's number, then the positional arguments.
 */
export function checkClassic(request: ClassicRequest, limits: { numBoxes: number }): void {
  const { command, boxId, commandLine } = request;
  if (standsAlone(command)) return;
  if (boxId >= limits.numBoxes) {
    throw new UsageError(`Sandbox ID out of range (allowed: 0-${limits.numBoxes - 1})`);
  }
  if (command === "run" && commandLine.length === 0) {
    throw new UsageError("--run mode requires a command to run, e.g. isolate --run -- /bin/true");
  }
  if (command !== "run" && commandLine.length > 0) {
    throw new UsageError(`--${command} mode takes no parameters, but got: ${commandLine[0]}`);
  }
}

function standsAlone(command: ClassicCommand): boolean {
  return command === "version" || command === "help" || command === "check-config";
}

function checkTogether(request: ClassicRequest): void {
  if (request.controlGroupOption !== undefined && !request.controlGroup) {
    throw new UsageError(
      `Options related to control groups require --cg to be set. (${request.controlGroupOption} is one.)`,
    );
  }
  if ((request.asUid === undefined) !== (request.asGid === undefined)) {
    const [given, missing] = request.asGid === undefined
      ? ["--as-uid", "--as-gid"]
      : ["--as-gid", "--as-uid"];
    throw new UsageError(
      `Options --as-uid and --as-gid go together: ${given} is given, ${missing} is not.`,
    );
  }
}
