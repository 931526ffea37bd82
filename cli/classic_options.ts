/** Every option and command of the classic command line, in the order in which people read them. */

import type { BoxSize, DiskQuota } from "../core.ts";
import { parseIpNetwork } from "../text/ip_address.ts";
import type { ClassicCommand, ClassicRequest } from "./classic_request.ts";
import { UsageError } from "./complain.ts";
import {
  flag,
  type Option,
  option,
  type OptionFacts,
  optionsOf,
  type OptionTable,
} from "./option.ts";
import {
  asTyped,
  duration,
  limit,
  limitOrUnlimited,
  parseUnsigned,
  takes,
  userName,
  whole,
} from "./values.ts";

/** As many as the kernel can be built for. */
const CPUS_MAX = 8192;

/** The option table of the classic command line. A limit that is not given does not hold. */
export const CLASSIC_TABLE: OptionTable<ClassicRequest> = {
  "Commands (exactly one)": [
    command("--init", "Take a box, empty it if it was used before, and print its directory"),
    command("--run", "Run a program in the box and watch it"),
    command("--cleanup", "Remove the box; no error if there is none"),
    command("--check-config", "Read and check the configuration, and do nothing else"),
    command("--print-cg-root", "Print the directory below which control groups are made"),
    command("--version", "Print the version and how this program was built"),
    command("-h, --help", "Print the options and what they do", { addition: true }),
  ],

  "The box and who uses it": [
    option("-b, --box-id=ID", "Which box to use; boxes are independent of each other", {
      default: "0",
      example: "1",
      read: whole,
      set: (request, id) => request.boxId = id,
    }),
    flag("--wait", "If the box is in use, wait instead of failing", (request) => {
      request.wait = true;
    }),
    option("--as-uid=UID", "Act for this user, a name or a number with --as-gid; root only", {
      default: "the caller",
      example: "1000",
      read: userName,
      set: (request, user) => {
        refuseTwice("--as-uid", request.asUid ?? request.asName);
        if (typeof user === "string") request.asName = user;
        else request.asUid = user;
      },
    }),
    option("--as-gid=GID", "Act for this group; root only, together with --as-uid", {
      default: "the caller",
      example: "1000",
      read: whole,
      set: (request, gid) => {
        refuseTwice("--as-gid", request.asGid);
        request.asGid = gid;
      },
    }),
    option("--config=FILE", "Read this configuration instead of the system's; root only", {
      addition: true,
      read: asTyped,
      set: (request, file) => request.configFile = file,
    }),
  ],

  "Limits": [
    option("-t, --time=S", "CPU time, in seconds with fraction", {
      example: "1.5",
      read: duration,
      set: ({ limits }, ms) => limits.cpuTimeMs = ms,
    }),
    option("-w, --wall-time=S", "Wall-clock time, in seconds with fraction", {
      example: "10",
      read: duration,
      set: ({ limits }, ms) => limits.wallTimeMs = ms,
    }),
    option("-x, --extra-time=S", "Kill a program over its --time only at this CPU time", {
      example: "2",
      read: duration,
      set: ({ limits }, ms) => limits.extraTimeMs = ms,
    }),
    option("-m, --mem=KIB", "Address space of each process", {
      example: "65536",
      read: limit,
      set: ({ limits }, kib) => limits.addressSpaceKib = kib,
    }),
    option("-k, --stack=KIB", "Stack of each process", {
      default: "unlimited",
      example: "8192",
      read: limit,
      set: ({ limits }, kib) => limits.stackKib = kib,
    }),
    option("-f, --fsize=KIB", "Size of each file that is written", {
      example: "10240",
      read: limit,
      set: ({ limits }, kib) => limits.fileSizeKib = kib,
    }),
    option("--core=KIB", "Size of core files", {
      default: "0",
      example: "1024",
      read: whole,
      set: ({ limits }, kib) => limits.coreKib = kib,
    }),
    option("-n, --open-files=N", "Open files of each process; 0 sets no limit", {
      default: "1024",
      example: "64",
      read: limitOrUnlimited,
      set: ({ limits }, count) => limits.openFiles = count,
    }),
    option("-p, --processes[=N]", "Processes and threads at a time; without N no limit", {
      default: "1",
      example: "4",
      read: limitOrUnlimited,
      absent: "unlimited",
      set: ({ limits }, count) => limits.processes = count,
    }),
    option("-q, --quota=BLOCKS,INODES", "Disk quota of the box, with --init; a block is 1 KiB", {
      example: "10240,500",
      read: blocksAndInodes,
      set: (request, quota) => request.quota = quota,
    }),
    option("--box-size=KIB[,INODES]", "A file system of this size for box/, with --init", {
      example: "65536,1000",
      addition: true,
      read: fixedSize,
      set: (request, size) => request.boxSize = size,
    }),
  ],

  "Files and streams (paths inside the box)": [
    option("-i, --stdin=FILE", "Read standard input from this file", {
      default: "inherited",
      read: asTyped,
      set: ({ run }, path) => run.stdin = { path },
    }),
    option("-o, --stdout=FILE", "Write standard output to this file", {
      default: "inherited",
      read: asTyped,
      set: ({ run }, path) => run.stdout = { path },
    }),
    option("-r, --stderr=FILE", "Write standard error to this file", {
      default: "inherited",
      read: asTyped,
      set: ({ run }, path) => run.stderr = { path },
    }),
    flag("--stderr-to-stdout", "Send standard error to where standard output goes", ({ run }) => {
      run.stderr = "stdout";
    }),
    option("-c, --chdir=DIR", "Start the program in this directory", {
      default: "/box",
      read: asTyped,
      set: ({ run }, directory) => run.workingDirectory = directory,
    }),
    flag("--special-files", "Keep FIFOs, sockets, devices and symlinks in the box", ({ run }) => {
      run.keepSpecialFiles = true;
    }),
    flag("--inherit-fds", "Let the program have the open descriptors above 2", ({ run }) => {
      run.inheritDescriptors = true;
    }),
    flag("--tty-hack", "Make the program the foreground process of the terminal", ({ run }) => {
      run.terminal = true;
    }),
  ],

  "Environment and directories": [
    option("-E, --env=VAR[=VALUE]", "Pass a variable on, or set it; VAR= removes it", {
      read: asTyped,
      set: ({ environmentRules }, rule) => environmentRules.push(rule),
    }),
    flag("-e, --full-env", "Start from the whole environment of the caller", (request) => {
      request.fullEnvironment = true;
    }),
    option("-d, --dir=RULE", "Make a directory visible: IN[=OUT][:OPTION...]; IN= hides it", {
      read: asTyped,
      set: ({ directoryRules }, rule) => directoryRules.push(rule),
    }),
    flag("-D, --no-default-dirs", "Start without any directories", (request) => {
      request.noDefaultDirectories = true;
    }),
  ],

  "Control groups": [
    flag("--cg", "Use a control group; give it to --init, --run and --cleanup alike", (request) => {
      request.controlGroup = true;
    }),
    option("--cg-mem=KIB", "Memory of all processes in the box together", {
      example: "262144",
      read: limit,
      set: (request, kib) => {
        request.limits.controlGroupMemoryKib = kib;
        request.controlGroupOption = "--cg-mem";
      },
    }),
    flag("--cg-timing", "With --cg, count the CPU time of all processes (default)", ({ run }) => {
      run.controlGroupTiming = true;
    }, { addition: true }),
    flag("--no-cg-timing", "With --cg, count the CPU time of the main process", ({ run }) => {
      run.controlGroupTiming = false;
    }, { addition: true }),
  ],

  "Isolation": [
    flag("--share-net", "Stay in the caller's network instead of an empty one", ({ run }) => {
      run.shareNetwork = true;
    }),
    option("--address=ADDRESS/LENGTH", "An address of its own, on a bridge of the host", {
      default: "no network",
      example: "10.77.0.5/24",
      addition: true,
      read: address,
      set: ({ run }, value) => run.address = value,
    }),
    option("--hostname=NAME", "What the host is called in the box", {
      default: "as outside",
      example: "box",
      addition: true,
      read: hostname,
      set: ({ run }, name) => run.hostname = name,
    }),
    flag("--root-inside", "Let the program be root in its box, and nobody outside", ({ run }) => {
      run.rootInside = true;
    }, { addition: true }),
    option("--cpus=LIST", "Put the program on these CPUs; it can choose others", {
      default: "the caller's",
      example: "0,2-3",
      addition: true,
      read: cpuList,
      set: ({ run }, cpus) => run.cpus = cpus,
    }),
    option("--syscalls=FLAGS", "Which system calls to refuse: a sum, 0 for none", {
      default: "as configured",
      example: "31",
      read: whole,
      set: ({ run }, flags) => run.syscallFlags = flags,
    }),
  ],

  "Reports": [
    option("-M, --meta=FILE", "Write the outcome to this file, as key:value lines", {
      read: asTyped,
      set: ({ metaFiles }, path) => metaFiles.push(path),
    }),
    flag(
      "--crash-report",
      "Tell where a fatal signal struck; this traces the program",
      ({ run }) => {
        run.crashReport = true;
      },
      { addition: true },
    ),
    option("--follow=FILE", "Write the times of the program to this file while it runs", {
      addition: true,
      read: asTyped,
      set: (request, path) => request.followFile = path,
    }),
    flag("-s, --silent", "Print no status line", (request) => {
      request.silent = true;
    }),
    flag("-v, --verbose", "Say what is done; up to three times for more", (request) => {
      request.verbosity += 1;
    }),
  ],
};

