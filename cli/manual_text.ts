/** The words of the manual that no option table holds. */

/**
 * A piece of the manual: a paragraph, a term with what it means, or lines to be typed.
 *
 * In paragraphs and terms, `backquotes` mark what is typed as it is, and _underscores_ a word in
 * capitals that stands for something else.
 */
export type ManualBlock =
  | string
  | { readonly term: string; readonly meaning: string }
  | { readonly code: string };

/** A section of the manual. */
export interface ManualSection {
  readonly title: string;
  readonly blocks: readonly ManualBlock[];
}

/** What the manual says about a classic option beyond its line in the option table, by long name. */
export const OPTION_DETAILS: Readonly<Record<string, string>> = {
  init:
    "The directory is `BOX_ROOT/ID`. The program's files go into `box/` in it, which belongs to the caller " +
    "until the box runs.",
  run:
    "Needs `--init` first. Everything that is not an option is the program and its arguments; put `--` " +
    "before the program, or `isolate` takes the program's options for its own. The program is not looked up " +
    "in _PATH_. While it runs, `box/` and everything in it belongs to the box's user, afterwards to the " +
    "caller; with `--as-uid`, files of other users keep their owner.",
  cleanup: "Needs the same `--box-id` as `--init`. Removes the box's control group, too.",
  "box-id":
    "Boxes with different numbers can be used at the same time. Each has a user id of its own.",
  time:
    "The program is killed when it has used that much. A program that ends by itself above the limit " +
    "has exceeded it, too. 0 means no limit, as for all limits but `--core`.",
  "wall-time":
    "Counts while the program sleeps or waits. Give one with every `--time`: a sleeping program " +
    "uses no CPU.",
  "extra-time":
    "Counted from the start of the program, which goes on over its limit, so that its real time is reported. " +
    "The verdict stays a time-out. Without `--time` it does nothing.",
  mem:
    "Counts everything that is mapped, used or not (`RLIMIT_AS`). Run-time systems that reserve much " +
    "address space need `--cg-mem` instead.",
  stack: "The stack counts towards `--mem`, too.",
  fsize: "A program that writes beyond it gets SIGXFSZ.",
  "open-files": "Counts descriptors, standard streams included.",
  processes:
    "The value must be attached: `-p4` or `--processes=4`. Counts all processes and threads of the " +
    "box.",
  quota:
    "Counts what belongs to the box's user on the file system of the box, which must have quotas " +
    "enabled. Checked and ignored with `--run`.",
  "box-size":
    "For machines without disk quotas: `box/` becomes a `tmpfs`, and a program that fills it gets " +
    "ENOSPC. Its files are memory. What the program writes counts as memory of its control group, so with " +
    "`--cg` it is part of `--cg-mem` and of `cg-mem` for as long as the file exists, in later runs too; what " +
    "the caller puts there counts as the caller's. _INODES_ limits the number of files and directories, " +
    "`box/` included (default: one per 4 KiB, and at least 1024; 0: no limit). Directories of `tmp` rules, " +
    "such as `/tmp`, are not part of it. `--cleanup` and the next `--init` drop all of it at once. While the " +
    "box exists, `box/` can be filled and emptied as usual, but not be moved away or replaced itself. 0 " +
    "leaves the box on the disk. Checked and ignored with `--run`.",
  stdin: "Like the other two, opened by the box's user, relative to `/box`, before `--chdir`.",
  stdout: "Created if needed, and emptied.",
  stderr: "Created if needed, and emptied. The last of this and `--stderr-to-stdout` wins.",
  "special-files": "Otherwise they are removed from `box/` before and after each run.",
  "tty-hack":
    "For interactive programs, whose terminal is standard output. The terminal is taken back " +
    "afterwards.",
  env: "See ENVIRONMENT RULES. Can be given many times.",
  dir: "See DIRECTORY RULES. Can be given many times.",
  "no-default-dirs": "Not even `/box` is left then, unless a rule of yours brings it back.",
  "cg-mem": "Needs `--cg`. See CONTROL GROUPS for what counts.",
  "cg-timing": "From version 1 of the classic command, like `--no-cg-timing`.",
  "no-cg-timing":
    "That is the first process; children that it has waited for count, too, as without `--cg`.",
  address:
    "IPv4 or IPv6, with the length of the network, which is reached directly. The program finds it on an " +
    "interface `eth0`, whose other end is a port of a bridge of the host. On the bridge it reaches the host, and " +
    "other boxes only where `bridge_isolated` is 0; beyond it nothing, unless `bridge_gateway` is set. It cannot " +
    "change any of that. The interfaces go with the run, and a bridge that was made for it with the last run. " +
    "The configuration says which addresses users other than root may choose; see CONFIGURATION. Not together " +
    "with `--share-net`. Preparing and removing it costs some 50 ms, outside of the times that are measured.",
  hostname:
    "What `uname`(2) and `hostname` say in the box, which has a UTS namespace of its own; programs that look " +
    "at it give the same output on every machine then. The name is not resolved to an address: for that, " +
    "bring an `/etc/hosts` of your own with `--dir`. The host's name stays as it is.",
  "root-inside":
    "For programs that insist on user 0. Users and groups 0 of a user namespace, `user_namespaces`(7), stand for " +
    "the box's user and group, who own the files of the box outside; no other id exists inside, and what " +
    "belongs to others, root's own files included, seems to belong to 65534. Such a root may change modes, " +
    "owners and ids, all within that one id: what drops its rights to another user, as `apt` does for " +
    "downloads, fails. It cannot mount, chroot, make namespaces, set up networks or use low ports. " +
    "Limits, quotas and the system call filter are as without the option.",
  cpus:
    "For stable times; see `sched_setaffinity`(2). It is no wall: the program can choose others of the CPUs that the " +
    "host allows.",
  syscalls: "See SYSTEM CALL FILTER.",
  meta:
    "See META-FILE. Opened with the caller's rights and emptied at once, before anything else happens. " +
    "`-` is standard output.",
  "crash-report":
    "Prints the signal, its reason as in `sigaction`(2), the address of a fault and the registers of the thread; " +
    "a service keeps them for `isolate status` until the next run or `--cleanup`. The program is traced by the " +
    "init of its box with `ptrace`(2): it cannot have itself traced (debuggers in the box can trace others), can see " +
    "that in `/proc`, and each signal and each new thread costs some microseconds. Limits hold all the same. " +
    "Without the option only the number of the signal is known: the kernel forgets the rest when the program " +
    "dies.",
  follow:
    "Four times a second a line such as `time:0.250 time-wall:0.252`, in seconds as in the meta-file, with " +
    "`cg-mem:` where it is known; and, when everything in the box is dead, `end:` with the time at which the " +
    "program ended, in seconds of CLOCK_MONOTONIC. Opened like the meta-file, before the program runs.",
  silent: "Errors of the sandbox itself are printed all the same.",
  verbose:
    "Once: what is done. Twice: the configuration, the environment and each look at the clocks, too. " +
    "Three times: every system call before it is made, and the system call filter.",
};

