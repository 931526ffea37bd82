/** From the options of the library to the command line of a run. */

import type { RunOptions } from "../../box/run_options.ts";
import {
  describeDirectoryRule,
  type DirectoryRule,
  parseDirectoryRule,
} from "../../box/setup/directory_rules.ts";
import type { Limits } from "../../box/setup/limits.ts";
import { SandboxError } from "../../host/errors.ts";

/** Which option sets which limit. */
const LIMIT_OPTIONS = {
  cpuTimeMs: "time",
  wallTimeMs: "wall-time",
  extraTimeMs: "extra-time",
  addressSpaceKib: "mem",
  controlGroupMemoryKib: "cg-mem",
  stackKib: "stack",
  fileSizeKib: "fsize",
  coreKib: "core",
  openFiles: "open-files",
  processes: "processes",
} as const satisfies Record<keyof Limits, string>;

/** Writes the options of a run down; streams and what is called back are not among them. */
export function runArguments(options: RunOptions): string[] {
  const args: string[] = [];
  for (const [name, option] of Object.entries(LIMIT_OPTIONS)) {
    const value = options.limits?.[name as keyof Limits];
    if (value === undefined) continue;
    args.push(`--${option}=${limitText(name, value)}`);
  }
  const { directoryRules, workingDirectory, cpus, hostname, syscallFlags } = options;
  if (directoryRules) args.push("--no-default-dirs", ...directoryRules.map(ruleArgument));
  if (workingDirectory !== undefined) args.push(`--chdir=${workingDirectory}`);
  if (cpus) args.push(`--cpus=${cpus.join(",")}`);
  if (hostname !== undefined) args.push(`--hostname=${hostname}`);
  if (syscallFlags !== undefined) args.push(`--syscalls=${syscallFlags}`);
  if (options.shareNetwork) args.push("--share-net");
  if (options.crashReport) args.push("--crash-report");
  if (options.rootInside) args.push("--root-inside");
  if (options.keepSpecialFiles) args.push("--special-files");
  if (options.controlGroupTiming === false) args.push("--no-cg-timing");
  if (options.stderr === "stdout") args.push("--stderr-to-stdout");
  for (const name of ["stdin", "stdout", "stderr"] as const) {
    const stream = options[name];
    if (typeof stream === "object" && "path" in stream) args.push(`--${name}=${stream.path}`);
  }
  return args;
}

/** The program gets exactly this environment: it is that of the client, but for what names the service. */
export function environmentArguments(environment: ReadonlyMap<string, string>): string[] {
  const more = ["ISOLATE_SERVICE", "LIBC_FATAL_STDERR_"].filter((name) => !environment.has(name));
  return ["--full-env", ...more.map((name) => `--env=${name}=`)];
}

function limitText(name: string, value: number | "unlimited"): string {
  if (value === "unlimited") return "0";
  return name.endsWith("Ms") ? (value / 1000).toFixed(6) : `${value}`;
}

/** Paths with a colon or an equals sign cannot be written down. */
function ruleArgument(given: DirectoryRule): string {
  const rule = { ...given };
  // The client opens it with its caller's rights: links show nothing that the caller could not see.
  if (rule.kind === "bind") delete rule.followLinks;
  const text = describeDirectoryRule(rule);
  try {
    const read = JSON.stringify(sorted(parseDirectoryRule(text)));
    if (read === JSON.stringify(sorted(rule))) return `--dir=${text}`;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new SandboxError(
    "bad-option",
    `The service cannot be told of the directory rule '${text}': a path with ':' or '=' has no ` +
      "form that it reads; move what it names",
  );
}

function sorted(rule: object): [string, unknown][] {
  return Object.entries(rule).sort(([a], [b]) => a < b ? -1 : 1);
}
