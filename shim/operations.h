/* Every operation that a plan may name. The order is the interface: ffi/abi.ts has the same list, and a test compares
 * the two. */
#pragma once

/* Operations that are exactly one system call of the same name. */
#define SYSTEM_CALLS(X)                                                                                              \
  X(openat) X(openat2) X(close) X(close_range) X(read) X(pread64) X(write) X(pwrite64) X(ftruncate) X(statx)         \
  X(fstatfs) X(readlinkat) X(getdents64) X(mkdirat) X(mknodat) X(unlinkat) X(renameat2) X(fchownat) X(fchmod)        \
  X(fchmodat) X(flock) X(fcntl) X(dup3) X(pipe2) X(ioctl) X(splice) X(sendfile) X(memfd_create) X(umask) X(chdir)    \
  X(fchdir) X(chroot) X(quotactl_fd) X(open_tree) X(move_mount) X(mount_setattr) X(fsopen) X(fsconfig) X(fsmount)    \
  X(pivot_root) X(umount2) X(execve) X(execveat) X(exit_group) X(waitid) X(kill) X(pidfd_open) X(pidfd_send_signal)  \
  X(getpid) X(getppid) X(getuid) X(geteuid) X(getgid) X(getgroups) X(setgroups) X(setresuid) X(setresgid) X(getpgid) \
  X(setpgid) X(prlimit64) X(sched_getaffinity) X(sched_setaffinity) X(prctl) X(capset) X(seccomp) X(keyctl)          \
  X(unshare) X(uname) X(rt_sigprocmask) X(clock_gettime) X(epoll_create1) X(epoll_ctl) X(epoll_pwait2)               \
  X(timerfd_create) X(timerfd_settime) X(ppoll) X(socket) X(socketpair) X(bind) X(listen) X(accept4) X(connect)      \
  X(setsockopt) X(getsockopt) X(sendto) X(sendmsg) X(recvmsg) X(setns) X(sethostname) X(setsid)         \
  X(flistxattr) X(utimensat) X(ptrace) X(lseek) X(sched_setattr) X(ioprio_set) X(fremovexattr)         \
  X(landlock_create_ruleset) X(landlock_restrict_self) X(getpriority) X(setpriority) X(symlinkat)

/* Operations that the shim itself carries out (numbers above any system call). */
#define OWN_OPERATIONS(X)                                                                                            \
  X(spawn) /* clone_args, size, first step, steps: clone3 a child that runs those steps of the plan */               \
  X(store) /* address, width, value: put a value, usually a slot's, into the plan's data */                          \
  X(load) /* address, width: the value there, as a result */                                                         \
  X(next) /* socket: wait there for a message whose first descriptor is a plan, and live that */                     \
  X(reap) /* pid, whether it is traced: be the box's init: reap orphans until pid ends, report that, exit */           \
  X(spawn_each) /* as spawn, and a socket: clone such a child for each message there */

/* The initializer of a table: system call numbers and own operations by operation code. */
#define SYSTEM_CALL_NUMBER(name) __NR_##name,
#define OWN_NUMBER(name) OWN_##name,
#define OPERATION_NUMBERS SYSTEM_CALLS(SYSTEM_CALL_NUMBER) OWN_OPERATIONS(OWN_NUMBER)
