/**
 * A piece of the manual: a paragraph, a term with what it means, or lines to be typed.
 *
 * In paragraphs and terms, `backquotes` stand around what is typed as it is, and _underscores_ around
 * what stands for something else.
 */
export type ManualBlock =
  | string
  | { readonly term: string; readonly meaning: string }
  | { readonly code: string };

/** A section of the manual. */
export interface ManualSection {
  /** The heading. */
  readonly title: string;
  /** What stands below it. */
  readonly blocks: readonly ManualBlock[];
}

/** What the manual says about an option beyond its line in the option table, by long name. */
export const OPTION_DETAILS: Readonly<Record<string, string>> = {
  init:
    "The directory `BOX_ROOT/ID` is printed on standard output. In it, `box/` is for the files of the program: " +
    "it belongs to the caller until the box runs.",
  run:
    "Needs `--init` first. Everything that is not an option is the program and its arguments; put `--` in " +
    "front of the program, or its own options are taken for options of `isolate`. The program is not searched " +
    "in _PATH_. While it runs, `box/` and what is in it belongs to the box's user, and afterwards to the caller; " +
    "with `--as-uid`, what belongs to others keeps its owner.",
  cleanup: "Must be given the same `--box-id` as `--init`; a control group goes with the box.",
  "box-id":
    "Two boxes with different numbers can be used at the same time. Each has a user id of its own.",
  time:
    "The program is killed when it has used that much; a program that ends by itself above the limit counts as " +
    "over it, too. 0 means no limit, as for all limits but `--core`.",
  "wall-time":
    "Counts while the program sleeps or waits. Give one with every `--time`: a sleeping program uses no CPU.",
  "extra-time":
    "A program over its `--time` is killed only when its CPU time passes this time, counted from its " +
    "start, so that its real time is reported. The verdict stays a time-out. Alone it does nothing.",
  mem:
    "Counts all that is mapped, used or not (`RLIMIT_AS`). Run-time systems which reserve much address space " +
    "need `--cg-mem` instead.",
  stack: "The stack counts towards `--mem`, too.",
  fsize: "A program that writes beyond it gets SIGXFSZ.",
  "open-files": "Counts descriptors, standard streams included.",
  processes:
    "The value must be attached: `-p4` or `--processes=4`. Counts all processes and threads of the box.",
  quota:
    "Counts what belongs to the box's user on the file system of the box, which must have quotas enabled. " +
    "Checked and ignored with `--run`.",
  "box-size":
    "For machines without disk quotas: `box/` becomes a `tmpfs`, and a program that fills it gets ENOSPC. Its " +
    "files are memory. What the program writes counts as memory of its control group, so with `--cg` it is part " +
    "of `--cg-mem` and of `cg-mem` for as long as the file exists, in later runs too; what the caller puts there " +
    "counts as the caller's. _INODES_ limits the number of files and directories, `box/` included (default: one " +
    "for every 4 KiB, and at least 1024; 0: no limit). Directories of `tmp` rules, such as `/tmp`, are not part " +
    "of it. `--cleanup` and the next `--init` drop all of it at once. While the box exists, `box/` can be filled " +
    "and emptied as usual, but not itself be moved away or replaced. 0 leaves the box on the disk. Checked and " +
    "ignored with `--run`.",
  stdin: "Like the other two, opened by the box's user, relative to `/box`, before `--chdir`.",
  stdout: "The file is created if needed, and emptied.",
  stderr:
    "The file is created if needed, and emptied. Of this and `--stderr-to-stdout` the last one wins.",
  "special-files": "Without it, they are removed from `box/` before and after each run.",
  "tty-hack":
    "For interactive programs, whose terminal is on standard output. It is taken back afterwards.",
  env: "See ENVIRONMENT RULES. Can be given many times.",
  dir: "See DIRECTORY RULES. Can be given many times.",
  "no-default-dirs": "Even `/box` is gone then, unless a rule of yours brings it back.",
  "cg-mem": "Needs `--cg`. See CONTROL GROUPS for what counts.",
  "cg-timing": "Of version 1 of the classic command, as `--no-cg-timing`.",
  "no-cg-timing":
    "Counted are the first process and those that it has waited for, as without `--cg`.",
  syscalls: "See SYSTEM CALL FILTER.",
  meta:
    "See META-FILE. The file is opened with the rights of the caller and emptied at once, before anything else " +
    "happens. `-` is standard output.",
  silent: "Errors of the sandbox itself are printed all the same.",
  verbose:
    "Once: what is done. Twice: the configuration, the environment and each look at the clocks, too. Three " +
    "times: every system call, before it is made, and the system call filter.",
};

