import type { ClassicOption } from "./option_values.ts";
import {
  append,
  asTyped,
  blocksAndInodes,
  duration,
  fixedSize,
  limit,
  limitOrUnlimited,
  store,
  turn,
  whole,
} from "./option_values.ts";
import type { ClassicCommand } from "./request.ts";
import { UsageError } from "./complain.ts";

/**
 * Every option and command of the classic command line, in the order in which people read them.
 *
 * Parsing, help, shell completions and the manual page all come from this table.
 */
export const CLASSIC_OPTIONS: readonly ClassicOption[] = [
  ...inGroup("Commands (exactly one)", [
    command("init", "Take a box, empty it if it was used before, and print its directory"),
    command("run", "Run a program in the box and watch over it"),
    command("cleanup", "Remove the box; no error if there is none"),
    command("check-config", "Read and check the configuration, and do nothing else"),
    command("print-cg-root", "Print the directory under which control groups are made"),
    command("version", "Print the version and how this program was built"),
    { ...command("help", "Print this help"), short: "h" },
  ]),

  ...inGroup("The box and who uses it", [
    {
      ...value("box-id", "ID", "Which box to use; boxes are independent of each other"),
      short: "b",
      default: "0",
      example: "1",
      apply: store("boxId", whole),
    },
    flag("wait", "If the box is in use, wait for it instead of failing", turn("wait", true)),
    {
      ...value("as-uid", "UID", "Act for this user; root only, together with --as-gid"),
      default: "the caller",
      example: "1000",
      apply: store("asUid", whole),
    },
    {
      ...value("as-gid", "GID", "Act for this group; root only, together with --as-uid"),
      default: "the caller",
      example: "1000",
      apply: store("asGid", whole),
    },
    {
      ...value("config", "FILE", "Read this configuration instead of the system's; root only"),
      apply: store("configFile", asTyped),
    },
  ]),

  ...inGroup("Limits", [
    {
      ...value("time", "S", "CPU time, in seconds with fraction"),
      short: "t",
      default: "none",
      example: "1.5",
      apply: store("timeMs", duration),
    },
    {
      ...value("wall-time", "S", "Wall-clock time, in seconds with fraction"),
      short: "w",
      default: "none",
      example: "10",
      apply: store("wallTimeMs", duration),
    },
    {
      ...value("extra-time", "S", "Kill a program over its --time only at this CPU time"),
      short: "x",
      default: "none",
      example: "2",
      apply: store("extraTimeMs", duration),
    },
    {
      ...value("mem", "KIB", "Address space of each process"),
      short: "m",
      default: "none",
      example: "65536",
      apply: store("memoryKib", limit),
    },
    {
      ...value("stack", "KIB", "Stack of each process"),
      short: "k",
      default: "unlimited",
      example: "8192",
      apply: store("stackKib", limit),
    },
    {
      ...value("fsize", "KIB", "Size of each file that is written"),
      short: "f",
      default: "none",
      example: "10240",
      apply: store("fileSizeKib", limit),
    },
    {
      ...value("core", "KIB", "Size of core files"),
      default: "0",
      example: "1024",
      apply: store("coreKib", whole),
    },
    {
      ...value("open-files", "N", "Open files of each process; 0 sets no limit"),
      short: "n",
      default: "1024",
      example: "64",
      apply: store("openFiles", limitOrUnlimited),
    },
    {
      ...value("processes", "N", "Processes and threads at a time; without N no limit"),
      value: "optional",
      short: "p",
      default: "1",
      example: "4",
      apply: store("processes", limitOrUnlimited),
    },
    {
      ...value("quota", "BLOCKS,INODES", "Disk quota of the box, with --init; a block is 1 KiB"),
      short: "q",
      default: "none",
      example: "10240,500",
      apply: store("quota", blocksAndInodes),
    },
    {
      ...value("box-size", "KIB[,INODES]", "A file system of this size for box/, with --init"),
      default: "none",
      example: "65536,1000",
      addition: true,
      apply: store("boxSize", fixedSize),
    },
  ]),

  ...inGroup("Files and streams (paths inside the box)", [
    {
      ...value("stdin", "FILE", "Read standard input from this file"),
      short: "i",
      default: "inherited",
      apply: store("stdin", asTyped),
    },
    {
      ...value("stdout", "FILE", "Write standard output to this file"),
      short: "o",
      default: "inherited",
      apply: store("stdout", asTyped),
    },
    {
      ...value("stderr", "FILE", "Write standard error to this file"),
      short: "r",
      default: "inherited",
      apply: (request, { text }) => {
        request.stderr = text;
        request.stderrToStdout = false;
      },
    },
    flag("stderr-to-stdout", "Send standard error to where standard output goes", (request) => {
      request.stderr = undefined;
      request.stderrToStdout = true;
    }),
    {
      ...value("chdir", "DIR", "Start the program in this directory"),
      short: "c",
      default: "/box",
      apply: store("chdir", asTyped),
    },
    flag(
      "special-files",
      "Keep FIFOs, sockets, devices and symlinks left in the box",
      turn("specialFiles", true),
    ),
    flag(
      "inherit-fds",
      "Let the program have the open descriptors above 2",
      turn("inheritFds", true),
    ),
    flag(
      "tty-hack",
      "Make the program the foreground process of the terminal",
      turn("ttyHack", true),
    ),
  ]),

  ...inGroup("Environment and directories", [
    {
      ...value("env", "VAR[=VALUE]", "Hand a variable down, or set it; VAR= removes it"),
      short: "E",
      apply: append("environmentRules"),
    },
    {
      ...flag(
        "full-env",
        "Start from the whole environment of the caller",
        turn("fullEnvironment", true),
      ),
      short: "e",
    },
    {
      ...value("dir", "RULE", "Make a directory visible: IN[=OUT][:OPTION...]; IN= hides it"),
      short: "d",
      apply: append("directoryRules"),
    },
    {
      ...flag(
        "no-default-dirs",
        "Start from no directories at all",
        turn("noDefaultDirectories", true),
      ),
      short: "D",
    },
  ]),

  ...inGroup("Control groups", [
    flag(
      "cg",
      "Use a control group; give it to --init, --run and --cleanup alike",
      turn("controlGroup", true),
    ),
    {
      ...value("cg-mem", "KIB", "Memory of all processes in the box together"),
      default: "none",
      example: "262144",
      apply: (request, given) => {
        request.controlGroupMemoryKib = limit(given);
        request.controlGroupOption ??= "--cg-mem";
      },
    },
    flag(
      "cg-timing",
      "With --cg, count the CPU time of all processes (the default)",
      turn("controlGroupTiming", true),
    ),
    flag(
      "no-cg-timing",
      "With --cg, count the CPU time of the main process only",
      turn("controlGroupTiming", false),
    ),
  ]),

  ...inGroup("Isolation", [
    flag(
      "share-net",
      "Stay in the caller's network instead of an empty one",
      turn("shareNetwork", true),
    ),
    {
      ...value("syscalls", "FLAGS", "Which system calls to refuse: a sum, 0 for none"),
      default: "as configured",
      example: "31",
      apply: store("syscallFlags", whole),
    },
  ]),

  ...inGroup("Reports", [
    {
      ...value("meta", "FILE", "Write what happened to this file, as key:value lines"),
      short: "M",
      default: "none",
      apply: append("metaFiles"),
    },
    { ...flag("silent", "Print no status line", turn("silent", true)), short: "s" },
    {
      ...flag("verbose", "Say what is done; up to three times for more", (request) => {
        request.verbosity += 1;
      }),
      short: "v",
    },
  ]),
];

type Ungrouped = Omit<ClassicOption, "group">;

function inGroup(group: string, options: readonly Ungrouped[]): ClassicOption[] {
  return options.map((option) => ({ ...option, group }));
}

function flag(long: string, summary: string, apply: ClassicOption["apply"]): Ungrouped {
  return { long, value: "none", summary, apply };
}

function value(long: string, valueName: string, summary: string): Omit<Ungrouped, "apply"> {
  return { long, value: "required", valueName, summary };
}

function command(name: ClassicCommand, summary: string): Ungrouped {
  return flag(name, summary, (request) => {
    // Somebody who asks for help gets it, whatever else stands on the line.
    if (request.command === "help") return;
    if (name !== "help" && request.command !== undefined && request.command !== name) {
      throw new UsageError("Only one command is allowed.");
    }
    request.command = name;
  });
}
