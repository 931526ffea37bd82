/** The commands of the classic command line. */
export type ClassicCommand =
  | "init"
  | "run"
  | "cleanup"
  | "version"
  | "help"
  | "check-config"
  | "print-cg-root";

/** The disk quota of a box. */
export interface Quota {
  /** Blocks of 1 KiB; 0 means no limit. */
  blocks: number;
  /** Files and directories; 0 means no limit. */
  inodes: number;
}

/** The fixed size of a box. */
export interface FixedSize {
  /** What its files can take, KiB. */
  kib: number;
  /** Files and directories; 0 means no limit, `undefined` a number that fits the size. */
  inodes: number | undefined;
}

/**
 * Everything that a classic command line asks for.
 *
 * A limit that was not given, or given as 0 where 0 means "no limit", is `undefined`.
 */
export interface ClassicRequest {
  /** What to do. */
  command: ClassicCommand;
  /** `--box-id`: which box. */
  boxId: number;
  /** `--meta`: the files in the order given; `-` is standard output. The last one is written. */
  metaFiles: string[];
  /** `--mem`: address space of each process, KiB. */
  memoryKib: number | undefined;
  /** `--time`: CPU time, milliseconds with fraction. */
  timeMs: number | undefined;
  /** `--wall-time`: wall-clock time, milliseconds with fraction. */
  wallTimeMs: number | undefined;
  /** `--extra-time`: CPU time until which a program over its limit may run on, milliseconds with fraction. */
  extraTimeMs: number | undefined;
  /** `--stack`: KiB. */
  stackKib: number | undefined;
  /** `--open-files`: how many descriptors; `unlimited` keeps the caller's limit; `undefined` is the default. */
  openFiles: number | "unlimited" | undefined;
  /** `--fsize`: largest file, KiB. */
  fileSizeKib: number | undefined;
  /** `--quota`: disk quota, for `init`. */
  quota: Quota | undefined;
  /** `--box-size`: a file system of its own for the box, for `init`. */
  boxSize: FixedSize | undefined;
  /** `--core`: largest core file, KiB; 0 makes none. */
  coreKib: number;
  /** `--processes`: how many; `unlimited` keeps the caller's limit; `undefined` is the default, 1. */
  processes: number | "unlimited" | undefined;
  /** `--stdin`: a path inside the box. */
  stdin: string | undefined;
  /** `--stdout`: a path inside the box. */
  stdout: string | undefined;
  /** `--stderr`: a path inside the box; `undefined` if `--stderr-to-stdout` came later. */
  stderr: string | undefined;
  /** `--stderr-to-stdout`, unless `--stderr` came later. */
  stderrToStdout: boolean;
  /** `--chdir`: working directory inside the box, from `/box`. */
  chdir: string | undefined;
  /** `--full-env`: start from the caller's environment. */
  fullEnvironment: boolean;
  /** `--env`: the rules as typed, in order. */
  environmentRules: string[];
  /** `--dir`: the rules as typed, in order. */
  directoryRules: string[];
  /** `--no-default-dirs`. */
  noDefaultDirectories: boolean;
  /** `--cg`: use a control group. */
  controlGroup: boolean;
  /** `--cg-mem`: memory of the whole group, KiB. */
  controlGroupMemoryKib: number | undefined;
  /** `--cg-timing`: CPU time of the whole group (`true`) or of the main process. */
  controlGroupTiming: boolean;
  /** The first option met that makes sense with `--cg` only, such as `--cg-mem`. */
  controlGroupOption: string | undefined;
  /** `--share-net`: stay in the caller's network namespace. */
  shareNetwork: boolean;
  /** `--inherit-fds`: keep the caller's descriptors. */
  inheritFds: boolean;
  /** `--tty-hack`: give the terminal to the program. */
  ttyHack: boolean;
  /** `--special-files`: keep FIFOs, sockets, devices and symlinks. */
  specialFiles: boolean;
  /** `--syscalls`: which system calls are refused, instead of the configured flags. */
  syscallFlags: number | undefined;
  /** `--wait`: wait for a box that is in use. */
  wait: boolean;
  /** `--as-uid`: the user to act for. */
  asUid: number | undefined;
  /** `--as-gid`: the group to act for. */
  asGid: number | undefined;
  /** `--silent`: no status line. */
  silent: boolean;
  /** How often `--verbose` was given. */
  verbosity: number;
  /** `--config`: the configuration file to read. */
  configFile: string | undefined;
  /** The program and its arguments. */
  commandLine: string[];
}

/** A request whose command is not known yet. */
export type PartialRequest = Omit<ClassicRequest, "command"> & {
  /** What to do, once a command has been met. */
  command: ClassicCommand | undefined;
};

/** Makes the request of an empty command line. */
export function emptyRequest(): PartialRequest {
  return {
    command: undefined,
    boxId: 0,
    metaFiles: [],
    memoryKib: undefined,
    timeMs: undefined,
    wallTimeMs: undefined,
    extraTimeMs: undefined,
    stackKib: undefined,
    openFiles: undefined,
    fileSizeKib: undefined,
    quota: undefined,
    boxSize: undefined,
    coreKib: 0,
    processes: undefined,
    stdin: undefined,
    stdout: undefined,
    stderr: undefined,
    stderrToStdout: false,
    chdir: undefined,
    fullEnvironment: false,
    environmentRules: [],
    directoryRules: [],
    noDefaultDirectories: false,
    controlGroup: false,
    controlGroupMemoryKib: undefined,
    controlGroupTiming: true,
    controlGroupOption: undefined,
    shareNetwork: false,
    inheritFds: false,
    ttyHack: false,
    specialFiles: false,
    syscallFlags: undefined,
    wait: false,
    asUid: undefined,
    asGid: undefined,
    silent: false,
    verbosity: 0,
    configFile: undefined,
    commandLine: [],
  };
}
