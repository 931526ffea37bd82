/**
 * Both sides of the interface of the shim, compared with each other: `ffi/abi.ts`, and what the
 * built libraries of both architectures say about themselves.
 */

import { ABI_VERSION, CRASH, OPERATIONS, PLAN, REPORT, STEP } from "isolate/ffi/abi.ts";
import { ERRNO } from "isolate/ffi/errno.ts";
import { CAPABILITIES } from "isolate/ffi/print_signatures.ts";
import * as linux from "isolate/ffi/linux.ts";
import { assert, assertEquals } from "@std/assert";
import { withFolder } from "isolate/tests/support/folder.ts";
import {
  ARCHITECTURES,
  needsZig,
  readAbiRecord,
  shimPath,
  ZIG,
} from "isolate/tests/support/shim.ts";
import { testWith } from "isolate/tests/support/skip.ts";

/**
 * The numbers of the system calls, x86_64 and aarch64, from the kernel's tables; the shim takes them
 * from the headers that its compiler brings. Written here a second time on purpose.
 */
// deno-fmt-ignore
const NUMBERS: Readonly<Record<typeof OPERATIONS[number], readonly [number, number]>> = {
  openat: [257, 56], openat2: [437, 437], close: [3, 57], close_range: [436, 436], read: [0, 63],
  pread64: [17, 67], write: [1, 64], pwrite64: [18, 68], ftruncate: [77, 46], statx: [332, 291],
  fstatfs: [138, 44], readlinkat: [267, 78], getdents64: [217, 61], mkdirat: [258, 34],
  mknodat: [259, 33], unlinkat: [263, 35], renameat2: [316, 276], fchownat: [260, 54],
  fchmod: [91, 52], fchmodat: [268, 53], flock: [73, 32], fcntl: [72, 25], dup3: [292, 24],
  pipe2: [293, 59], ioctl: [16, 29], splice: [275, 76], 
  sendfile: [40, 71], memfd_create: [319, 279], 
  umask: [95, 166], chdir: [80, 49], fchdir: [81, 50], chroot: [161, 51], quotactl_fd: [443, 443],
  open_tree: [428, 428], move_mount: [429, 429], mount_setattr: [442, 442], fsopen: [430, 430],
  fsconfig: [431, 431], fsmount: [432, 432], pivot_root: [155, 41], umount2: [166, 39],
  execve: [59, 221], execveat: [322, 281], exit_group: [231, 94], waitid: [247, 95],
  kill: [62, 129], pidfd_open: [434, 434], pidfd_send_signal: [424, 424], getpid: [39, 172],
  getppid: [110, 173], getuid: [102, 174], geteuid: [107, 175], getgid: [104, 176],
  getgroups: [115, 158], setgroups: [116, 159], setresuid: [117, 147], setresgid: [119, 149],
  getpgid: [121, 155], setpgid: [109, 154], prlimit64: [302, 261],
  sched_getaffinity: [204, 123], sched_setaffinity: [203, 122], prctl: [157, 167],
  capset: [126, 91], seccomp: [317, 277], keyctl: [250, 219], 
  unshare: [272, 97],
  uname: [63, 160], rt_sigprocmask: [14, 135], clock_gettime: [228, 113],
  epoll_create1: [291, 20], epoll_ctl: [233, 21], epoll_pwait2: [441, 441],
  timerfd_create: [283, 85], timerfd_settime: [286, 86], ppoll: [271, 73], socket: [41, 198],
  socketpair: [53, 199], connect: [42, 203], setsockopt: [54, 208], sendto: [44, 206],
  bind: [49, 200], listen: [50, 201], accept4: [288, 242], getsockopt: [55, 209],
  setns: [308, 268],
  sethostname: [170, 161], setsid: [112, 157], flistxattr: [196, 13], utimensat: [280, 88], ptrace: [101, 117],
  lseek: [8, 62], sched_setattr: [314, 274], ioprio_set: [251, 30], fremovexattr: [199, 16],
  landlock_create_ruleset: [444, 444], landlock_restrict_self: [446, 446],
  getpriority: [140, 141], setpriority: [141, 140], symlinkat: [266, 36],
  sendmsg: [46, 211], recvmsg: [47, 212], spawn: [32768, 32768], store: [32769, 32769],
  load: [32770, 32770], next: [32771, 32771], reap: [32772, 32772], spawn_each: [32773, 32773],
};

