/**
 * The table of each command for people. What it does is loaded when it runs. A new one needs a table
 * here and a function elsewhere.
 */

import { nearest } from "../text/suggest.ts";
import { API } from "./api_options.ts";
import { UsageError } from "./complain.ts";
import { JUDGE } from "./judge_options.ts";
import { flag, option } from "./option.ts";
import { QUEUE, WORKER } from "./queue_options.ts";
import { STEERING } from "./steering_table.ts";
import { type Command, type Given, subcommand } from "./subcommand.ts";
import { nonEmpty } from "./values.ts";

/** What `isolate check` is asked for. */
export class CheckRequest {
  /** Print the commands only. */
  quiet = false;
  /** Run the commands. */
  execute = false;
  json = false;
  configFile: string | undefined;
}

const CHECK = subcommand<CheckRequest>({
  name: "check",
  summary: "Check whether limits hold and times are stable on this machine",
  about: "Print one line for each check on standard error, and on standard output the commands " +
    "that would fix what was found, as a shell script. The exit status is 1 if something is wrong.",
  request: () => new CheckRequest(),
  options: {
    "Options": [
      flag("-q, --quiet", "Print the commands only", (request) => request.quiet = true),
      flag("-e, --execute", "Run the commands, too, and check again", (request) => {
        request.execute = true;
      }),
      flag("--json", "Print everything as JSON on standard output instead", (request) => {
        request.json = true;
      }),
      option("--config=FILE", "Read this configuration instead of the system's", {
        read: nonEmpty,
        set: (request, file) => request.configFile = file,
      }),
    ],
  },
  run: async (request) => await (await import("./check.ts")).checkMachine(request),
});

/** What `isolate serve`, `isolate cg-setup` and `isolate cg-keeper` are asked for. */
export class ServiceRequest {
  verbosity = 0;
  configFile: string | undefined;
}

function serviceCommand(
  { name, summary, run }: {
    name: string;
    summary: string;
    run: (request: ServiceRequest, given: Given) => Promise<number>;
  },
): Command {
  return subcommand<ServiceRequest>({
    name,
    summary,
    request: () => new ServiceRequest(),
    options: {
      "Options": [
        flag("-v, --verbose", "Say what is done; twice for more", (request) => {
          request.verbosity += 1;
        }),
        option("--config=FILE", "Read this configuration instead of the system's", {
          read: nonEmpty,
          set: (request, file) => request.configFile = file,
        }),
      ],
    },
    run,
  });
}

/** The classic commands, which people also type without their dashes. */
const CLASSIC_NAMES = ["init", "run", "cleanup", "version"];

/** Says that there is no such command, and which one was probably meant. */
export function unknownCommand(name: string): string {
  const names = COMMANDS.map((command) => command.name);
  const meant = nearest(name, [...names, ...CLASSIC_NAMES]);
  if (meant === undefined) {
    return `Unknown command: ${name} (commands: ${names.join(", ")}, --init, --run, --cleanup)`;
  }
  const spelled = CLASSIC_NAMES.includes(meant) ? `--${meant}` : meant;
  return `Unknown command: ${name} (did you mean ${spelled}?)`;
}

/** Every command for people, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  subcommand(JUDGE),
  ...STEERING,
  CHECK,
  serviceCommand({
    name: "cg-setup",
    summary: "Make the control group of all boxes, and print its directory",
    run: async (request) => (await import("./control_groups.ts")).setUpGroups(request),
  }),
  serviceCommand({
    name: "cg-keeper",
    summary: "Keep the control group of all boxes, as a service of systemd",
    run: async (request) => (await import("./control_groups.ts")).keepGroups(request),
  }),
  serviceCommand({
    name: "serve",
    summary: "Serve the native client, as a resident service",
    run: async (request, { version }) => (await import("./serve.ts")).serve(request, version),
  }),
  subcommand(API),
  subcommand(WORKER),
  subcommand(QUEUE),
  subcommand({
    name: "completions",
    parameters: "bash|zsh|fish",
    summary: "Print the completion script of a shell",
    options: {},
    request: () => ({}),
    run: async (_, { parameters: [shell, ...more] }) => {
      if (shell === undefined || more.length > 0) {
        throw new UsageError("completions takes one shell: bash, zsh or fish");
      }
      return (await import("./completions.ts")).printCompletions(shell);
    },
  }),
  subcommand({
    name: "help",
    parameters: "[COMMAND]",
    summary: "Print the help of the command, or of one of its subcommands",
    options: {},
    request: () => ({}),
    run: async (_, { parameters: [name, ...more], origin }) => {
      const command = COMMANDS.find((other) => other.name === name);
      if (more.length > 0) {
        throw new UsageError("help takes one command, such as isolate help judge");
      }
      if (name !== undefined && !command) throw new UsageError(unknownCommand(name));
      const { commandHelp, usageText } = await import("./help.ts");
      (await origin()).print("stdout", command ? commandHelp(command) : usageText());
      return 0;
    },
  }),
  subcommand({
    name: "manual",
    summary: "Print the manual page (roff)",
    options: {},
    request: () => ({}),
    run: async (_, { version }) => (await import("./manual.ts")).printManual(version),
  }),
];