/** The same without the headings. */
export const CLASSIC_OPTIONS: readonly Option<ClassicRequest>[] = optionsOf(CLASSIC_TABLE);

function command(
  typed: string,
  summary: string,
  more: { addition?: boolean } = {},
): Option<ClassicRequest> {
  const made: Option<ClassicRequest> = flag(typed, summary, (request) => {
    // Help wins over every other command.
    if (request.command === "help") return;
    const name = made.long as ClassicCommand;
    if (name !== "help" && request.command !== undefined && request.command !== name) {
      throw new UsageError("Only one command is allowed.");
    }
    request.command = name;
  }, more);
  return made;
}

/** Reads an address with the length of its network. */
function address(text: string, option: OptionFacts): string {
  if (parseIpNetwork(text)) return text;
  const hint = takes("an IPv4 or IPv6 address and the length of its network", option);
  throw new UsageError(`Invalid address: ${text} (${hint})`);
}

/** Reads the name of a host. */
function hostname(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/.test(text)) return text;
  throw new UsageError(
    `Invalid host name: ${text} (--hostname takes up to 64 letters, digits, dots and dashes, e.g. ` +
      "--hostname=box)",
  );
}

/** Reads a list of CPUs, `0,2-3`. */
function cpuList(text: string, option: OptionFacts): number[] {
  const ranges = text.split(",").map((part) => /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part));
  const cpus = ranges.flatMap((range) => {
    const [first, last] = [Number(range?.[1]), Number(range?.[2] ?? range?.[1])];
    return first <= last && last < CPUS_MAX
      ? Array.from({ length: last - first + 1 }, (_, i) => first + i)
      : [undefined];
  });
  const known = cpus.filter((cpu) => cpu !== undefined);
  if (known.length === cpus.length) return known;
  throw new UsageError(`Invalid list of CPUs: ${text} (${takes("numbers and ranges", option)})`);
}

