/** From a classic command line to the options of a run. */

import {
  buildEnvironment,
  parseDirectoryRule,
  parseEnvironmentRule,
  resolveDirectoryRules,
  type RunOptions,
  type Stream,
} from "../core.ts";
import type { ClassicRequest } from "./request.ts";
import { UsageError } from "./complain.ts";

/** Translates a request. */
export function runOptions(
  request: ClassicRequest,
  callerEnvironment: ReadonlyMap<string, string>,
): RunOptions {
  const environmentRules = request.environmentRules.map((text) =>
    parsed(parseEnvironmentRule, text)
  );
  const directoryRules = request.directoryRules.map((text) => parsed(parseDirectoryRule, text));
  return {
    limits: {
      cpuTimeMs: request.timeMs,
      wallTimeMs: request.wallTimeMs,
      extraTimeMs: request.extraTimeMs,
      addressSpaceKib: request.memoryKib,
      stackKib: request.stackKib,
      openFiles: request.openFiles,
      fileSizeKib: request.fileSizeKib,
      coreKib: request.coreKib,
      processes: request.processes,
      controlGroupMemoryKib: request.controlGroupMemoryKib,
    },
    controlGroupTiming: request.controlGroupTiming,
    directoryRules: resolveDirectoryRules({
      rules: directoryRules,
      defaults: !request.noDefaultDirectories,
    }),
    environment: buildEnvironment({
      callerEnvironment,
      inheritAll: request.fullEnvironment,
      rules: environmentRules,
    }),
    workingDirectory: request.chdir ?? "/box",
    stdin: stream(request.stdin),
    stdout: stream(request.stdout),
    stderr: request.stderrToStdout ? "stdout" : stream(request.stderr),
    shareNetwork: request.shareNetwork,
    inheritDescriptors: request.inheritFds,
    terminal: request.ttyHack,
    keepSpecialFiles: request.specialFiles,
    ...(request.syscallFlags === undefined ? {} : { syscallFlags: request.syscallFlags }),
  };
}

function stream(path: string | undefined): Stream {
  return path === undefined ? "inherit" : { path };
}

/** A rule that is malformed is a mistake of who typed it. */
function parsed<T>(parse: (text: string) => T, text: string): T {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