/** The sections behind the options. */
export const SECTIONS: readonly ManualSection[] = [
  {
    title: "EXIT STATUS",
    blocks: [
      {
        term: "0",
        meaning: "The program ended by itself and returned 0; or the command did what it should.",
      },
      { term: "1", meaning: "The program failed, was killed by a signal, or hit a limit." },
      {
        term: "2",
        meaning:
          "Everything else: a wrong command line or configuration, or the sandbox itself failed. " +
          "A complaint stands on standard error.",
      },
    ],
  },
  {
    title: "META-FILE",
    blocks: [
      "Lines of the form _KEY_`:`_VALUE_, in any order. A key that does not apply is absent; no `status` means " +
      "that all went well.",
      { term: "`time`", meaning: "CPU time in seconds; with `--cg`, that of all processes." },
      { term: "`time-wall`", meaning: "Wall-clock time in seconds." },
      { term: "`max-rss`", meaning: "Memory of the largest process, KiB." },
      { term: "`csw-voluntary`, `csw-forced`", meaning: "Context switches." },
      { term: "`cg-mem`", meaning: "The most memory that the control group used, KiB." },
      {
        term: "`cg-oom-killed`",
        meaning: "1 if the kernel killed something in the control group for want of memory.",
      },
      { term: "`cg-enabled`", meaning: "1 with `--cg`." },
      { term: "`exitcode`", meaning: "What the program returned, if it ended by itself." },
      { term: "`exitsig`", meaning: "The number of the signal that ended it." },
      { term: "`killed`", meaning: "1 if the sandbox killed it." },
      {
        term: "`status`",
        meaning:
          "`RE` for an exit code other than 0, `SG` for a signal, `TO` for a time-out, `XX` if the sandbox " +
          "itself failed.",
      },
      { term: "`message`", meaning: "One line for people." },
    ],
  },
  {
    title: "ENVIRONMENT RULES",
    blocks: [
      "The program starts with no environment, or with the caller's if `--full-env` stands anywhere. " +
      "`LIBC_FATAL_STDERR_=1` is set, so that complaints of the C library go to standard error. Then the rules " +
      "are applied in order:",
      { term: "_VAR_", meaning: "takes the variable from the caller, if it is set there;" },
      { term: "_VAR_`=`_VALUE_", meaning: "sets it;" },
      { term: "_VAR_`=`", meaning: "removes it." },
    ],
  },
  {
    title: "DIRECTORY RULES",
    blocks: [
      "The program sees only what the rules make visible. A later rule for the same inside path replaces the " +
      "earlier one, in its place. Mount points cannot be made inside a directory that another rule brings in.",
      {
        term: "_IN_`=`_OUT_[`:`_OPTION_...]",
        meaning:
          "shows the directory or file _OUT_ at _IN_. It starts with `/`, or with `./` for the " +
          "directory of the box. It must be within reach of the caller.",
      },
      { term: "_IN_[`:`_OPTION_...]", meaning: "shows `/`_IN_ at the same place." },
      { term: "_IN_`=`", meaning: "removes the rule for _IN_." },
      "Without options, what is shown is read-only, and has no devices and no set-user-id programs. The options:",
      { term: "`rw`", meaning: "Allow writing, as far as the rights of the files allow it." },
      { term: "`noexec`", meaning: "Do not allow to execute." },
      { term: "`maybe`", meaning: "Leave the rule out if _OUT_ does not exist." },
      { term: "`dev`", meaning: "Allow devices." },
      { term: "`norec`", meaning: "Leave out what is mounted below _OUT_." },
      {
        term: "`fs`",
        meaning: "Mount a file system of the type _OUT_: `proc`, `sysfs`, `tmpfs` or `devpts`.",
      },
      {
        term: "`tmp`",
        meaning:
          "A writable directory of the box's own, kept from run to run until cleanup. Takes no _OUT_.",
      },
      "The default rules, in order:",
      {
        code: [
          "box=./box:rw",
          "bin",
          "dev:dev:norec",
          "dev/shm=tmpfs:fs:rw",
          "lib",
          "lib64:maybe",
          "proc=proc:fs",
          "tmp:tmp",
          "usr",
        ].join("\n"),
      },
    ],
  },
  {
    title: "CONTROL GROUPS",
    blocks: [
      "With `--cg` a box has a control group of its own: limits and figures that no resource limit can give, as " +
      "they are of all processes together. `--cg` must be given to `--init` and `--run` alike. In it, `--time` is " +
      "the CPU time of all processes of this run, whether somebody waits for them or not; `--cg-mem` limits their " +
      "memory; `--processes` is the exact number of those in the box where there is the `pids` controller.",
      "What counts as memory: what the processes have touched, shared memory, files in a `tmpfs`, what the kernel " +
      "needs for them, and files that they read and write, as long as these are kept in memory; those of a disk " +
      "are given up before the limit is hit. Swap is limited to nothing where the kernel accounts for it (`-v` " +
      "says if it does not). When the limit is hit, the kernel kills a process, which need not be the first one: " +
      "`cg-oom-killed` tells of that even if the program succeeds. The limit is that of a run: one without " +
      "`--cg-mem` has none.",
      "`cg-mem` is the peak of the run; files of earlier runs that are still in memory are part of it. With " +
      "version 2 before Linux 6.12 it is the peak since `--init`, and before Linux 5.19 there is none.",
      "Version 2 is used if its file system has the `memory` controller, version 1 otherwise; `-v` tells which and " +
      "where, `--print-cg-root` prints the directory, or the reason why there is none. Groups are named " +
      "`box-`_ID_. By default they are made in a group named `isolate` at the top, where no process is ever moved " +
      "but those of boxes; `cg_root` names another one, which must belong to root. What an earlier box has left " +
      "behind is killed and removed by the next `--init` and by `--cleanup`.",
      "Under systemd, which wants to be the only one that makes groups at the top, install and start the units in " +
      "`systemd/`: `isolate cg-keeper` takes over the group that systemd leaves to it (`Delegate=`), moves itself " +
      "into a group `daemon` below, and writes the directory to `/run/isolate/cgroup`, where `cg_root = auto` " +
      "finds it, or to the _FILE_ of `cg_root = auto:`_FILE_. SIGHUP has it read the configuration again. When " +
      "it is stopped, everything that runs in its groups is killed, and boxes with a group must be initialised " +
      "again. Limits for all boxes together can be set on `isolate.slice`. Without systemd, " +
      "`isolate cg-setup` makes the groups ahead of the first box, one that `cg_root` names included.",
    ],
  },
  {
    title: "CHECKING A MACHINE",
    blocks: [
      "`isolate check` looks for what keeps boxes from working, limits from holding, and times from being the same " +
      "tomorrow. It prints one line for each check on standard error, and on standard output the commands that " +
      "would put things right until the next boot, as a script for the shell. The classic name, " +
      "`isolate-check-environment`, is a script in `bin/`.",
      { term: "`PASS`", meaning: "All is well." },
      { term: "`CAUTION`", meaning: "It may matter; look for yourself." },
      { term: "`FAIL`", meaning: "It is wrong. The exit status is then 1." },
      { term: "`SKIP`", meaning: "There is no such thing here, or the kernel does not tell." },
      { term: "`-q`, `--quiet`", meaning: "Print the script only." },
      {
        term: "`-e`, `--execute`",
        meaning:
          "Do what the script would do, each line after it was printed, and look again. The remarks in it are " +
          "left to you.",
      },
      { term: "`--json`", meaning: "Print everything as JSON on standard output instead." },
    ],
  },
  {
    title: "SYSTEM CALL FILTER",
    blocks: [
      "_FLAGS_ is a sum. 0 installs no filter; all of them is the default.",
      { term: "1", meaning: "Kernel keyrings, which would outlive the box." },
      {
        term: "2",
        meaning: "Sockets to the hypervisor (`AF_VSOCK`), which know no network namespaces.",
      },
      {
        term: "4",
        meaning:
          "File locks, leases and directory notifications, which would reach other programs.",
      },
      { term: "8", meaning: "`io_uring`." },
      {
        term: "16",
        meaning:
          "System calls of other architectures (32-bit programs on a 64-bit machine), which kill the process.",
      },
    ],
  },
  {
    title: "SIGNALS",
    blocks: [
      "SIGHUP, SIGINT, SIGQUIT and SIGTERM end the run; the status is `SG`, the message `Interrupted`. If " +
      "`isolate` is killed in any other way, everything in the box dies with it.",
    ],
  },
  {
    title: "CONFIGURATION",
    blocks: [
      "The first of `/etc/isolate.yaml`, `/usr/local/etc/isolate` and `/etc/isolate` that exists is read; without " +
      "one the defaults serve. It must belong to root, and nobody else may be able to write it. The first is YAML, " +
      "the others have lines of the form _KEY_` = `_VALUE_ and comments behind `#`.",
      { term: "`box_root`", meaning: "Where boxes are made (default: `/var/local/lib/isolate`)." },
      { term: "`lock_root`", meaning: "Where their locks are (default: `/run/isolate/locks`)." },
      {
        term: "`cg_root`",
        meaning:
          "Below which their control groups are; `auto` finds a place, `auto:`_FILE_ reads it from a file " +
          "(default: `auto`).",
      },
      {
        term: "`first_uid`, `first_gid`, `num_boxes`",
        meaning:
          "Box number N runs as user `first_uid`+N and group `first_gid`+N (default: 60000, 60000 and 1000).",
      },
      {
        term: "`subid_user`",
        meaning:
          "Take the range of ids from this user's entries in `/etc/subuid` and `/etc/subgid`.",
      },
      { term: "`restricted_init`", meaning: "1 lets only root make boxes (default: 0)." },
      { term: "`syscall_flags`", meaning: "What `--syscalls` overrides (default: all)." },
      {
        term: "`box`_N_`.cpus`, `box`_N_`.mems`",
        meaning: "The CPUs and memory nodes of the control group of box _N_.",
      },
    ],
  },
  {
    title: "ENVIRONMENT",
    blocks: [
      {
        term: "`POSIXLY_CORRECT`",
        meaning: "If set, the first argument that is no option ends the options.",
      },
    ],
  },
  {
    title: "EXAMPLES",
    blocks: [
      "Compile and run a program with a second of CPU time, then look at the verdict:",
      {
        code: [
          "box=$(isolate --init)/box",
          "cp solution.c input.txt $box",
          "isolate --run -p -E PATH -- /usr/bin/gcc -O2 -o solution solution.c",
          "isolate --run --time=1 --wall-time=3 --mem=262144 --fsize=65536 \\",
          "  --stdin=input.txt --stdout=output.txt --meta=meta.txt -- ./solution",
          "cat meta.txt $box/output.txt",
          "isolate --cleanup",
        ].join("\n"),
      },
      "Show a directory of data, read-only, and a scratch directory that can be written:",
      { code: "isolate --run -d data=/srv/data -d scratch:tmp -- /bin/ls -l /data /scratch" },
    ],
  },
];