/** What only the C library has in its headers. */
const C_LIBRARY_NAMES = /^(AF|DT|IFF|MNT|MSG|SCM|SOCK|SPLICE|ST|UMOUNT)_/;

/** Whose headers, which, and the names that are looked for there. */
const HEADERS: readonly (readonly [string, string, (name: string) => boolean])[] = [
  [
    "the kernel's headers",
    "asm/ioctls asm/poll asm/siginfo asm/signal asm/socket linux/audit linux/bpf_common " +
    "linux/capability linux/close_range linux/errno linux/eventfd linux/eventpoll linux/fcntl " +
    "linux/fs linux/if linux/if_addr linux/if_bridge linux/if_link " +
    "linux/keyctl linux/landlock linux/memfd linux/mount linux/openat2 linux/prctl linux/ptrace linux/quota " +
    "linux/netlink linux/resource linux/rtnetlink " +
    "linux/sched linux/seccomp linux/sockios linux/stat linux/time " +
    "linux/timerfd linux/veth linux/wait",
    (name) => !C_LIBRARY_NAMES.test(name),
  ],
  [
    "a C library's headers",
    "dirent fcntl net/if sys/mount sys/socket sys/statvfs",
    (name) => C_LIBRARY_NAMES.test(name),
  ],
];

for (const arch of ARCHITECTURES) {
  const record = readAbiRecord(Deno.readFileSync(shimPath(arch)));

  Deno.test(`the ${arch} library has the version that ffi/abi.ts asks for`, () => {
    assertEquals(record.version, ABI_VERSION);
  });

  Deno.test(`the ${arch} library has the operations of ffi/abi.ts, in its order`, () => {
    assertEquals(record.operations.map(([name]) => name), [...OPERATIONS]);
  });

  Deno.test(`the operations of the ${arch} library are the system calls of their names`, () => {
    const column = arch === "x86_64" ? 0 : 1;
    const expected = OPERATIONS.map((name) => [name, NUMBERS[name][column]]);
    assertEquals(record.operations, expected as [string, number][]);
  });

  Deno.test(`the ${arch} library has structures of the sizes in ffi/abi.ts`, () => {
    assertEquals(
      [record.planSize, record.stepSize, record.reportSize, record.crashSize],
      [PLAN.size, STEP.size, REPORT.size, CRASH.size],
    );
  });

  Deno.test(`the ${arch} library has the fields of its structures where ffi/abi.ts has them`, () => {
    assertEquals(record.offsets, [
      PLAN.mainCount,
      PLAN.reportFd,
      PLAN.failedStep,
      STEP.flags,
      STEP.ignoredErrno,
      STEP.resultSlot,
      STEP.guardSlot,
      STEP.guardValue,
      STEP.kinds,
      STEP.args,
      REPORT.status,
      REPORT.wall,
      REPORT.cpu,
      REPORT.maxRssKib,
      CRASH.thread,
      CRASH.code,
      CRASH.address,
      CRASH.registerBytes,
      CRASH.registers,
    ]);
  });

  for (const [whose, headers, isTheirs] of HEADERS) {
    const name = `ffi/linux.ts and ffi/errno.ts have the numbers of ${whose} of ${arch}`;
    testWith([needsZig()], name, async () => {
      const { SIGNALS, OPEN_FLAGS, ...numbers } = linux;
      const table = { ...numbers, ...OPEN_FLAGS[arch], ...SIGNALS, ...CAPABILITIES, ...ERRNO };
      const checks = Object.entries(table).filter(([name]) => isTheirs(name)).map(([name, value]) =>
        `_Static_assert((${value < 0 ? "int" : "unsigned long long"})${name} == ${value}, "");\n`
      );
      const includes = headers.split(" ").map((header) => `#include <${header}.h>\n`);
      const source = ["#define _GNU_SOURCE\n", ...includes, ...checks].join("");
      await withFolder(async (folder) => {
        await Deno.writeTextFile(`${folder}/numbers.c`, source);
        const { success, stderr } = await new Deno.Command(ZIG, {
          args: ["cc", "-target", `${arch}-linux-musl`, "-c", "numbers.c"],
          cwd: folder,
          env: { ZIG_LOCAL_CACHE_DIR: folder },
        }).output();
        assert(success, new TextDecoder().decode(stderr));
      });
    });
  }
}