/** Reads a disk quota, `BLOCKS,INODES`. */
function blocksAndInodes(text: string, option: OptionFacts): DiskQuota {
  const hint = takes("two whole numbers, 1 KiB blocks and inodes", option);
  const [blocks, inodes, ...more] = text.split(",");
  if (blocks === undefined || inodes === undefined || more.length > 0) {
    throw new UsageError(`Invalid quota specified: ${text} (${hint})`);
  }
  return { blocksKib: parseUnsigned(blocks, { hint }), inodes: parseUnsigned(inodes, { hint }) };
}

/** Reads the fixed size of a box, `KIB[,INODES]`; 0 KiB means that it has none. */
function fixedSize(text: string, option: OptionFacts): BoxSize | undefined {
  const hint = takes("one or two whole numbers, KiB and inodes", option);
  const [kib = "", inodes, ...more] = text.split(",");
  if (more.length > 0) throw new UsageError(`Invalid box size specified: ${text} (${hint})`);
  const sizeKib = parseUnsigned(kib, { hint });
  const count = inodes === undefined ? undefined : parseUnsigned(inodes, { hint });
  return sizeKib === 0 ? undefined : { sizeKib, inodes: count };
}

/** Who calls through a wrapper that names the user must not be able to name another. */
function refuseTwice(name: string, given: unknown): void {
  if (given !== undefined) throw new UsageError(`Option ${name} can be given only once.`);
}