/** The sections after the options. */
export const SECTIONS: readonly ManualSection[] = [
  {
    title: "JUDGING",
    blocks: [
      "`isolate judge` _PACKAGE_ verifies a problem package: each of its submissions is compiled and run on " +
      "the tests, and must get what the name of its folder promises. If submissions follow, they are judged " +
      "instead, and what they say of themselves does not count. A package is a folder in the ICPC/Kattis format " +
      "(`problem.yaml`, `data/`, `submissions/`; versions legacy, 2023-07 and 2025-09), or a folder of tests " +
      "with a `task.yaml`, which `judge/TASK.md` describes. Since 2025-09 a scoring problem gives every " +
      "submission a score, and `WA` or another verdict unless it passes all tests.",
      "Everything that others wrote runs in boxes: compilers, submissions, validators, interactors. A " +
      "submission starts in a `/box` that is empty but for the files of the test (`.files`), and can write " +
      "there unless the package forbids it, as it does since 2023-07 without `allow_file_writing`; its compiled program is in `/program` and cannot be written. " +
      "Nothing of a test is left for the next one. Boxes have control groups where these can be used (see " +
      "CONTROL GROUPS); without them Java, Node, Deno, Go and C# cannot be judged, as their address space says " +
      "nothing about their memory.",
      { term: "`AC`", meaning: "Accepted." },
      { term: "`WA`", meaning: "Wrong answer, by the checker or the package's validator." },
      {
        term: "`TLE`, `MLE`, `OLE`",
        meaning: "Exceeded the CPU or wall-clock limit, the memory limit, or the output limit.",
      },
      { term: "`RTE`", meaning: "Killed by a signal, or returned a status other than 0." },
      { term: "`CE`", meaning: "The compiler rejected it, or exceeded its own limits." },
      {
        term: "`JE`",
        meaning:
          "The judge failed: a validator that crashes, a missing compiler, a full disk. It is never the " +
          "contestant's fault.",
      },
      "Languages are C, C++, Python 3 (also by PyPy) and 2, Java, Kotlin, Scala, JavaScript and TypeScript (Node and " +
      "Deno), Go, Rust, C#, Pascal, Haskell, OCaml, Fortran, Ada, D, Nim, Ruby, Perl, PHP, Lua, Common Lisp, " +
      "Prolog, R and shell, as far as they are installed. `judge/languages.yaml` is the table of how they are recognised, compiled and run, and " +
      "explains itself; a file of the same form, given by `--languages`, adds to it or overrides it key by " +
      "key. If the tools of a language are missing, the report says what to install.",
      "A package without a time limit gets one: a multiple of the time of its slowest accepted submission, " +
      "rounded up. When a package is verified, the limit must also leave room above the slowest accepted " +
      "submission and below the fastest one that must be too slow.",
      "`--submissions` and `--tests` choose a part of a package by patterns: paths or their last names, with " +
      "`*` and `{a,b}`; a folder takes all that is in it. Some tests cannot show what all would, so what should " +
      "fail may then be accepted. `--all-tests` runs also the tests after the first failure; they change no " +
      "verdict and no score.",
      "A folder of packages is a contest: all are verified, one after the other. Its `problems.yaml` or " +
      "`problemset.yaml` lists the `id` and `label` of each, as for DOMjudge and BAPCtools; without one all " +
      "packages in it count. Links of a package may lead to other folders of the contest. `--changed-since` " +
      "leaves out packages whose files are as in a commit; git runs in a box, so the repository must be " +
      "readable by others. `--watch` judges again when files change: tests of a submission are run again if " +
      "the submission, the test, a validator or a limit has changed.",
      "`isolate judge stress` _PACKAGE_ `--generator`=_COMMAND_ has a program of `generators/`, or any other, " +
      "write inputs with one seed after the other, until a submission is not accepted with the output of the " +
      "one of `--against` as the answer. Submissions are those that follow, or those of `--submissions`, or the " +
      "accepted ones. The test is kept; where the package has input validators it is made smaller first, and " +
      "keeps its verdict. The exit status is 1 if there is such a test, and 0 if not.",
      "`isolate judge new` _FOLDER_ makes a package to start from, which verifies at once. `--kind` says how its " +
      "outputs are judged: `pass-fail` compares them with the answers, `checker` has a program for it, in " +
      "`interactive` a program talks to the submission, and `scored` has groups of tests with points.",
      "The exit status is 0 if all is as expected (given submissions: accepted), 1 if not, and 2 " +
      "if the judge failed or was interrupted. `judge/report/report.schema.json` describes the report of " +
      "`--json`.",
    ],
  },
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
          "Everything else: a wrong command line or configuration, or the sandbox itself failed. The " +
          "error is on standard error.",
      },
    ],
  },
  {
    title: "META-FILE",
    blocks: [
      "Lines of the form _KEY_`:`_VALUE_, in any order. A key that does not apply is absent; `status` is absent " +
      "on success.",
      { term: "`time`", meaning: "CPU time in seconds; with `--cg`, of all processes." },
      { term: "`time-wall`", meaning: "Wall-clock time in seconds." },
      { term: "`max-rss`", meaning: "Memory of the largest process, KiB." },
      { term: "`csw-voluntary`, `csw-forced`", meaning: "Context switches." },
      { term: "`cg-mem`", meaning: "Peak memory of the control group, KiB." },
      {
        term: "`cg-oom-killed`",
        meaning: "1 if the kernel killed a process of the control group because memory ran out.",
      },
      { term: "`cg-enabled`", meaning: "1 with `--cg`." },
      { term: "`exitcode`", meaning: "What the program returned, if it ended by itself." },
      { term: "`exitsig`", meaning: "The number of the signal that ended it." },
      { term: "`killed`", meaning: "1 if the sandbox killed it." },
      {
        term: "`status`",
        meaning:
          "`RE` for an exit code other than 0, `SG` for a signal, `TO` for a time-out, `XX` if the " +
          "sandbox itself failed.",
      },
      { term: "`message`", meaning: "One line for people." },
    ],
  },
  {
    title: "ENVIRONMENT RULES",
    blocks: [
      "The program starts with an empty environment, or with the caller's if `--full-env` is given. " +
      "`LIBC_FATAL_STDERR_=1` is set, so that fatal messages of the C library go to standard error. Then the " +
      "rules are applied in order:",
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
          "shows the directory or file _OUT_ at _IN_. _OUT_ starts with `/`, or with `./` for the " +
          "directory of the box. The caller must be able to reach it.",
      },
      { term: "_IN_[`:`_OPTION_...]", meaning: "shows `/`_IN_ at the same place." },
      { term: "_IN_`=`", meaning: "removes the rule for _IN_." },
      "Without options, the program can only read what is shown, and can use no devices or set-user-id " +
      "programs in it. The options:",
      { term: "`rw`", meaning: "Allow writing, as far as the permissions of the files allow it." },
      { term: "`noexec`", meaning: "Do not allow execution." },
      { term: "`maybe`", meaning: "Leave the rule out if _OUT_ does not exist." },
      { term: "`dev`", meaning: "Allow devices." },
      { term: "`norec`", meaning: "Leave out what is mounted below _OUT_." },
      {
        term: "`fs`",
        meaning: "Mount a file system of the type _OUT_: `proc`, `sysfs`, `tmpfs` or `devpts`.",
      },
      {
        term: "`size=`_KIB_",
        meaning: "How much fits into a new `tmpfs`, in KiB. Default: half of the machine's memory.",
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
      "With `--cg` a box has a control group of its own, which limits and measures all its processes together; " +
      "resource limits cannot. Give `--cg` to `--init` and `--run` alike. In a control group, `--time` is the " +
      "CPU time of all processes of this run, whether their parents wait for them or not; `--cg-mem` limits " +
      "their memory; `--processes` is the exact number of those in the box where there is the `pids` " +
      "controller.",
      "Memory is what the processes have touched, shared memory, files in a `tmpfs`, what the kernel needs for " +
      "them, and cached files that they read and write; the kernel drops cached files of a disk before the " +
      "limit is hit. Swap is limited to nothing where the kernel accounts for it (`-v` says if it does not). " +
      "When the limit is hit, the kernel kills a process, not necessarily the first one: `cg-oom-killed` " +
      "reports that even if the program succeeds. The limit is that of one run: a run without `--cg-mem` has none.",
      "`cg-mem` is the peak of the run; files of earlier runs that are still in memory are part of it. With " +
      "version 2 before Linux 6.12 it is the peak since `--init`, and before Linux 5.19 there is none.",
      "Version 2 is used if its file system has the `memory` controller, version 1 otherwise; `-v` says which " +
      "and where, `--print-cg-root` prints the directory, or the reason why there is none. Groups are named " +
      "`box-`_ID_. By default they are made in a group named `isolate` at the top, into which only processes of " +
      "boxes are ever moved; `cg_root` names another one, which must belong to root. The next `--init` and " +
      "`--cleanup` kill and remove what an earlier box left behind.",
      "Under systemd, which wants to be the only one that makes groups at the top, install and start the units " +
      "in `systemd/`: the service, or `isolate cg-keeper` where only groups are wanted " +
      "(`isolate-cg-keeper.service`), takes over the group that systemd delegates to it (`Delegate=`), " +
      "moves itself into a group `daemon` below, and writes the directory to `/run/isolate/cgroup`, where " +
      "`cg_root = auto` finds it, or to the _FILE_ of `cg_root = auto:`_FILE_. SIGHUP makes it read the " +
      "configuration again. When it stops, everything that still runs in its groups is killed; the groups of " +
      "boxes are made again when they are needed. `isolate.slice` can limit all boxes together. Without " +
      "systemd, `isolate cg-setup` makes the groups before the first box does, including one that `cg_root` " +
      "names.",
    ],
  },
  {
    title: "WITHOUT ROOT",
    blocks: [
      "Where no service takes the command of an ordinary user, it makes a user namespace, in which it is root, " +
      "and executes itself again in there. With subordinate ids (`/etc/subuid`, `/etc/subgid`, and `newuidmap` " +
      "of Debian's package uidmap) each box has a user of its own. Without them all boxes have one user, who " +
      "is the caller outside: see `SECURITY.md` for what is weaker then. `isolate check` says which it is.",
      "Boxes and locks are in `$XDG_STATE_HOME/isolate` (`~/.local/state/isolate`), and the configuration is " +
      "`$XDG_CONFIG_HOME/isolate.yaml` (`~/.config/isolate.yaml`), which must belong to the user. Control " +
      "groups need one of version 2 that is delegated to the user, as by `systemd-run --user --scope -p " +
      "Delegate=yes isolate ...`. The default `/dev` has single devices only. `--quota`, `--box-size`, " +
      "`--address` and `--as-uid` need root.",
    ],
  },
  {
    title: "THE SERVICE",
    blocks: [
      "`isolate serve`, started by root, carries out the commands of the native client " +
      "(`lib/isolate-x86_64`, `lib/isolate-aarch64`), which acts with the rights of its caller and needs no " +
      "root. It also keeps the control groups of boxes, see above. The client exits with status 2 if no " +
      "service runs and no `isolate-direct` is installed beside it. Commands for people, such as `isolate judge` " +
      "and `isolate check`, it always leaves to `isolate-direct`, with its caller's own rights. `isolate.ts`, " +
      "started by Deno, hands its command to a service, too, and carries it out itself if none runs; " +
      "`direct.ts` beside it asks no service.",
      "`isolate judge` of a user who is not root has the service make its boxes: by default the first range " +
      "that the configuration gives the user, see `service_user`. Packages and submissions are read, and `box/` " +
      "is filled and emptied, with the user's own rights. Judges of one user lock their boxes " +
      "against each other in `/tmp/isolate-boxes-`_UID_. Compiled programs are kept in `~/.cache/isolate/judge`. " +
      "The files that a compiler writes are counted when it has ended; only a quota bounds them while it runs.",
      "Under systemd, `isolate.socket` holds the socket and says who may connect (`SocketGroup=`, " +
      "`SocketMode=`), and `isolate.service` starts with the first client or at boot. In any other case the " +
      "service makes its socket itself, as `service_socket` and the keys after it say.",
      "SIGHUP makes it read the configuration again; one that is wrong changes nothing. SIGTERM and SIGINT stop " +
      "it when running boxes have ended, after `service_stop_wait` seconds at the latest; a second signal does " +
      "not wait. If it is killed, everything in its boxes dies. When it starts, it cleans up after a " +
      "killed process: it removes boxes that were half made or half removed, and gives the files of a box in " +
      "which a program ran back to the owner of the box.",
    ],
  },
  {
    title: "CHECKING A MACHINE",
    blocks: [
      "`isolate check` looks for what keeps boxes from working, limits from holding, and times from being the " +
      "same tomorrow. It prints one line for each check on standard error, and on standard output the commands " +
      "that would fix things until the next boot, as a shell script. Comments are steps you must do yourself. " +
      "`--execute` runs each command after printing it, and checks again. `isolate-check-environment`, the " +
      "classic name, is a script in `bin/`.",
      { term: "`PASS`", meaning: "Fine." },
      { term: "`CAUTION`", meaning: "May matter; look for yourself." },
      { term: "`FAIL`", meaning: "Wrong. The exit status is then 1." },
      { term: "`SKIP`", meaning: "Does not exist here, or the kernel does not say." },
    ],
  },
  {
    title: "SYSTEM CALL FILTER",
    blocks: [
      "_FLAGS_ is a sum; the default is all of them. Any filter also refuses what would put characters into the " +
      "caller's terminal, setuid and setgid bits on files, `openat2`, and limits on core files. 0 installs no " +
      "filter: the program is then only as confined as the rest of the box confines it. For callers who are not " +
      "root the refusals named here hold under 0, too, and so does 8, unless the configuration says otherwise.",
      { term: "1", meaning: "Kernel keyrings, which would outlive the box." },
      {
        term: "2",
        meaning: "Sockets to the hypervisor (`AF_VSOCK`), which ignore network namespaces.",
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
          "System calls of other architectures (32-bit programs on a 64-bit machine), which kill the " +
          "process.",
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
      "one the defaults apply. It must belong to root, and only root may be able to write it. The first is " +
      "YAML, the others have lines of the form _KEY_` = `_VALUE_ and comments after `#`.",
      { term: "`box_root`", meaning: "Where boxes are made (default: `/var/local/lib/isolate`)." },
      { term: "`lock_root`", meaning: "Where their locks are (default: `/run/isolate/locks`)." },
      {
        term: "`cg_root`",
        meaning:
          "Where their control groups are made; `auto` finds a place, `auto:`_FILE_ reads it from a file " +
          "(default: `auto`).",
      },
      {
        term: "`first_uid`, `first_gid`, `num_boxes`",
        meaning:
          "Box _N_ runs as user `first_uid`+_N_ and group `first_gid`+_N_ (default: 60000, 60000 and " +
          "1000).",
      },
      {
        term: "`subid_user`",
        meaning:
          "Take the range of ids from this user's entries in `/etc/subuid` and `/etc/subgid`.",
      },
      { term: "`restricted_init`", meaning: "1 lets only root make boxes (default: 0)." },
      { term: "`syscall_flags`", meaning: "What `--syscalls` overrides (default: all)." },
      {
        term: "`bridge`, `bridge_isolated`",
        meaning:
          "The bridge on which boxes with an address (`--address`) are (default: `isolate0`), which is made and " +
          "removed as needed if there is none; 0 lets boxes on it reach each other (default: 1, only the host).",
      },
      {
        term: "`bridge_address`, `bridge_gateway`",
        meaning:
          "The addresses, with the lengths of their networks, that the host gets on a bridge that is made; and " +
          "those to which boxes send what is for other networks, if they are to have such a route (default: " +
          "none). Forwarding and address translation are the host's own business. Lists, separated by commas.",
      },
      {
        term: "`address_pool`, `address_user.`_NAME_, `address_group.`_NAME_",
        meaning:
          "The networks from which everybody, a user, or the members of a group may choose addresses of boxes, " +
          "such as `10.77.0.0/24, fd77::/64`. The whole network of an address must lie in one of them. " +
          "Default: none. Root may choose any.",
      },
      {
        term: "`box`_N_`.cpus`, `box`_N_`.mems`",
        meaning: "The CPUs and memory nodes of the control group of box _N_.",
      },
      {
        term: "`service_socket`, `service_socket_group`, `service_socket_mode`",
        meaning: "The socket that the service makes, its group and its permissions (default: " +
          "`/run/isolate/socket`, that of root, 0660). A socket that systemd passes has its own.",
      },
      {
        term: "`service_user.`_NAME_, `service_group.`_NAME_",
        meaning:
          "The boxes, as _FIRST_`-`_LAST_, that a user or the members of a group may use through the service. " +
          "Without any such line everybody who may connect may use all boxes.",
      },
      {
        term: "`service_clients`, `service_clients_per_user`",
        meaning:
          "How many clients are served at once, in all and of one user who is not root (default: 1024 and 256). " +
          "Others are told so at once.",
      },
      {
        term: "`service_stop_wait`",
        meaning: "How many seconds a service that stops waits for running boxes (default: 10).",
      },
      {
        term: "`service_ready`",
        meaning:
          "How many seconds a box is kept ready for its next run; 0: boxes are not made ready (default: 60).",
      },
      {
        term: "`service_ready_memory`",
        meaning:
          "Boxes are kept ready while at least so many MB of memory are available (default: 256).",
      },
      {
        term: "`service_metrics_socket`",
        meaning:
          "A unix socket that serves the metrics over HTTP (default: none). It is read when the service " +
          "starts, as `service_socket` is.",
      },
    ],
  },
  {
    title: "ENVIRONMENT",
    blocks: [
      {
        term: "`POSIXLY_CORRECT`",
        meaning: "If set, the first argument that is not an option ends the options.",
      },
      {
        term: "`ISOLATE_SERVICE`",
        meaning: "The socket of the service (default: `/run/isolate/socket`); `off`: use none.",
      },
    ],
  },
  {
    title: "EXAMPLES",
    blocks: [
      "Compile and run a program with one second of CPU time, then look at the outcome:",
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
      { code: "isolate --run -d data=/srv/data -d scratch:tmp -- /bin/ls /data /scratch" },
    ],
  },
];
