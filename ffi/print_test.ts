import { type Operation, OPERATIONS } from "isolate/ffi/abi.ts";
import { ERRNO } from "isolate/ffi/errno.ts";
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_PATH, O_TRUNC, O_WRONLY } from "isolate/ffi/linux.ts";
import { type Argument, Plan, type StepOptions } from "isolate/ffi/plan.ts";
import { printPlan } from "isolate/ffi/print.ts";
import { SIGNATURES } from "isolate/ffi/print_signatures.ts";
import { assert, assertEquals } from "@std/assert";

/** Prints one step; `make` gives its arguments. */
function print(
  operation: Operation,
  make: (plan: Plan) => readonly Argument[],
  options?: StepOptions,
): string {
  const plan = new Plan();
  plan.step(operation, make(plan), options);
  const lines = printPlan(plan);
  assertEquals(lines.length, 1);
  return lines[0]!;
}

Deno.test("every operation has a signature, and no other", () => {
  assertEquals(Object.keys(SIGNATURES).sort(), [...OPERATIONS].sort());
});

Deno.test("every operation can be printed without and with six arguments of any kind", () => {
  for (const operation of OPERATIONS) {
    for (const value of [0, -1, 7, 1n << 63n]) {
      const line = print(operation, () => Array(6).fill(value));
      assert(line.startsWith(`${operation}(`), line);
      assert(!/undefined|NaN|\[object/.test(line), line);
    }
    const plan = new Plan();
    const slot = plan.slot("x");
    const data = plan.alloc(256);
    plan.step(operation, Array(6).fill(slot));
    plan.step(operation, Array(6).fill(data));
    for (const line of printPlan(plan)) assert(!/undefined|NaN|\[object/.test(line), line);
    assertEquals(print(operation, () => []), `${operation}()`);
  }
});

const LINES: readonly (readonly [string, string, () => string])[] = [
  [
    "flags of openat and its mode",
    'openat(AT_FDCWD, "/tmp/x", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0640)',
    () =>
      print("openat", (plan) => [
        AT_FDCWD,
        plan.string("/tmp/x"),
        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
        0o640,
      ]),
  ],
  [
    "struct open_how",
    'openat2(5, "box", {flags=O_RDONLY|O_CLOEXEC|O_PATH, ' +
    "resolve=RESOLVE_NO_SYMLINKS|RESOLVE_BENEATH}, 24)",
    () =>
      print("openat2", (plan) => {
        const how = plan.struct([BigInt(O_PATH | O_CLOEXEC), 0n, 12n]);
        return [5, plan.string("box"), how, 24];
      }),
  ],
  [
    "struct mount_attr",
    'mount_setattr(4, "", AT_EMPTY_PATH|AT_RECURSIVE, ' +
    "{attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID, propagation=MS_PRIVATE}, 32)",
    () =>
      print("mount_setattr", (plan) => {
        const attributes = plan.struct([3n, 0n, 1n << 18n, 0n]);
        return [4, plan.string(""), 0x9000, attributes, 32];
      }),
  ],
  [
    "resource limits",
    "prlimit64(0, RLIMIT_STACK, {rlim_cur=0, rlim_max=RLIM_INFINITY}, NULL)",
    () => print("prlimit64", (plan) => [0, 3, plan.struct([0n, -1n]), 0]),
  ],
  [
    "argument and environment vectors",
    'execve("/bin/sh", ["sh", "-c", "echo \\"hi\\"\\n"], ["A=1"])',
    () =>
      print("execve", (plan) => {
        const vector = (...texts: string[]) =>
          plan.pointers(texts.map((text) => plan.string(text)));
        return [plan.string("/bin/sh"), vector("sh", "-c", 'echo "hi"\n'), vector("A=1")];
      }),
  ],
  [
    "bytes that are not UTF-8, and control characters",
    'chdir("\\xff\\t\\x1b[1mä😀\\u009b")',
    () => print("chdir", (plan) => [plan.string("\udcff\t\x1b[1mä😀\x9b")]),
  ],
  [
    "a path given as bytes",
    'unlinkat(3, "na\\xffme", AT_REMOVEDIR)',
    () =>
      print("unlinkat", (plan) => {
        const name = plan.bytes(new Uint8Array([0x6e, 0x61, 0xff, 0x6d, 0x65, 0]));
        return [3, name, 0x200];
      }),
  ],
  [
    "what is written, as much as is written",
    'write(2, "hello", 5)',
    () => print("write", (plan) => [2, plan.string("hello, world"), 5]),
  ],
  [
    "only the beginning of much",
    `write(2, "${"x".repeat(48)}"…, 100)`,
    () => print("write", (plan) => [2, plan.string("x".repeat(100)), 100]),
  ],
  [
    "what a call will fill",
    "uname(<390 bytes>)",
    () => print("uname", (plan) => [plan.alloc(390)]),
  ],
  [
    "prctl without the zeros that fill it up",
    "prctl(PR_SET_PDEATHSIG, SIGKILL)",
    () => print("prctl", () => [1, 9, 0, 0, 0]),
  ],
  [
    "prctl with arguments that nobody expects",
    "prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 4)",
    () => print("prctl", () => [1, 9, 0, 4, 0]),
  ],
  [
    "an unknown command of prctl",
    "prctl(4711, 5)",
    () => print("prctl", () => [4711, 5, 0, 0, 0]),
  ],
  [
    "keyrings",
    "keyctl(KEYCTL_CLEAR, KEY_SPEC_USER_KEYRING)  [may fail]",
    () => print("keyctl", () => [7, -4, 0, 0, 0], { ignore: "all" }),
  ],
  [
    "a string of fsconfig",
    'fsconfig(9, FSCONFIG_SET_STRING, "mode", "0755", 0)',
    () => print("fsconfig", (plan) => [9, 1, plan.string("mode"), plan.string("0755"), 0]),
  ],
  [
    "a socket",
    "socket(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0)",
    () => print("socket", () => [1, 5 | O_CLOEXEC, 0]),
  ],
  [
    "an event of epoll",
    "epoll_ctl(3, EPOLL_CTL_MOD, 5, {events=EPOLLIN|EPOLLONESHOT, data=5})",
    () =>
      print("epoll_ctl", (plan) => {
        const packed = Deno.build.arch === "x86_64";
        const event = plan.struct(packed ? [1 | 1 << 30, 5, 0] : [1 | 1 << 30, 0, 5, 0]);
        return [3, 3, 5, event];
      }),
  ],
  [
    "a set of signals",
    "rt_sigprocmask(SIG_BLOCK, [SIGINT, SIGTTOU, 64], NULL, 8)",
    () =>
      print("rt_sigprocmask", (plan) => [0, plan.struct([1n << 1n | 1n << 21n | 1n << 63n]), 0, 8]),
  ],
  [
    "all signals",
    "rt_sigprocmask(SIG_SETMASK, [all], NULL, 8)",
    () => print("rt_sigprocmask", (plan) => [2, plan.struct([-1n]), 0, 8]),
  ],
  [
    "groups",
    "setgroups(2, [5, 4294967295])",
    () => print("setgroups", (plan) => [2, plan.struct([5, -1])]),
  ],
  [
    "a device node",
    'mknodat(3, "x", S_IFREG|0444, 0)',
    () => print("mknodat", (plan) => [3, plan.string("x"), 0o100444, 0]),
  ],
  [
    "a range of descriptors",
    "close_range(3, ~0, CLOSE_RANGE_CLOEXEC)",
    () => print("close_range", () => [3, 0xffffffff, 4]),
  ],
  [
    "flags without a name",
    'umount2(".", MNT_DETACH|0x4000)',
    () => print("umount2", (plan) => [plan.string("."), 0x4002]),
  ],
  [
    "a message with its parts",
    "sendmsg(3, {msg_iov={iov_base=<…>, iov_len=8}, msg_iovlen=1}, MSG_NOSIGNAL)",
    () =>
      print("sendmsg", (plan) => {
        const vector = plan.struct([0n, 8n]);
        plan.point(vector, 0, plan.alloc(8));
        const message = plan.struct([0n, 0n, 0n, 1n, 0n, 0n, 0n]);
        plan.point(message, 16, vector);
        return [3, message, 0x4000];
      }),
  ],
  [
    "a disk quota",
    "quotactl_fd(3, QCMD(Q_SETQUOTA, 0), 60001, {bhardlimit=9, bsoftlimit=9, valid=5})",
    () =>
      print("quotactl_fd", (plan) => {
        const values = plan.struct([9n, 9n, 0n, 0n, 0n, 0n, 0n, 0n, 5, 0]);
        return [3, 0x80000800, 60001, values];
      }),
  ],
];

for (const [what, expected, actual] of LINES) {
  Deno.test(`printPlan() shows ${what}`, () => assertEquals(actual(), expected));
}

Deno.test("printPlan() shows results on the left, guards and treatments on the right", () => {
  const plan = new Plan();
  const made = plan.slot("made it");
  const fd = plan.slot("fd");
  const name = plan.string("x");
  plan.step("mkdirat", [3, name, 0o700], { into: made, ignore: ERRNO.EEXIST });
  plan.step("fchmodat", [3, name, 0o700], { when: [made, 0] });
  plan.step("openat", [3, name, 0, 0], { into: fd, when: [made, -ERRNO.EEXIST], ignore: "all" });
  plan.step("close", [fd], { always: true, ignore: "all" });
  assertEquals(printPlan(plan), [
    '$made_it = mkdirat(3, "x", 0700)  [may fail with EEXIST]',
    'fchmodat(3, "x", 0700)  [if $made_it == 0]',
    '$fd = openat(3, "x", O_RDONLY, 0)  [if $made_it == -EEXIST; may fail]',
    "close($fd)  [may fail; always]",
  ]);
});

Deno.test("printPlan() distinguishes slots of the same name", () => {
  const plan = new Plan();
  for (let i = 0; i < 3; i++) plan.step("getpid", [], { into: plan.slot("pid") });
  assertEquals(printPlan(plan), ["$pid = getpid()", "$pid#2 = getpid()", "$pid#3 = getpid()"]);
});

Deno.test("printPlan() names the rule where it changes", () => {
  const plan = new Plan();
  plan.step("getpid", []);
  plan.because("rule 'tmp'", () => {
    plan.step("getuid", []);
    plan.step("getgid", []);
  });
  plan.because("rule 'usr'", () => plan.step("getuid", []));
  plan.step("getppid", []);
  assertEquals(printPlan(plan), [
    "getpid()",
    "# rule 'tmp'",
    "getuid()",
    "getgid()",
    "# rule 'usr'",
    "getuid()",
    "# as always",
    "getppid()",
  ]);
});

Deno.test("printPlan() indents the steps of a child below the step that makes it", () => {
  const plan = new Plan();
  const child = plan.slot("init");
  const args = plan.struct([0x20004100n, 0n, 0n, 0n, 17n, 0n, 4096n, 0n, 0n, 0n, 0n]);
  plan.point(args, 8, plan.alloc(8));
  plan.point(args, 40, plan.alloc(4096));
  plan.spawn(args, { into: child }, () => {
    plan.because("rule", () => plan.step("exit_group", [1]));
  });
  plan.step("reap", [child, 1]);
  assertEquals(printPlan(plan), [
    "$init = spawn({flags=CLONE_VM|CLONE_VFORK|CLONE_NEWPID, pidfd=<…>, exit_signal=SIGCHLD, " +
    "stack=<…>, stack_size=4096}) {",
    "  # rule",
    "  exit_group(1)",
    "}",
    "reap($init, 1)",
  ]);
});

Deno.test("printPlan() makes one line of steps that only count up", () => {
  const plan = new Plan();
  for (let i = 0; i < 64; i++) plan.step("prctl", [24, i, 0, 0, 0], { ignore: ERRNO.EINVAL });
  for (const fd of [7, 8, 9, 11]) plan.step("close", [fd]);
  plan.step("close", [12], { ignore: "all" });
  assertEquals(printPlan(plan), [
    "prctl(PR_CAPBSET_DROP, CAP_CHOWN…63)  [may fail with EINVAL]",
    "close(7…9)",
    "close(11)",
    "close(12)  [may fail]",
  ]);
});

Deno.test("printPlan() does not put steps together that differ in more than a number", () => {
  const plan = new Plan();
  for (const i of [1, 2, 3]) plan.step("dup3", [i, i + 10, 0]);
  for (const i of [1, 2, 3]) plan.step("dup3", [i, 20, 0], { into: plan.slot("fd") });
  assertEquals(printPlan(plan).length, 6);
});

Deno.test("printPlan() makes one line of the steps of which only one will run", () => {
  const plan = new Plan();
  const result = plan.slot("execve");
  for (const errno of [ERRNO.EPERM, ERRNO.ENOENT, ERRNO.EACCES]) {
    const text = plan.string(`${errno}`);
    plan.step("write", [2, text, 1], { when: [result, -errno], ignore: "all" });
  }
  assertEquals(printPlan(plan), [
    'write(2, "1", 1)  [if $execve == -EPERM; may fail]',
    "… and the like if $execve is -ENOENT, -EACCES",
  ]);
});

Deno.test("printPlan() does not show as known what a step before will have changed", () => {
  const plan = new Plan();
  const mask = plan.alloc(8);
  plan.step("rt_sigprocmask", [2, plan.struct([-1n]), mask, 8]);
  plan.step("rt_sigprocmask", [2, mask, 0, 8]);
  assertEquals(printPlan(plan)[1], "rt_sigprocmask(SIG_SETMASK, <set by rt_sigprocmask>, NULL, 8)");
});

Deno.test("printPlan() changes nothing in the plan", () => {
  const plan = new Plan();
  const fd = plan.slot("fd");
  plan.step("openat", [AT_FDCWD, plan.string("/etc/passwd"), 0, 0], { into: fd });
  plan.step("execve", [plan.string("x"), plan.pointers([plan.string("y")]), 0]);
  const before = plan.encode().slice();
  printPlan(plan);
  assertEquals(plan.encode(), before);
});

Deno.test("printPlan() of an empty plan is empty", () => assertEquals(printPlan(new Plan()), []));
